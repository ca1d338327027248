"""``orchestrator playbook``: list, explain, check and rehearse playbooks."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.codes import ExitCode
from orchestrator.cli.options import output, pass_terminal
from orchestrator.cli.terminal import Terminal
from orchestrator.core.errors import ConfigurationError
from orchestrator.render.text import Lines, Tone, plural, wrapped
from orchestrator.render.verdict import file_facts, file_verdict, verdict

if TYPE_CHECKING:
    from orchestrator.app.stage import Rehearsed


@click.group()
def command() -> None:
    """List, explain, check or rehearse playbooks.

    A playbook is a YAML file that says what has to be true once a remediation is done.
    docs/playbooks.md tells how to write one.
    """


@command.command("list")
@output
@pass_terminal
def list_(terminal: Terminal) -> None:
    """List the playbooks that come with the product."""
    from orchestrator.loader import find_playbook, load_playbook, playbook_names  # noqa: PLC0415 - not for --help
    from orchestrator.render.playbook import playbook_facts, summary  # noqa: PLC0415 - likewise

    found = tuple(load_playbook(find_playbook(name)) for name in playbook_names())
    terminal.say(summary(found))
    terminal.document("playbooks", {"playbooks": [playbook_facts(each) for each in found]})


@command.command()
@click.argument("name")
@output
@pass_terminal
def show(terminal: Terminal, name: str) -> None:
    """Explain a playbook, by its name or file.

    You see when to use it, its inputs, what it makes true, and what proves that it is done.
    """
    from orchestrator.loader import find_playbook, load_playbook  # noqa: PLC0415 - not for --help
    from orchestrator.render.playbook import description, playbook_facts  # noqa: PLC0415 - likewise

    playbook = load_playbook(find_playbook(name))
    terminal.say(description(playbook, terminal.width))
    terminal.document("playbook", {"playbook": playbook_facts(playbook)})


@command.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@output
@pass_terminal
def validate(terminal: Terminal, files: tuple[str, ...]) -> ExitCode:
    """Check playbook files.

    You see what is wrong, where, and which word may have been meant. Nothing is connected
    to. The exit code is 2 if anything is wrong.
    """
    verdicts = [(file, _fault(file)) for file in files]
    for file, fault in verdicts:
        terminal.say(file_verdict(file, fault, terminal.look))
    if terminal.json:
        terminal.document("validation", {"files": [file_facts(*each) for each in verdicts]})
    return ExitCode.USAGE if any(fault for _, fault in verdicts) else ExitCode.DONE


def _fault(file: str) -> ConfigurationError | None:
    from orchestrator.loader.library import find_playbook  # noqa: PLC0415 - not for --help
    from orchestrator.loader.playbook import load_playbook  # noqa: PLC0415 - likewise

    try:
        load_playbook(find_playbook(file))
    except ConfigurationError as error:
        return error
    return None


@command.command()
@click.option("--rehearsal", is_flag=True, help="That of rehearsal files instead.")
def schema(*, rehearsal: bool) -> None:
    """Print the JSON Schema of playbook files, for editors.

    \b
    orchestrator playbook schema > playbook.schema.json
    and as the first line of a playbook:
    # yaml-language-server: $schema=playbook.schema.json
    """  # noqa: D301 - click wants the backspace itself
    from orchestrator.loader.playbook import playbook_schema  # noqa: PLC0415 - not for --help

    if rehearsal:
        from orchestrator.app.rehearsal import rehearsal_schema  # noqa: PLC0415 - brings the lab

        click.echo(json.dumps(rehearsal_schema(), indent=2))
    else:
        click.echo(json.dumps(playbook_schema(), indent=2))


@command.command()
@click.argument("names", metavar="[NAME|FILE]...", nargs=-1)
@output
@pass_terminal
def test(terminal: Terminal, names: tuple[str, ...]) -> ExitCode:
    """Rehearse playbooks on simulated organizations.

    Every case is planned, applied, read back, run again and rolled back over the real protocol.
    A NAME's rehearsal is tests/playbooks/NAME.yaml here, or the one that comes with the product;
    a FILE is a rehearsal, or a playbook with tests/playbooks beside its directory. Without any,
    all of tests/playbooks. The exit code is 6 if a case went otherwise than expected.
    """
    from orchestrator.app.rehearsal import find_rehearsal, load_rehearsal, rehearsals  # noqa: PLC0415 - brings the lab
    from orchestrator.app.stage import rehearse  # noqa: PLC0415 - likewise

    files = [find_rehearsal(name) for name in names] or rehearsals(Path())
    loaded = [load_rehearsal(file) for file in files]
    played = []
    for rehearsal in loaded:
        terminal.say(wrapped(rehearsal.playbook.name, Tone.HEADING))
        for case in rehearsal.cases:
            played.append(rehearse(rehearsal, case))
            terminal.say(_outcome(terminal, played[-1]))
    failed = sum(1 for each in played if each.faults)
    terminal.say(wrapped(f"{plural(len(played), 'case')}, {failed} otherwise than expected."))
    terminal.document("rehearsal", {"cases": [_played(each) for each in played]})
    return ExitCode.FAILED if failed else ExitCode.DONE


def _outcome(terminal: Terminal, played: "Rehearsed") -> Lines:
    text = f"{played.case} ({played.scenario})"
    yield from verdict(text, terminal.look, holds=not played.faults, indent=2)
    for fault in played.faults:
        yield from wrapped(fault, indent=6)


def _played(played: "Rehearsed") -> dict[str, object]:
    return {
        "playbook": played.playbook,
        "case": played.case,
        "scenario": played.scenario,
        "faults": played.faults,
    }
