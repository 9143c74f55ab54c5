"""Processes forked from one preloaded parent, each doing one job after another. Knows nothing of cases.

A process that dies takes one job with it: the job is reported broken and another process takes its place. A parent
that dies, however it dies, takes its processes with it: their pipe ends, and so do they.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Generic, TypeVar, cast

log = logging.getLogger(__name__)

JOB_SECONDS = 900.0
"""Longer than any investigation may take, with its world; what takes longer hangs."""
RENEW_AFTER = 25
"""Jobs after which a process is replaced: what a world leaves in caches goes with it."""
COLLECT_AFTER = 200_000
"""Objects made before garbage is looked for. A world is a million objects that all live as long as their job: looking
through them every 700, as is the default, took a quarter of a job's time."""
COLLECT_JOBS = 6
"""After so many jobs what they left is collected: after each it would be a fifth of a job's time."""

Job = TypeVar("Job")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Broken:
    """A job that raised, or whose process died."""

    kind: str
    """The exception's name, or `died`."""
    why: str


@dataclass
class _Hand(Generic[Job]):
    process: BaseProcess
    pipe: Connection
    job: Job | None = None
    began: float = 0.0
    done: int = 0


def spread(
    jobs: Sequence[Job],
    do: Callable[[Job], Answer],
    processes: int,
    *,
    go_on: Callable[[], bool] = lambda: True,
    seconds: float = JOB_SECONDS,
    renew_after: int = RENEW_AFTER,
    monotonic: Callable[[], float] = time.monotonic,
) -> Iterator[tuple[Job, Answer | Broken]]:
    """Answers in the order in which they come. `go_on` is asked before each job; False: what runs is finished, no more
    is begun. A job that takes longer than `seconds` is ended with its process. Closing the iterator ends all."""
    waiting = list(reversed(jobs))
    hands: list[_Hand[Job]] = []
    gc.freeze()  # What is loaded stays shared: a collection in a child would copy it.
    try:
        for _ in range(min(processes, len(jobs))):
            hands.append(_hire(do, hands))
        while True:
            for hand in hands:
                if hand.job is None and waiting and go_on():
                    hand.job, hand.began = waiting.pop(), monotonic()
                    hand.pipe.send(hand.job)
            busy = [hand for hand in hands if hand.job is not None]
            if not busy:
                return
            for hand in busy:
                if monotonic() - hand.began > seconds:
                    hand.process.kill()
            for ready in wait([hand.pipe for hand in busy], timeout=1.0):
                at = next(i for i, hand in enumerate(hands) if hand.pipe is ready)
                job = hands[at].job
                assert job is not None
                try:
                    answer: Answer | Broken = cast(Answer, hands[at].pipe.recv())
                    hands[at].job, hands[at].done = None, hands[at].done + 1
                except (EOFError, OSError):
                    answer = Broken("died", _end_of(hands[at].process))
                    hands[at] = _replaced(hands, at, do)
                if hands[at].done >= renew_after and waiting:
                    hands[at] = _replaced(hands, at, do)
                yield job, answer
    finally:
        gc.unfreeze()
        for hand in hands:
            hand.pipe.close()
        for hand in hands:
            _let_go(hand)


def _replaced(hands: Sequence[_Hand[Job]], at: int, do: Callable[[Job], Answer]) -> _Hand[Job]:
    """A fresh process for one that is dead or has grown."""
    hands[at].pipe.close()
    _let_go(hands[at])
    return _hire(do, [hand for hand in hands if hand is not hands[at]])


def _let_go(hand: _Hand[Job]) -> None:
    """Its pipe is closed, so it ends by itself; if it hangs, it is ended."""
    hand.process.join(timeout=0.5)
    if hand.process.is_alive():
        hand.process.kill()
        hand.process.join()


def _hire(do: Callable[[Job], Answer], others: Sequence[_Hand[Job]]) -> _Hand[Job]:
    fork = get_context("fork")
    ours, theirs = fork.Pipe()
    inherited = [ours, *(hand.pipe for hand in others)]
    process = fork.Process(target=_work, args=(theirs, inherited, do), daemon=True)
    process.start()
    theirs.close()
    return _Hand(process, ours)


def _work(pipe: Connection, inherited: Sequence[Connection], do: Callable[[Job], Answer]) -> None:
    """A process's life. It keeps no end of anybody else's pipe, so that it notices when the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.set_threshold(COLLECT_AFTER)
    for other in inherited:
        other.close()
    for done in count(1):
        try:
            job = pipe.recv()
        except (EOFError, OSError):
            os._exit(0)  # Servers' threads may still run; nothing is left to be tidied.
        try:
            answer: object = do(job)
        except Exception as error:  # the job boundary: logged with its traceback, told in the results
            log.exception("job %s broke", job)
            answer = Broken(type(error).__name__, f"{type(error).__name__}: {error}")
        try:
            pipe.send(answer)
        except OSError:
            os._exit(1)
        if done % COLLECT_JOBS == 0:
            gc.collect()


def _end_of(process: BaseProcess) -> str:
    process.join(timeout=2)
    code = process.exitcode
    return f"its process ended with {f'signal {-code}' if code is not None and code < 0 else f'exit code {code}'}"
