"""Every fault the lab knows, through the real program, and the state that it leaves behind."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.lab import PASSWORD, Lab, fault, load_scenario
from tests.cli.door import AGREED, REMOVE, RETIRE, Answer, Door
from tests.faults.answer import Row, Snapshot, Then, asked, edited, rows

JOBS = {"remove": REMOVE, "retire": RETIRE, "rollback": RETIRE}
TIMEOUTS = "defaults: {timeouts: {settle: 1, connect: 2, operation: 2, pipeline: 5}}\n"


def _cases(auth: str) -> Iterator[object]:
    for row in rows():
        slow = row.slow or auth != "ntlm"
        marks = [pytest.mark.slow] if slow else []
        yield pytest.param(row, auth, id=f"{row.name} ({auth})", marks=marks)


@pytest.mark.parametrize(("row", "auth"), [*_cases("ntlm"), *_cases("basic")])
def test_the_answer_is_the_one_in_the_table(
    row: Row,
    auth: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tmp_path.chmod(0o700)
    inventory = tmp_path / "inventory.yaml"
    monkeypatch.setenv("ORCHESTRATOR_LAB_PASSWORD", PASSWORD)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("ORCHESTRATOR_INVENTORY", str(inventory))
    monkeypatch.setenv("ORCHESTRATOR_STORE", str(tmp_path / "store"))
    with Lab(load_scenario(row.scenario)) as lab:
        inventory.write_text(lab.inventory_text(auth=auth) + TIMEOUTS)
        _Case(row, Door(lab, tmp_path, capsys)).play()


class _Case:
    """One row, played."""

    def __init__(self, row: Row, door: Door) -> None:
        self.row, self.door, self.lab = row, door, door.lab
        before = self.lab.snapshot()
        others = edited(before, row)
        self.states = {"as before": others, "as asked": asked(others, row.job)}

    def play(self) -> None:
        row = self.row
        if row.job == "rollback":
            assert self.door(*RETIRE, *AGREED).code == 0
        self.lab.faults.extend(fault(**one) for one in row.faults)
        begun = self.lab.requests.total
        job = ("rollback", "last", "--yes") if row.job == "rollback" else (*JOBS[row.job], *AGREED)
        answer = self.door(*job, *row.options)
        self._is(answer, row.exit, row.says, row.state)
        assert self.lab.requests.total - begun <= row.most
        if row.next is None:
            return
        named = row.next.command.split()[0]
        assert named == "run" or f"orchestrator {named} " in answer.words
        if row.next.healed:
            self.lab.faults.clear()
            for server in self.lab.servers:
                self.lab.revive(server.server)
        if row.next.controller:
            self._name(row.next.controller)
        self._is(self.door(*self._typed(row.next)), row.next.exit, row.next.says, row.next.state)

    def _typed(self, then: Then) -> list[str]:
        if then.command == "run":
            return [*JOBS[self.row.job], *AGREED]
        words = then.command.split()
        return [*words, "--yes"] if words[0] == "rollback" else words

    def _name(self, controller: str) -> None:
        file = self.door.folder / "inventory.yaml"
        text = file.read_text().replace("dc01.contoso.example", controller)
        file.write_text(text)

    def _is(self, answer: Answer, code: int, says: str, state: str) -> None:
        assert says in answer.words, answer.words
        assert answer.code == code, answer.words
        found = self._seen(self.lab.snapshot())
        if state in self.states:
            assert found == self._seen(self.states[state])
        else:
            assert found not in [self._seen(one) for one in self.states.values()]
            self._each_is_one_or_the_other(found)
        self._each_write_took_effect_once()
        assert self.lab.open_shells == 0

    def _each_write_took_effect_once(self) -> None:
        """Say so, except for what another administrator took back in between."""
        effective = [one for one in self.lab.audit() if one.effective]
        ours = [one for one in effective if one.caller.endswith("\\ops")]
        others = Counter(one.guid for one in effective if one not in ours)
        for (guid, _), times in Counter((one.guid, str(one.parameters)) for one in ours).items():
            assert times <= 1 + others[guid]

    def _each_is_one_or_the_other(self, found: Snapshot) -> None:
        before, after = (self._seen(one) for one in self.states.values())
        assert found.keys() == before.keys()
        assert all(seen in (before[key], after[key]) for key, seen in found.items())

    def _seen(self, state: Snapshot) -> Snapshot:
        """Leave out the order of lists, and the Guids of what another administrator made anew."""
        anew = {
            f"ReceiveConnector:{one['identity']}"
            for one in self.row.faults
            if one["kind"] == "replace"
        }
        return {
            key: {
                name: sorted(map(str, value)) if isinstance(value, list) else value
                for name, value in one.items()
                if name != "Guid" or key not in anew
            }
            for key, one in state.items()
        }
