"""A lab, and the command line that is pointed at it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from orchestrator.lab import PASSWORD, Lab, Options
from tests.cli.door import Door


@pytest.fixture
def open_door(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Door]]:
    """Return a function that starts a lab of a scenario and points the command line at it."""
    monkeypatch.setenv("ORCHESTRATOR_LAB_PASSWORD", PASSWORD)
    monkeypatch.setenv("NO_COLOR", "1")
    tmp_path.chmod(0o700)
    with ExitStack() as stack:

        def start(scenario: str, *, organizations: int = 1, user: str | None = None) -> Door:
            lab = stack.enter_context(Lab(scenario, options=Options(organizations=organizations)))
            file = tmp_path / "inventory.yaml"
            text = lab.inventory_text(user=user) + "defaults: {timeouts: {settle: 1}}\n"
            file.write_text(text)
            monkeypatch.setenv("ORCHESTRATOR_INVENTORY", str(file))
            monkeypatch.setenv("ORCHESTRATOR_STORE", str(tmp_path / "store"))
            return Door(lab, tmp_path, capsys)

        yield start


@pytest.fixture
def door(open_door: Callable[..., Door]) -> Door:
    """A door to a partner with connectors of its own."""
    return open_door("dedicated-pair")
