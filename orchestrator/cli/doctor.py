"""``orchestrator doctor``: what is missing to reach an organization, and how to mend it."""

from typing import TYPE_CHECKING

import click

from orchestrator.cli import codes, options
from orchestrator.cli.codes import ExitCode
from orchestrator.cli.terminal import Terminal
from orchestrator.render.text import BLANK, Line, Lines, Look, Tone, safe, wrapped
from orchestrator.render.verdict import verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orchestrator.app.checkup import Subject
    from orchestrator.app.workplace import Workplace
    from orchestrator.core.inventory import Organization
    from orchestrator.core.playbook import Playbook
    from orchestrator.doctor import Finding


@click.command()
@click.argument("playbooks", metavar="[PLAYBOOK]...", nargs=-1)
@options.workplace
@options.limit
@options.output
@options.pass_terminal
def command(
    terminal: Terminal,
    *,
    workplace: "Workplace",
    playbooks: tuple[str, ...],
    limit: tuple[str, ...],
) -> ExitCode:
    """Find out what is missing to reach an organization.

    Nothing is changed anywhere. Looked at are this machine and every server: name, port, path,
    authentication, session, and the rights that each PLAYBOOK needs, by cmdlet and parameter; by
    default those of every playbook that comes with the product. The exit code is 8 where a server
    cannot be reached or lets nobody in, and 4 where a right is missing.
    """
    loaded = _loaded(playbooks)
    chosen = workplace.inventory.select(limit)
    found = []
    for subject, findings in _parts(workplace, chosen, loaded):
        terminal.say(_heading(subject))
        for finding in findings:
            terminal.say(_show(finding, terminal.look))
            found.append((subject, finding))
    code = codes.gravest(_code(finding) for _, finding in found)
    facts = [_facts(subject, finding) for subject, finding in found]
    terminal.document("doctor", {"findings": facts, "exit_code": int(code)})
    return code


def _loaded(names: tuple[str, ...]) -> "list[Playbook]":
    from orchestrator.loader import find_playbook, load_playbook, playbook_names  # noqa: PLC0415 - not for --help

    return [load_playbook(find_playbook(name)) for name in names or playbook_names()]


def _parts(
    workplace: "Workplace", organizations: "Iterable[Organization]", playbooks: "list[Playbook]"
) -> "Iterator[tuple[Subject, Iterator[Finding]]]":
    """Yield each thing that is examined with what is found there, as it is found."""
    from itertools import groupby  # noqa: PLC0415 - beside its only use

    from orchestrator.app import checkup  # noqa: PLC0415 - not for --help

    yield checkup.Subject(), checkup.look_around(workplace)
    rights = checkup.needed(playbooks)
    for organization in organizations:
        pairs = checkup.check_up(workplace, organization, rights)
        for subject, group in groupby(pairs, lambda pair: pair[0]):
            yield subject, (finding for _, finding in group)


def _heading(subject: "Subject") -> Lines:
    yield BLANK
    text = f"{subject.organization}: {subject.server}" if subject.server else "This machine"
    yield Line(safe(text), Tone.HEADING)


def _show(finding: "Finding", look: Look) -> Lines:
    text = f"{finding.check}: {finding.seen}"
    if finding.state == "skipped":
        yield from wrapped(text, Tone.QUIET, indent=1, bullet="-  ", width=look.width)
    else:
        holds = {"ok": True, "failed": False}.get(finding.state)
        yield from verdict(text, look, holds=holds, indent=1)
    if finding.advice:
        yield from wrapped(finding.advice, indent=4, width=look.width)


def _facts(subject: "Subject", finding: "Finding") -> dict[str, object]:
    return {
        "organization": subject.organization,
        "server": subject.server,
        "check": finding.check,
        "state": finding.state,
        "seen": finding.seen,
        "advice": finding.advice,
    }


def _code(finding: "Finding") -> ExitCode:
    from orchestrator.doctor import Check, State  # noqa: PLC0415 - not for --help

    if finding.state is not State.FAILED:
        return ExitCode.DONE
    if finding.check is Check.STORE:
        return ExitCode.OUR_FAULT
    lacking = {Check.RIGHTS, Check.READS}
    return ExitCode.REFUSED if finding.check in lacking else ExitCode.NO_CONTACT
