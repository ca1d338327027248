"""Rows of the table: what was measured, by what, and whether it is what was wanted."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Spread:
    """The least, the median and the most of several rounds."""

    least: float
    median: float
    most: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread":
        """Return the spread of *values*."""
        known = list(values)
        return cls(min(known), median(known), max(known))

    def text(self) -> str:
        """Return the median, and the extremes in brackets."""
        digits = 0 if self.median >= 100 else 1 if self.median >= 10 else 2
        least, middle, most = (f"{one:.{digits}f}" for one in (self.least, self.median, self.most))
        return f"{middle} [{least}..{most}]"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of ours beside its yardstick; the ratio of the medians may be *limit* at most."""

    what: str
    unit: str
    ours: Spread
    yardstick: Spread
    limit: float

    @property
    def ratio(self) -> float:
        """Ours divided by the yardstick's."""
        return self.ours.median / self.yardstick.median

    @property
    def met(self) -> bool:
        """Whether it is what was wanted, to the two digits that are shown."""
        return round(self.ratio, 2) <= self.limit

    def figures(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return {**asdict(self), "ratio": self.ratio, "met": self.met}


def show(rows: Sequence[Row]) -> str:
    """Return the rows as a table of text."""
    head = ("what", "unit", "product", "yardstick", "ratio", "at most", "")
    cells = [head, *(_cells(row) for row in rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )


def _cells(row: Row) -> tuple[str, ...]:
    verdict = "" if row.met else "missed"
    limits = (f"{row.ratio:.2f}", f"{row.limit:g}", verdict)
    return (row.what, row.unit, row.ours.text(), row.yardstick.text(), *limits)


def calm(seconds: float = 0.5) -> float:
    """Return which part of a processor a busy program gets right now; 1 is a quiet machine."""
    wall, cpu = time.perf_counter(), time.process_time()
    while time.perf_counter() - wall < seconds:
        pass
    return (time.process_time() - cpu) / (time.perf_counter() - wall)
