"""What a warning of Exchange means. Warnings have no ids: only their words tell.

To add a language: one row of ``UNMODIFIED``.
"""

from collections.abc import Mapping

UNMODIFIED: Mapping[str, tuple[str, ...]] = {
    "en": ("no settings of", "have been modified"),
    "de": ("keine einstellungen von", "geändert"),
    "fr": ("aucun paramètre", "modifié"),
    "es": ("ningun", "configuración", "modific"),
    "it": ("nessuna impostazione", "modificat"),
    "pt": ("nenhuma configuração", "modificad"),
    "nl": ("geen instellingen", "gewijzigd"),
}
"""By language, words of the warning that a command was right and changed nothing.

English is what a server says to a client that asks for it, as ours does [obs]; for one that answers
in its own language all the same, the others are guessed [inf].
"""


def says_unmodified(warning: str) -> bool:
    """Say whether *warning* is that no settings were modified: somebody else was there first."""
    text = " ".join(warning.casefold().split())
    return any(all(word in text for word in words) for words in UNMODIFIED.values())
