"""Which organizations the patterns of a command line mean."""

import difflib
from collections.abc import Collection, Mapping, Sequence
from fnmatch import fnmatchcase

from orchestrator.core.errors import UsageError

EVERYTHING = "all"
"""The pattern that means every organization; no organization or group may be called so."""

TAG = "tag:"
"""What stands before the name of a tag."""


def choose(patterns: Sequence[str], called: Mapping[str, Collection[str]]) -> frozenset[str]:
    """Return the keys of *called* that *patterns* mean; its values are what each is called.

    A pattern is such a name, or one with ``*``, ``?`` or ``[...]``, or ``all``; ``!`` before it
    takes away, wherever it stands; commas separate. Case counts. A glob without ``tag:`` is
    never about tags. Raises UsageError where a pattern matches nothing (a typing error in what
    is to be spared would change it) and where nothing is left.
    """
    words = [word.strip() for pattern in patterns for word in pattern.split(",")]
    taken = [word for word in words if not word.startswith("!")]
    if not taken:
        advice = f"Write --limit '{','.join([EVERYTHING, *words])}'."
        raise UsageError("the selection only takes away", advice)
    wanted = frozenset[str]().union(*(_meant(word, called) for word in taken))
    spared = (_meant(word.removeprefix("!"), called) for word in words if word.startswith("!"))
    chosen = wanted.difference(*spared)
    if not chosen:
        advice = f"Before anything is taken away it is {', '.join(sorted(wanted))}."
        raise UsageError(f"'{','.join(words)}' leaves no organization", advice)
    return chosen


def _meant(word: str, called: Mapping[str, Collection[str]]) -> frozenset[str]:
    if word == EVERYTHING:
        return frozenset(called)
    found = frozenset(key for key, names in called.items() if any(_fits(n, word) for n in names))
    if found:
        return found
    known = {EVERYTHING}.union(*called.values())
    raise UsageError(
        f"'{word}' is no organization, group or tag of the inventory", _offer(word, known)
    )


def _fits(name: str, word: str) -> bool:
    return name.startswith(TAG) == word.startswith(TAG) and fnmatchcase(name, word)


def _offer(word: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f"Did you mean '{close[0]}'?" if close else f"There are: {', '.join(sorted(known))}."
