"""Faults in a cluster whose control plane is real: every object, event and message that is read is Kubernetes' own."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.control_plane import TOKEN, ControlPlane, binaries

pytestmark = pytest.mark.cluster
CASES = yaml.safe_load((Path(__file__).parent / "cases.yaml").read_text())
SECONDS = 12.0
"""How long a fault is given to show."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    programs = binaries()
    if programs is None:
        pytest.skip("the programs are not here: `make cluster` builds them")
    it = ControlPlane(programs, tmp_path_factory.mktemp("cluster"))
    try:
        it.apply([*(_node(n) for n in range(4)), *(_volume(n) for n in range(2 * len(CASES)))])
        yield it
    finally:
        it.close()


def _node(number: int) -> dict[str, Any]:
    name, room = f"node-{number}", {"cpu": "4", "memory": "8Gi", "pods": "110"}
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "topology.kubernetes.io/zone": "ab"[number // 2],
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "status": {"capacity": room, "allocatable": room},
    }


def _volume(number: int) -> dict[str, Any]:
    spec = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "standard",
        "hostPath": {"path": f"/data/{number}"},
    }
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": f"disk-{number}"}, "spec": spec}


def shop(namespace: str) -> list[Any]:
    """A small healthy application: `web` calls `api`, which calls `db`."""
    text = (Path(__file__).parent / "shop.yaml").read_text()
    return [*yaml.safe_load_all(text.replace("NAMESPACE", namespace))]


@pytest.mark.parametrize("case", CASES, ids=[c["name"] for c in CASES])
def test_the_fault_is_named(cluster: ControlPlane, case: dict[str, Any], tmp_path: Path) -> None:
    namespace = f"shop-{CASES.index(case)}"
    cluster.apply(shop(namespace))
    for workload in ("deploy/web", "deploy/api", "sts/db"):
        cluster.kubectl("-n", namespace, "rollout", "status", workload, "--timeout=60s")
    began = datetime.now(UTC)
    try:
        _break(cluster, namespace, case)
        time.sleep(case.get("seconds", SECONDS))
        finding = investigate(cluster, namespace, case, began, tmp_path)
    finally:
        _mend(cluster, namespace, case)
    expected, found = case["truth"], [_said(c, namespace) for c in finding["causes"]]
    if expected.get("none"):
        sure = [c["confidence"]["band"] for c in finding["causes"] if c["confidence"]["band"] != "low"]
        assert not sure, f"something is blamed although nothing is wrong: {finding['headline']['text']}"
        return
    entity = f"Namespace {namespace}" if expected["entity"] == "Namespace" else expected["entity"]
    wanted = [f"{expected['fault']} of {entity}", *expected.get("accept", ())]
    said = f"{finding['verdict']}: {finding['headline']['text']}"
    assert found, said
    assert found[0].removesuffix(f" {namespace}") in [w.removesuffix(f" {namespace}") for w in wanted], (found, said)


def _said(cause: dict[str, Any], namespace: str) -> str:
    return f"{cause['fault']} of {cause['entity']['kind']} {cause['entity']['name']}"


def _objects(part: Any, namespace: str) -> list[Any]:
    found = json.loads(json.dumps(part).replace("NAMESPACE", namespace))
    cluster_wide = ("PersistentVolume", "ValidatingWebhookConfiguration")
    for each in found:
        if each["kind"] not in cluster_wide:
            each["metadata"]["namespace"] = namespace
    return list(found)


def _break(cluster: ControlPlane, namespace: str, case: dict[str, Any]) -> None:
    if "stop" in case:
        cluster.end(case["stop"])
    if "objects" in case:
        cluster.apply(_objects(case["objects"], namespace))
    for line in case.get("do", ()):
        _kubectl(cluster, namespace, line)
    if "later" in case:
        cluster.apply(_objects(case["later"], namespace))


def _mend(cluster: ControlPlane, namespace: str, case: dict[str, Any]) -> None:
    if "stop" in case:
        cluster.again(case["stop"])
    for line in case.get("after", ()):
        _kubectl(cluster, namespace, line)
    cluster.kubectl("delete", "namespace", namespace, "--wait=false")


def _kubectl(cluster: ControlPlane, namespace: str, line: str) -> None:
    """A line of a case: JSON stays as it is, words are split at blanks."""
    head, brace, patch = line.replace("NAMESPACE", namespace).partition(" -p ")
    cluster.kubectl("-n", namespace, *shlex.split(head), *(["-p", patch] if brace else []))


def investigate(
    cluster: ControlPlane, namespace: str, case: dict[str, Any], began: datetime, folder: Path
) -> dict[str, Any]:
    labels = {"namespace": namespace, "severity": "critical", **case["alert"]}
    labels = {k: v for k, v in labels.items() if v}
    alert = {
        "status": "firing",
        "labels": labels,
        "annotations": {},
        "startsAt": began.isoformat(),
        "fingerprint": "f1",
    }
    body = {
        "version": "4",
        "groupKey": "g",
        "status": "firing",
        "receiver": "gumshoe",
        "groupLabels": {"alertname": labels["alertname"]},
        "commonLabels": labels,
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example.com",
        "alerts": [alert],
    }
    skill = {"url": cluster.url, "verify_tls": False, "token_env": "GUMSHOE_TEST_TOKEN"}
    (folder / "alert.json").write_text(json.dumps(body))
    (folder / "customer.yaml").write_text(yaml.safe_dump({"name": "real", "skills": {"kubernetes": skill}}))
    arguments = ["--alert", "alert.json", "--customer", "customer.yaml", "--out", "out.json", "--model", "offline"]
    subprocess.run(
        [sys.executable, "-m", "bot.cli.main", "investigate", "--quiet", *arguments],
        cwd=folder,
        env={"GUMSHOE_TEST_TOKEN": TOKEN, "PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "/usr/bin:/bin"},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    found: dict[str, Any] = json.loads((folder / "out.json").read_text())
    return found
