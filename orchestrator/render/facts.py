"""Plans and runs as plain values for ``--output json``. docs/output.md describes every field.

Fields are added here by name, so that a change of the core's values is no change of the output.
"""

import msgspec

from orchestrator.core.command import powershell
from orchestrator.core.errors import ConfigurationError, OrchestratorError
from orchestrator.core.events import Event
from orchestrator.core.plan import Change, Drift, Plan
from orchestrator.core.playbook import Consequence, Refusal, Sign
from orchestrator.core.proof import Proof, Standing, awaited
from orchestrator.core.run import Run
from orchestrator.core.setting import Member
from orchestrator.render.run import state

Facts = dict[str, object]


def plan_facts(plan: Plan) -> Facts:
    """Return what a plan says."""
    return {
        "organization": plan.organization.name,
        "organization_guid": plan.organization.guid,
        "playbook": plan.playbook,
        "title": plan.title,
        "inputs": dict(plan.inputs),
        "incident": plan.incident or None,
        "controller": plan.controller,
        "server": plan.server,
        "made": plan.made,
        "expires": plan.expires,
        "lowers_security": plan.lowers_security,
        "attended": plan.attended is True,
        "found": [_sign(sign) for sign in plan.found],
        "changes": [change_facts(change) for change in plan.changes],
        "refusals": [_refusal(refusal) for refusal in plan.refusals],
        "notes": list(plan.notes),
    }


def change_facts(change: Change) -> Facts:
    """Return what a change does and what follows from it."""
    setting, difference = change.setting, change.difference
    return {
        "object": setting.ref.label,
        "kind": setting.ref.kind,
        "guid": setting.ref.guid,
        "property": setting.property,
        "member": setting.member if isinstance(setting, Member) else None,
        "before": difference.before,
        "after": difference.after,
        "untouched": difference.untouched,
        "apply": powershell(difference.apply),
        "undo": powershell(difference.undo),
        "consequences": [_consequence(each) for each in change.consequences],
    }


def _sign(sign: Sign) -> Facts:
    return {
        "subject": sign.subject,
        "property": sign.property,
        "value": sign.value,
        "holds": sign.holds,
    }


def _consequence(consequence: Consequence) -> Facts:
    return {
        "rule": consequence.rule,
        "concern": consequence.concern.value,
        "text": consequence.text,
        "evidence": [_sign(sign) for sign in consequence.evidence],
    }


def _refusal(refusal: Refusal) -> Facts:
    return {
        "rule": refusal.rule,
        "reason": refusal.reason,
        "way_out": refusal.way_out,
        "evidence": [_sign(sign) for sign in refusal.evidence],
    }


def run_facts(run: Run) -> Facts:
    """Return how a run stands."""
    return {
        "id": run.id,
        "organization": run.plan.organization.name,
        "organization_guid": run.plan.organization.guid,
        "playbook": run.plan.playbook,
        "title": run.plan.title,
        "inputs": dict(run.plan.inputs),
        "controller": run.plan.controller,
        "started": run.started,
        "ended": run.ended,
        "outcome": run.outcome,
        "state": state(run),
        "doubtful": run.doubtful,
        "interrupted": run.interrupted.reason if run.interrupted else None,
        "held_back": (run.interrupted.brake or None) if run.interrupted else None,
        "broken_glass": [{"reason": each.reason, "passed": each.passed} for each in run.broken],
        "on_failure": run.on_failure,
        "whatif": run.whatif,
        "mandate": run.mandate,
        "proof": _proof(run),
        "changes": [_standing(run, position) for position in range(len(run.statuses))],
    }


def _proof(run: Run) -> Facts | None:
    """Return what is proved; None where the run asked for nothing, or did not succeed."""
    proof = run.proof
    if proof is None or proof.standing is Standing.UNASKED:
        return None
    return {
        "standing": proof.standing,
        "since": proof.since,
        "until": proof.until,
        "proofs": [_finding(run, proof, name) for name in run.plan.proofs or ()],
    }


def _finding(run: Run, proof: Proof, name: str) -> Facts:
    observed = run.proofs.get(name)
    finding = observed.finding if observed else awaited(name, proof.since)
    return {
        "proof": name,
        "verdict": finding.verdict,
        "at": observed.at if observed else None,
        "until": finding.until,
        "evidence": [{"text": each.text, "holds": each.holds} for each in finding.evidence],
    }


def _standing(run: Run, position: int) -> Facts:
    return {
        "status": run.statuses[position].value,
        "detail": run.details.get(position, ""),
        **change_facts(run.plan.changes[position]),
    }


def event_facts(event: Event) -> Facts:
    """Return what happened and when; the plan that a run starts with is told elsewhere."""
    facts: Facts = msgspec.to_builtins(event)
    facts.pop("sealed", None)
    return facts


def error_facts(error: OrchestratorError, drifts: tuple[Drift, ...] = ()) -> Facts:
    """Return what an error says, and where in a file it is where it is in one."""
    facts: Facts = {
        "kind": type(error).__name__,
        "message": str(error),
        "advice": error.advice,
    }
    if isinstance(error, ConfigurationError):
        facts |= {
            "file": error.file,
            "line": error.line,
            "column": error.column,
            "path": error.path,
        }
    if drifts:
        facts["drifts"] = [
            {
                "subject": each.subject,
                "planned": each.planned,
                "wanted": each.wanted,
                "now": each.now,
            }
            for each in drifts
        ]
    return facts
