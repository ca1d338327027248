"""A hundred organizations side by side, beside what bounds them from below."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.duel import Cost, Place, Terms, measure
from bench.table import Row, Spread

ORGANIZATIONS = 100
DELAY = 0.05
SINGLES = 5


@dataclass(frozen=True, slots=True)
class Fleet:
    """One round: all at once, and some of the same kind one by one."""

    together: Cost
    alone: Sequence[Cost]

    @property
    def bound(self) -> float:
        """The larger of the slowest organization alone and the client CPU of all, in seconds."""
        return max(*(cost.wall for cost in self.alone), self.together.cpu)


def rounds(host: Place, auth: str, number: int) -> list[Fleet]:
    """Return what *number* rounds took."""
    together = Terms("remove", auth, DELAY, ORGANIZATIONS)
    alone = Terms("remove", auth, DELAY)
    return [
        Fleet(
            measure(host, "product", together),
            [measure(host, "product", alone) for _ in range(SINGLES)],
        )
        for _ in range(number)
    ]


def row(auth: str, seen: Sequence[Fleet]) -> Row:
    """Return the wall clock beside its bound."""
    return Row(
        f"{ORGANIZATIONS} organizations, {auth}, {DELAY * 1000:.0f} ms: wall",
        "s",
        Spread.of(one.together.wall for one in seen),
        Spread.of(one.bound for one in seen),
        1.2,
    )


def remark(auth: str, seen: Sequence[Fleet]) -> str:
    """Return what explains the row: both sides' CPU, and the slowest one alone."""
    client = Spread.of(one.together.cpu for one in seen)
    lab = Spread.of(one.together.lab_cpu for one in seen)
    alone = Spread.of(max(cost.wall for cost in one.alone) for one in seen)
    return (
        f"{ORGANIZATIONS} organizations, {auth}: client CPU {client.text()} s, "
        f"the lab's CPU {lab.text()} s, slowest alone {alone.text()} s"
    )
