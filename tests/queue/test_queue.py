"""What is promised about the queue, with a real Valkey and real rq workers."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from subprocess import Popen

import pytest
import redis
import rq
from rq.job import Job
from rq.serializers import JSONSerializer

from workers.queue import Queue, QueueError, connect, worker_queues
from workers.valkey import Valkey

WORKER = """
import sys, types
jobs = types.ModuleType("workers.jobs")
exec(compile(open(sys.argv[2]).read(), "jobs", "exec"), jobs.__dict__)
import workers
sys.modules["workers.jobs"] = workers.jobs = jobs
import rq
from workers.queue import WORKER_TTL_SECONDS, worker_queues
queues = worker_queues(sys.argv[1])
rq.Worker(queues, connection=queues[0].connection, serializer="json", worker_ttl=WORKER_TTL_SECONDS).work(
    burst=sys.argv[3] == "burst", logging_level="WARNING")
"""


def test_an_investigation_is_enqueued_by_id_and_path_alone(queue: Queue, client: redis.Redis) -> None:
    queue.investigate("v1")
    assert queue.waiting() == {"investigate": 1, "study": 0}
    job = Job.fetch("inv-v1-0", connection=client, serializer=JSONSerializer)
    assert (job.func_name, job.args, job.kwargs) == ("workers.jobs.investigate", ["v1"], {})
    assert job.retries_left


def test_the_same_run_is_enqueued_once_and_the_next_run_again(queue: Queue) -> None:
    queue.investigate("v1")
    queue.investigate("v1")
    queue.investigate("v1", 1)
    assert queue.waiting()["investigate"] == 2


def test_a_slack_ts_in_an_id_is_no_error_and_stays_distinct(queue: Queue) -> None:
    queue.study("measure", "C1", key="C1:1764072000.000100")
    queue.study("measure", "C1", key="C1:1764072000.000100")
    queue.study("measure", "C1", key="C1:1764072000_000100")
    assert queue.waiting()["study"] == 2


def test_a_job_runs_in_a_forked_worker_with_its_ids(queue: Queue, valkey: Valkey, tmp_path: Path) -> None:
    queue.investigate("v1")
    queue.study("measure", "a", "b")
    _work(valkey, tmp_path, _writes(tmp_path))
    assert sorted(_written(tmp_path)) == [["a", "b"], ["v1"]]


def test_a_job_that_ended_does_not_bar_the_way_of_the_next(queue: Queue, valkey: Valkey, tmp_path: Path) -> None:
    queue.investigate("v1")
    _work(valkey, tmp_path, _writes(tmp_path))
    queue.investigate("v1")
    _work(valkey, tmp_path, _writes(tmp_path))
    assert _written(tmp_path) == [["v1"], ["v1"]]


def test_a_job_that_failed_for_good_can_be_enqueued_again(queue: Queue, valkey: Valkey, tmp_path: Path) -> None:
    queue.investigate("v1")
    _work(valkey, tmp_path, "def investigate(id): raise RuntimeError('database away')")
    assert queue.waiting()["investigate"] == 0
    queue.investigate("v1")
    _work(valkey, tmp_path, _writes(tmp_path))
    assert _written(tmp_path) == [["v1"]]


def test_what_died_with_its_worker_is_back_at_boot(queue: Queue, valkey: Valkey, tmp_path: Path) -> None:
    queue.investigate("v1")
    begun = tmp_path / "begun"
    hangs = f"import os, time\ndef investigate(id): os.symlink(str(os.getpid()), {str(begun)!r}); time.sleep(60)"
    worker = _worker(valkey, tmp_path, hangs, "forever")
    _until(begun.is_symlink)
    assert queue.forget_orphans() == 0, "its worker lives"
    worker.kill()
    worker.wait()
    os.kill(int(begun.readlink().name), signal.SIGKILL)  # rq's child is in a process group of its own
    assert queue.forget_orphans() == 1
    _work(valkey, tmp_path, _writes(tmp_path))
    assert _written(tmp_path) == [["v1"]]


def test_a_nudge_wakes_who_waits(queue: Queue, valkey: Valkey) -> None:
    other = connect(valkey.url)
    timer = threading.Timer(0.1, queue.nudge)
    began = time.monotonic()
    timer.start()
    assert other.wait_nudge(5)
    assert time.monotonic() - began < 2
    timer.join()
    other.close()


def test_a_nudge_that_came_before_is_not_lost_and_many_are_one(queue: Queue) -> None:
    queue.nudge()
    queue.nudge()
    assert queue.wait_nudge(1)
    assert not queue.wait_nudge(0.05)


def test_waiting_for_a_nudge_longer_than_a_reply_may_take_is_no_error(queue: Queue) -> None:
    assert not queue.wait_nudge(0.2, "nobody")


def test_a_queue_that_is_away_fails_fast_in_one_line_without_the_password() -> None:
    began = time.monotonic()
    with pytest.raises(QueueError) as told:
        connect(f"redis://someone:made-up-word@127.0.0.1:{_closed_port()}/0")
    assert time.monotonic() - began < 1
    assert "REDIS_URL" in str(told.value)
    assert "made-up-word" not in str(told.value)
    assert "\n" not in str(told.value)


def test_a_queue_that_goes_away_costs_a_nudge_nothing_but_time(queue: Queue) -> None:
    gone = Queue(f"redis://127.0.0.1:{_closed_port()}/0")
    gone.nudge()
    assert not gone.wait_nudge(0.05)
    with pytest.raises(QueueError):
        gone.investigate("v1")


def test_a_url_that_is_none_is_one_line() -> None:
    with pytest.raises(QueueError, match="REDIS_URL"):
        connect("postgres://127.0.0.1/0")


def test_a_worker_has_a_connection_of_its_own(valkey: Valkey, queue: Queue) -> None:
    names = [q.name for q in worker_queues(valkey.url, ("investigate",))]
    assert names == ["investigate"]
    assert isinstance(worker_queues(valkey.url)[0], rq.Queue)


def _writes(directory: Path) -> str:
    line = f"open({str(directory / 'ran')!r}, 'a').write(json.dumps(ids) + '\\n')"
    return f"import json\ndef investigate(*ids): {line}\nmeasure = investigate"


def _written(directory: Path) -> list[list[str]]:
    return [json.loads(line) for line in (directory / "ran").read_text().splitlines()]


def _work(valkey: Valkey, directory: Path, jobs: str) -> None:
    assert _worker(valkey, directory, jobs, "burst").wait(30) == 0


def _worker(valkey: Valkey, directory: Path, jobs: str, how: str) -> Popen[bytes]:
    path = directory / "jobs.py"
    path.write_text(jobs)
    return Popen([sys.executable, "-c", WORKER, valkey.url, str(path), how])


def _until(true, seconds: float = 10) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
