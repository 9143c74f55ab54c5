"""The queue: which job waits where. It carries ids and nothing else, and may be wiped at any moment; the store is the
record, and the sweep puts back what was lost.

The only importer of rq besides the worker's entry. Job functions are named by path, so that who enqueues need not be
able to import them. Front processes fail fast: a queue that is away must not hold up an acknowledgement to Slack.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import redis
import rq
from redis.backoff import NoBackoff
from redis.retry import Retry as ConnectionRetry
from rq.exceptions import DuplicateJobError
from rq.job import Job, JobStatus
from rq.registry import StartedJobRegistry
from rq.serializers import JSONSerializer
from rq.worker import BaseWorker

from config.settings import ConfigError

QUEUES = ("investigate", "study")
WORKER_TTL_SECONDS = 30
"""rq takes a worker for dead, and its job for abandoned, this long (and a minute) after its last sign of life."""
ATTEMPTS_AFTER_THE_FIRST = 3
JOB_SECONDS = 900

_ENDED = (JobStatus.FINISHED, JobStatus.FAILED, JobStatus.STOPPED, JobStatus.CANCELED)
_KEEP_FAILED_SECONDS = 24 * 3600
_NUDGE_LIVES_SECONDS = 60


class QueueError(ConfigError):
    """The queue cannot be reached. The text names its address (without the password) and what to do.

    A ConfigError, so that a command that cannot reach its queue ends like one with any other wrong setting.
    """


class Queue:
    """Puts jobs into the queue. Any method may raise QueueError, except the two of the nudge."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._redis = _connection(url, reply_seconds=5)
        self._blocking: redis.Redis | None = None

    def investigate(self, investigation_id: str, run: int = 0, *, timeout_seconds: int = JOB_SECONDS) -> None:
        """Enqueues an investigation; nothing when it waits or runs already.

        `run` tells runs of one investigation apart: the sweep gives the attempt that it found silent, so that it puts
        back what was lost but never the same twice. `timeout_seconds`: the customer's budget and some more.
        """
        self._enqueue(
            "investigate", "investigate", (investigation_id,), f"inv-{investigation_id}-{run}", timeout_seconds
        )

    def study(self, function_name: str, *ids: str, key: str | None = None, timeout_seconds: int = 3600) -> None:
        """Enqueues `workers.jobs.<function_name>(*ids)`; with `key`, nothing when such a job waits or runs already."""
        job_id = f"{function_name}-{key or secrets.token_hex(8)}"
        self._enqueue("study", function_name, ids, job_id, timeout_seconds)

    def waiting(self) -> dict[str, int]:
        """Jobs that wait, by queue."""
        with _in_one_line(self._url):
            return {name: len(_queue(name, self._redis)) for name in QUEUES}

    def ping(self) -> None:
        with _in_one_line(self._url):
            self._redis.ping()

    def forget_orphans(self) -> int:
        """At boot: puts jobs back that died with their worker, and says how many; 0 while any worker is alive.

        Without it rq waits for the worker's time to live. A worker of this machine is alive when its process is, one
        of another machine while its heartbeat is fresh. Call it from the main thread: rq's callbacks use SIGALRM.
        """
        with _in_one_line(self._url):
            if any(_is_alive(worker) for worker in rq.Worker.all(connection=self._redis)):
                return 0
            count = 0
            for name in QUEUES:
                registry = StartedJobRegistry(queue=_queue(name, self._redis))
                count += len(registry.get_job_ids(cleanup=False))
                registry.cleanup(timestamp=time.time() + 86400)
            return count

    def nudge(self, name: str = "outbox") -> None:
        """Wakes who waits for this name. A lost nudge costs nothing but the time until they look by themselves."""
        try:
            with self._redis.pipeline() as pipeline:
                pipeline.lpush(_nudges(name), "1")
                pipeline.ltrim(_nudges(name), 0, 0)
                pipeline.expire(_nudges(name), _NUDGE_LIVES_SECONDS)
                pipeline.execute()
        except redis.RedisError:
            return

    def wait_nudge(self, timeout: float, name: str = "outbox") -> bool:
        """Waits at most `timeout` seconds; True when nudged. Without a queue it just waits, a second at most."""
        try:
            # A connection of its own: the others give up on a silent server sooner than this waits for a nudge.
            if self._blocking is None:
                self._blocking = _connection(self._url, reply_seconds=None)
            return self._blocking.blpop([_nudges(name)], timeout=max(0.01, timeout)) is not None
        except redis.RedisError:
            time.sleep(min(timeout, 1.0))
            return False

    def close(self) -> None:
        self._redis.close()
        if self._blocking is not None:
            self._blocking.close()

    def _enqueue(self, queue: str, function_name: str, ids: tuple[str, ...], job_id: str, timeout_seconds: int) -> None:
        with _in_one_line(self._url):
            for _ in range(2):
                try:
                    _queue(queue, self._redis).enqueue(
                        f"workers.jobs.{function_name}",
                        *ids,
                        job_id=_safe(job_id),
                        unique=True,
                        retry=rq.Retry(max=ATTEMPTS_AFTER_THE_FIRST),
                        job_timeout=timeout_seconds,
                        result_ttl=0,
                        failure_ttl=_KEEP_FAILED_SECONDS,
                    )
                    return
                except DuplicateJobError:
                    # rq keeps the ids of ended jobs; one that failed for good must not bar the way of the next run.
                    if not self._removed_if_ended(_safe(job_id)):
                        return

    def _removed_if_ended(self, job_id: str) -> bool:
        try:
            job = Job.fetch(job_id, connection=self._redis, serializer=JSONSerializer)
            if job.get_status() not in _ENDED:
                return False
            job.delete()
        except rq.exceptions.NoSuchJobError:
            pass
        return True


def connect(url: str) -> Queue:
    """The queue at `url`. Raises QueueError when it does not answer."""
    queue = Queue(url)
    queue.ping()
    return queue


def worker_queues(url: str, names: tuple[str, ...] = QUEUES) -> list[rq.Queue]:
    """For the worker's entry: the queues on a connection of its own, because a worker changes its pool's time-outs."""
    with _in_one_line(url):
        connection = _connection(url, reply_seconds=None)
        connection.ping()
        return [_queue(name, connection) for name in names]


def shown(url: str) -> str:
    """The URL without its password."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"


@contextmanager
def _in_one_line(url: str) -> Iterator[None]:
    try:
        yield
    except redis.RedisError as error:
        words = " ".join(str(error).split()) or type(error).__name__
        remedy = "start the server, or correct REDIS_URL (unset, Gumshoe starts a Valkey of its own)"
        if isinstance(error, redis.AuthenticationError):
            remedy = "correct the password in REDIS_URL"
        raise QueueError(f"{shown(url)}: {words}: {remedy}") from error


def _connection(url: str, *, reply_seconds: float | None) -> redis.Redis:
    # redis-py would by itself try ten times with growing pauses; replies stay bytes, which rq needs.
    try:
        return redis.Redis.from_url(
            url,
            socket_connect_timeout=2,
            socket_timeout=reply_seconds,
            retry=ConnectionRetry(NoBackoff(), 0),
            health_check_interval=30,
        )
    except ValueError:
        raise QueueError("REDIS_URL cannot be read: use redis://HOST:PORT/NUMBER or rediss:// for TLS") from None


def _queue(name: str, connection: redis.Redis) -> rq.Queue:
    return rq.Queue(name, connection=connection, serializer=JSONSerializer)


def _safe(job_id: str) -> str:
    """rq allows letters, digits, _ and -; what cannot be kept is told apart by its hash."""
    kept = re.sub(r"[^A-Za-z0-9_-]", "_", job_id)
    return kept if kept == job_id else f"{kept[:80]}-{hashlib.sha256(job_id.encode()).hexdigest()[:12]}"


def _is_alive(worker: BaseWorker) -> bool:
    if worker.hostname == socket.gethostname() and worker.pid:
        return _process_lives(worker.pid)
    last = worker.last_heartbeat
    return last is not None and datetime.now(UTC) - last < timedelta(seconds=WORKER_TTL_SECONDS + 60)


def _process_lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _nudges(name: str) -> str:
    return f"gumshoe:nudge:{name}"
