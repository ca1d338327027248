"""A lab whose objects have the names that nobody should give them, and the program beside it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from orchestrator.lab import PASSWORD, Lab
from orchestrator.lab.scenario import Scenario
from tests.cli.door import Door


@pytest.fixture
def open_door(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Door]]:
    """Return a function that starts a lab of a scenario and points the program at it."""
    monkeypatch.setenv("ORCHESTRATOR_LAB_PASSWORD", PASSWORD)
    monkeypatch.setenv("NO_COLOR", "1")
    tmp_path.chmod(0o700)
    with ExitStack() as stack:

        def start(scenario: Scenario, password: str = PASSWORD) -> Door:
            lab = stack.enter_context(Lab(scenario))
            file = tmp_path / "inventory.yaml"
            file.write_text(lab.inventory_text() + "defaults: {timeouts: {settle: 1}}\n")
            monkeypatch.setenv("ORCHESTRATOR_LAB_PASSWORD", password)
            monkeypatch.setenv("ORCHESTRATOR_INVENTORY", str(file))
            monkeypatch.setenv("ORCHESTRATOR_STORE", str(tmp_path / "store"))
            return Door(lab, tmp_path, capsys)

        yield start
