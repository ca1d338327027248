"""What the tests of the store share: the stores under contract, a clock, other processes."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.journal import Owner, Store, open_store


def _sqlite(home: Path) -> str:
    return str(home / "store")


LOCATIONS: dict[str, Callable[[Path], str]] = {"sqlite": _sqlite}
"""Every kind of store passes the contract. To add one: how to make a location for it."""


@pytest.fixture
def clock() -> list[datetime]:
    """The time, as its only member; a test moves it by assignment."""
    return [datetime(2026, 11, 23, 12, 0, tzinfo=UTC)]


@pytest.fixture(params=sorted(LOCATIONS))
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place where no store is yet."""
    return LOCATIONS[request.param](tmp_path)


@pytest.fixture
def reopen(location: str, clock: list[datetime]) -> Iterator[Callable[[], Store]]:
    """Open the same store once more, as another process would."""
    with ExitStack() as stack:

        def again() -> Store:
            store = open_store(location, now=lambda: clock[0])
            stack.callback(store.close)
            return store

        yield again


@pytest.fixture
def store(reopen: Callable[[], Store]) -> Store:
    """An empty store."""
    return reopen()


@pytest.fixture
def owner(clock: list[datetime]) -> Callable[..., Owner]:
    """Make the owner of a hold."""

    def make(user: str = "alice", host: str = "jump1") -> Owner:
        return Owner(host, 4711, user, "orchestrator run", clock[0])

    return make


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A directory for a store on this host, not made yet."""
    return tmp_path / "store"


@pytest.fixture
def start() -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Start a Python script with arguments, as another process; it does not outlive the test."""
    with ExitStack() as stack:

        def popen(script: str, *arguments: object) -> "subprocess.Popen[str]":
            process = subprocess.Popen(  # noqa: S603 - scripts of these tests
                [sys.executable, "-c", script, *map(str, arguments)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield popen


@pytest.fixture
def run(start: Callable[..., "subprocess.Popen[str]"]) -> Callable[..., str]:
    """Run a Python script to its good end and return what it printed."""

    def finish(script: str, *arguments: object) -> str:
        process = start(script, *arguments)
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        return output

    return finish


_HOLDER = """
import sys
from datetime import UTC, datetime, timedelta
from orchestrator.journal import Owner, open_store
location, organization, host, seconds = sys.argv[1:]
time = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
store = open_store(location, now=lambda: time)
owner = Owner(host, 4712, "bob", "orchestrator run", time)
hold = store.hold(organization, owner, timedelta(seconds=int(seconds)))
print(hold.token, flush=True)
sys.stdin.read()
hold.release()
print("released", flush=True)
"""


@pytest.fixture
def holder(
    location: str, start: Callable[..., "subprocess.Popen[str]"]
) -> Callable[..., "subprocess.Popen[str]"]:
    """Start a process that holds an organization until its standard input ends."""

    def hold(
        organization: str, *, host: str = "jump1", lease: timedelta = timedelta(minutes=5)
    ) -> "subprocess.Popen[str]":
        process = start(_HOLDER, location, organization, host, int(lease.total_seconds()))
        assert process.stdout is not None
        assert process.stdout.readline() == "1\n"
        return process

    return hold
