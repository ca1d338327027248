"""Where a value that msgspec refused stands: from its words and wildcards to a concrete path."""

import re

import msgspec

from orchestrator.document.tree import Path, Tree

_PLACE = re.compile(r"(.*) - at (`key` in )?`\$(.*)`", re.DOTALL)
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]|\[(\.\.\.)\]")


def split(text: str) -> tuple[str, bool, tuple[str | int | None, ...]]:
    """Return msgspec's message, whether a key is at fault, and the path, where None is any key."""
    found = _PLACE.fullmatch(text)
    if not found:
        return text, False, ()
    steps = [
        None if anything else int(index) if index else name
        for name, index, anything in _STEP.findall(found[3])
    ]
    key = found[2] is not None
    return found[1], key, (*steps, None) if key else tuple(steps)


def locate(tree: Tree, kind: type, text: str, pattern: tuple[str | int | None, ...]) -> Path:
    """Return the concrete path of the fault that msgspec described by *text*.

    For a step that may be any key, each key is tried alone: the guilty one is the first that
    makes msgspec say the same about a tree in which it has no siblings.
    """
    path: Path = ()
    for step in pattern:
        if step is not None:
            path = (*path, step)
            continue
        content = _mapping(at(tree, path))
        guilty = (k for k in content if _same(_only(tree, path, k), kind, text))
        culprit = next(guilty, None)
        if culprit is None:  # no entry alone: it is their number or their company
            return path
        tree, path = _only(tree, path, culprit), (*path, culprit)
    return path


def _same(tree: Tree, kind: type, text: str) -> bool:
    try:
        msgspec.convert(tree, kind)
    except msgspec.ValidationError as error:
        return str(error) == text
    return False


def at(tree: Tree, path: Path) -> Tree:
    """Return the part of *tree* at *path*, which has to exist."""
    for step in path:
        tree = tree[int(step)] if isinstance(tree, list) else _mapping(tree)[str(step)]
    return tree


def _only(tree: Tree, path: Path, key: str) -> Tree:
    """Return *tree* with the mapping at *path* reduced to its entry *key*."""
    if isinstance(tree, list):
        index = int(path[0])
        return [*tree[:index], _only(tree[index], path[1:], key), *tree[index + 1 :]]
    content = _mapping(tree)
    if not path:
        return {key: content[key]}
    return {**content, str(path[0]): _only(content[str(path[0])], path[1:], key)}


def _mapping(tree: Tree) -> dict[str, Tree]:
    return tree if isinstance(tree, dict) else {}
