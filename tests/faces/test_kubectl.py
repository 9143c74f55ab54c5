"""Real kubectl reads the simulated Kubernetes API as it reads a cluster."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from workers.simulation import Running, start

pytestmark = pytest.mark.faces

TEN = (
    "oom-after-deploy",
    "selector-mismatch",
    "exception-in-release",
    "two-at-once",
    "ingress-to-nowhere",
    "orders-volume-full",
    "rollout-stands-still",
    "scheduler-silent",
    "reconcile-fails",
    "privilege-lost",
)


@pytest.fixture(params=TEN)
def cluster(request: pytest.FixtureRequest) -> Iterator[Running]:
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not here")
    running = start(request.param, skills=("kubernetes",))
    yield running
    running.close()


def kubectl(cluster: Running, home: Path, *arguments: str) -> str:
    """What kubectl prints; its complaint is the test's."""
    command = ["kubectl", f"--server={cluster.urls['kubernetes']}", f"--cache-dir={home}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "HOME": str(home)})
    assert done.returncode == 0, f"{' '.join(arguments)}: {done.stderr or done.stdout}"
    return done.stdout


def test_kubectl_reads_everything_that_an_engineer_asks_for(cluster: Running, tmp_path: Path) -> None:
    def k(*arguments: str) -> str:
        return kubectl(cluster, tmp_path, *arguments)

    space = cluster.skills["kubernetes"]["namespaces"][0]
    workloads = k("-n", space, "get", "deployments", "-o", "name").split()
    pods = k("-n", space, "get", "pods", "-o", "name").split()
    assert workloads
    assert pods
    table = k("-n", space, "get", "pods", "-o", "wide")
    assert table.splitlines()[0].split()[:5] == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert len(table.splitlines()) == len(pods) + 1
    for kind in ("pods", "deployments", "services", "nodes", "events", "persistentvolumeclaims", "resourcequotas"):
        k("get", kind, "-A")
        k("get", kind, "-A", "-o", "yaml")
    assert "Events:" in k("-n", space, "describe", pods[0])
    assert "StrategyType" in k("-n", space, "describe", workloads[0])
    assert "REVISION" in k("-n", space, "rollout", "history", workloads[0])
    assert "CPU(cores)" in k("-n", space, "top", "pods")
    assert "CPU(cores)" in k("top", "nodes")
    for node in k("get", "nodes", "-o", "name").split()[:2]:
        assert "Conditions:" in k("describe", node)
    running = k("-n", space, "get", "pods", "--field-selector=status.phase=Running", "-o", "name").split()
    assert running
    assert k("-n", space, "logs", running[0], "--all-containers", "--tail=20")
    for kind in ("services", "persistentvolumeclaims", "resourcequotas"):
        k("describe", kind, "-A")
    assert k("-n", space, "get", "pods", "-l", "app", "-o", "name").split()
    newest = k("-n", space, "get", "events", "--sort-by=.lastTimestamp").splitlines()
    assert len(newest) == len(k("-n", space, "get", "events").splitlines())
    restarts = k("-n", space, "get", "pods", "--sort-by=.status.containerStatuses[0].restartCount").splitlines()
    assert len(restarts) == len(table.splitlines())
    assert k("-n", space, "events", "--types=Warning") is not None
