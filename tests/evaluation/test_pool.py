"""Forked processes: a dead one costs one job, a dead parent leaves none behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from workers.evaluation.pool import Broken, spread


def _do(job: str) -> str:
    if job == "raise":
        raise ValueError("as asked")
    if job == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    return job.upper()


def test_every_job_is_answered_once() -> None:
    jobs = [f"job{i}" for i in range(20)]
    answers = dict(spread(jobs, _do, 3))
    assert answers == {job: job.upper() for job in jobs}


def test_a_job_that_raises_and_one_whose_process_dies_are_broken_and_the_rest_goes_on() -> None:
    answers = dict(spread(["a", "raise", "b", "die", "c"], _do, 2))
    assert answers["raise"] == Broken("ValueError", "ValueError: as asked")
    assert answers["die"] == Broken("died", "its process ended with signal 9")
    assert [answers[name] for name in "abc"] == ["A", "B", "C"]


def test_no_more_is_begun_when_told_to_stop() -> None:
    done: list[str] = []
    for job, _ in spread([str(i) for i in range(10)], _do, 1, go_on=lambda: len(done) < 3):
        done.append(job)
    assert done == ["0", "1", "2"]


def test_a_job_that_hangs_is_ended_and_the_rest_goes_on() -> None:
    def hang(job: str) -> str:
        if job == "hang":
            time.sleep(60)
        return job

    answers = dict(spread(["hang", "a", "b"], hang, 1, seconds=0.5))
    assert answers == {"hang": Broken("died", "its process ended with signal 9"), "a": "a", "b": "b"}


def test_processes_are_renewed_and_nothing_is_lost_or_done_twice() -> None:
    jobs = [str(i) for i in range(20)]
    answers = list(spread(jobs, lambda _: os.getpid(), 2, renew_after=3))
    assert sorted(int(job) for job, _ in answers) == list(range(20))
    pids = [pid for _, pid in answers]
    assert max(pids.count(pid) for pid in pids) <= 3
    assert len(set(pids)) >= 6


def test_a_killed_parent_leaves_no_process_behind(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        "import os, sys, time\n"
        "from workers.evaluation.pool import spread\n"
        "def slow(job):\n"
        "    os.write(1, b'%d\\n' % os.getpid())\n"
        "    time.sleep(0.3)\n"
        "for _ in spread(list(range(50)), slow, 2): pass\n"
    )
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    children = {int(parent.stdout.readline()) for _ in range(2)}
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and any(Path(f"/proc/{pid}").exists() for pid in children):
        time.sleep(0.05)
    assert len(children) == 2
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]
