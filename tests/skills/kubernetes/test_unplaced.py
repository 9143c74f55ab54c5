# ruff: noqa: E501  (the scheduler is quoted whole)
"""What kube-scheduler 1.34 said of pods that it could not place, recorded from a real one (tests/cluster).

It names no taint any more, and later plugins add a word of their own to the message.
"""

from __future__ import annotations

from typing import Any

import pytest

from skills.contract import Symptom
from skills.kubernetes import unschedulable
from tests.skills.kubernetes.shapes import (
    CONTROL_PLANE,
    NODES,
    Obj,
    ago,
    app,
    conditions,
    container,
    found_in,
    meta,
    node,
    pod_spec,
    replica_set,
    unwell,
)

TAIL = " no new claims to deallocate, preemption: 0/6 nodes are available: 6 Preemption is not helpful for scheduling."
GPU = node("gpu-0", taints=[{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}])
DEDICATED = node("node-c", taints=[{"key": "dedicated", "value": "batch", "effect": "NoSchedule"}])
CLUSTER = [*NODES, GPU]


def pending(message: str, *nodes: Obj, reason: str = "Unschedulable", more: list[Obj] | None = None, **spec: Any) -> list[Symptom]:  # fmt: skip
    made = pod_spec(container(port=8080), **spec)
    conds = conditions(PodScheduled=("False", reason, message))
    stuck = unwell("cart", spec=made, node=None, phase="Pending", conds=conds)
    found = found_in(*(nodes or CLUSTER), *stuck, *(more or []))
    return [s for s in found if s.analyzer == "kubernetes.scheduling"]


def first(*symptoms: Symptom) -> tuple[str, float, str]:
    best = max((s for s in symptoms if s.role == "cause"), key=lambda s: s.specificity)
    return best.faults[0], best.specificity, best.summary


def test_the_words_of_later_plugins_belong_to_no_reason() -> None:
    told = unschedulable.reasons(
        "0/6 nodes are available: 2 node(s) had untolerated taint(s), 4 node(s) didn't match pod affinity rules." + TAIL
    )
    assert [(r.kind, r.count) for r in told] == [("taint", 2), ("pod_affinity", 4)]
    assert told[1].words == "node(s) didn't match pod affinity rules"
    lost = 'persistentvolumeclaim "ledger" bound to non-existent persistentvolume "old". not found'
    assert [r.kind for r in unschedulable.reasons(f"0/6 nodes are available: {lost}")] == ["volume_lost"]


AFFINITY = (
    "0/4 nodes are available: 2 node(s) had untolerated taint(s), 2 node(s) didn't match pod affinity rules." + TAIL
)


def beside(called: str) -> dict[str, Any]:
    term = {"labelSelector": {"matchLabels": {"app": called}}, "topologyKey": "kubernetes.io/hostname"}
    return {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def test_a_pod_that_must_stand_beside_pods_that_are_not_there_is_told_so() -> None:
    fault, sure, words = first(*pending(AFFINITY, affinity=beside("cart-cache")))
    assert (fault, "beside pods with app=cart-cache, and there are none" in words) == ("node_affinity_unmatched", True)
    assert sure > 0.9
    _, less, words = first(*pending(AFFINITY, affinity=beside("cache"), more=app("cache")))
    assert less < 0.8
    assert "there are none" not in words


SPREAD = (
    "0/4 nodes are available: 2 node(s) had untolerated taint(s), 2 node(s) didn't match pod topology spread constraints (missing required label)."
    + TAIL
)


@pytest.mark.parametrize(("key", "known"), [("example.com/rack", False), ("kubernetes.io/hostname", True)])
def test_a_key_to_spread_over_that_no_node_carries_leaves_no_place(key: str, known: bool) -> None:
    rule = {
        "maxSkew": 1,
        "topologyKey": key,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "cart"}},
    }
    _, sure, words = first(*pending(SPREAD, topologySpreadConstraints=[rule]))
    assert (f"{key}, a label that no node has" in words) is not known
    assert (sure > 0.9) is not known


NARROW = (
    "0/4 nodes are available: 1 node(s) didn't have free ports for the requested pod ports, 1 node(s) had untolerated taint(s), 2 node(s) didn't match Pod's node affinity/selector."
    + TAIL
)


def test_a_selector_that_a_node_matches_is_not_what_that_node_lacks() -> None:
    assert (
        first(*pending(NARROW, nodeSelector={"kubernetes.io/hostname": "node-a"}))[0]
        == "pinned_to_missing_node_or_port"
    )
    assert first(*pending(NARROW, nodeSelector={"kubernetes.io/hostname": "node-9"}))[0] == "node_selector_unmatched"


CPU = "0/4 nodes are available: 2 Insufficient cpu, 2 node(s) had untolerated taint(s)." + TAIL


def test_the_taint_of_a_pool_is_no_trouble_though_the_message_does_not_name_it() -> None:
    assert [s.faults[:1] for s in pending(CPU)] == [("cpu_requests_do_not_fit",)]
    both = pending(
        "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint(s)." + TAIL,
        CONTROL_PLANE,
        DEDICATED,
        node("node-a"),
        more=[_settled()],
    )
    assert ("taint_not_tolerated",) in [s.faults[:1] for s in both]


def _settled() -> Obj:
    """A pod that ran there before the taint came."""
    return next(o for o in app("search", node="node-c") if o["kind"] == "Pod")


UNNAMED = (
    "0/5 nodes are available: 2 node(s) didn't match Pod's node affinity/selector, 3 node(s) had untolerated taint(s)."
    + TAIL
)
UNREADY = node("node-c", labels={"zone": "b"}, taints=[{"key": "node.kubernetes.io/not-ready", "effect": "NoExecute"}])
CORDONED = node(
    "node-c",
    labels={"zone": "b"},
    unschedulable=True,
    taints=[{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}],
)


def test_a_node_that_is_not_ready_is_meant_by_a_taint_without_a_name_and_the_pool_beside_it_is_not() -> None:
    (told,) = [
        s
        for s in pending(UNNAMED, *CLUSTER, UNREADY, nodeSelector={"zone": "b"})
        if "taint" in s.summary or s.points_at
    ]
    assert (told.role, told.faults, [str(e) for e in told.points_at]) == ("effect", (), ["Node node-c"])


def test_a_cordon_is_no_taint_where_the_message_tells_both() -> None:
    words = (
        "0/5 nodes are available: 1 node(s) were unschedulable, 2 node(s) didn't match Pod's node affinity/selector, 2 node(s) had untolerated taint(s)."
        + TAIL
    )
    found = pending(words, *CLUSTER, CORDONED, nodeSelector={"zone": "b"})
    assert first(*found)[0] == "nodes_cordoned"
    assert not any("taint_not_tolerated" in s.faults for s in found)


def test_the_overhead_of_a_runtime_class_counts_as_a_request() -> None:
    words = first(*pending(CPU, overhead={"cpu": "3500m"}, runtimeClassName="kata"))[2]
    assert "(of which 3.5 is the overhead of RuntimeClass kata)" in words
    assert "overhead" not in first(*pending(CPU))[2]


def test_a_gate_is_no_verdict_of_the_scheduler() -> None:
    (told,) = pending(
        "Scheduling is blocked due to non-empty scheduling gates",
        reason="SchedulingGated",
        schedulingGates=[{"name": "example.com/capacity"}],
    )
    assert (told.role, told.faults) == ("effect", ())
    assert "wait for their scheduling gate example.com/capacity" in told.summary


def claim(phase: str, **metadata: Any) -> Obj:
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "once",
        "volumeName": "old",
        "resources": {"requests": {"storage": "1Gi"}},
    }
    return {
        "kind": "PersistentVolumeClaim",
        "apiVersion": "v1",
        "metadata": meta("ledger", **metadata),
        "spec": spec,
        "status": {"phase": phase},
    }


def test_a_claim_whose_volume_is_gone_asks_for_no_class() -> None:
    (lost,) = [s for s in found_in(*NODES, claim("Lost")) if s.analyzer == "kubernetes.storage"]
    assert lost.faults == ("volume_cannot_attach", "pvc_matches_no_volume")
    assert "bound to the volume old, which does not exist any more" in lost.summary
    (waits,) = [s for s in found_in(*NODES, claim("Pending")) if s.analyzer == "kubernetes.storage"]
    assert waits.faults == ("storage_class_missing",)


def test_a_claim_that_is_being_deleted_is_there_but_takes_nobody() -> None:
    words = 'persistentvolumeclaim "ledger" is being deleted'
    mounted = [{"name": "data", "persistentVolumeClaim": {"claimName": "ledger"}}]
    leaving = claim("Bound", deletionTimestamp="2026-03-14T14:40:00Z")
    fault, _, told = first(*pending(f"0/4 nodes are available: {words}. not found", more=[leaving], volumes=mounted))
    assert fault == "volume_cannot_attach"
    assert (
        "its claim ledger has been deleted and waits for the last pod that uses it (since 2026-03-14T14:40:00Z)" in told
    )
    gone = 'persistentvolumeclaim "ledger" not found'
    assert "which does not exist" in first(*pending(f"0/4 nodes are available: {gone}. not found", volumes=mounted))[2]


# --- since when, and who waits ---------------------------------------------------------------------------------------


def rolled(days: float, pod_minutes: float) -> Symptom:
    """A revision that brought a nodeSelector, and a pod of it."""
    message = "0/4 nodes are available: 4 node(s) didn't match Pod's node affinity/selector." + TAIL
    conds = conditions(PodScheduled=("False", "Unschedulable", message))
    conds[0]["lastTransitionTime"] = ago(pod_minutes)
    made = pod_spec(container(port=8080), nodeSelector={"disk": "ssd"})
    stuck = unwell("cart", suffix="6f8d9c", spec=made, node=None, phase="Pending", conds=conds, age=pod_minutes)
    sets = [o for o in stuck if o["kind"] == "ReplicaSet"]
    sets[0]["metadata"] |= {
        "creationTimestamp": ago(days * 1440),
        "annotations": {"deployment.kubernetes.io/revision": "2"},
    }
    older = replica_set("cart", "5d9c7b", spec=pod_spec(container(port=8080)), replicas=0, revision=1)
    (told,) = [s for s in found_in(*CLUSTER, *stuck, older) if s.analyzer == "kubernetes.scheduling"]
    return told


def test_a_pod_made_days_after_the_rollout_lacks_its_node_by_something_else() -> None:
    fresh = rolled(days=9, pod_minutes=5)
    assert (fresh.change, fresh.specificity > 0.9) == (None, True)
    assert fresh.onset is not None
    assert f"{fresh.onset:%Y-%m-%dT%H:%M:%SZ}" == ago(5)
    brought = rolled(days=5 / 1440, pod_minutes=5)
    assert brought.change is not None
    assert "since revision 2" in brought.summary
    assert rolled(days=9, pod_minutes=9 * 1440).specificity < 0.4


def down(name: str) -> Obj:
    state = [
        {
            "type": "Ready",
            "status": "False",
            "reason": "KubeletNotReady",
            "message": "container runtime is down",
            "lastTransitionTime": ago(4),
        }
    ]
    return node(name, conds=state, taints=[{"key": "node.kubernetes.io/not-ready", "effect": "NoExecute"}])


@pytest.mark.parametrize(("selector", "waits"), [({"kubernetes.io/hostname": "node-d"}, True), ({}, False)])
def test_a_node_makes_those_suffer_who_wait_for_it_alone(selector: dict[str, str], waits: bool) -> None:
    conds = conditions(PodScheduled=("False", "Unschedulable", UNNAMED))
    made = pod_spec(container(port=8080), nodeSelector=selector)
    stuck = unwell("cart", spec=made, node=None, phase="Pending", conds=conds)
    (told,) = [s for s in found_in(*CLUSTER, down("node-d"), *stuck) if s.analyzer == "kubernetes.nodes"]
    assert (told.specificity > 0.9) is waits
    assert ([str(v) for v in told.victims] == ["Deployment shop/cart"]) is waits
