"""The programs of a simulated server. To add one: a function, and a row in PROGRAMS.

Names, options, exit codes and the English words of complaints are those of Windows [doc][obs].
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC

from orchestrator.lab.disk import Disk
from orchestrator.lab.eventlog import EventLog, EventRecord
from orchestrator.lab.host.line import Beyond, words
from orchestrator.lab.host.xpath import Invalid, Test, compile_query
from orchestrator.lab.organization import Organization


@dataclass(frozen=True, slots=True)
class Ran:
    """What a program wrote, and its exit code. *wide* asks for UTF-16 on standard output."""

    out: str = ""
    err: str = ""
    code: int = 0
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Machine:
    """Where a program runs."""

    organization: Organization
    server: str

    @property
    def log(self) -> EventLog:
        """The Application log, as it is now."""
        self.organization.catch_up()
        return self.organization.logs[self.server]

    @property
    def disk(self) -> Disk:
        """The files, as they are now."""
        self.organization.catch_up()
        return self.organization.disks[self.server]


Program = Callable[[Machine, Sequence[str]], Ran]


def run_line(machine: Machine, line: str) -> Ran:
    """Run what ``cmd /c`` was given."""
    try:
        found = words(line)
    except Beyond:
        return Ran(err="The lab runs one program at a time.\r\n", code=1)
    return run(machine, found) if found else Ran()


def run(machine: Machine, line: Sequence[str]) -> Ran:
    """Run a program with its arguments."""
    name = line[0].rpartition("\\")[2].casefold().removesuffix(".exe")
    program = PROGRAMS.get(name)
    if program is None:
        text = (
            f"'{line[0]}' is not recognized as an internal or external command,\r\n"
            "operable program or batch file.\r\n"
        )
        return Ran(err=text, code=1)
    return program(machine, line[1:])


def _cmd(machine: Machine, arguments: Sequence[str]) -> Ran:
    if arguments and arguments[0].casefold() == "/c":
        return run(machine, arguments[1:])
    return Ran()


def _type(machine: Machine, arguments: Sequence[str]) -> Ran:
    text = machine.disk.read(" ".join(arguments))
    if text is None:
        return Ran(err="The system cannot find the file specified.\r\n", code=1)
    return Ran(text)


def _dir(machine: Machine, arguments: Sequence[str]) -> Ran:
    options = [one.casefold() for one in arguments if one.startswith("/")]
    folder = " ".join(one for one in arguments if not one.startswith("/"))
    names = machine.disk.names(folder)
    if names is None:
        return Ran(err="File Not Found\r\n", code=1)
    backwards = any(one.startswith("/o") and "-" in one for one in options)
    return Ran("".join(f"{name}\r\n" for name in (reversed(names) if backwards else names)))


def _wevtutil(machine: Machine, arguments: Sequence[str]) -> Ran:
    verb = arguments[0].casefold() if arguments else ""
    if verb not in {"qe", "query-events"}:
        return _invalid(f"Invalid command '{verb}'.")
    options: dict[str, str] = {}
    names: list[str] = []
    for argument in arguments[1:]:
        if not argument.startswith("/"):
            names.append(argument)
            continue
        key, _, value = argument[1:].partition(":")
        options[_LONG.get(key.casefold(), key.casefold())] = value
    if unknown := set(options) - _OPTIONS:
        return _invalid(
            f"Invalid option {min(unknown)}. Option name is not specified or is invalid."
        )
    if [name.casefold() for name in names] != ["application"]:
        return Ran(
            err=f"Failed to read events from log or log query. Log: {''.join(names)}\r\n"
            "The specified channel could not be found.\r\n",
            code=15007,
        )
    return _queried(machine, options)


_LONG: Mapping[str, str] = {
    "query": "q",
    "reversedirection": "rd",
    "format": "f",
    "count": "c",
    "element": "e",
    "unicode": "uni",
    "locale": "l",
}
_OPTIONS = frozenset(_LONG.values())


def _invalid(text: str) -> Ran:
    return Ran(err=f"{text}\r\nThe parameter is incorrect.\r\n", code=87)


def _queried(machine: Machine, options: Mapping[str, str]) -> Ran:
    try:
        test: Test = compile_query(options.get("q", "*"))
        count = int(options.get("c", "0") or "0")
        backwards = {"true": True, "false": False}[options.get("rd", "false").casefold()]
    except Invalid:
        return Ran(
            err="Failed to read events from log or log query.\r\nThe specified query is invalid."
            "\r\n",
            code=15001,
        )
    except (ValueError, KeyError):
        return _invalid("Invalid value for option c or rd.")
    if count < 0:
        return _invalid("Invalid value for option c.")
    now = machine.organization.clock().astimezone(UTC)
    found = [record for record in machine.log.records() if test(record, now)]
    if backwards:
        found.reverse()
    return _shown(machine.log, found[: count or None], options)


def _shown(log: EventLog, records: Sequence[EventRecord], options: Mapping[str, str]) -> Ran:
    form = options.get("f", "xml").casefold()
    if form == "text":
        written = [f"Event[{at}]\r\n  Event ID: {one.id}\r\n" for at, one in enumerate(records)]
    elif form in {"xml", "renderedxml"}:
        written = [f"{log.xml(one, rendered=form != 'xml')}\r\n" for one in records]
    else:
        return _invalid("Invalid value for option f.")
    root = options.get("e", "")
    text = "".join(written)
    if root:
        text = f"<{root}>\r\n{text}</{root}>\r\n"
    return Ran(text, wide=options.get("uni", "false").casefold() == "true")


PROGRAMS: Mapping[str, Program] = {
    "cmd": _cmd,
    "type": _type,
    "dir": _dir,
    "wevtutil": _wevtutil,
}
"""By name in lower case, without ``.exe``."""
