"""Parameter binding: from the arguments of a call to values, as PowerShell does it."""

from collections.abc import Iterable, Mapping, Sequence

from orchestrator.lab.cmdlet import Cmdlet, Delta, Parameter, Session
from orchestrator.lab.faults.calls import RightLost
from orchestrator.lab.forms import Unfit, fold
from orchestrator.lab.lists import Many
from orchestrator.lab.records import Problem, Stopped
from orchestrator.lab.texts import say

COMMON: Mapping[str, Parameter] = {
    **dict.fromkeys(("Verbose", "Debug"), Parameter(switch=True)),
    **dict.fromkeys(
        (
            "ErrorAction",
            "WarningAction",
            "InformationAction",
            "ErrorVariable",
            "WarningVariable",
            "InformationVariable",
            "OutVariable",
            "OutBuffer",
            "PipelineVariable",
        ),
        Parameter(),
    ),
}
"""The parameters that every cmdlet has."""

LIMIT = 256
"""The members that a domain secure list may have [doc]."""

_EXCEPTION = "System.Management.Automation.ParameterBindingException"


def bind(
    cmdlet: Cmdlet,
    visible: tuple[str, ...] | None,
    given: Iterable[tuple[str | None, object]],
    language: str,
    *,
    piped: bool = False,
) -> dict[str, object]:
    """Return the arguments by the parameters' own names.

    *visible* are the parameters that the user's roles grant; None is all. What a pipe delivers
    need not be named. Raises Stopped.
    """
    legal = legal_parameters(cmdlet, visible)
    bound: dict[str, object] = {}
    for name, value in given:
        if name:
            key = _resolve(cmdlet, legal, name.lstrip("-").rstrip(":"), language)
        else:
            key = _next(cmdlet, legal, bound, value, language)
        bound[key] = _convert(cmdlet, key, legal[key], plain(value), language)
    if not piped:
        _require(cmdlet, legal, bound, language)
    return bound


def legal_parameters(cmdlet: Cmdlet, visible: tuple[str, ...] | None) -> dict[str, Parameter]:
    """Return the parameters that exist for a user, the common ones included."""
    always = ("Confirm", "WhatIf", "ErrorAction")
    own = {
        name: one
        for name, one in cmdlet.parameters.items()
        if visible is None or name in visible or name in always
    }
    return {**own, **COMMON}


def remaining(session: Session, cmdlet: Cmdlet) -> tuple[str, ...] | None:
    """Return the parameters that the user's roles grant; None is all. One may be lost meanwhile."""
    visible = session.rights.get(cmdlet.name)
    lost = session.organization.troubled(RightLost, cmdlet.name)
    if lost is None:
        return visible
    granted = cmdlet.parameters if visible is None else visible
    return tuple(name for name in granted if name.casefold() != lost.parameter.casefold())


def _resolve(cmdlet: Cmdlet, legal: Mapping[str, Parameter], name: str, language: str) -> str:
    folded = name.casefold()
    exact = [key for key in legal if key.casefold() == folded]
    near = exact or [key for key in legal if key.casefold().startswith(folded)]
    if len(near) == 1:
        return near[0]
    kind = "AmbiguousParameter" if near else "NamedParameterNotFound"
    text = say(language, "ambiguous-parameter" if near else "unknown-parameter", name)
    raise Stopped(
        Problem(
            text,
            f"{kind},{cmdlet.implementation}",
            _EXCEPTION,
            "InvalidArgument",
            cmdlet.name,
        )
    )


def _next(
    cmdlet: Cmdlet,
    legal: Mapping[str, Parameter],
    bound: Mapping[str, object],
    value: object,
    language: str,
) -> str:
    """Return the first parameter with a position that has no value yet."""
    positions = sorted(
        (one.position, name)
        for name, one in legal.items()
        if one.position is not None and name not in bound
    )
    if positions:
        return positions[0][1]
    raise Stopped(
        Problem(
            say(language, "positional", value),
            f"PositionalParameterNotFound,{cmdlet.implementation}",
            _EXCEPTION,
            "InvalidArgument",
            cmdlet.name,
        )
    )


def _require(
    cmdlet: Cmdlet, legal: Mapping[str, Parameter], bound: Mapping[str, object], language: str
) -> None:
    missing = [name for name, one in legal.items() if one.mandatory and name not in bound]
    if missing:
        raise Stopped(
            Problem(
                say(language, "missing-parameter", " ".join(missing)),
                f"MissingMandatoryParameter,{cmdlet.implementation}",
                _EXCEPTION,
                "InvalidArgument",
                cmdlet.name,
            )
        )


def _convert(
    cmdlet: Cmdlet, name: str, parameter: Parameter, value: object, language: str
) -> object:
    if parameter.switch:
        return value is None or bool(value)
    form = parameter.form
    if form is None or value is None:
        return value
    try:
        if isinstance(form, Many) and isinstance(value, Mapping):
            return _delta(form, value)
        if parameter.listed and isinstance(value, Sequence) and not isinstance(value, str):
            return tuple(form.read(one) for one in value)
        return form.read(value)
    except Unfit as unfit:
        text = say(language, "transformation", name, _spoken(value), form.title, unfit)
        raise Stopped(_unfit(cmdlet, text)) from unfit


def _unfit(cmdlet: Cmdlet, text: str) -> Problem:
    return Problem(
        text,
        f"ParameterArgumentTransformationError,{cmdlet.implementation}",
        "System.Management.Automation.ParameterBindingArgumentTransformationException",
        "InvalidData",
        cmdlet.name,
    )


def _delta(form: Many, table: Mapping[object, object]) -> Delta:
    halves: dict[str, tuple[object, ...]] = {}
    for key, value in table.items():
        half = str(key).casefold()
        if half not in ("add", "remove"):
            raise Unfit(
                f'The key "{key}" isn\'t valid. Use only the keys "Add" and "Remove" in the '
                "hashtable."
            )
        members = value if isinstance(value, (list, tuple)) else (value,)
        halves[half] = tuple(form.item.read(one) for one in members if one is not None)
    return Delta(halves.get("add", ()), halves.get("remove", ()))


def changed(now: tuple[object, ...], delta: Delta) -> tuple[object, ...]:
    """Return *now* with a delta applied, compared in any case; what is absent stays absent.

    Removing an absent member and adding a present one do nothing [obs].
    """
    gone = {fold(one) for one in delta.remove}
    kept = tuple(one for one in now if fold(one) not in gone)
    known = {fold(one) for one in kept}
    fresh: list[object] = []
    for one in delta.add:
        if fold(one) not in known:
            known.add(fold(one))
            fresh.append(one)
    return kept + tuple(fresh)


def plain(value: object) -> object:
    """Return an argument as decoded by the protocol library as plain Python values."""
    match value:
        case None | bool():
            return value
        case int():
            return int(value)
        case Mapping():
            return {plain(key): plain(one) for key, one in value.items()}
        case list() | tuple():
            return [plain(one) for one in value]
        case _:
            return str(value)


def _spoken(value: object) -> str:
    if isinstance(value, Mapping):
        return "System.Collections.Hashtable"
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
