"""Something is as it should be, or not: one line with a tick or a cross, and the way to mend it."""

from orchestrator.core.errors import ConfigurationError
from orchestrator.render.text import Lines, Look, Tone, wrapped

_TONES = {True: Tone.GOOD, False: Tone.BAD, None: Tone.PLAIN}


def verdict(text: str, look: Look, *, holds: bool | None, indent: int = 0) -> Lines:
    """Yield *text* with its mark; None is for what is not known, and has a question mark."""
    bullet = "?  " if holds is None else f"{look.mark(holds=holds):3}"
    yield from wrapped(text, _TONES[holds], indent=indent, bullet=bullet, width=look.width)


def file_verdict(file: str, fault: ConfigurationError | None, look: Look) -> Lines:
    """Yield that a file can be used, or what is wrong with it, where, and what to do about it."""
    if fault is None:
        yield from verdict(file, look, holds=True)
        return
    yield from verdict(str(fault), look, holds=False)
    yield from wrapped(fault.advice, indent=3, width=look.width)


def file_facts(file: str, fault: ConfigurationError | None) -> dict[str, object]:
    """Return whether a file can be used, as plain values."""
    from orchestrator.render.facts import error_facts  # noqa: PLC0415 - brings more than a check of files needs

    return {"file": file, "valid": fault is None, "error": error_facts(fault) if fault else None}
