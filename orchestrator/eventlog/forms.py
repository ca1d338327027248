"""The forms in which event logs are kept and sent, and how each is told from the others."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from orchestrator.core.errors import ConfigurationError
from orchestrator.eventlog import clixml, csv, evtx, json, text, xml
from orchestrator.eventlog.damage import Entry
from orchestrator.eventlog.source import Source


@dataclass(frozen=True, slots=True)
class Form:
    """A form: *sniff* looks at the opening text, *read* yields what is in the file, lazily.

    ``read`` raises Broken where the rest of the file cannot be read.
    """

    name: str
    sniff: Callable[[str], bool]
    read: Callable[[Source], Iterator[Entry]]


FORMS: Final = (
    Form("event log file (.evtx)", evtx.sniff, evtx.read),
    Form("CLIXML", clixml.sniff, clixml.read),
    Form("event XML", xml.sniff, xml.read),
    Form("JSON", json.sniff, json.read),
    Form("CSV", csv.sniff, csv.read),
    Form("text with field labels", text.sniff, text.read),
)
"""In the order in which they are tried."""


def recognise(source: Source) -> Form:
    """Return the form of *source*. Raises ConfigurationError, which says what was tried."""
    opening = source.opening
    if not opening:
        raise ConfigurationError("the file is empty", _EMPTY, file=source.name)
    for form in FORMS:
        if form.sniff(opening):
            return form
    tried = ", ".join(form.name for form in FORMS)
    raise ConfigurationError(f"it is none of: {tried}", _EXPORT, file=source.name)


_EMPTY = "An export without any events is not empty: it has a root, or column names. Export again."
_EXPORT = (
    "Export the log with: wevtutil qe Application /f:RenderedXml /e:Events "
    "\"/q:*[System[Provider[@Name='MSExchangeTransport' or @Name='MSExchangeFrontEndTransport']]]\""
)
