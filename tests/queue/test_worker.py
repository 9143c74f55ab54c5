"""What is promised about the workers: one process a job, nothing lost with a killed one, nothing left at the end."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import Popen

import pytest

from workers.queue import Queue
from workers.valkey import Valkey

SERVE = """
import sys, types
jobs = types.ModuleType("workers.jobs")
exec(compile(open(sys.argv[2]).read(), "jobs", "exec"), jobs.__dict__)
import workers
sys.modules["workers.jobs"] = workers.jobs = jobs
from workers.worker import serve
serve("investigate", sys.argv[1], int(sys.argv[3]), ())
"""
JOBS = """
import json, os, time
def investigate(id):
    with open({ran!r}, "a") as out:
        out.write(json.dumps([id, os.getpid(), os.getppid()]) + "\\n")
    while id.startswith("slow") and not os.path.exists({go!r}):
        time.sleep(0.02)
    with open({done!r}, "a") as out:
        out.write(id + "\\n")
"""

STOPS = """
import os, signal, time
from workers.worker import _Parent
signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
for round in range(60):
    stop = time.monotonic() + 0.02 + round / 3000
    parent = _Parent(lambda: time.sleep(0.002 if time.monotonic() < stop else 60), lambda pid: None, 3)
    signal.setitimer(signal.ITIMER_REAL, stop - time.monotonic())
    parent.run()
"""
"""Children that end at once, so that the parent forks nearly always, and after the stop ones that never end."""


class Workers:
    def __init__(self, valkey: Valkey, directory: Path, count: int) -> None:
        self.directory = directory
        paths = {name: str(directory / name) for name in ("ran", "go", "done")}
        (directory / "jobs.py").write_text(JOBS.format(**paths))
        arguments = [valkey.url, str(directory / "jobs.py"), str(count)]
        self.parent = Popen([sys.executable, "-c", SERVE, *arguments])

    def ran(self) -> list[tuple[str, int, int]]:
        """(id, pid, pid of the parent) of each attempt."""
        path = self.directory / "ran"
        return [tuple(json.loads(line)) for line in path.read_text().splitlines()] if path.exists() else []

    def done(self) -> list[str]:
        path = self.directory / "done"
        return path.read_text().split() if path.exists() else []

    def go(self) -> None:
        (self.directory / "go").touch()

    def children(self) -> list[int]:
        tasks = Path(f"/proc/{self.parent.pid}/task").glob("*/children")
        return [int(child) for task in tasks for child in task.read_text().split()]


@pytest.fixture
def start(valkey: Valkey, queue: Queue, tmp_path: Path) -> Iterator[Callable[[int], Workers]]:
    started: list[Workers] = []

    def workers(count: int) -> Workers:
        started.append(Workers(valkey, tmp_path, count))
        return started[-1]

    yield workers
    for each in started:
        each.go()
        each.parent.terminate()
        assert each.parent.wait(20) == 0


def test_each_job_is_done_by_a_child_of_the_rehearsed_parent_and_by_no_other_twice(
    queue: Queue, start: Callable[[int], Workers]
) -> None:
    workers = start(1)
    for number in range(3):
        queue.investigate(f"quick{number}")
    until(lambda: len(workers.done()) == 3)
    assert [parent for _, _, parent in workers.ran()] == [workers.parent.pid] * 3
    assert len({pid for _, pid, _ in workers.ran()}) == 3


@pytest.mark.skipif(sys.platform != "linux", reason="children are read from /proc")
def test_two_jobs_at_once_are_two_processes(queue: Queue, start: Callable[[int], Workers]) -> None:
    workers = start(2)
    queue.investigate("slow1")
    queue.investigate("slow2")
    until(lambda: len(workers.ran()) == 2)
    assert sorted(workers.children()) == sorted(pid for _, pid, _ in workers.ran())


def test_what_a_killed_worker_was_doing_is_done_by_another_at_once(
    queue: Queue, start: Callable[[int], Workers]
) -> None:
    workers = start(1)
    queue.investigate("slow")
    until(lambda: bool(workers.ran()))
    os.kill(workers.ran()[0][1], signal.SIGKILL)
    until(lambda: len(workers.ran()) == 2, seconds=6)
    workers.go()
    until(lambda: workers.done() == ["slow"])
    time.sleep(0.3)
    assert workers.done() == ["slow"]


def test_a_stop_lets_the_running_job_end_and_leaves_no_process(queue: Queue, start: Callable[[int], Workers]) -> None:
    workers = start(2)
    queue.investigate("slow")
    until(lambda: bool(workers.ran()))
    pids = workers.children()
    workers.parent.terminate()
    time.sleep(0.2)
    assert workers.parent.poll() is None
    workers.go()
    assert workers.parent.wait(10) == 0
    assert workers.done() == ["slow"]
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_a_stop_in_the_midst_of_a_fork_is_not_lost() -> None:
    stops = Popen([sys.executable, "-c", STOPS])
    try:
        assert stops.wait(30) == 0
    finally:
        stops.kill()


def until(true: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)
