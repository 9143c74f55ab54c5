"""Pods of many containers: a sidecar that crashes is named, and the log of any container can be read by its name.

Shapes: Kubernetes documentation, "Sidecar Containers" (init containers with restartPolicy Always) and "Ephemeral
Containers"; statuses stand in lists of their own.
"""

from __future__ import annotations

from typing import Any

import pytest

from skills.contract import ToolResult
from tests.skills.kubernetes.served import context, kubernetes
from tests.skills.kubernetes.server import Cluster, serving
from tests.skills.kubernetes.shapes import (
    NODES,
    NS,
    Obj,
    ago,
    container,
    ended,
    found_in,
    pod_spec,
    running,
    unwell,
    waiting,
)

POD = "cart-5d9c7b-ax7k2"
SAID = {
    "app": "GET /cart 200",
    "metrics": "scraped in 3ms",
    "proxy": "listening on 15001",
    "setup": "migrations applied",
    "debugger": "tcpdump: listening on eth0",
}


def crowded(proxy: Obj) -> list[Obj]:
    """cart: two containers, a sidecar, an init container that is done, and one that somebody attached."""
    setup = {**running("setup", ready=True), "state": {"terminated": ended("Completed", 0)}}
    debugger = {**running("debugger", ready=False), "state": {"running": {"startedAt": ago(1)}}}
    spec = pod_spec(
        container(),
        container("metrics", "registry.example.com/exporter:2", 9100),
        initContainers=[
            container("setup", "registry.example.com/setup:1", None),
            container("proxy", "registry.example.com/mesh/proxy:2", 15001, restartPolicy="Always"),
        ],
        ephemeralContainers=[{"name": "debugger", "image": "busybox:1.37", "targetContainerName": "app"}],
    )
    statuses = [running(), running("metrics")]
    return unwell(
        "cart", spec=spec, statuses=statuses, init=[setup, proxy], ephemeralContainerStatuses=[debugger]
    )  # fmt: skip


def test_a_sidecar_that_crashes_is_named_and_its_last_words_are_read() -> None:
    crashing = {**waiting("CrashLoopBackOff", "back-off 5m0s", restarts=5, last=ended()), "name": "proxy"}
    cluster = Cluster([*NODES, *crowded(crashing)])
    cluster.logs[(NS, POD, "proxy", True)] = (
        "2026-03-14T14:59:00.000000000Z panic: listen tcp :15001: bind: address already in use\n"
    )
    with serving(cluster) as url:
        look = kubernetes(url).first_look(context())
    causes = [s for s in look.symptoms if s.role == "cause"]
    assert [(str(s.entity), s.faults[0]) for s in causes] == [("Deployment shop/cart", "port_conflict_in_pod")]
    assert any("container proxy waiting CrashLoopBackOff" in e.text for s in look.symptoms for e in s.evidence)
    assert any("&container=proxy" in p or "container=proxy&" in p for p in cluster.paths)


def test_an_init_container_that_is_done_and_one_that_was_attached_are_no_trouble() -> None:
    found = found_in(*crowded(running("proxy")))
    assert not [s for s in found if any(word in s.summary for word in ("setup", "debugger", "metrics", "proxy"))]


def logs(**asked: Any) -> ToolResult:
    cluster = Cluster([*NODES, *crowded(running("proxy"))])
    for name, words in SAID.items():
        cluster.logs[(NS, POD, name, False)] = f"2026-03-14T14:59:00.000000000Z {words}\n"
    with serving(cluster) as url:
        skill = kubernetes(url)
        tool = next(t for t in skill.tools if t.name == "kubernetes_logs")
        return tool.run(tool.input.model_validate({"name": "cart", **asked}), context())


def test_all_that_run_are_heard_and_each_line_says_of_which_container_it_is() -> None:
    told = logs()
    assert {SAID["app"], SAID["metrics"], SAID["proxy"]} <= {e.text for e in told.evidence}
    for line in told.evidence:
        (name,) = (n for n, words in SAID.items() if words == line.text)
        assert f"logs {POD} -c {name} " in line.query


@pytest.mark.parametrize("name", SAID)
def test_the_log_of_any_container_can_be_asked_for_by_its_name(name: str) -> None:
    assert [e.text for e in logs(container=name).evidence] == [SAID[name]]
