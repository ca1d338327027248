"""Several organizations side by side: one worker thread each, the main thread waits for signals."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from orchestrator.app.workplace import Workplace

_T = TypeVar("_T")
_R = TypeVar("_R")

INTERRUPTED = 130
"""Exit code of a process that left at once; the journal knows what was in doubt."""

_HEARTBEAT = 0.2


def side_by_side(
    workplace: Workplace,
    items: Iterable[_T],
    work: Callable[[_T], _R],
    *,
    forks: int,
    on_interrupt: Callable[[], None] = lambda: None,
) -> list[_R]:
    """Return what *work* makes of each item, in order, at most *forks* at the same time.

    At the first Ctrl-C *on_interrupt* is called and every run stops at the next boundary between
    actions; items not begun are begun and stop at once. At the second the process leaves.
    """
    with ThreadPoolExecutor(max_workers=max(1, forks)) as pool:
        futures = [pool.submit(work, item) for item in items]
        _await(workplace, futures, on_interrupt)
        return [future.result() for future in futures]


def _await(
    workplace: Workplace, futures: list[Future[_R]], on_interrupt: Callable[[], None]
) -> None:
    pending: set[Future[_R]] = set(futures)
    while pending:
        try:
            # Windows delivers no Ctrl-C to a thread that waits without an end.
            _, pending = wait(pending, timeout=_HEARTBEAT, return_when=FIRST_COMPLETED)
        except KeyboardInterrupt:
            if workplace.stop.is_set():
                os._exit(INTERRUPTED)
            workplace.stop.set()
            on_interrupt()
