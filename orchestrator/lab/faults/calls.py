"""Faults of cmdlets: slow, deaf, asking, refusing, speaking another language."""

from typing import Literal

from orchestrator.lab.faults.row import CallRow, Seconds


class Slow(CallRow, frozen=True, kw_only=True, tag="slow"):
    """The cmdlet takes effect *seconds* late, also when its client has given up by then."""

    seconds: Seconds


class Prompting(CallRow, frozen=True, kw_only=True, tag="prompt"):
    """The cmdlet asks in spite of ``-Confirm:$false``."""


class Deaf(CallRow, frozen=True, kw_only=True, tag="whatif-ignored"):
    """The cmdlet writes in spite of ``-WhatIf``."""


class RightLost(CallRow, frozen=True, kw_only=True, tag="right-lost"):
    """From the struck call on, the parameter does not exist any more for anybody."""

    cmdlet: str
    parameter: str


class Revalidated(CallRow, frozen=True, kw_only=True, tag="revalidation"):
    """A Set fails over something else in the object [obs]; *enabled* limits it to one direction."""

    cmdlet: str = "Set-ReceiveConnector"
    enabled: bool | None = None


class Transient(CallRow, frozen=True, kw_only=True, tag="transient"):
    """The directory fails for a moment: an error of Exchange's category 1002."""


class Speaking(CallRow, frozen=True, kw_only=True, tag="language"):
    """Errors and warnings come in another language."""

    to: Literal["en", "de"] = "de"


class Shaped(CallRow, frozen=True, kw_only=True, tag="shapes"):
    """Values arrive in other shapes than before; see ``clixml.Style``."""

    lists: Literal["multivalued", "strings", "joined", "holder", "scalar"] = "strings"
    empty: Literal["list", "nil"] = "list"
    enums: Literal["object", "text"] = "object"
    prefix: bool = False
