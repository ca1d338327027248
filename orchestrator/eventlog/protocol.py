r"""SmtpReceive protocol logs, from files and from servers' disks, line by line.

A server names its files ``RECVyyyymmddhh-n.LOG``, one an hour; Exchange 2010
``RECVyyyymmdd-n.LOG``, one a day [doc]. Times are UTC. What was not read is a gap, and is named.
"""

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from orchestrator.core.command import Host
from orchestrator.core.errors import ConfigurationError, ProgramFailed, TransportError
from orchestrator.eventlog.source import Broken, Source, open_source
from orchestrator.exchange.senders import Roll, Senders
from orchestrator.exchange.smtplog import LONGEST, ProtocolLog

FILES: Final = 24
"""Files that are fetched from one server at most, the newest first."""

MARGIN = timedelta(hours=1)
"""How far around a moment files are fetched: sessions begin before they are refused."""

_NAME = re.compile(r"RECV(?P<day>\d{8})(?P<hour>\d{2})?-\d+\.LOG", re.IGNORECASE)
_SHOWN = 20


@dataclass(slots=True)
class Reading:
    """Protocol logs as they are read for one domain. *sources* were read, *gaps* were not."""

    roll: Roll
    log: ProtocolLog = field(default_factory=ProtocolLog)
    sources: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)

    def add(self, name: str, lines: Iterable[str]) -> None:
        """Read one log; what breaks off or is no such log is a gap."""
        rows, damaged = self.log.rows, self.log.damaged
        try:
            for attempt in self.log.read(lines):
                self.roll.add(attempt)
        except (Broken, ConfigurationError) as error:
            self.gaps.append(f"{name}: {error}")
        if self.log.rows == rows:
            self.gaps.append(f"{name}: it holds no row of a protocol log")
            return
        self.sources.append(f"protocol log {name}")
        if lost := self.log.damaged - damaged:
            self.gaps.append(f"{name}: {lost} lines are torn or make no sense")

    def senders(self) -> Senders:
        """Return what was found."""
        return self.roll.senders(self.sources, self.gaps, self.log.first, self.log.last)


def read_files(names: Sequence[str], reading: Reading) -> None:
    """Read files, and every ``.log`` of a directory. Raises ConfigurationError for what is none."""
    for name in names:
        for path in _expanded(name):
            with open_source(path) as source:
                reading.add(source.name, _lines(source))


def _expanded(name: str) -> list[str]:
    try:
        folder = Path(name)
        if not folder.is_dir():
            return [name]
        found = sorted(str(path) for path in folder.iterdir() if path.suffix.lower() == ".log")
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"it cannot be read: {error}", file=name) from None
    if not found:
        raise ConfigurationError("there is no .log file in it", file=name)
    return found


def _lines(source: Source) -> Iterator[str]:
    """Yield the lines; of one that is too long its beginning, so that it counts as damaged."""
    rest, dropping = "", False
    for text in source.text():
        *whole, rest = (rest + text).split("\n")
        for line in whole:
            if not dropping:
                yield line
            dropping = False
        if len(rest) > LONGEST:
            if not dropping:
                yield rest[: LONGEST + 1]
            rest, dropping = "", True
    if rest and not dropping:
        yield rest


def read_server(
    host: Host, server: str, folders: Sequence[str], moments: Sequence[datetime], reading: Reading
) -> None:
    """Fetch the logs of *server* around *moments*, or its newest ones where there are none.

    What cannot be listed or read is a gap; nothing is raised for it.
    """
    for folder in folders:
        place = f"{server}: {folder}"
        try:
            names = listed(host, folder)
        except TransportError as error:
            reading.gaps.append(f"{place}: {_reason(error)}")
            continue
        wanted = [name for name in names if covers(name, moments)]
        if not wanted:
            reading.gaps.append(f"{place}: no file of the time in question")
        if len(wanted) > FILES:
            reading.gaps.append(f"{place}: {len(wanted) - FILES} older files were not read")
        for name in reversed(wanted[:FILES]):
            _fetch(host, server, f"{folder}\\{name}", reading)


def read_somewhere(
    host: Host, server: str, folders: Sequence[str], moments: Sequence[datetime], reading: Reading
) -> None:
    """Fetch as ``read_server`` does from wherever among *folders* there are logs.

    That some of them are not there is no gap, as long as one is.
    """
    before, had = len(reading.gaps), len(reading.sources)
    read_server(host, server, folders, moments, reading)
    if len(reading.sources) > had:
        absent = tuple(f"{server}: {folder}: {_ABSENT}" for folder in folders)
        reading.gaps[before:] = [g for g in reading.gaps[before:] if not g.startswith(absent)]


_ABSENT = "it is not there, or may not be read"


def listed(host: Host, folder: str) -> list[str]:
    """Return the names of the protocol logs in *folder*, the newest first.

    ``/b`` is bare names, free of language. Raises TransportError.
    """
    said = host.run("dir", ("/b", "/o-d", folder)).decode("utf-8", "replace")
    names = [line.strip() for line in said.splitlines()]
    found = [name for name in names if _NAME.fullmatch(name)]
    return sorted(found, key=str.casefold, reverse=True)


def covers(name: str, moments: Sequence[datetime]) -> bool:
    """Say whether a file's hour, or day, lies within an hour of one of *moments*."""
    found = _NAME.fullmatch(name)
    if found is None:
        return False
    try:
        begin = datetime.strptime(f"{found['day']}{found['hour'] or '00'}+0000", "%Y%m%d%H%z")
    except ValueError:
        return False
    end = begin + (timedelta(hours=1) if found["hour"] else timedelta(days=1))
    return not moments or any(begin - MARGIN <= at < end + MARGIN for at in moments)


def _fetch(host: Host, server: str, path: str, reading: Reading) -> None:
    name = f"{server}: {path}"
    try:
        content = host.run("type", (path,))
    except TransportError as error:
        reading.gaps.append(f"{name}: {_reason(error)}")
        return
    reading.add(name, _lines(Source(io.BytesIO(content), name, None)))


def _reason(error: TransportError) -> str:
    if isinstance(error, ProgramFailed):
        return f"{_ABSENT} ({error.complaint[:200] or error.code})"
    return error.message
