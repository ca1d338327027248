"""The command line: arguments in, an exit code out. A command's module loads when it is called.

To add a command: a module here with a click command called ``command``, which returns its exit
code (or nothing, for 0), and a row in COMMANDS.
"""

import difflib
from collections.abc import Mapping
from importlib import import_module
from itertools import groupby
from typing import NamedTuple

import click

from orchestrator.cli import codes
from orchestrator.cli.terminal import Terminal

VERSION = "0.1.0"
"""As in pyproject.toml; reading it from the installed package costs half as much as click."""


class Entry(NamedTuple):
    """A command: the heading it stands under, and the one sentence that says what it does."""

    section: str
    sentence: str


COMMANDS: Mapping[str, Entry] = {
    "events": Entry("Look first", "Show what event logs say of mail that was refused."),
    "incidents": Entry("Look first", "List or show what was logged about each partner."),
    "diagnose": Entry("Look first", "Say what is wrong with a partner's mail, and what to do."),
    "run": Entry("Do the work", "Plan a remediation, show it, and carry it out if you agree."),
    "contact-partner": Entry("Do the work", "Write to the partner; nothing is changed."),
    "plan": Entry("Do the work", "Make a plan and keep it in a file; nothing is changed."),
    "apply": Entry("Do the work", "Carry out exactly the plan in a file, once."),
    "rollback": Entry("Do the work", "Undo what a run changed."),
    "resume": Entry("Do the work", "Take up a run where it was left."),
    "verify": Entry("Do the work", "Look whether a run does what it was for, until it is proved."),
    "stop": Entry("Do the work", "Set the kill switch: nothing is sent any more."),
    "start": Entry("Do the work", "Lift the kill switch."),
    "runs": Entry("Look back", "List, show or export what was done."),
    "exceptions": Entry("Look back", "List what is unprotected, and when to review it."),
    "journal": Entry("Look back", "Check that the record of all runs is intact."),
    "playbook": Entry("Set up", "List, explain, check or rehearse playbooks."),
    "inventory": Entry("Set up", "List or check the organizations and how they are reached."),
    "credentials": Entry("Set up", "Keep passwords in the keyring of the operating system."),
    "doctor": Entry("Set up", "Find out what is missing to reach an organization."),
    "demo": Entry("Try it out", "See the whole job done on a simulated organization."),
    "lab": Entry("Try it out", "Run a simulated Exchange organization on this machine."),
}
"""Every command, by its name, which is also its module's (with _ where it has -)."""


class _Lazy(click.Group):
    """A group that imports a command's module when that command is called, not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        found: click.Command = import_module(f"{__name__}.{cmd_name.replace('-', '_')}").command
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            close = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean '{close[0]}'?" if close else ""
            raise click.UsageError(f"There is no command '{args[0]}'.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands under their headings, from the table alone."""
        del ctx
        for section, rows in groupby(COMMANDS.items(), lambda row: row[1].section):
            with formatter.section(section):
                wide = max(map(len, COMMANDS))
                formatter.write_dl([(name.ljust(wide), entry.sentence) for name, entry in rows])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of exit codes."""
        del ctx
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(int(code)), text) for code, text in codes.MEANINGS.items()])


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, expose_value=False, help="Show where an error arose.")
@click.version_option(VERSION, prog_name="orchestrator", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Remedy Exchange event 11012: mail refused because a partner's server did not start TLS.

    You see what would change and why, agree, and have it done, read back, and undone again if
    you wish.

    \b
    Try it without an Exchange server:
      orchestrator demo
    Look first; nothing is changed:
      orchestrator run remove-domain-security --set domain=fabrikam.com --dry-run
    """  # noqa: D301 - click wants the backspace itself: what follows is not wrapped
    ctx.ensure_object(Terminal)
