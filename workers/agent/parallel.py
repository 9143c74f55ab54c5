"""Runs a few questions side by side, and waits for each no longer than a deadline.

Threads are daemons: a system that never answers must not hold the process back when the investigation is over.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class _Slot(Generic[T]):
    def __init__(self, job: Callable[[], T]) -> None:
        self._job = job
        self._done = threading.Event()
        self._value: T | None = None
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._value = self._job()
        except BaseException as error:  # noqa: BLE001  handed to the waiting thread, where it is raised again
            self._error = error
        self._done.set()

    def wait(self, seconds: float, late: T) -> T:
        if not self._done.wait(max(0.0, seconds)):
            return late
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]  # set, because no error was


def in_order(jobs: Sequence[Callable[[], T]], seconds: float, late: T, monotonic: Callable[[], float]) -> Iterator[T]:
    """The results in the order of the jobs, as soon as each and all before it are there; `late` for what took longer
    than `seconds` from the start. A job's exception is raised when its turn comes."""
    slots = [_Slot(job) for job in jobs]
    ends = monotonic() + seconds
    for slot in slots:
        threading.Thread(target=slot.run, name="gumshoe-read", daemon=True).start()
    for slot in slots:
        yield slot.wait(ends - monotonic(), late)
