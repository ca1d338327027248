"""What is wrong with the mail of one domain, why, and the smallest remedy: pure.

``case`` is what goes in and comes out, ``table`` the rules in the order in which they decide.
"""

from orchestrator.exchange.diagnosis.case import Case, Diagnosis, Finding, Hint, Remedy, Suggestion
from orchestrator.exchange.diagnosis.table import RULES, diagnose, queries

__all__ = [
    "RULES",
    "Case",
    "Diagnosis",
    "Finding",
    "Hint",
    "Remedy",
    "Suggestion",
    "diagnose",
    "queries",
]
