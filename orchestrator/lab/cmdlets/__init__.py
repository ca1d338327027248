"""The cmdlets of the simulated endpoint. To add one: a ``Cmdlet`` in a table of this package."""

from collections.abc import Mapping

from orchestrator.lab.cmdlet import Cmdlet
from orchestrator.lab.cmdlets.auditing import AUDITING
from orchestrator.lab.cmdlets.delegation import DELEGATION
from orchestrator.lab.cmdlets.edge import EDGE
from orchestrator.lab.cmdlets.native import NATIVE
from orchestrator.lab.cmdlets.reading import READING
from orchestrator.lab.cmdlets.services import SERVICES
from orchestrator.lab.cmdlets.stock import STOCK, command_reader
from orchestrator.lab.cmdlets.writing import WRITING

_OWN: dict[str, Cmdlet] = {
    cmdlet.name.casefold(): cmdlet
    for cmdlet in (*READING, *WRITING, *AUDITING, *DELEGATION, *EDGE, *NATIVE, *SERVICES, *STOCK)
}
_READER = command_reader(_OWN)
_OWN[_READER.name.casefold()] = _READER

# PowerShell finds a program by its name with or without the ending.
_OWN |= {cmdlet.name.removesuffix(".exe"): cmdlet for cmdlet in NATIVE}

CMDLETS: Mapping[str, Cmdlet] = _OWN
"""Every cmdlet by its name in lower case."""
