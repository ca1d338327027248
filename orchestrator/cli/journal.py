"""``orchestrator journal``: whether the record of all runs is intact."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli import options
from orchestrator.cli.codes import ExitCode
from orchestrator.cli.terminal import Terminal
from orchestrator.core.errors import ConfigurationError

if TYPE_CHECKING:
    from orchestrator.journal import Head, Report


@click.group()
def command() -> None:
    """Check that the record of all runs is intact."""


@command.command()
@click.option(
    "--heads",
    type=click.Path(path_type=Path),
    default=None,
    help="What an earlier check printed, kept elsewhere: every line of it must still stand.",
)
@options.store
@options.output
@options.pass_terminal
def check(terminal: Terminal, *, heads: Path | None, store: str | None) -> ExitCode:
    """Verify every record, and print where each ends.

    The chain of digests shows every edit inside a record. That a record was cut short or replaced
    as a whole is only seen against what was kept elsewhere: keep what this prints.

    \b
    Example:
      orchestrator journal check > /mnt/elsewhere/heads
      orchestrator journal check --heads /mnt/elsewhere/heads
    """  # noqa: D301 - click wants the backspace itself: what follows is not wrapped
    from orchestrator.cli.archive import opened  # noqa: PLC0415 - not for --help

    kept = read_heads(heads) if heads else []
    with opened(store) as archive:
        report = archive.check(kept)
    _show(terminal, report)
    code = ExitCode.OUR_FAULT if report.damages else ExitCode.DONE
    terminal.document(
        "journal",
        {
            "heads": [_head(head) for head in report.heads],
            "damages": [
                {"stream": one.stream, "version": one.version, "reason": one.reason}
                for one in report.damages
            ],
            "exit_code": int(code),
        },
    )
    return code


def _head(head: "Head") -> dict[str, object]:
    return {"stream": head.stream, "length": head.length, "digest": head.digest}


def _show(terminal: Terminal, report: "Report") -> None:
    from orchestrator.render.text import Line, Tone, plural, safe  # noqa: PLC0415 - not for --help

    for head in report.heads:
        terminal.say([Line(safe(f"{head.digest} {head.length} {head.stream}"))])
    for one in report.damages:
        place = " ".join(part for part in (one.stream, str(one.version or "")) if part)
        terminal.warn([Line(safe(f"damaged: {place}: {one.reason}"), Tone.BAD)])
    number = plural(len(report.heads), "record")
    if report.damages:
        text = (
            f"{plural(len(report.damages), 'contradiction')} in {number}; nothing may build on it"
        )
        terminal.warn([Line(text, Tone.BAD)])
    else:
        terminal.warn([Line(f"{number}, all intact", Tone.GOOD)])


def read_heads(path: Path) -> "list[Head]":
    """Return the heads in a file that ``journal check`` printed. Raises ConfigurationError."""
    from orchestrator.journal import Head  # noqa: PLC0415 - not for --help
    from orchestrator.loader import read_text  # noqa: PLC0415 - likewise

    found = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        digest, _, rest = line.partition(" ")
        length, _, stream = rest.partition(" ")
        if not (len(digest) == 64 and length.isdecimal() and stream):
            raise ConfigurationError(
                "this is no line of 'orchestrator journal check'",
                "Give the file exactly as an earlier check printed it.",
                file=str(path),
                line=number,
            )
        found.append(Head(stream, int(length), digest))
    return found
