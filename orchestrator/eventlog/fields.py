"""Events as named fields: what each collector and cmdlet calls the parts of an event.

To read the fields of another collector, add a row to SHAPES.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from orchestrator.eventlog.damage import Damage, Entry
from orchestrator.eventlog.insertion import LOST, Insertion, insertion
from orchestrator.eventlog.moment import instant
from orchestrator.eventlog.xml import single
from orchestrator.exchange.event import RawEvent


@dataclass(frozen=True, slots=True)
class Shape:
    """Paths of the parts of an event, the first that is there counts; case does not.

    A dot leads into an object, or is part of the name. The computer is that on which the event
    arose, never the collector. *joined* says that one text holds all strings, with ", " between.
    """

    name: str
    provider: tuple[str, ...]
    id: tuple[str, ...]
    computer: tuple[str, ...]
    time: tuple[str, ...]
    data: tuple[str, ...]
    record: tuple[str, ...] = ()
    message: tuple[str, ...] = ("message",)
    joined: bool = False


_WIN = ("data.win.", "win.")
_ROOTS = ("event.", "")


def _attribute(name: str) -> tuple[str, ...]:
    """Return how converters of XML write an attribute beneath its element, or beside it."""
    return (f".#attributes.{name}", f".@{name}", f".{name}", f"_attributes.{name}")


SHAPES: Final = (
    Shape(
        "winlogbeat and ECS",
        ("winlog.provider_name", "source_name", "event.provider"),
        ("winlog.event_id", "event_id", "event.code"),
        ("winlog.computer_name", "computer_name"),
        ("@timestamp", "time_generated"),
        ("winlog.event_data", "event_data", "string_inserts"),
        ("winlog.record_id", "record_number"),
        ("message", "description"),
    ),
    Shape(
        "Wazuh",
        tuple(f"{at}system.providername" for at in _WIN),
        tuple(f"{at}system.eventid" for at in _WIN),
        tuple(f"{at}system.computer" for at in _WIN),
        tuple(f"{at}system.systemtime" for at in _WIN),
        tuple(f"{at}eventdata" for at in _WIN),
        tuple(f"{at}system.eventrecordid" for at in _WIN),
        tuple(f"{at}system.message" for at in _WIN),
        joined=True,
    ),
    Shape(
        "event XML turned into JSON",
        tuple(f"{at}system.provider{name}" for at in _ROOTS for name in _attribute("name")),
        tuple(f"{at}system.eventid" for at in _ROOTS),
        tuple(f"{at}system.computer" for at in _ROOTS),
        tuple(f"{at}system.timecreated{n}" for at in _ROOTS for n in _attribute("systemtime")),
        tuple(f"{at}eventdata" for at in _ROOTS),
        tuple(f"{at}system.eventrecordid" for at in _ROOTS),
        tuple(f"{at}renderinginfo.message" for at in _ROOTS),
    ),
    Shape(
        "Get-WinEvent",
        ("providername",),
        ("id", "eventid"),
        ("machinename", "computer"),
        ("timecreated",),
        ("properties", "stringinserts"),
        ("recordid", "eventrecordid"),
    ),
    Shape(
        "Splunk",
        ("sourcename",),
        ("eventcode",),
        ("computername",),
        ("_time",),
        ("eventdata",),
        ("recordnumber",),
    ),
    Shape(
        "NXLog",
        ("sourcename",),
        ("eventid",),
        ("hostname",),
        ("eventtime",),
        ("eventdata", "data"),
        ("recordnumber",),
    ),
    Shape(
        "Azure Monitor and Sentinel",
        ("provider", "source"),
        ("eventid",),
        ("computer",),
        ("timecreated", "timegenerated"),
        ("parameterxml", "eventdata"),
        ("eventrecordid",),
        ("rendereddescription", "message"),
    ),
    Shape(
        "Get-EventLog",
        ("source",),
        ("eventid", "instanceid"),
        ("machinename",),
        ("timegenerated", "timewritten"),
        ("replacementstrings",),
        ("index",),
        joined=True,
    ),
)

EMBEDDED: Final = ("rawxml", "eventxml", "event.original", "raweventdata", "xml", "_raw")
"""Where some collectors keep the event XML itself, which says more than what they made of it."""


def describe(fields: Mapping[str, object], place: str) -> Entry:
    """Return the event that *fields* are, or a Damage where they fit no shape."""
    folded = _folded(fields)
    for path in EMBEDDED:
        text = _found(folded, path)
        if isinstance(text, str) and text.lstrip().startswith("<Event"):
            return single(text.lstrip(), place)
    fitting = [shape for shape in SHAPES if _fits(folded, shape)]
    if not fitting:
        return Damage(place, "its fields are those of no export of Windows events that is known")
    # Several call provider and id the same; they differ in what they call the computer.
    named = (shape for shape in fitting if _first(folded, shape.computer))
    return _event(folded, next(named, fitting[0]), place)


def _fits(fields: Mapping[str, object], shape: Shape) -> bool:
    number, provider = _first(fields, shape.id), _first(fields, shape.provider)
    return _number(number) is not None and bool(_plain(provider))


def _event(fields: Mapping[str, object], shape: Shape, place: str) -> RawEvent:
    time = _first(fields, shape.time)
    if isinstance(time, Mapping):
        time = time.get("value")
    found = insertion(_data(fields, shape), joined=shape.joined)
    if not found.data and not found.named:
        found = Insertion(named=_numbered(fields), lost=found.lost)
    return RawEvent(
        _plain(_first(fields, shape.provider)),
        _number(_first(fields, shape.id)) or 0,
        _plain(_first(fields, shape.computer)),
        instant(time),
        time.isoformat() if isinstance(time, datetime) else _plain(time),
        found.data,
        found.named,
        found.joined,
        _plain(_first(fields, shape.message)),
        _number(_first(fields, shape.record)),
        place,
        (LOST,) if found.lost else (),
    )


def _data(fields: Mapping[str, object], shape: Shape) -> object:
    """Return the strings as one value; NXLog gives each <Data> without a name a field [doc]."""
    if "data_1" not in fields:
        return _first(fields, shape.data)
    names = ("data", *(f"data_{number}" for number in range(1, 5)))
    return [fields[name] for name in names if name in fields]


_BEFORE_NUMBERED: Final = ("", "winlog.event_data.", "event_data.")


def _numbered(fields: Mapping[str, object]) -> dict[str, str]:
    """Return strings that stand beside the other fields under names with a number."""
    names = [f"param{number}" for number in range(1, 6)]
    found = {name: _first(fields, tuple(b + name for b in _BEFORE_NUMBERED)) for name in names}
    return {name: _plain(value) for name, value in found.items() if value is not None}


def _folded(fields: Mapping[str, object]) -> dict[str, object]:
    return {
        str(name).casefold(): _folded(value) if isinstance(value, Mapping) else value
        for name, value in fields.items()
    }


def _first(fields: Mapping[str, object], paths: tuple[str, ...]) -> object:
    for path in paths:
        value = _found(fields, path)
        if value is not None and value != "":
            return value
    return None


def _found(fields: Mapping[str, object], path: str) -> object:
    if path in fields:
        return _alone(fields[path])
    head, dot, rest = path.partition(".")
    below = fields.get(head) if dot else None
    return _found(below, rest) if isinstance(below, Mapping) else None


def _alone(value: object) -> object:
    """Return the one value of an array as search engines make them, else *value*."""
    one = isinstance(value, list | tuple) and len(value) == 1 and isinstance(value[0], str | int)
    return value[0] if one else value  # type: ignore[index] # an array, as asked before


_KEYS: Final = ("#text", "$text", "content", "value", "id", "_", "$")


def _number(value: object) -> int | None:
    if isinstance(value, Mapping):
        value = next((value[key] for key in _KEYS if key in value), None)
    if isinstance(value, str) and re.fullmatch(r"\s*-?[0-9]{1,18}\s*", value):
        return int(value.strip())
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _plain(value: object) -> str:
    return value.strip() if isinstance(value, str) else "" if value is None else str(value)
