"""The part of XPath that the Windows event log takes in its queries [doc].

``*[System[...]]`` with ``and``, ``or``, parentheses, comparisons of EventID, EventRecordID, Level,
Task, Provider's ``@Name``, TimeCreated's ``@SystemTime`` and ``timediff(@SystemTime)``.
"""

import operator
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from orchestrator.lab.eventlog import EventRecord

Test: TypeAlias = Callable[[EventRecord, datetime], bool]
_Value: TypeAlias = Callable[[EventRecord, datetime], Any]

MOST = 32
"""Comparisons that one query may have [obs]."""

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'[^']*'|\"[^\"]*\")|(?P<number>\d+)|(?P<name>@?[A-Za-z]+)"
    r"|(?P<mark>!=|<=|>=|[*\[\]()=<>]))"
)
_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_VALUES: Mapping[tuple[str, str], _Value] = {
    ("System", "EventID"): lambda record, _: record.id,
    ("System", "EventRecordID"): lambda record, _: record.number,
    ("System", "Level"): lambda record, _: record.level,
    ("System", "Task"): lambda record, _: record.task,
    ("Provider", "@Name"): lambda record, _: record.provider,
    ("TimeCreated", "@SystemTime"): lambda record, _: record.at,
}


class Invalid(Exception):
    """The query is none that the event log takes."""


def compile_query(text: str) -> Test:
    """Return what a query asks of a record at a moment. Raises Invalid."""
    parser = _Parser(text)
    test = parser.whole()
    parser.end()
    return test


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._at = 0
        self._comparisons = 0
        self._depth = 0

    def whole(self) -> Test:
        self._take("*")
        if not self._seen("["):
            return lambda _record, _now: True
        self._take("System")
        if not self._seen("["):
            raise Invalid("System")
        test = self._either("System")
        self._take("]")
        self._take("]")
        return test

    def end(self) -> None:
        if self._at != len(self._tokens):
            raise Invalid(self._tokens[self._at])

    def _either(self, within: str) -> Test:
        test = self._both(within)
        while self._seen("or"):
            test = _joined(any, test, self._both(within))
        return test

    def _both(self, within: str) -> Test:
        test = self._one(within)
        while self._seen("and"):
            test = _joined(all, test, self._one(within))
        return test

    def _one(self, within: str) -> Test:
        if self._seen("("):
            self._depth += 1
            if self._depth > MOST:
                raise Invalid("too deep")
            test = self._either(within)
            self._take(")")
            self._depth -= 1
            return test
        for element in ("Provider", "TimeCreated"):
            if within == "System" and self._seen(element):
                self._take("[")
                test = self._either(element)
                self._take("]")
                return test
        return self._comparison(within)

    def _comparison(self, within: str) -> Test:
        self._comparisons += 1
        if self._comparisons > MOST:
            raise Invalid("too many")
        value = self._value(within)
        compare = _OPERATORS.get(self._next())
        if compare is None:
            raise Invalid("operator")
        literal = _literal(self._next())
        timed = isinstance(literal, str) and self._last == "@SystemTime"
        wanted = _moment(str(literal)) if timed else literal
        return lambda record, now: compare(value(record, now), wanted)

    def _value(self, within: str) -> _Value:
        self._last = self._next()
        if self._last == "timediff" and within == "TimeCreated":
            for mark in ("(", "@SystemTime", ")"):
                self._take(mark)
            return lambda record, now: (now - record.at).total_seconds() * 1000
        value = _VALUES.get((within, self._last))
        if value is None:
            raise Invalid(self._last)
        return value

    def _next(self) -> str:
        if self._at >= len(self._tokens):
            raise Invalid("end")
        self._at += 1
        return self._tokens[self._at - 1]

    def _seen(self, token: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at] == token:
            self._at += 1
            return True
        return False

    def _take(self, token: str) -> None:
        if not self._seen(token):
            raise Invalid(token)


def _joined(how: Callable[[tuple[bool, ...]], bool], one: Test, other: Test) -> Test:
    return lambda record, now: how((one(record, now), other(record, now)))


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    text = text.strip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise Invalid(text[at:])
        found.append(match[0].strip())
        at = match.end()
    return found


def _literal(token: str) -> int | str:
    if token.isdigit():
        return int(token)
    if token[0] in "'\"":
        return token[1:-1]
    raise Invalid(token)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    except ValueError:
        raise Invalid(text) from None
    if moment.tzinfo is None:
        raise Invalid(text)
    return moment
