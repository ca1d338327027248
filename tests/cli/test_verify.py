"""``orchestrator verify`` and ``run --wait``, as a person and a program meet them."""

import signal

from tests.cli.door import AGREED, REMOVE, Door, process


def test_a_run_is_applied_with_its_proof_pending_and_says_since_when_until_when_and_how(
    door: Door,
) -> None:
    done = door(*REMOVE, *AGREED)
    assert done.code == 0
    assert "applied, proof pending since" in done.words
    assert "UTC at the earliest" in done.words
    assert "orchestrator verify 20" in done.words

    looked = door("verify", "last")
    assert looked.code == 3
    assert "each server's own domain controller has it: proved" in looked.words
    assert "the admin audit log has it, and nothing else: pending until" in looked.words
    assert "by CONTOSO\\ops" in looked.words

    assert "pending since" in door("runs", "list").words
    assert "proof every_controller: proved" in door("runs", "show", "last").words


def test_a_program_is_told_each_proof_with_its_evidence(door: Door) -> None:
    door(*REMOVE, *AGREED)
    looked = door("verify", "last", "--output", "json")
    [row] = looked.document["runs"]
    assert (looked.code, row["exit_code"], row["error"]) == (3, 3, None)
    proof = row["run"]["proof"]
    assert (proof["standing"], row["run"]["outcome"]) == ("pending", "succeeded")
    assert proof["since"] < proof["until"]
    verdicts = {each["proof"]: each["verdict"] for each in proof["proofs"]}
    assert verdicts["every_controller"] == "proved"
    assert verdicts["audit_log"] == "pending"
    assert proof["proofs"][0]["evidence"][0]["holds"] is True
    exported = door("runs", "export").document["runs"][0]["proof"]
    assert exported == proof


def test_what_somebody_else_changed_again_is_contrary_evidence(door: Door) -> None:
    door(*REMOVE, *AGREED)
    door.lab.edit("TransportConfig", TLSReceiveDomainSecureList=("fabrikam.com",))
    looked = door("verify", "last")
    assert looked.code == 6
    assert "contrary evidence" in looked.words
    assert "another change: Set-TransportConfig" in looked.words


def test_waiting_after_a_run_can_be_left_with_ctrl_c_and_taken_up_again(door: Door) -> None:
    child = process(*REMOVE, *AGREED, "--wait")
    assert child.stdout is not None
    said = ""
    while "proof audit_log: pending" not in said:
        said += child.stdout.readline()
    child.send_signal(signal.SIGINT)
    out, _ = child.communicate(timeout=30)
    assert child.returncode == 3
    assert "applied, proof pending since" in out
    assert door.lab.open_shells == 0
    assert door("verify", "last").code == 3
    assert door("rollback", "last", "--yes").code == 0


def test_a_time_to_wait_that_makes_no_sense_is_told_before_anything_is_done(door: Door) -> None:
    refused = door(*REMOVE, *AGREED, "--wait", "--timeout", "soon")
    assert refused.code == 2
    assert "'soon' is no time for --timeout" in refused.words
    assert not door.writes()


def test_a_run_that_was_rolled_back_has_nothing_to_prove(door: Door) -> None:
    door(*REMOVE, *AGREED)
    door("rollback", "last", "--yes")
    looked = door("verify", "last")
    assert looked.code == 0
    assert "pending" not in looked.words


def test_a_server_that_cannot_be_reached_is_no_proof_either_way(door: Door) -> None:
    door(*REMOVE, *AGREED)
    for server in ("EX01", "EX02"):
        door.lab.kill(server)
    looked = door("verify", "last")
    assert looked.code == 8
    assert "proof pending" in looked.words
