"""A letter's words, from a template that the operator can replace, and its ``.eml``.

Templates run in Jinja2's sandbox, see plain values that are safe to print, and are bounded. Their
first line that is not empty is ``Subject: ...``. docs/letters.md describes the variables.
"""

import traceback
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from importlib.resources import files
from typing import Any, NamedTuple

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from orchestrator.core.errors import ConfigurationError
from orchestrator.core.letter import Letter
from orchestrator.render.text import safe

LIMIT = 256 * 1024
"""Characters of the longest letter, and of the longest template."""

_SUBJECT = "Subject:"
_SUBJECT_LIMIT = 200
_NAME = "<template>"
_GUIDE = "docs/letters.md describes what a template may say."


class Words(NamedTuple):
    """What a template was made into."""

    subject: str
    body: str


class _Environment(ImmutableSandboxedEnvironment):
    """The sandbox, without what makes a short template into an endless letter."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if isinstance(left, (int, float)) and isinstance(right, (int, float)) and operator == "*":
            return super().call_binop(context, operator, left, right)
        raise SecurityError(f"'{operator}' is not for letters")


def default_template() -> str:
    """Return the template that is shipped."""
    place = files("orchestrator.render") / "templates" / "letter.txt.j2"
    return place.read_text(encoding="utf-8")


def fill(template: str, variables: Mapping[str, object], file: str = "") -> Words:
    """Return the letter. Raises ConfigurationError with the template's *file* and line."""
    if len(template) > LIMIT:
        raise ConfigurationError("the template is too long", _GUIDE, file=file)
    environment = _Environment(
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    for name in ("range", "lipsum"):
        environment.globals.pop(name)
    for name in ("center", "indent", "format", "xmlattr"):
        environment.filters.pop(name)
    try:
        text = _bounded(environment.from_string(template).generate(_harmless(variables)))
    except TemplateSyntaxError as error:
        raise ConfigurationError(
            f"the template cannot be read: {error.message}", _GUIDE, file=file, line=error.lineno
        ) from error
    except (
        TemplateError,
        TypeError,
        ValueError,
        ArithmeticError,
        LookupError,
        AttributeError,
    ) as error:
        raise ConfigurationError(
            f"the template cannot be filled in: {error}", _GUIDE, file=file, line=_line(error)
        ) from error
    return _parted(text, file)


def _bounded(pieces: Any) -> str:
    found: list[str] = []
    length = 0
    for piece in pieces:
        length += len(piece)
        if length > LIMIT:
            raise SecurityError(f"the letter would be longer than {LIMIT} characters")
        found.append(piece)
    return "".join(found)


def _line(error: BaseException) -> int | None:
    frames = traceback.extract_tb(error.__traceback__)
    return next((f.lineno for f in reversed(frames) if f.filename == _NAME), None)


def _harmless(value: Any) -> Any:
    match value:
        case str():
            return safe(value)
        case Mapping():
            return {name: _harmless(one) for name, one in value.items()}
        case Sequence():
            return tuple(_harmless(one) for one in value)
        case _:
            return value


def _parted(text: str, file: str) -> Words:
    head, _, body = text.lstrip().partition("\n")
    subject = safe(" ".join(head.removeprefix(_SUBJECT).split()), _SUBJECT_LIMIT)
    if not head.startswith(_SUBJECT) or not subject or not body.strip():
        raise ConfigurationError(
            "a letter begins with a line 'Subject: ...', and something has to follow",
            _GUIDE,
            file=file,
        )
    lines = (safe(line.rstrip()) for line in body.strip("\n").split("\n"))
    return Words(subject, "\n".join(lines) + "\n")


def eml(letter: Letter) -> bytes:
    """Return *letter* as a message: the same bytes whenever they are asked for."""
    message = EmailMessage(policy=SMTP)
    message["From"] = letter.sender
    message["To"] = letter.to
    message["Reply-To"] = letter.reply_to
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(letter.made)
    message["Message-ID"] = letter.message_id
    message.set_content(letter.body, charset="utf-8", cte="quoted-printable")
    return message.as_bytes()


def text_form(letter: Letter) -> str:
    """Return *letter* as text for people: what stands above it, and its words."""
    head = (
        ("From", letter.sender),
        ("To", letter.to),
        ("Reply-To", letter.reply_to),
        ("Subject", letter.subject),
        ("Date", format_datetime(letter.made)),
    )
    return "".join(f"{name}: {said}\n" for name, said in head) + "\n" + letter.body
