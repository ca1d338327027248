"""The three-way difference: what a plan rests on, what it wants, and what is so now."""

from collections.abc import Iterable

from orchestrator.core.plan import Drift
from orchestrator.render.text import Line, Lines, Look, Tone, safe, wrapped

_COLUMNS = (("planned on", "planned"), ("wanted", "wanted"), ("now", "now"))


def show_drifts(drifts: Iterable[Drift], look: Look) -> Lines:
    """Yield a small table for each thing that is no longer so; long values are wrapped."""
    for drift in drifts:
        yield Line("  " + safe(drift.subject), Tone.HEADING)
        for head, field in _COLUMNS:
            said = str(getattr(drift, field))
            tone = Tone.BAD if field == "now" else Tone.PLAIN
            if said:
                bullet = f"{head:<10}  "
                yield from wrapped(said, tone, indent=4, bullet=bullet, width=look.width)
