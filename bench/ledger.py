"""The truth about a run, from the lab's own records, and where the run's own account differs.

The ledger replays the lab's audit log, in which every write stands with its caller, together with
what is known of other administrators' deeds. It shares nothing with the product but the plan, the
statuses and the outcome that it judges.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum

from orchestrator.core.command import Argument, Command, Delta
from orchestrator.core.events import Outcome
from orchestrator.core.plan import Change, Plan
from orchestrator.core.run import Run, Status
from orchestrator.core.setting import Member
from orchestrator.lab import Lab
from orchestrator.lab.organization import AuditEntry


class Standing(Enum):
    """Where a changed thing stands."""

    BEFORE = "as before"
    AFTER = "as wanted"
    GONE = "gone with its object"


class Author(Enum):
    """Who brought a thing to where it stands, since the plan was made."""

    NOBODY = "nobody"
    US = "us"
    OTHERS = "others"


@dataclass
class Tally:
    """What is wrong, by kind. All of it has to stay empty but *alike*.

    *alike* is what nobody can tell from the state alone. While our command was in doubt somebody
    put things back to where they were, which looks as if it had never been carried out; or turned
    round what we made and back again, which looks as we left it.
    """

    alike: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    overwritten: list[str] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Take over what another tally found, and this one did not yet."""
        for name, found in vars(other).items():
            known = getattr(self, name)
            known += [each for each in found if each not in known]

    def __bool__(self) -> bool:
        return any(found for name, found in vars(self).items() if name != "alike")


@dataclass
class Ledger:
    """What happened to a lab since *first* entries of its audit log, as far as *plan* goes.

    *deeds* maps the number of an audit entry of somebody else to where each change's thing stood
    after it.
    """

    lab: Lab
    plan: Plan
    first: int
    deeds: dict[int, tuple[Standing, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Take down what somebody did between the look and the plan."""
        self._start = self.standings()

    def standings(self) -> tuple[Standing, ...]:
        """Return where everything that the plan changes stands now."""
        return tuple(map(self._standing, self.plan.changes))

    def note(self) -> None:
        """Take down where things stand after somebody else's deed."""
        self.deeds[len(self.lab.audit())] = self.standings()

    def _standing(self, change: Change) -> Standing:
        directory = self.lab.directory
        entry = directory.find(next(iter(directory.controllers)), change.setting.ref.guid)
        if entry is None:
            return Standing.GONE
        value = entry.values[change.setting.property]
        if isinstance(change.setting, Member):
            entries = value if isinstance(value, tuple) else ()
            has = change.setting.member.casefold() in {str(one).casefold() for one in entries}
            return Standing.AFTER if has is change.setting.present else Standing.BEFORE
        return Standing.AFTER if value == change.difference.after else Standing.BEFORE

    def replay(self, found: Tally, *, on_word: bool = False) -> tuple[Author, ...]:
        """Return who brought each thing to where it stands; tell what was done twice or to others.

        Twice is a command that was sent again although the first one had taken effect and nobody
        had undone it; not one that only asked with ``-WhatIf``. Done to others is a write that no
        change of the plan asks for, and an undo of what was never ours, unless *on_word* a person
        had said so.
        """
        before = list(self._start)
        last: dict[int, Standing] = {}
        authors = [Author.NOBODY if at is Standing.BEFORE else Author.OTHERS for at in before]
        for entry in self.lab.audit()[self.first :]:
            if entry.number in self.deeds:
                for at, standing in enumerate(self.deeds[entry.number]):
                    if standing is not before[at]:
                        authors[at], before[at] = Author.OTHERS, standing
            elif not entry.error:
                self._own(entry, authors, before, last, found, on_word=on_word)
        return tuple(authors)

    def _own(  # noqa: PLR0913 - the replay's whole state
        self,
        entry: AuditEntry,
        authors: list[Author],
        before: list[Standing],
        last: dict[int, Standing],
        found: Tally,
        *,
        on_word: bool,
    ) -> None:
        meant = self._meant(entry)
        if meant is None:
            found.overwritten.append(f"no change of the plan asks for {_told(entry)}")
            return
        at, wanted = meant
        ours = authors[at] is Author.US
        if ours and before[at] is wanted and "WhatIf" not in entry.parameters:
            found.doubled.append(f"sent again after it took effect: {_told(entry)}")
        if entry.effective:
            if last.get(at) is wanted:
                found.alike.append(f"put back by somebody, and sent again: {_told(entry)}")
            elif wanted is Standing.BEFORE and not ours and at in last:
                found.alike.append(f"turned round and back by somebody, undone: {_told(entry)}")
            elif wanted is Standing.BEFORE and not ours and not on_word:
                found.overwritten.append(f"undone although not ours: {_told(entry)}")
            authors[at], before[at], last[at] = Author.US, wanted, wanted

    def _meant(self, entry: AuditEntry) -> tuple[int, Standing] | None:
        for at, change in enumerate(self.plan.changes):
            if entry.guid == change.setting.ref.guid:
                if _is(change.difference.apply, change, entry):
                    return at, Standing.AFTER
                if _is(change.difference.undo, change, entry):
                    return at, Standing.BEFORE
        return None

    def judge(self, run: Run) -> Tally:
        """Return where what *run* says of itself differs from the truth."""
        found = Tally()
        authors = self.replay(found, on_word=run.undo_doubtful)
        now = self.standings()
        for at, status in enumerate(run.statuses):
            if run.outcome is None and run.whatif and status is Status.PENDING:
                continue  # what a server did in spite of -WhatIf shows when the run goes on
            about = f"change {at} ({status}, {now[at].value} by {authors[at].value})"
            found.untold += [f"{about}: {what}" for what in _untold(status, authors[at], now[at])]
        found.wrong += _wrong(run, authors, now)
        return found

    def untouched(self) -> Tally:
        """Return what a run did that never recorded anything."""
        found = Tally()
        if Author.US in self.replay(found):
            found.untold.append("something was changed by a run that does not exist")
        return found


def _untold(status: Status, author: Author, now: Standing) -> Iterator[str]:
    ours = author is Author.US and now is Standing.AFTER
    nothing = {Status.PENDING, Status.FAILED, Status.DRIFTED, Status.UNDONE}
    if status in nothing and ours:
        yield "said not to be in effect, and it is, by us"
    if status is Status.VERIFIED and author is Author.NOBODY:
        yield "said to be made by us, and nobody made it"
    if status in {Status.VERIFIED, Status.APPLIED} and author is Author.US and not ours:
        yield "said to be in effect, and we took it back"
    if status is Status.FOUND_DONE and author is Author.NOBODY:
        yield "said to be found done, and nobody did it"


def _wrong(run: Run, authors: Sequence[Author], now: Sequence[Standing]) -> Iterator[str]:
    wanted = {Outcome.SUCCEEDED: Standing.AFTER, Outcome.ROLLED_BACK: Standing.BEFORE}
    if run.outcome not in wanted:
        return
    for at, (author, standing) in enumerate(zip(authors, now, strict=True)):
        if standing is not wanted[run.outcome] and author is not Author.OTHERS:
            yield f"{run.outcome}, yet change {at} is {standing.value} by {author.value}"


def _is(command: Command, change: Change, entry: AuditEntry) -> bool:
    asked = _text(dict(command.parameters)[change.setting.property])
    return entry.parameters.get(change.setting.property) == asked


def _text(value: Argument) -> str:
    if isinstance(value, Delta):
        halves = (("Add", value.add), ("Remove", value.remove))
        return "@{" + "; ".join(f"{key}={','.join(one)}" for key, one in halves if one) + "}"
    return str(value)


def _told(entry: AuditEntry) -> str:
    parameters = {
        name: value
        for name, value in entry.parameters.items()
        if name not in {"Identity", "DomainController", "Confirm"}
    }
    return f"{entry.cmdlet} {entry.object} {parameters}"
