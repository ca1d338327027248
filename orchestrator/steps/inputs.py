"""The operator's words for a playbook's inputs, turned into typed values."""

import difflib
import re
from collections.abc import Callable, Mapping

from orchestrator.core.errors import UsageError
from orchestrator.core.playbook import Input, InputType, InputValue, Playbook, complete_inputs
from orchestrator.exchange.domains import parse_domain

_LARGEST = 2**31 - 1
"""What fits on the wire: larger ones are sent as what no server reads."""


def parse_inputs(
    playbook: Playbook, given: Mapping[str, str], variables: Mapping[str, bool | int | str]
) -> dict[str, InputValue]:
    """Return a value for every input of *playbook*.

    *given* wins over *variables* (an organization's, of which only those with an input's name
    count), which win over defaults. Raises UsageError that names the input and what it takes.
    """
    known = {spec.name: spec for spec in playbook.inputs}
    for name in given:
        if name not in known:
            raise _unknown(playbook, name)
    texts = {name: _spoken(value) for name, value in variables.items() if name in known}
    texts |= given
    return complete_inputs(
        playbook, {name: _parse(known[name], text) for name, text in texts.items()}
    )


def _spoken(value: bool | int | str) -> str:  # noqa: FBT001 - a variable is any scalar
    return str(value).lower() if isinstance(value, bool) else str(value)


def _unknown(playbook: Playbook, name: str) -> UsageError:
    names = [spec.name for spec in playbook.inputs]
    like = difflib.get_close_matches(name, names, n=1)
    hint = f"Did you mean '{like[0]}'?" if like else f"Its inputs: {', '.join(names) or 'none'}."
    return UsageError(f"{playbook.name} has no input '{name}'", hint)


def _parse(spec: Input, text: str) -> InputValue:
    return _PARSERS[spec.type](spec, text)


def _boolean(spec: Input, text: str) -> bool:
    values = {"true": True, "yes": True, "false": False, "no": False}
    if text.strip().lower() not in values:
        raise UsageError(f"{spec.name} is a boolean", f"Write --set {spec.name}=true or =false.")
    return values[text.strip().lower()]


def _integer(spec: Input, text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,10}", text.strip()) or abs(int(text)) > _LARGEST:
        raise UsageError(
            f"{spec.name} is a whole number of at most {_LARGEST}", f"Write --set {spec.name}=5."
        )
    return int(text)


def _text(spec: Input, text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise UsageError(
            f"{spec.name} is empty, or has characters that cannot be printed", spec.description
        )
    return text.strip()


def _domain(_spec: Input, text: str) -> str:
    return parse_domain(text)


_PARSERS: Mapping[InputType, Callable[[Input, str], InputValue]] = {
    InputType.BOOLEAN: _boolean,
    InputType.INTEGER: _integer,
    InputType.TEXT: _text,
    InputType.RECEIVE_CONNECTOR: _text,
    InputType.DOMAIN: _domain,
}
