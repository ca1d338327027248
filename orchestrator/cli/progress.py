"""What happens, as it happens: a line for each event, or one row for each organization."""

import threading
from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Self

from orchestrator.cli.terminal import Terminal
from orchestrator.core.events import Event
from orchestrator.core.run import Run, Status
from orchestrator.render.event import tell
from orchestrator.render.text import Line, Tone, safe

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

_SETTLED = frozenset({Status.VERIFIED, Status.FOUND_DONE, Status.UNDONE})
_STOPPING = "Stopping at the next safe place. Ctrl-C once more leaves at once."


class Progress:
    """Hears every event of several runs, from their threads, and shows it to a person.

    Several organizations on a terminal are a table that redraws itself; anything else is lines,
    each of which begins with its organization.
    """

    def __init__(self, terminal: Terminal, organizations: Sequence[str]) -> None:
        self._terminal = terminal
        self._rows = {name: ("", Line("waits for its turn")) for name in organizations}
        self._drawn = terminal.live and len(organizations) > 1
        self._lock = threading.Lock()
        self._live: Live | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        if self._drawn:
            from rich.live import Live  # noqa: PLC0415 - only where it is a terminal

            self._live = self._stack.enter_context(Live(self._table(), refresh_per_second=8))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def listen(self, run: Run, event: Event) -> None:
        """Show *event*, after which *run* stands as it does."""
        name, line = run.plan.organization.name, tell(run.plan, event)
        with self._lock:
            done = sum(status in _SETTLED for status in run.statuses)
            self._rows[name] = (f"{done}/{len(run.statuses)}", line)
            if self._live is not None:
                self._live.update(self._table())
            else:
                self._terminal.tell([Line(f"{safe(name)}: {line.text}", line.tone)])

    def interrupt(self) -> None:
        """Say that the first Ctrl-C was heard."""
        with self._lock:
            self._terminal.warn([Line(_STOPPING, Tone.WARNING)])

    def _table(self) -> "Table":
        from rich.table import Table  # noqa: PLC0415 - only where it is a terminal
        from rich.text import Text  # noqa: PLC0415 - likewise

        table = Table("organization", "done", "now", box=None, padding=(0, 2, 0, 0))
        for name, (done, line) in self._rows.items():
            # Text is never read as markup: what a server says stays what it says.
            now = Text(line.text, overflow="ellipsis", no_wrap=True)
            table.add_row(Text(safe(name)), Text(done), now)
        return table
