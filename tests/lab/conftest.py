"""Labs for the tests to talk to."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from orchestrator.lab import Lab, Options, Scenario, load_scenario
from tests.lab.outsider import Client

Start = Callable[..., Lab]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start labs that end with the test."""
    running: list[Lab] = []

    def begin(scenario: Scenario | str = "default", **options: Any) -> Lab:
        made = load_scenario(scenario) if isinstance(scenario, str) else scenario
        lab = Lab(made, options=Options(**options))
        running.append(lab)
        lab.start()
        return lab

    yield begin
    for lab in running:
        lab.stop()


@pytest.fixture
def lab(start: Start) -> Lab:
    """A lab with the default scenario."""
    return start()


@pytest.fixture
def client(lab: Lab) -> Iterator[Client]:
    """A session on its first server."""
    with Client(lab) as session:
        yield session
