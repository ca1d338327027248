"""``orchestrator exceptions``: what is unprotected, since when, why, and until when."""

import click

from orchestrator.cli import options
from orchestrator.cli.terminal import Terminal


@click.command()
@options.store
@options.output
@options.pass_terminal
def command(terminal: Terminal, *, store: str | None) -> None:
    """List what runs made unprotected and nobody has put back, with the day of its review.

    Known is what was done through this product. What is past its review, or has none, is marked.

    \b
    Example:
      orchestrator exceptions
    """  # noqa: D301 - click wants the backspace itself: what follows is not wrapped
    from orchestrator.app import records  # noqa: PLC0415 - not for --help
    from orchestrator.app.workplace import utc_now  # noqa: PLC0415 - likewise
    from orchestrator.cli.archive import opened  # noqa: PLC0415 - likewise
    from orchestrator.render.plan import stated  # noqa: PLC0415 - likewise
    from orchestrator.render.sheet import is_overdue, list_exceptions  # noqa: PLC0415 - likewise

    today = utc_now().date()
    with opened(store) as archive:
        found = records.exemptions(tuple(records.all_runs(archive)))
    facts = [
        {
            "organization": each.organization,
            "setting": stated(each.setting),
            "run": each.run,
            "since": each.since,
            "reason": each.reason,
            "ticket": each.ticket,
            "approved_by": each.approved_by,
            "review_by": each.review_by,
            "break_glass": each.break_glass,
            "overdue": is_overdue(each.review_by, today),
        }
        for each in found
    ]
    terminal.say(list_exceptions(facts, terminal.look))
    terminal.document("exceptions", {"exceptions": facts})
