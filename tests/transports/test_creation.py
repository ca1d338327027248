"""The message that starts a pipeline, held against pypsrp's own way of writing it."""

from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pypsrp.complex_objects import (
    ApartmentState,
    CommandParameter,
    HostInfo,
    Pipeline,
    RemoteStreamOptions,
)
from pypsrp.complex_objects import (
    Command as TheirCommand,
)
from pypsrp.host import PSHost, PSHostUserInterface
from pypsrp.messages import CreatePipeline
from pypsrp.serializer import Serializer, TaggedValue

from orchestrator.core.command import Argument, Command, Delta, Statement
from orchestrator.transports.clixml import escape
from orchestrator.transports.creation import creation


class Theirs(Serializer):
    """pypsrp's serializer, which otherwise writes an underscore so that it cannot be read back."""

    def _serialize_string(self, value: str | None) -> str | None:
        return None if value is None else escape(value)


def theirs(statements: tuple[Statement, ...], protocol: str) -> bytes:
    """What pypsrp makes of the same commands."""
    commands = []
    for statement in statements:
        for call in statement:
            one = TheirCommand(call.name, protocol, is_script=False)
            one.args = [
                CommandParameter(name=n or None, value=_given(v)) for n, v in call.parameters
            ]
            commands.append(one)
        commands[-1].end_of_statement = True
    host = PSHost(None, None, False, "any", None, PSHostUserInterface(), "1.0")
    message = CreatePipeline(
        True,
        ApartmentState(value=ApartmentState.UNKNOWN),
        RemoteStreamOptions(value=RemoteStreamOptions.ADD_INVOCATION_INFO),
        False,
        HostInfo(host=host),
        Pipeline(is_nested=False, cmds=commands, history=None, redirect_err_to_out=False),
        False,
    )
    element = Theirs().serialize(message)
    assert element is not None
    written: bytes = ET.tostring(element, encoding="utf-8", method="xml")
    return written


def _given(value: Argument) -> Any:
    match value:
        case None | bool() | str():
            return value
        case int():
            wide = "I32" if -(2**31) <= value < 2**31 else "I64"
            return TaggedValue(wide if -(2**63) <= value < 2**63 else "D", value)
        case Delta(add, remove):
            halves = {"Add": list(add), "Remove": list(remove)}
            return {name: members for name, members in halves.items() if members}
        case _:
            return list(value)


words = some.text(max_size=12)
lists = some.lists(words, max_size=3).map(tuple)
arguments = some.one_of(
    some.none(),
    some.booleans(),
    some.integers(-(2**70), 2**70),
    words,
    lists,
    some.builds(Delta, lists, lists),
)
commands = some.builds(
    Command,
    some.text(min_size=1, max_size=12),
    some.lists(some.tuples(words, arguments), max_size=3).map(tuple),
)
statements = some.lists(
    some.lists(commands, min_size=1, max_size=3).map(tuple), min_size=1, max_size=3
).map(tuple)


@given(statements, some.sampled_from(["2.1", "2.2", "2.3"]))
def test_what_starts_a_pipeline_is_byte_for_byte_what_pypsrp_would_send(
    asked: tuple[Statement, ...], protocol: str
) -> None:
    assert creation(asked, protocol).xml == theirs(asked, protocol)


@pytest.mark.parametrize("value", [2**31 - 1, 2**31, -(2**31) - 1, 2**63 - 1, 2**63])
def test_an_integer_is_written_as_wide_as_it_is(value: int) -> None:
    asked: tuple[Statement, ...] = ((Command("Get-X", (("Number", value),)),),)
    assert creation(asked, "2.3").xml == theirs(asked, "2.3")
