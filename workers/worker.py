"""A preloaded parent that forks the RQ workers, so that a hundred waiting investigations share their imports.

rq forks once more for each job. Children die with their parent (PR_SET_PDEATHSIG): an orphan that finishes a job
whose retry is already running would be fenced out by the store, but should not run at all.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from importlib import import_module
from types import FrameType

import redis
from rq import Queue, Worker
from rq.serializers import JSONSerializer

log = logging.getLogger(__name__)

WORKER_TTL_SECONDS = 30
"""rq notices a dead worker after 60 s with this, after more than seven minutes with its default."""
_PR_SET_PDEATHSIG = 1


def serve(queue: str, redis_url: str, count: int, preload: tuple[str, ...]) -> None:
    """Runs `count` workers of one queue until SIGTERM or SIGINT; starts a worker anew when it dies.

    `preload`: modules to import once, before the first fork.
    """
    for module in preload:
        import_module(module)
    gc.collect()
    gc.freeze()
    log.info("%d workers for queue %s, parent %d", count, queue, os.getpid())
    _Parent(lambda: _work(queue, redis_url), count).run()


class _Parent:
    """Keeps `count` children alive."""

    def __init__(self, work: Callable[[], None], count: int) -> None:
        self._work = work
        self._count = count
        self._children: set[int] = set()
        self._stopping = False

    def run(self) -> None:
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        while not self._stopping or self._children:
            while not self._stopping and len(self._children) < self._count:
                self._children.add(self._fork())
            self._reap()
            time.sleep(0.1)

    def _fork(self) -> int:
        pid = os.fork()
        if pid:
            return pid
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        die_with_parent(signal.SIGTERM)
        os.register_at_fork(after_in_child=lambda: die_with_parent(signal.SIGKILL))
        code = 1
        try:
            self._work()
            code = 0
        finally:
            sys.stderr.flush()
            os._exit(code)

    def _reap(self) -> None:
        for pid in list(self._children):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                self._children.discard(pid)
                if not self._stopping:
                    log.warning("worker %d ended with %d, starting another", pid, os.waitstatus_to_exitcode(status))

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True
        for pid in self._children:
            os.kill(pid, signal.SIGTERM)


def _work(queue: str, redis_url: str) -> None:
    # A connection of its own: rq sets socket_timeout on the whole pool to more than its blocking calls need.
    connection = redis.Redis.from_url(redis_url, socket_timeout=None)
    Worker(
        [Queue(queue, connection=connection, serializer=JSONSerializer)],
        connection=connection,
        serializer=JSONSerializer,
        worker_ttl=WORKER_TTL_SECONDS,
    ).work(logging_level="WARNING")


def die_with_parent(number: signal.Signals) -> None:
    """Asks the kernel for this signal when the parent ends. Linux only; elsewhere the fencing token alone protects."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(number))
