"""What becomes of a run whose journal is damaged, full, read-only, or taken over by another."""

import contextlib
import os
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.app import records
from orchestrator.app.execution import LEASE, Done, resume
from orchestrator.app.workplace import Workplace, connect_psrp, utc_now
from orchestrator.cli.codes import ExitCode, of_done, of_error
from orchestrator.core.errors import (
    HeldError,
    JournalDamaged,
    OrchestratorError,
    RefusedError,
    StoreError,
)
from orchestrator.core.events import ChangeStarted, Event, Outcome
from orchestrator.core.run import Run
from orchestrator.journal import HoldLost, Owner, open_store
from orchestrator.lab import Lab
from tests.app.conftest import REMOVE, Desk

resource = pytest.importorskip("resource", reason="limits, users and locks as POSIX has them")

Open = Callable[..., Desk]
ONE = ["Set-TransportConfig Transport Settings"]


def _removed(desk: Desk, domain: str = "fabrikam.com") -> Run:
    done = desk.carry_out(desk.plan(REMOVE, domain=domain))
    assert done.run is not None
    return done.run


def _database(desk: Desk) -> Path:
    return Path(desk.workplace.store_location) / "journal.sqlite3"


def _flip(desk: Desk, stream: str, version: int) -> None:
    """Flip one bit in the middle of an event, as a bad disk would."""
    desk.workplace.close()
    where = "stream = (SELECT id FROM stream WHERE name LIKE ?) AND version = ?"
    with contextlib.closing(sqlite3.connect(_database(desk))) as connection, connection:
        query = f"SELECT payload FROM event WHERE {where}"  # noqa: S608 - both texts are ours
        payload = bytearray(connection.execute(query, (stream, version)).fetchone()[0])
        payload[len(payload) // 2] ^= 1
        update = f"UPDATE event SET payload = ? WHERE {where}"  # noqa: S608 - likewise
        connection.execute(update, (bytes(payload), stream, version))


def _reopened(desk: Desk) -> Desk:
    """Return the desk as another process finds it."""
    old = desk.workplace
    desk.workplace = Workplace(old.inventory, old.store_location, connect_psrp)
    desk.workplace.clock = old.clock
    return desk


@pytest.mark.parametrize("version", [1, 2, 3, 4, 5])
def test_a_run_with_a_flipped_bit_is_neither_resumed_nor_rolled_back(
    dedicated: Lab, open_desk: Open, version: int
) -> None:
    desk = open_desk(dedicated)
    run = _removed(desk)
    _flip(desk, "run/%", version)
    seen = dedicated.requests.total
    for work in (desk.resume, desk.roll_back):
        done = work(run.id)
        _reopened(desk)
        assert isinstance(done.error, JournalDamaged)
        assert of_done(done) is ExitCode.OUR_FAULT
    assert dedicated.requests.total == seen


def test_where_the_record_of_runs_is_damaged_no_run_begins(dedicated: Lab, open_desk: Open) -> None:
    desk = open_desk(dedicated)
    _removed(desk)
    _flip(desk, "organization/%", 1)
    _reopened(desk)
    done = desk.carry_out(desk.plan(REMOVE, domain="adatum.com"))
    assert isinstance(done.error, JournalDamaged)
    assert desk.writes() == ONE


def _refused(work: Callable[[], Done]) -> OrchestratorError | None:
    """Return why nothing was done: the store may not even open."""
    try:
        return work().error
    except OrchestratorError as error:
        return error


@pytest.mark.parametrize("part", [0.0, 0.3, 0.9])
def test_a_journal_that_was_cut_short_is_refused_before_anything_is_sent(
    dedicated: Lab, open_desk: Open, part: float
) -> None:
    desk = open_desk(dedicated)
    run = _removed(desk)
    desk.workplace.close()
    size = _database(desk).stat().st_size
    os.truncate(_database(desk), int(size * part))
    _reopened(desk)
    refused = _refused(lambda: desk.roll_back(run.id))
    assert isinstance(refused, StoreError)
    assert of_error(refused) is ExitCode.OUR_FAULT
    assert desk.writes() == ONE


@pytest.mark.parametrize("lost", [1, 5_000, 12_000, 30_000])
def test_a_run_whose_last_records_were_lost_sends_nothing_a_second_time(
    dedicated: Lab, open_desk: Open, tmp_path: Path, lost: int
) -> None:
    desk = open_desk(dedicated)
    copied: list[tuple[str, bytes]] = []

    def copy(_run: object, event: Event) -> None:
        if type(event).__name__ == "ChangeVerified":
            files = Path(desk.workplace.store_location).glob("journal.sqlite3*")
            copied.extend((file.name, file.read_bytes()) for file in files)

    done = desk.carry_out(desk.plan(REMOVE, domain="fabrikam.com"), listener=copy)
    assert done.run is not None
    desk.workplace.store_location = str(tmp_path / "copy")
    (tmp_path / "copy").mkdir(mode=0o700)
    for name, content in copied:
        kept = content[:-lost] if name.endswith("-wal") else content
        (tmp_path / "copy" / name).write_bytes(kept)
    _reopened(desk)
    if done.run.id in records.run_names(desk.workplace.store):
        again = desk.resume(done.run.id)
        assert again.run is not None
        assert again.run.outcome in {Outcome.SUCCEEDED, Outcome.DRIFTED}
    assert desk.writes() == ONE


@contextlib.contextmanager
def _no_room(file: Path) -> Iterator[None]:
    """Let no file of this process grow beyond the size that *file* has."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(
    ("full_after", "sent", "code"),
    [
        ("RunStarted", 0, ExitCode.OUR_FAULT),
        ("ChangeStarted", 1, ExitCode.UNKNOWN),
        ("ChangeApplied", 1, ExitCode.UNKNOWN),
        ("ChangeVerified", 1, ExitCode.OUR_FAULT),
    ],
)
def test_a_run_on_a_full_disk_stops_at_once_and_goes_on_when_there_is_room(
    dedicated: Lab, open_desk: Open, full_after: str, sent: int, code: ExitCode
) -> None:
    desk = open_desk(dedicated)
    planned = desk.plan(REMOVE, domain="fabrikam.com")
    with contextlib.ExitStack() as until_then:

        def fill(_run: object, event: Event) -> None:
            if type(event).__name__ == full_after:
                until_then.enter_context(_no_room(Path(f"{_database(desk)}-wal")))

        done = desk.carry_out(planned, listener=fill)
    assert isinstance(done.error, StoreError)
    assert of_done(done) is code
    assert len(desk.writes()) == sent
    assert done.run is not None

    again = desk.resume(done.run.id)

    assert again.run is not None
    assert again.run.outcome is Outcome.SUCCEEDED
    assert desk.writes() == ONE


@contextlib.contextmanager
def _as_a_stranger() -> Iterator[None]:
    """Be somebody who may read but not write; root may always write."""
    if sys.platform == "win32":
        yield
        return
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_on_a_read_only_store_nothing_is_sent(dedicated: Lab, open_desk: Open) -> None:
    desk = open_desk(dedicated, text=dedicated.inventory_text(auth="basic"))
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        open_store(home, now=utc_now).close()
        planned = desk.plan(REMOVE, domain="fabrikam.com")
        (home / "journal.sqlite3").chmod(0o444)
        home.chmod(0o555)
        with _as_a_stranger():
            desk.workplace = Workplace(desk.workplace.inventory, folder, connect_psrp)
            done = desk.carry_out(planned)
            desk.workplace.close()
        home.chmod(0o700)
    assert isinstance(done.error, StoreError)
    assert of_done(done) is ExitCode.OUR_FAULT
    assert not dedicated.audit()


def _taken_over(desk: Desk, run: Run, now: list[timedelta]) -> None:
    """Let the lease run out, and a host that does not see our lock take the organization."""
    now[0] += LEASE + timedelta(seconds=1)
    guid = run.plan.organization.guid
    lock = Path(desk.workplace.store_location) / "holds" / f"{guid}.lock"
    lock.unlink()
    owner = Owner("jump2", 4711, "bob", "orchestrator run", desk.workplace.clock())
    other = open_store(desk.workplace.store_location, now=desk.workplace.clock)
    other.hold(guid, owner, LEASE)
    other.close()


@pytest.mark.parametrize(("moment", "sent"), [("RunStarted", 0), ("ChangeVerified", 1)])
def test_who_lost_its_lease_records_and_sends_nothing_more(
    dedicated: Lab, open_desk: Open, moment: str, sent: int
) -> None:
    now = [timedelta()]
    desk = open_desk(dedicated, clock=lambda: utc_now() + now[0])
    planned = desk.plan("retire-dedicated-connectors", **_TIED)
    recorded: list[int] = []

    def lose(run: Run, event: Event) -> None:
        recorded.append(1)
        if type(event).__name__ == moment and not now[0]:
            recorded.clear()
            _taken_over(desk, run, now)

    done = desk.carry_out(planned, listener=lose)

    assert isinstance(done.error, HoldLost)
    assert not recorded
    assert len(desk.writes()) == sent


_TIED = {"domain": "fabrikam.com", "connector": "EX01\\From Fabrikam"}


def test_two_inventories_that_call_an_organization_differently_share_its_hold(
    dedicated: Lab, open_desk: Open
) -> None:
    renamed = dedicated.inventory_text().replace("  contoso:", "  headquarters:", 1)
    desk, other = open_desk(dedicated), open_desk(dedicated, text=renamed)
    second = other.plan(REMOVE, domain="adatum.com")
    refused: list[Done] = []

    def intrude(_run: Run, event: Event) -> None:
        if isinstance(event, ChangeStarted):
            refused.append(other.carry_out(second))

    done = desk.carry_out(desk.plan(REMOVE, domain="fabrikam.com"), listener=intrude)

    assert [type(each.error) for each in refused] == [HeldError]
    assert desk.writes() == ONE
    assert done.run is not None
    assert isinstance(other.roll_back(done.run.id).error, RefusedError)
    assert desk.writes() == ONE


def test_a_run_is_not_taken_up_while_another_process_carries_it_out(
    dedicated: Lab, open_desk: Open
) -> None:
    desk, other = open_desk(dedicated), open_desk(dedicated)
    refused: list[Done] = []

    def intrude(run: Run, event: Event) -> None:
        if isinstance(event, ChangeStarted):
            refused.append(other.resume(run.id))
            refused.append(other.roll_back(run.id))

    desk.carry_out(desk.plan(REMOVE, domain="fabrikam.com"), listener=intrude)
    assert [of_done(each) for each in refused] == [ExitCode.HELD, ExitCode.HELD]
    assert desk.writes() == ONE


def test_no_run_begins_while_an_older_one_that_was_resumed_is_in_doubt(
    dedicated: Lab, open_desk: Open
) -> None:
    desk = open_desk(dedicated)
    old = desk.carry_out(desk.plan(REMOVE, domain="fabrikam.com"), listener=_stop(desk))
    assert old.run is not None
    desk.workplace.stop.clear()
    _removed(desk, "litware.com")
    with pytest.raises(_Killed):
        resume(desk.workplace, old.run.id, _kill_at("ChangeStarted"))
    late = desk.carry_out(desk.plan(REMOVE, domain="adatum.com"))
    assert isinstance(late.error, HeldError)
    assert old.run.id in str(late.error)


class _Killed(BaseException):
    """The process is gone."""


def _stop(desk: Desk) -> Callable[[Run, Event], None]:
    def listener(_run: Run, _event: Event) -> None:
        desk.workplace.stop.set()

    return listener


def _kill_at(name: str) -> Callable[[Run, Event], None]:
    def listener(_run: Run, event: Event) -> None:
        if type(event).__name__ == name:
            raise _Killed

    return listener
