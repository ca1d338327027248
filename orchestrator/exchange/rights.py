"""Whether the session may do what a plan wants: by cmdlet and by parameter.

Role based access control hides what is not granted: a missing cmdlet or parameter does not exist
for the session [doc]. The role "Journaling" grants Set-TransportConfig without the two lists.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator.core.facts import Facts, Query
from orchestrator.core.playbook import Concern, Consequence, Refusal, Sign, Verdict
from orchestrator.core.setting import Setting
from orchestrator.exchange.objects import CMDLET, OBJECT_KINDS

ROLES: Mapping[str, str] = {
    "Set-TransportConfig": "Organization Transport Settings",
    "Set-ReceiveConnector": "Receive Connectors",
    "Set-SendConnector": "Send Connectors",
}
"""The management role that grants each cmdlet with all of its parameters [doc]."""


@dataclass(frozen=True, slots=True)
class Rights:
    """The session has the cmdlets that the plan needs, with the parameters it needs."""

    kinds: tuple[str, ...]

    def queries(self) -> tuple[Query, ...]:
        """Ask for the cmdlets that change the kinds of object in question."""
        names = tuple(OBJECT_KINDS[kind].set for kind in self.kinds if OBJECT_KINDS[kind].set)
        return (Query(CMDLET, ("Name", "Parameters"), names),)

    def judge(self, setting: Setting, now: Facts, after: Facts) -> Sequence[Verdict]:
        """Refuse what would fail for want of rights; say so where it cannot be known."""
        del after
        cmdlet = OBJECT_KINDS[setting.ref.kind].set
        seen = {o.text("Name").casefold(): o.members("Parameters") for o in now.maybe(CMDLET)}
        known = isinstance(now.known.get(CMDLET), tuple)
        granted = seen.get(cmdlet.casefold())
        if not known or granted == ():
            return (_unknown(cmdlet),)
        if granted is None:
            return (_refusal(cmdlet, f"this account has no {cmdlet}"),)
        own = {parameter.casefold() for parameter in granted}
        for parameter in (setting.property, "DomainController"):
            if parameter.casefold() not in own:
                return (_refusal(cmdlet, f"this account has {cmdlet}, but without -{parameter}"),)
        return ()


def _unknown(cmdlet: str) -> Consequence:
    text = (
        f"Whether this account may use {cmdlet} with the parameters needed is not known from here."
    )
    return Consequence("rights", Concern.UNKNOWN, text)


def _refusal(cmdlet: str, reason: str) -> Refusal:
    role = ROLES.get(cmdlet, "")
    way_out = f"Have the management role '{role}' assigned to it." if role else ""
    return Refusal("rights", reason, way_out, (Sign("session", cmdlet, reason, holds=False),))
