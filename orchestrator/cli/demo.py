"""``orchestrator demo``: the whole job on a simulated organization, with nothing to set up."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from orchestrator.cli.codes import ExitCode
from orchestrator.cli.options import output, pass_terminal
from orchestrator.cli.terminal import Terminal
from orchestrator.render.text import BLANK, Line, Lines, Tone, command_line, wrapped
from orchestrator.render.verdict import verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.app.demo import Played, Scene


@click.command()
@output
@pass_terminal
def command(terminal: Terminal) -> ExitCode:
    """See the whole job done on a simulated organization: event, plan, remedy, rollback.

    The organization lives on loopback and speaks the real protocol. Nothing has to be set up,
    and nothing stays. The exit code is 1 unless every step did what it says.
    """
    from orchestrator.app import demo  # noqa: PLC0415 - brings the lab

    terminal.say(_incident(demo.DOMAIN, demo.COMPUTER, demo.CONNECTOR, terminal.width))
    played = list(_played(terminal))
    wrong = [each for each in played if each.fault]
    if not wrong:
        terminal.say(_ending())
    code = ExitCode.OUR_FAULT if wrong else ExitCode.DONE
    terminal.document("demo", {"scenes": [_facts(each) for each in played], "exit_code": int(code)})
    return code


def _played(terminal: Terminal) -> "Iterator[Played]":
    """Play one scene after the other, and none after one that went wrong."""
    from orchestrator.app import demo  # noqa: PLC0415 - brings the lab

    with demo.stage() as stage:
        for number, scene in enumerate(demo.scenes(datetime.now(UTC).date()), start=2):
            terminal.say(_opening(number, scene))
            played = stage.play(scene, capture=terminal.json)
            terminal.say(_verdict(terminal, played))
            yield played
            if played.fault:
                return


def _incident(domain: str, computer: str, connector: str, width: int) -> Lines:
    yield Line("1. The incident: an event on a server of Contoso, which is simulated", Tone.HEADING)
    yield BLANK
    yield Line(f"  Error  MSExchangeTransport  11012  MessageSecurity  {computer}", Tone.BAD)
    yield from wrapped(
        f"A message from domain-secured domain '{domain}' on connector '{connector}' could not be "
        "authenticated because the server did not use Transport Layer Security (TLS).",
        indent=2,
        width=width,
    )


def _opening(number: int, scene: "Scene") -> Lines:
    yield BLANK
    yield Line(f"{number}. {scene.title}", Tone.HEADING)
    yield BLANK
    words = " ".join(_quoted(word) for word in ("orchestrator", *scene.arguments))
    yield command_line(f"$ {words}")
    yield BLANK


def _quoted(word: str) -> str:
    """Return *word* as it is typed in sh and in PowerShell alike."""
    return f"'{word}'" if any(letter in word for letter in " \\") else word


def _verdict(terminal: Terminal, played: "Played") -> Lines:
    yield BLANK
    good = not played.fault
    text = played.scene.proof if good else f"This was not as it should be: {played.fault}."
    yield from verdict(text, terminal.look, holds=good)


def _ending() -> Lines:
    yield BLANK
    yield from wrapped("Try it yourself, on a partner with connectors of its own:")
    yield command_line("orchestrator lab up dedicated-pair", indent=2)


def _facts(played: "Played") -> dict[str, object]:
    return {
        "title": played.scene.title,
        "arguments": played.scene.arguments,
        "exit_code": played.exit_code,
        "output": played.output,
        "proof": played.scene.proof,
        "fault": played.fault,
    }
