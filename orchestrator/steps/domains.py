"""A domain is on one of the Domain Security lists, or is not."""

from typing import Literal

from orchestrator.core.command import Plain
from orchestrator.core.facts import Facts, Observation, Query
from orchestrator.core.playbook import Refusal, Settled, Sign
from orchestrator.core.setting import Member
from orchestrator.exchange.domains import entries_for, nearest, parent_of, to_unicode
from orchestrator.exchange.objects import RECEIVE_LIST, SEND_LIST, TRANSPORT_CONFIG

LISTS = {"receive": RECEIVE_LIST, "send": SEND_LIST}


class DomainSecureList(Plain, frozen=True):
    """The *list* holds *domain* (``present``) or does not (``absent``).

    ``Set-TransportConfig`` changes one object per organization. An entry covers exactly itself:
    for a subdomain of a listed domain the step refuses, because removing it would change nothing.
    """

    list: Literal["receive", "send"]
    domain: str
    state: Literal["absent", "present"]

    def queries(self) -> tuple[Query, ...]:
        """Ask for the list."""
        return (Query(TRANSPORT_CONFIG, (LISTS[self.list],)),)

    def settle(self, seen: Facts) -> Settled:
        """Return the one member, spelled as it is stored; two where both forms of it are."""
        parts = [self._settle_in(config) for config in seen.of(TRANSPORT_CONFIG)]
        return Settled(
            settings=tuple(setting for part in parts for setting in part.settings),
            refusals=tuple(refusal for part in parts for refusal in part.refusals),
            found=tuple(sign for part in parts for sign in part.found),
            notes=tuple(note for part in parts for note in part.notes),
        )

    def _settle_in(self, config: Observation) -> Settled:
        name = LISTS[self.list]
        entries = config.members(name)
        stored = entries_for(entries, self.domain)
        holds = f"holds {', '.join(stored)}" if stored else f"does not hold {self.domain}"
        others = len(entries) - len(stored)
        entry = "entry" if others == 1 else "entries"
        present = self.state == "present"
        return Settled(
            settings=tuple(
                Member(config.ref, name, entry, present=present)
                for entry in stored or (self.domain,)
            ),
            refusals=self._not_meant(entries, stored),
            found=(Sign(config.ref.label, name, f"{holds}; {others} other {entry}"),),
            notes=self._notes(entries, stored),
        )

    def _not_meant(self, entries: tuple[str, ...], stored: tuple[str, ...]) -> tuple[Refusal, ...]:
        parent = parent_of(entries, self.domain)
        if stored or self.state == "present" or not parent:
            return ()
        return (
            Refusal(
                "exact-domain",
                f"{self.domain} is not on {LISTS[self.list]}; {parent} is, and an entry covers "
                "exactly itself, no subdomains",
                f"If the event names {parent}, run again with --set domain={parent}; if it names "
                f"{self.domain}, it cannot have arisen from the present list.",
            ),
        )

    def _notes(self, entries: tuple[str, ...], stored: tuple[str, ...]) -> tuple[str, ...]:
        notes = []
        readable = to_unicode(self.domain)
        if readable != self.domain:
            notes.append(f"{self.domain} is how servers write {readable}.")
        notes += [
            f"The entry is stored as {entry}; it is addressed by that spelling."
            for entry in stored
            if entry != self.domain
        ]
        if not stored and self.state == "absent":
            like = nearest(entries, self.domain)
            hint = f" Did you mean {like}?" if like else ""
            notes.append(f"{self.domain} is not on {LISTS[self.list]}.{hint}")
        return tuple(notes)
