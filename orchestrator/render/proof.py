"""What is proved of a run: each proof with its mark and its evidence, and what all add up to."""

from collections.abc import Mapping
from datetime import datetime

from orchestrator.core.proof import Evidence, Finding, Proof, Standing, Verdict
from orchestrator.core.run import Run
from orchestrator.render.text import Lines, Look, Tone, wrapped

VERDICTS: Mapping[Verdict, str] = {
    Verdict.PROVED: "proved",
    Verdict.CLEAR: "no contrary evidence",
    Verdict.SILENT: "no traffic seen: nothing speaks for it or against it",
    Verdict.PENDING: "pending",
    Verdict.CONTRARY: "contrary evidence",
    Verdict.UNKNOWN: "not known",
}

_PROOFS: Mapping[str, str] = {
    "every_controller": "each server's own domain controller has it",
    "audit_log": "the admin audit log has it, and nothing else",
    "accepted_message": "a message of the partner was accepted",
    "no_events": "no event says that its mail is turned away",
    "config_reloaded": "the transport services took their new configuration",
}

_STANDINGS: Mapping[Standing, str] = {
    Standing.PROVED: "proved: a message of the partner was accepted",
    Standing.CONFIRMED: "confirmed: it is in force wherever it counts",
    Standing.CLEAR: "no contrary evidence; whether mail of the partner came in is not known",
    Standing.SILENT: "no contrary evidence, no traffic seen: that is not the same as mended",
    Standing.CONTRARY: "contrary evidence",
    Standing.UNKNOWN: "done and read back; nothing more could be found out",
}

_MARKS: Mapping[Verdict, bool | None] = {
    Verdict.PROVED: True,
    Verdict.CLEAR: True,
    Verdict.SILENT: None,
    Verdict.PENDING: None,
    Verdict.CONTRARY: False,
    Verdict.UNKNOWN: None,
}


def proof_words(proof: Proof) -> str:
    """Return in one sentence what is proved, and since when and until when it is not."""
    if proof.standing is not Standing.PENDING:
        return _STANDINGS.get(proof.standing, "")
    until = f" until {moment(proof.until)}" if proof.until else ""
    return f"applied, proof pending since {moment(proof.since)}{until}"


def moment(at: datetime | None) -> str:
    """Return a time for people, in UTC."""
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else "an unknown time"


def show_proof(run: Run, look: Look) -> Lines:
    """Yield what is proved of *run*: nothing where it asked for nothing, or did not succeed."""
    proof = run.proof
    if proof is None or proof.standing is Standing.UNASKED:
        return
    tones = {Standing.PROVED: Tone.GOOD, Standing.CONFIRMED: Tone.GOOD, Standing.CONTRARY: Tone.BAD}
    tone = tones.get(proof.standing, Tone.PLAIN)
    yield from wrapped(proof_words(proof), tone, indent=2, width=look.width)
    for name in run.plan.proofs or ():
        observed = run.proofs.get(name)
        finding = observed.finding if observed else Finding(Verdict.PENDING)
        yield from _finding(name, finding, look)


def _finding(name: str, finding: Finding, look: Look) -> Lines:
    said = VERDICTS[finding.verdict]
    if finding.until and finding.verdict is Verdict.PENDING:
        said += f" until {moment(finding.until)}"
    holds = _MARKS[finding.verdict]
    tone = Tone.BAD if holds is False else Tone.PLAIN
    bullet = _mark(finding, look)
    text = f"{_PROOFS.get(name, name)}: {said}"
    yield from wrapped(text, tone, indent=2, bullet=bullet, width=look.width)
    for each in finding.evidence:
        yield from _evidence(each, look)


def _mark(finding: Finding, look: Look) -> str:
    if finding.verdict is Verdict.PENDING:
        return ".. " if look.ascii else "\u2026  "
    holds = _MARKS[finding.verdict]
    return "?  " if holds is None else f"{look.mark(holds=holds):3}"


def _evidence(evidence: Evidence, look: Look) -> Lines:
    holds = evidence.holds
    bullet = "?  " if holds is None else f"{look.mark(holds=holds):3}"
    tone = Tone.BAD if holds is False else Tone.QUIET
    yield from wrapped(evidence.text, tone, indent=5, bullet=bullet, width=look.width)
