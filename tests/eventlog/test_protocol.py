"""Protocol logs from files and from servers: what is read, and what is named because it is not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.core.errors import ConfigurationError, ProgramFailed
from orchestrator.eventlog.protocol import FILES, Reading, read_files, read_server
from orchestrator.exchange.senders import Roll
from orchestrator.exchange.smtplog import LONGEST

AT = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
FOLDER = "D:\\Logs"
HEAD = (
    "#Fields: date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,"
    "event,data,context\r\n"
)


def log(address: str = "203.0.113.9") -> str:
    """Return a log in which one mail was refused."""
    start = f"2026-11-23T08:00:00.000Z,EX01\\X,S,1,10.0.0.1:25,{address}:1"
    return f"{HEAD}{start},<,MAIL FROM:<a@fabrikam.com>,\r\n{start},>,530 5.7.1 no,\r\n"


@dataclass
class Disk:
    """A server that knows ``dir`` and ``type``: implements core.command.Host."""

    files: Mapping[str, str]
    asked: list[str] = field(default_factory=list)

    def run(self, program: str, arguments: Sequence[str]) -> bytes:
        """Run one of the two."""
        path = arguments[-1]
        self.asked.append(f"{program} {path}")
        if program == "type" and path in self.files:
            return self.files[path].encode()
        inside = [name.rpartition("\\")[2] for name in self.files if name.startswith(path + "\\")]
        if program == "dir" and inside:
            return "\r\n".join(inside).encode()
        raise ProgramFailed(program, 1, "File Not Found", server="EX01")


def reading() -> Reading:
    """Return a reading for one domain."""
    return Reading(Roll("fabrikam.com"))


def test_files_and_directories_are_read_and_named(tmp_path: Path) -> None:
    (tmp_path / "a.LOG").write_text(log())
    (tmp_path / "b.log").write_bytes(b"\xff\xfe" + log("203.0.113.10").encode("utf-16-le"))
    (tmp_path / "c.txt").write_text("not read")
    found = reading()
    read_files([str(tmp_path)], found)
    senders = found.senders()
    assert {origin.address for origin in senders.refused} == {"203.0.113.9", "203.0.113.10"}
    assert len(senders.sources) == 2
    assert senders.gaps == ()


def test_what_is_no_protocol_log_is_a_gap_and_what_is_not_there_an_error(tmp_path: Path) -> None:
    (tmp_path / "x.log").write_text("something else\n")
    (tmp_path / "y.log").write_text(log() + "torn, li\n" + "x" * (LONGEST * 9) + "\n" + log())
    found = reading()
    read_files([str(tmp_path / "x.log"), str(tmp_path / "y.log")], found)
    assert "it holds no row of a protocol log" in found.gaps[0]
    assert "2 lines are torn or make no sense" in found.gaps[1]
    assert found.senders().refused[0].refused == 2
    with pytest.raises(ConfigurationError, match="no such file"):
        read_files([str(tmp_path / "nothing.log")], reading())
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ConfigurationError, match=r"no \.log file"):
        read_files([str(empty)], reading())


def test_of_a_server_the_files_around_the_events_are_fetched_and_no_other() -> None:
    disk = Disk(
        {
            f"{FOLDER}\\RECV2026112306-1.LOG": log("192.0.2.6"),
            f"{FOLDER}\\RECV2026112308-1.LOG": log("192.0.2.8"),
            f"{FOLDER}\\RECV2026112309-1.LOG": log("192.0.2.9"),
            f"{FOLDER}\\RECV2026112312-1.LOG": log("192.0.2.12"),
            f"{FOLDER}\\RECV20261123-1.LOG": log("192.0.2.99"),
            f"{FOLDER}\\RECV9999999999-1.LOG": log("192.0.2.1"),
            f"{FOLDER}\\SEND2026112308-1.LOG": log("192.0.2.2"),
        }
    )
    found = reading()
    read_server(disk, "EX01", [FOLDER], [AT], found)
    assert {origin.address for origin in found.senders().refused} == {
        "192.0.2.8",
        "192.0.2.9",
        "192.0.2.99",
    }
    assert found.gaps == []


def test_a_server_that_cannot_be_read_is_named() -> None:
    found = reading()
    read_server(Disk({}), "EX01", [FOLDER], [AT], found)
    assert found.gaps == [f"EX01: {FOLDER}: it is not there, or may not be read (File Not Found)"]
    old = reading()
    read_server(Disk({f"{FOLDER}\\RECV2026010101-1.LOG": log()}), "EX01", [FOLDER], [AT], old)
    assert old.gaps == [f"EX01: {FOLDER}: no file of the time in question"]


def test_without_a_time_the_newest_files_are_read_and_a_bounded_number_of_them() -> None:
    files = {f"{FOLDER}\\RECV202611{day:02}08-1.LOG": log() for day in range(1, 31)}
    disk, found = Disk(files), reading()
    read_server(disk, "EX01", [FOLDER], [], found)
    fetched = [one for one in disk.asked if one.startswith("type")]
    assert len(fetched) == FILES
    assert fetched[-1].endswith("RECV2026113008-1.LOG")
    assert found.gaps == [f"EX01: {FOLDER}: {30 - FILES} older files were not read"]
