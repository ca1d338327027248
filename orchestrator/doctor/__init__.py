"""What stands between this machine and an organization's remedy: looked at, never changed."""

from orchestrator.doctor.examination import examine
from orchestrator.doctor.finding import Check, Finding, Needed, State
from orchestrator.doctor.surroundings import surroundings

__all__ = ["Check", "Finding", "Needed", "State", "examine", "surroundings"]
