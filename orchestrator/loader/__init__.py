"""Files that operators write, read from disk and turned into what the core decides by.

``text`` reads a file or says why not, ``inventory`` and ``playbook`` (with ``entry``, for what
stands in its lists) give it meaning, and ``library`` finds the playbooks that are shipped.
"""

from orchestrator.loader.inventory import inventory_schema, load_inventory
from orchestrator.loader.library import find_playbook, playbook_names
from orchestrator.loader.playbook import load_playbook, parse_playbook, playbook_schema
from orchestrator.loader.text import read_text

__all__ = [
    "find_playbook",
    "inventory_schema",
    "load_inventory",
    "load_playbook",
    "parse_playbook",
    "playbook_names",
    "playbook_schema",
    "read_text",
]
