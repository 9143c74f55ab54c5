"""A rehearsed parent that forks the RQ workers, so that a hundred waiting investigations share what they import.

Each worker takes one job, does it in its own process and ends; the parent forks the next. So an investigation costs one
process and not two, leaves nothing behind in it, and SIGKILL ends all of it at once. Children die with their parent
(PR_SET_PDEATHSIG): an orphan that finishes a job whose retry is already running would be fenced out by the store, but
should not run at all.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import logging
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

import redis
from rq import Queue, SimpleWorker
from rq.executions import Execution
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import now
from rq.worker import BaseWorker

from workers.rehearsal import rehearse

log = logging.getLogger(__name__)

WORKER_TTL_SECONDS = 30
"""rq notices a dead worker after 60 s with this, after more than seven minutes with its default."""
BEAT_SECONDS = 10.0
PAUSE_SECONDS = 0.5
"""Before a worker that broke is replaced: a queue that is away would be asked a hundred times a second otherwise."""
_STOPS = {signal.SIGTERM, signal.SIGINT}
_PR_SET_PDEATHSIG = 1
_M_ARENA_MAX = -8


def serve(queue: str, redis_url: str, count: int, preload: tuple[str, ...]) -> None:
    """Runs `count` workers of one queue until SIGTERM or SIGINT; forks a worker anew when it ends.

    `preload`: modules to import once, before the first fork.
    """
    rehearse(preload)
    share_arenas()
    gc.collect()
    gc.freeze()
    log.info("%d workers for queue %s, parent %d", count, queue, os.getpid())
    _Parent(lambda: _work(queue, redis_url), lambda pid: _put_back(queue, redis_url, pid), count).run()


class _Parent:
    """Keeps `count` children alive. `mourn`: called with the pid of a child that a signal ended."""

    def __init__(self, work: Callable[[], None], mourn: Callable[[int], None], count: int) -> None:
        self._work, self._mourn = work, mourn
        self._count = count
        self._children: set[int] = set()
        self._stopping = False

    def run(self) -> None:
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        if sys.platform == "linux":
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
        while not self._stopping or self._children:
            while not self._stopping and len(self._children) < self._count:
                self._fork()
            self._reap()
            if self._children and (self._stopping or len(self._children) == self._count):
                _wait_for_a_child()

    def _fork(self) -> None:
        # A stop that comes meanwhile waits: it would find a child that is not counted yet, or one that still stops
        # the way its parent does, and either would be waited for without end.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
        pid = os.fork()
        if pid:
            self._children.add(pid)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
            return
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS | {signal.SIGCHLD})
        die_with_parent(signal.SIGTERM)
        random.seed()
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
            if not done:
                continue
            self._children.discard(pid)
            code = os.waitstatus_to_exitcode(status)
            if code < 0:
                self._mourn(pid)
            if code and not self._stopping:
                log.warning("worker %d ended with %d, starting another", pid, code)
                time.sleep(PAUSE_SECONDS if code > 0 else 0)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True
        for pid in self._children:
            with contextlib.suppress(ProcessLookupError):  # reaped a moment ago
                os.kill(pid, signal.SIGTERM)


def _wait_for_a_child(seconds: float = 0.5) -> None:
    """Until a child ends, at most so long: to be told is quicker than to look, and to look is safer."""
    if sys.platform == "linux":
        signal.sigtimedwait({signal.SIGCHLD}, seconds)
    else:
        time.sleep(0.1)


class _Alone(SimpleWorker):
    """Does its job itself, and says meanwhile that it lives, as rq's usual worker does for its child."""

    get_heartbeat_ttl = BaseWorker.get_heartbeat_ttl

    def execute_job(self, job: Job, queue: Queue) -> None:
        execution = self.prepare_execution(job)
        with self._beating(job, execution):
            self.perform_job(job, queue, execution)
        self.set_state("idle")

    @contextlib.contextmanager
    def _beating(self, job: Job, execution: Execution) -> Iterator[None]:
        ended = threading.Event()

        def beat() -> None:
            while not ended.wait(BEAT_SECONDS):
                with contextlib.suppress(redis.RedisError):
                    self.maintain_heartbeats(job, execution)

        thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def _work(queue: str, redis_url: str) -> None:
    where = _queue(queue, redis_url)
    worker = _Alone([where], connection=where.connection, serializer=JSONSerializer, worker_ttl=WORKER_TTL_SECONDS)
    worker.work(logging_level="WARNING", max_jobs=1)


def _queue(name: str, redis_url: str) -> Queue:
    # A connection of its own: rq sets socket_timeout on the whole pool to more than its blocking calls need.
    connection = redis.Redis.from_url(redis_url, socket_timeout=None)
    return Queue(name, connection=connection, serializer=JSONSerializer)


def _put_back(queue: str, redis_url: str, pid: int) -> None:
    """What a killed worker was doing goes back into the queue at once, as often as its job may be retried."""
    where = _queue(queue, redis_url)
    try:
        for worker in BaseWorker.all(queue=where, serializer=JSONSerializer):
            if worker.pid != pid or worker.hostname != os.uname().nodename:
                continue
            for execution in worker.get_current_executions(refresh=True):
                job = Job.fetch(execution.job_id, connection=where.connection, serializer=JSONSerializer)
                job.ended_at = now()
                worker.handle_job_failure(job, where, exc_string="worker killed", execution=execution)
            worker.register_death()  # type: ignore[no-untyped-call]  # rq has no types for it
    except redis.RedisError as trouble:
        log.warning("what worker %d was doing could not be put back, the sweep will: %s", pid, trouble)
    finally:
        where.connection.close()


def share_arenas() -> None:
    """glibc gives each thread a heap of its own, and an investigation has a dozen threads that take turns anyway:
    with one heap for all a worker is 4 MB smaller."""
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(_M_ARENA_MAX, 1)


def die_with_parent(number: signal.Signals) -> None:
    """Asks the kernel for this signal when the parent ends. Linux only; elsewhere the fencing token alone protects."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(number))
