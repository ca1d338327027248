"""A fault as data: which requests or calls it strikes, counted from when it is switched on.

A row is a line of a scenario, of a test's table, or of the lab's standard input. It strikes the
*nth* request (or call of a cmdlet) that it is about, and *times* altogether; 0 is from then on.
"""

from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from orchestrator.lab.faults.effect import Effect, Seen

Action: TypeAlias = Literal[
    "Create", "Command", "Receive", "Send", "Signal", "Delete", "Authenticate", ""
]
Moment: TypeAlias = Literal["before", "after"]
Seconds: TypeAlias = Annotated[float, Meta(ge=0)]


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """Base of every fault: *cmdlet* empty is any, so is *server*."""

    cmdlet: str = ""
    server: str = ""
    nth: Annotated[int, Meta(ge=1)] = 1
    times: Annotated[int, Meta(ge=0)] = 1

    def strikes(self, count: int) -> bool:
        """Say whether the request or call number *count* of those it is about is struck."""
        return self.nth <= count and (self.times == 0 or count < self.nth + self.times)


class RequestRow(Row, frozen=True, kw_only=True):
    """Strikes requests of one *action*, or of any; *moment* is before or after handling them."""

    action: Action = ""
    moment: Moment = "before"

    def about(self, seen: Seen) -> bool:
        """Say whether a request is one of those that are counted."""
        return (
            self.action in ("", seen.action)
            and self.server.casefold() in ("", seen.server.casefold())
            and (not self.cmdlet or self.cmdlet in seen.cmdlets)
        )

    def effect(self) -> Effect | None:
        """Return what is done to a struck request; None where its being struck is all."""
        return None


class CallRow(Row, frozen=True, kw_only=True):
    """Strikes calls of one *cmdlet*, or of any, whatever request brought them."""

    times: Annotated[int, Meta(ge=0)] = 0

    def of(self, cmdlet: str, server: str) -> bool:
        """Say whether a call is one of those that are counted."""
        named = self.cmdlet.casefold() in ("", cmdlet.casefold())
        return named and self.server.casefold() in ("", server.casefold())


@dataclass(slots=True)
class Live:
    """A row that is switched on: it counts. *active* says that what it counted last is struck."""

    row: Row
    count: int = 0
    active: bool = False

    def before(self, seen: Seen) -> Effect | None:
        """See protocol Trouble."""
        return self._at(seen, "before")

    def after(self, seen: Seen) -> Effect | None:
        """See protocol Trouble."""
        return self._at(seen, "after")

    def called(self, cmdlet: str, server: str) -> None:
        """Count the call of a cmdlet."""
        if isinstance(self.row, CallRow) and self.row.of(cmdlet, server):
            self._counted()

    def _at(self, seen: Seen, moment: Moment) -> Effect | None:
        row = self.row
        if not isinstance(row, RequestRow) or row.moment != moment or not row.about(seen):
            return None
        self._counted()
        return row.effect() if self.active else None

    def _counted(self) -> None:
        self.count += 1
        self.active = self.row.strikes(self.count)
