"""Files that operators write: YAML text in, typed values out, and every fault with its place.

``parse`` turns text into a ``Document`` (plain data that knows its lines), ``convert`` turns a
document into a value of a given type, ``schema`` gives the same type to an editor. Whatever is
wrong is a ConfigurationError with file, line, column, path, what was expected and the nearest
legal word.

The YAML read here is a small one, chosen so that what is read is what was meant:

* Only ``true`` and ``false`` are booleans. ``yes``, ``no``, ``on`` and ``off`` are text.
* Only decimal digits without a leading zero are numbers. ``0123``, ``0x1f``, ``12:30``, ``1.10``
  and dates are text, kept letter by letter.
* ``null``, ``~`` and nothing at all are nothing.
* Aliases, anchors, tags, a second document, a key written twice, a key that is not text, a tab
  used to indent, and characters that cannot be seen are refused.
"""

from orchestrator.document.kinds import scalars
from orchestrator.document.shape import convert, schema
from orchestrator.document.tree import Document, Path, Place, Tree, nearest, parse

__all__ = [
    "Document",
    "Path",
    "Place",
    "Tree",
    "convert",
    "nearest",
    "parse",
    "scalars",
    "schema",
]
