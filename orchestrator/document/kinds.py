"""What a type says about one part of a document: what may stand there, and what it is for."""

from collections.abc import Iterator
from types import NoneType
from typing import Any

from msgspec import inspect

from orchestrator.document.tree import Path


def types_at(kind: inspect.Type, path: Path, *, key: bool) -> Iterator[inspect.Type]:
    """Return every type that may stand at *path* (with *key*, of its key), outermost first."""
    if not path:
        yield kind
    for same in _alternatives(kind):
        yield from types_at(same, path, key=key)
    if path:
        last = key and len(path) == 1
        for inner in _inside(kind, path[0], key=last):
            yield from types_at(inner, path[1:], key=key and not last)


def _alternatives(kind: inspect.Type) -> tuple[inspect.Type, ...]:
    match kind:
        case inspect.Metadata(type=inner):
            return (inner,)
        case inspect.UnionType(types=types):
            return tuple(types)
        case _:
            return ()


def _inside(kind: inspect.Type, step: str | int, *, key: bool) -> tuple[inspect.Type, ...]:
    match kind:
        case inspect.DictType(key_type=of_key, value_type=of_value):
            return (of_key if key else of_value,)
        case inspect.ListType(item_type=inner) | inspect.VarTupleType(item_type=inner):
            return (inner,)
        case _:
            return tuple(each.type for each in fields(kind) if each.encode_name == step)


def scalars(kind: type, path: Path) -> frozenset[type]:
    """Return which of str, int, bool and NoneType may stand at *path* of a value of *kind*.

    A choice of given words is none of them, because not every text may stand there.
    """
    found = types_at(inspect.type_info(kind), path, key=False)
    return frozenset(scalar for each in found for of, scalar in _SCALARS if isinstance(each, of))


_SCALARS: tuple[tuple[type[inspect.Type], type], ...] = (
    (inspect.StrType, str),
    (inspect.IntType, int),
    (inspect.BoolType, bool),
    (inspect.NoneType, NoneType),
)


def fields(kind: inspect.Type) -> tuple[inspect.Field, ...]:
    """Return the fields of a struct; other types have none."""
    return kind.fields if isinstance(kind, inspect.StructType) else ()


def choices(kind: inspect.Type) -> tuple[object, ...]:
    """Return the words of an enumeration; other types have none."""
    match kind:
        case inspect.EnumType(cls=cls):
            return tuple(member.value for member in cls)
        case inspect.LiteralType(values=values):
            return values
        case _:
            return ()


def description(kind: inspect.Type) -> str:
    """Return what the type says that it is for, or nothing."""
    return str(_notes(kind, "extra_json_schema").get("description", ""))


def is_secret(kind: inspect.Type) -> bool:
    """Whether what stands here must not be repeated in a message."""
    return _notes(kind, "extra").get("secret") is True


def _notes(kind: inspect.Type, name: str) -> dict[str, Any]:
    return (getattr(kind, name) or {}) if isinstance(kind, inspect.Metadata) else {}
