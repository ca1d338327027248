"""``orchestrator`` and ``python -m orchestrator``: the one place where errors become exit codes."""

import os
import sys
import traceback
from collections.abc import Sequence
from itertools import pairwise

import click

from orchestrator.cli import cli
from orchestrator.cli.codes import ExitCode, of_error
from orchestrator.cli.terminal import Terminal
from orchestrator.core.errors import ConfigurationError, OrchestratorError
from orchestrator.render.text import LIMIT, Line, Lines, Tone, safe, wrapped

_REPORT = "Run it again with 'orchestrator --debug ...' to see where; nothing is retried."
_ENCODING = "Write it as UTF-8; a terminal in another encoding can be the reason (see 'locale')."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that *arguments* name, or those of the process, and return its exit code."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    terminal = Terminal(json=_wants_json(given), debug="--debug" in given)
    code = _run(given, terminal)
    if terminal.lost and code == ExitCode.DONE:
        text = f"not everything could be written to standard output: {terminal.lost}"
        terminal.warn(wrapped(f"error: {text}", Tone.BAD, width=_width(terminal)))
        code = ExitCode.OUR_FAULT
    _let_go()
    return code


def _run(given: list[str], terminal: Terminal) -> int:
    if strange := [text for text in given if not _is_text(text)]:
        _explain(terminal, "UsageError", f"this argument is not UTF-8: '{strange[0]}'", _ENCODING)
        return ExitCode.USAGE
    try:
        answer = cli.main(given, "orchestrator", standalone_mode=False, obj=terminal)
    except OrchestratorError as error:
        _explain(terminal, type(error).__name__, str(error), error.advice, error)
        return of_error(error)
    except click.ClickException as error:
        return _misused(terminal, error)
    except click.Abort:
        text = "Interrupted. If a run had begun, 'orchestrator runs list' shows how it stands."
        terminal.warn(wrapped(text, width=_width(terminal)))
        return ExitCode.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last line of defence: a sentence, not a wall of text
        return _our_fault(terminal, error)
    return answer if isinstance(answer, int) else ExitCode.DONE


def _is_text(argument: str) -> bool:
    """Say whether the bytes that were typed are characters: nothing else can be recorded."""
    try:
        argument.encode()
    except UnicodeEncodeError:
        return False
    return True


def _misused(terminal: Terminal, error: click.ClickException) -> int:
    context = getattr(error, "ctx", None)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        terminal.raw(error.format_message() + "\n")
        return ExitCode.USAGE
    path = context.command_path if context else "orchestrator"
    advice = f"'{path} --help' explains it."
    _explain(terminal, "UsageError", error.format_message(), advice)
    return ExitCode.USAGE


def _our_fault(terminal: Terminal, error: Exception) -> int:
    if terminal.debug:
        # Line by line, because what a server said may stand in it.
        lines = "".join(traceback.format_exception(error)).splitlines()
        terminal.warn(Line(safe(line)) for line in lines)
    message = f"this should not have happened: {type(error).__name__}: {error}"
    _explain(terminal, "OurFault", message, "" if terminal.debug else _REPORT)
    return ExitCode.OUR_FAULT


def _explain(
    terminal: Terminal,
    kind: str,
    message: str,
    advice: str,
    error: OrchestratorError | None = None,
) -> None:
    facts: dict[str, object] = {"kind": kind, "message": message, "advice": advice}
    if isinstance(error, ConfigurationError):
        facts |= {"file": error.file, "line": error.line, "column": error.column}
        facts |= {"path": error.path}
    code = of_error(error) if error else _CODES[kind]
    if terminal.json:
        terminal.document("error", {"error": facts, "exit_code": int(code)})
    else:
        terminal.warn(_sentences(message, advice, _width(terminal)))


_CODES = {"UsageError": ExitCode.USAGE, "OurFault": ExitCode.OUR_FAULT}


def _sentences(message: str, advice: str, width: int) -> Lines:
    yield from wrapped(f"error: {message}", Tone.BAD, width=width)
    if advice:
        yield from wrapped(advice, width=width)


def _width(terminal: Terminal) -> int:
    """Return the columns for an error: in a log, each of its sentences is one line."""
    return terminal.width if terminal.attended(sys.stderr) else LIMIT


def _wants_json(given: Sequence[str]) -> bool:
    """Say whether a program will read what comes, also where the arguments cannot be parsed."""
    return "--output=json" in given or ("--output", "json") in pairwise(given)


def _let_go() -> None:
    """Let the interpreter's last flush not complain about a reader that went away."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


if __name__ == "__main__":
    sys.exit(main())
