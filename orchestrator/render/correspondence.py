"""Letters on the screen and as plain values: what they say, and whether anybody has them."""

from collections.abc import Mapping, Sequence

import msgspec

from orchestrator.core.letter import (
    Correspondence,
    DoubtLifted,
    Event,
    HandOverBroken,
    LetterAccepted,
    LetterHandedOver,
    LetterRefused,
    LetterWithheld,
    LetterWritten,
    Standing,
)
from orchestrator.render.letter import text_form
from orchestrator.render.text import (
    BLANK,
    Line,
    Lines,
    Look,
    Tone,
    command_line,
    heading,
    safe,
    table,
    wrapped,
)

STANDINGS: Mapping[Standing, str] = {
    Standing.WRITTEN: "written; nobody has it yet",
    Standing.IN_DOUBT: "handed over; whether it was taken is not known",
    Standing.ACCEPTED: "taken over by the SMTP server",
    Standing.REFUSED: "refused by the SMTP server",
}
_TONES: Mapping[Standing, Tone] = {
    Standing.WRITTEN: Tone.PLAIN,
    Standing.IN_DOUBT: Tone.BAD,
    Standing.ACCEPTED: Tone.GOOD,
    Standing.REFUSED: Tone.BAD,
}


def show_words(text: str) -> Lines:
    """Yield a letter, or any other text, line by line, as it stands."""
    for line in text.splitlines():
        yield Line(safe(line))


def show_letter(known: Correspondence, look: Look) -> Lines:
    """Yield how a letter stands, where it lies, and what to type next."""
    letter = known.letter
    text = f"{letter.organization}: letter to {letter.to}: {STANDINGS[known.standing]}"
    yield from wrapped(text, _TONES[known.standing], width=look.width)
    for file in known.files:
        yield Line(f"  {safe(file)}")
    if known.detail:
        yield from wrapped(known.detail, indent=2, width=look.width)
    if known.standing is Standing.IN_DOUBT:
        yield Line("  Look for it in the server's message tracking; if it is not there:")
        words = f"orchestrator resume {letter.id} --not-arrived 'how you know'{look.options}"
        yield command_line(words)
    elif known.standing is not Standing.ACCEPTED:
        yield Line("  To hand it to the SMTP server of the inventory:")
        yield command_line(f"orchestrator resume {letter.id}{look.options}")
    yield Line("  Everything that is recorded of it:")
    yield command_line(f"orchestrator runs show {letter.id}{look.options}")


def show_letter_history(known: Correspondence, events: Sequence[Event], look: Look) -> Lines:
    """Yield the whole story of a letter, which *events* are the record of."""
    yield Line(safe(f"letter {known.letter.id}"), Tone.HEADING)
    told = known.mandate
    for head, said in (("by", told.actor), ("reason", told.reason), ("ticket", told.ticket)):
        if said:
            yield from wrapped(said, indent=2, bullet=f"{head:<12}", width=look.width)
    yield from heading("What happened (UTC)")
    for event in events:
        yield Line(safe(f"  {event.at:%m-%d %H:%M:%S}  {_words(event)}"))
    yield from heading("The letter")
    yield from show_words(text_form(known.letter))
    yield from heading("How it stands")
    yield from show_letter(known, look)


def _words(event: Event) -> str:  # noqa: PLR0911 - one sentence for each event is the point
    match event:
        case LetterWritten(files=files):
            return f"written to {', '.join(files)}"
        case LetterHandedOver(server=server, actor=actor):
            return f"{actor} hands it to {server}"
        case LetterWithheld(reason=reason):
            return f"not sent: {reason}"
        case LetterAccepted(answer=answer):
            return f"taken over: {answer}"
        case LetterRefused(answer=answer):
            return f"refused: {answer}"
        case HandOverBroken(reason=reason):
            return f"the connection broke, whether it was taken is not known: {reason}"
        case DoubtLifted(actor=actor, reason=reason):
            return f"{actor} says that it did not arrive: {reason}"


def list_letters(letters: Sequence[Correspondence]) -> Lines:
    """Yield one row for each letter; nothing where there is none."""
    if not letters:
        return
    yield BLANK
    rows = [
        (
            each.letter.id,
            f"{each.letter.made:%Y-%m-%d %H:%M}",
            each.letter.to,
            each.mandate.actor,
            STANDINGS[each.standing],
        )
        for each in letters
    ]
    yield from table(("letter", "written (UTC)", "to", "by", "how it stands"), rows)


def letter_facts(known: Correspondence) -> dict[str, object]:
    """Return a letter, and how it stands, as plain values."""
    plain: dict[str, object] = msgspec.to_builtins(known.letter)
    return {
        **plain,
        "standing": known.standing.value,
        "state": STANDINGS[known.standing],
        "server": known.server,
        "detail": known.detail,
        "files": list(known.files),
        "digest": known.digest,
        "changed": known.changed,
        "mandate": known.mandate,
    }
