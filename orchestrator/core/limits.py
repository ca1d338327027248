"""How much one batch may do, as inventories, playbooks and the command line say it."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from orchestrator.core.command import Plain

Count = Annotated[int, Meta(ge=1, le=1_000_000)]


class Ceiling(Plain, frozen=True, kw_only=True):
    """At most so much in one organization in one batch. What is not said has no limit."""

    changes: Annotated[
        Count | UnsetType, Meta(description="At most so many changes in one batch.")
    ] = UNSET
    connectors: Annotated[
        Count | UnsetType, Meta(description="At most so many different connectors in one batch.")
    ] = UNSET


class Limits(Ceiling, frozen=True, kw_only=True):
    """At most so much in one batch, over all of its organizations."""

    organizations: Annotated[
        Count | UnsetType, Meta(description="At most so many organizations in one batch.")
    ] = UNSET


COUNTED = ("changes", "organizations", "connectors")
"""What is counted; each is a field of Limits and an option ``--max-...``."""
