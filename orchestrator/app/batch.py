"""Several organizations side by side: one worker thread each, the main thread waits for signals."""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ALL_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from types import FrameType
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
    return in_waves(workplace, (tuple(items),), work, forks=forks, on_interrupt=on_interrupt)


def in_waves(
    workplace: Workplace,
    waves: Iterable[Sequence[_T]],
    work: Callable[[_T], _R],
    *,
    forks: int,
    on_interrupt: Callable[[], None],
) -> list[_R]:
    """Return as ``side_by_side``, but of each wave only once all of the one before is through."""
    done: list[_R] = []
    with _listening(workplace), ThreadPoolExecutor(max_workers=max(1, forks)) as pool:
        for wave in waves:
            futures = [pool.submit(work, item) for item in wave]
            _await(workplace, futures, on_interrupt)
            done += [future.result() for future in futures]
    return done


@contextmanager
def _listening(workplace: Workplace) -> Iterator[None]:
    """Hear Ctrl-C without an exception, which could arrive while the last one is dealt with."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    presses: list[int] = []

    def hear(number: int, _frame: FrameType | None) -> None:
        presses.append(number)
        if len(presses) > 1:
            os._exit(INTERRUPTED)
        workplace.stop.set()

    before = signal.signal(signal.SIGINT, hear)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _await(
    workplace: Workplace, futures: list[Future[_R]], on_interrupt: Callable[[], None]
) -> None:
    pending: set[Future[_R]] = set(futures)
    told = workplace.stop.is_set()
    while pending:
        # Windows delivers no Ctrl-C to a thread that waits without an end. To wake at each that
        # ends, and ask all others to wake us again, takes time that grows with their square.
        _, pending = wait(pending, timeout=_HEARTBEAT, return_when=ALL_COMPLETED)
        if workplace.stop.is_set() and not told:
            told = True
            on_interrupt()
