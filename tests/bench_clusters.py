"""`make bench`, part clusters: the first look at 10, 1,000 and 10,000 pods, in many namespaces and in one."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from skills.contract import Access, Focus, QueryMeter, SkillContext
from skills.kubernetes.settings import Settings
from skills.kubernetes.tools import Kubernetes
from tests.skills.kubernetes.shapes import NOW, WINDOW
from tests.skills.kubernetes.synthetic import CULPRIT

SHAPES = ((10, 3, 1), (1_000, 50, 5), (1_000, 50, 1), (10_000, 500, 50), (10_000, 500, 1))
"""(pods, nodes, namespaces)"""


@dataclass(frozen=True)
class Figures:
    seconds: float
    busy: float
    """Seconds of processor time in this process: the same on a busy machine."""
    requests: int
    bytes: int
    named: bool
    """The Service that selects nobody is the first cause."""
    gaps: int


def clusters(say: Callable[[str, str], None]) -> None:
    for pods, nodes, namespaces in SHAPES:
        with serving(pods, nodes, namespaces) as url:
            place = f"team-{3 % namespaces:02}"
            measured(url, place)  # what is loaded once does not count: a worker has loaded it before
            found = measured(url, place)
        where = f"{pods:,} pods, {nodes} nodes, {namespaces} namespace{'s' if namespaces > 1 else ''}"
        told = f"{found.seconds:.2f} s ({found.busy:.2f} s busy), {found.requests} requests, {found.bytes / 1e6:.1f} MB"
        told += "" if found.named or pods < 100 else ", culprit missed"
        say(f"first look at {where}", told + (f", {found.gaps} gaps" if found.gaps else ""))


def measured(url: str, namespace: str) -> Figures:
    meter = QueryMeter("kubernetes")
    skill = Kubernetes(Access(Settings.model_validate({"url": url}), lambda _: None, meter))
    focus = Focus(namespace=namespace, service=CULPRIT, started_at=NOW)
    begun, busy = time.monotonic(), time.process_time()
    look = skill.first_look(SkillContext(focus, NOW, WINDOW, WINDOW))
    seconds, busy = time.monotonic() - begun, time.process_time() - busy
    causes = [s for s in look.symptoms if s.role == "cause"]
    named = bool(causes) and (causes[0].entity.name, causes[0].faults[0]) == (CULPRIT, "service_selects_no_pods")
    return Figures(seconds, busy, meter.requests, meter.bytes, named, len(look.gaps))


@contextlib.contextmanager
def serving(pods: int, nodes: int, namespaces: int) -> Iterator[str]:
    command = [sys.executable, "-m", "tests.skills.kubernetes.synthetic", str(pods), str(nodes), str(namespaces)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    clusters(lambda what, value: print(f"  {what:<62}{value}"))
