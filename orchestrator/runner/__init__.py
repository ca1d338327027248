"""Decisions become deeds: the actions of a run, and the loop that performs one after the other."""

from orchestrator.runner.actions import Runner
from orchestrator.runner.loop import drive

__all__ = ["Runner", "drive"]
