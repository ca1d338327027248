"""Event logs read from files: whatever form an event came in, it leaves as a RawEvent.

To add a form, write a module with a ``sniff`` and a ``read`` and give it a row in FORMS. To add
the fields of another collector, give them a row in ``fields.SHAPES``.
"""

from orchestrator.eventlog.damage import Damage, Entry
from orchestrator.eventlog.forms import FORMS, Form, recognise
from orchestrator.eventlog.reading import Reading, read_events
from orchestrator.eventlog.source import Source, open_source

__all__ = [
    "FORMS",
    "Damage",
    "Entry",
    "Form",
    "Reading",
    "Source",
    "open_source",
    "read_events",
    "recognise",
]
