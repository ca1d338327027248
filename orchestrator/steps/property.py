"""One property of any supported object has a value, holds a member, or is a set of flags."""

from typing import Literal

from orchestrator.core.command import Plain
from orchestrator.core.errors import ConfigurationError
from orchestrator.core.facts import Facts, ObjectRef, Observation, Query
from orchestrator.core.playbook import Refusal, Settled, Sign
from orchestrator.core.setting import Flags, Member, Scalar, Setting
from orchestrator.exchange.connectors import resolve, shown
from orchestrator.exchange.objects import OBJECT_KINDS, RECEIVE_CONNECTOR, TRANSPORT_CONFIG

Supported = Literal["TransportConfig", "ReceiveConnector", "SendConnector"]


class Property(Plain, frozen=True):
    """The *property* of *object* called *identity* is as one of the last four says.

    ``equals`` is for a single value, ``includes`` and ``excludes`` for one member of a list,
    ``flags`` for all flags, as ``Tls, Integrated``. TransportConfig takes no identity. It makes
    a remediation of YAML alone; every rule judges it like any other step.
    """

    object: Supported
    property: str
    identity: str | None = None
    equals: bool | int | str | None = None
    includes: str | None = None
    excludes: str | None = None
    flags: str | None = None

    def __post_init__(self) -> None:
        """Raise ConfigurationError unless exactly one state is given."""
        given = [self.equals, self.includes, self.excludes, self.flags]
        if sum(value is not None for value in given) != 1:
            raise ConfigurationError(
                "a property needs exactly one of 'equals', 'includes', 'excludes', 'flags'"
            )
        if (self.identity is None) != (self.object == TRANSPORT_CONFIG):
            raise ConfigurationError(
                f"{self.object} needs 'identity'"
                if self.identity is None
                else "an organization has one TransportConfig: it takes no 'identity'"
            )

    def queries(self) -> tuple[Query, ...]:
        """Ask for the property, and for what identifies the object."""
        server = ("Server",) if self.object == RECEIVE_CONNECTOR else ()
        return (Query(self.object, (self._spelled(), *server)),)

    def _spelled(self) -> str:
        """Return the property as Exchange spells it, which is what every rule goes by."""
        return OBJECT_KINDS[self.object].spelled(self.property)

    def settle(self, seen: Facts) -> Settled:
        """Return the one setting; refuse an identity that means none or several."""
        found = self._resolve(seen.of(self.object))
        if len(found) != 1:
            return Settled(refusals=(self._not_one(found),))
        return Settled(
            settings=(self._setting(found[0].ref),),
            found=(Sign(found[0].ref.label, self._spelled(), shown(found[0], self._spelled())),),
        )

    def _resolve(self, objects: tuple[Observation, ...]) -> tuple[Observation, ...]:
        return objects if self.identity is None else resolve(self.identity, objects)

    def _not_one(self, found: tuple[Observation, ...]) -> Refusal:
        several = ", ".join(o.ref.label for o in found)
        reason = f"means several: {several}" if found else "does not exist"
        return Refusal(
            "object-named",
            f"{self.object} '{self.identity}' {reason}",
            "Name it by Guid, or a receive connector as SERVER\\Name.",
        )

    def _setting(self, ref: ObjectRef) -> Setting:
        if self.includes is not None:
            return Member(ref, self._spelled(), self.includes, present=True)
        if self.excludes is not None:
            return Member(ref, self._spelled(), self.excludes, present=False)
        if self.flags is not None:
            names = (flag.strip() for flag in self.flags.split(","))
            return Flags(ref, self._spelled(), tuple(flag for flag in names if flag))
        return Scalar(ref, self._spelled(), self.equals)
