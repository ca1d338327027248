"""A file read from beginning to end: its events, and what in it could not be read."""

from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.eventlog.damage import Damage, Entry
from orchestrator.eventlog.forms import Form, recognise
from orchestrator.eventlog.source import Broken, Source


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read of one file: in which *form* it is, and its *entries*, as they come."""

    form: Form
    entries: Iterator[Entry]


def read_events(source: Source) -> Reading:
    """Return the reading of *source*; nothing but its beginning is read yet.

    Raises ConfigurationError where the form is none that is known. Whatever is broken later is
    a Damage among the entries: the last one where nothing after it could be read.
    """
    form = recognise(source)
    return Reading(form, _entries(form, source))


def _entries(form: Form, source: Source) -> Iterator[Entry]:
    try:
        yield from form.read(source)
    except Broken as broken:
        yield Damage("from here on", str(broken))
