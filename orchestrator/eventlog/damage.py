"""What in a file could not be read, beside the events that could."""

from dataclasses import dataclass
from typing import TypeAlias

from orchestrator.exchange.event import RawEvent

MOST = 100
"""Damages of one file after which nobody believes the rest of it."""


@dataclass(frozen=True, slots=True)
class Damage:
    """A part of a file that is no event although it should be one. *place* is where."""

    place: str
    reason: str


Entry: TypeAlias = RawEvent | Damage
