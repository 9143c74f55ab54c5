"""Real kubectl reads the simulated Kubernetes API as it reads a cluster."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
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


@pytest.fixture(scope="module")
def shop() -> Iterator[Running]:
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not here")
    running = start("names-asked-of-the-node", skills=("kubernetes",))
    yield running
    running.close()


def refused(cluster: Running, home: Path, *arguments: str) -> str:
    """What kubectl complains of."""
    command = ["kubectl", f"--server={cluster.urls['kubernetes']}", f"--cache-dir={home}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "HOME": str(home)}, timeout=60)
    assert done.returncode != 0, f"{' '.join(arguments)}: {done.stdout}"
    return done.stderr


READS = (
    "get all", "get pods -o json", "get pods -o yaml", "get pods -o jsonpath={.items[*].metadata.name}",
    "get pods -o custom-columns=NAME:.metadata.name,IMAGE:.spec.containers[0].image", "get pods --show-labels",
    "get pods -L app", "get pods --field-selector=status.phase!=Running", "get pods -l app --chunk-size=5",
    "get pods -w --request-timeout=3s", "get deploy/cart --subresource=scale", "get rs -o wide",
    "get endpoints,endpointslices", "get hpa,cm,sa,secrets,ingress,netpol", "events", "events --for deploy/pricing",
    "top pods --containers", "top pods -l app=cart", "rollout status deploy/cart", "rollout history deploy/pricing",
    "wait --for=condition=Available deploy/cart --timeout=3s", "auth can-i get pods", "auth can-i --list",
    "auth whoami", "api-resources", "api-versions", "cluster-info", "version", "get --raw /healthz",
    "logs deploy/pricing --tail=3 --timestamps", "logs -l app=pricing --tail=1 --prefix --all-containers",
    "logs deploy/pricing --since=5m", "logs deploy/pricing -f --tail=2",
)  # fmt: skip
"""Each ends and prints something: a watch and a followed log end too, as the world's time stands still."""

WRITES = (
    ("delete pod -l app=cart", r'pods "cart-[a-z0-9-]+" is forbidden: User "[^"]+" cannot delete resource "pods"'),
    ("scale deploy/cart --replicas=9", r'deployments\.apps "cart" is forbidden: .* patch resource "deployments/scale"'),
    ("exec deploy/cart -- ls", r'pods "cart-[a-z0-9-]+" is forbidden: .* cannot create resource "pods/exec"'),
    ("rollout undo deploy/pricing", r'deployments\.apps "pricing" is forbidden: .* cannot patch'),
    ("run x --image=busybox", r'pods is forbidden: .* cannot create resource "pods" in API group "" in the namespace'),
    ("create deployment x --image=x", r"deployments\.apps is forbidden"),
    ("label pod -l app=cart x=y", r"cannot patch"),
    ("get --raw /metrics", r'forbidden: User "[^"]+" cannot get path "/metrics"'),
    ("auth can-i delete pods", ""),
    ("logs deploy/pricing --previous", r"previous terminated container"),
    ("logs deploy/pricing -c nobody", r"container nobody is not valid"),
    ("get pod nobody", r'pods "nobody" not found'),
    ("explain pods", r"could not find the requested resource"),
)


@pytest.mark.parametrize("asked", READS)
def test_kubectl_gets_an_answer(shop: Running, tmp_path_factory: pytest.TempPathFactory, asked: str) -> None:
    home = tmp_path_factory.getbasetemp() / "kubectl"
    assert kubectl(shop, home, "-n", "shop", *asked.split()).strip()


@pytest.mark.parametrize(("asked", "words"), WRITES)
def test_kubectl_is_refused_in_the_words_of_a_real_server(
    shop: Running, tmp_path_factory: pytest.TempPathFactory, asked: str, words: str
) -> None:
    home = tmp_path_factory.getbasetemp() / "kubectl"
    assert re.search(words, refused(shop, home, "-n", "shop", *asked.split()))


def test_kubectl_describes_every_kind(shop: Running, tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.getbasetemp() / "kubectl"
    listed = kubectl(shop, home, "api-resources", "--verbs=list", "-o", "name").split()
    listed = [k for k in listed if not k.startswith("customresourcedefinitions")]
    told = {
        k for k in listed if kubectl(shop, home, "get", k, "-A", "-o", "name").strip() and "metrics.k8s.io" not in k
    }
    for kind in sorted(told):
        described = kubectl(shop, home, "describe", kind, "-A")
        assert "Name:" in described
        assert "%!" not in described, "Go could not print a value"
    assert len(told) >= 20
    for owner, place in (("statefulset/orders-db", "shop-data"), ("daemonset/aws-node", "kube-system")):
        history = kubectl(shop, home, "-n", place, "rollout", "history", owner).split()
        assert history[1:3] == ["REVISION", "CHANGE-CAUSE"]
        assert "Image:" in kubectl(shop, home, "-n", place, "rollout", "history", owner, f"--revision={history[3]}")


def test_ages_that_kubectl_reckons_itself_are_right_when_the_world_is_at_now(tmp_path: Path) -> None:
    """`describe` and `events` use the machine's clock; `get` prints what the server reckoned."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not here")
    running = start("oom-after-deploy", at=datetime.now(UTC), skills=("kubernetes",))
    try:
        events = kubectl(running, tmp_path, "-n", "shop", "events", "--for", "deploy/cart")
        assert all(re.match(r"\d+[ms]", line) for line in events.splitlines()[1:]), events
    finally:
        running.close()
