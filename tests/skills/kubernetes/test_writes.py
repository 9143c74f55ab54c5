# ruff: noqa: E501  (the wordings of Kubernetes are quoted whole)
"""Who wrote what when, as metadata.managedFields tells it (Server-Side Apply reference), and what controllers write,
which is nobody's change."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from skills.contract import Change, LogLine, Symptom
from skills.kubernetes import rollouts
from tests.skills.kubernetes.shapes import (
    NODES,
    NOW,
    WINDOW,
    Obj,
    ago,
    app,
    deployment,
    event,
    found_in,
    meta,
    snapshot,
)


def entry(manager: str, minutes: float, fields: Obj, subresource: str = "") -> Obj:
    made = {"manager": manager, "operation": "Update", "apiVersion": "v1", "time": ago(minutes), "fieldsType": "FieldsV1", "fieldsV1": fields}  # fmt: skip
    return {**made, "subresource": subresource} if subresource else made


def obj(kind: str, name: str, *entries: Obj, namespace: str | None = "shop", **more: Any) -> Obj:
    labels = more.pop("labels", None)
    return {
        "kind": kind,
        "metadata": meta(name, namespace=namespace, labels=labels, managedFields=list(entries)),
        **more,
    }


def changed(*objects: Obj) -> dict[str, Change]:
    found = rollouts.changes(snapshot(*NODES, *app("cart"), *objects), WINDOW)
    return {str(c.entity): c for c in found}


OBJECTS = [
    ("Role shop/reader", obj("Role", "reader", entry("kubectl-edit", 9, {"f:rules": {}}), rules=[])),
    ("RoleBinding shop/reader", obj("RoleBinding", "reader", entry("kubectl-patch", 9, {"f:subjects": {}}), subjects=[])),
    ("ResourceQuota shop/compute", obj("ResourceQuota", "compute", entry("kubectl-edit", 9, {"f:spec": {"f:hard": {"f:pods": {}}}}), spec={"hard": {"pods": "3"}})),
    ("ValidatingWebhookConfiguration gate", obj("ValidatingWebhookConfiguration", "gate", entry("kubectl-client-side-apply", 9, {"f:webhooks": {}}), namespace=None, webhooks=[])),
    ("CronJob shop/report", obj("CronJob", "report", entry("argocd-controller", 9, {"f:spec": {"f:jobTemplate": {}}}), spec={})),
]  # fmt: skip


@pytest.mark.parametrize(("entity", "written"), OBJECTS, ids=[e for e, _ in OBJECTS])
def test_a_write_is_a_change_of_its_object_at_that_moment_by_its_writer(entity: str, written: Obj) -> None:
    change = changed(written)[entity]
    assert (NOW - change.at).total_seconds() == 540
    assert change.author in ("kubectl-edit", "kubectl-patch", "kubectl-client-side-apply", "argocd-controller")


@pytest.mark.parametrize(("entity", "written"), OBJECTS, ids=[e for e, _ in OBJECTS])
def test_what_a_controller_or_a_status_update_writes_is_nobodys_change(entity: str, written: Obj) -> None:
    fields = written["metadata"]["managedFields"][0]["fieldsV1"]
    written = {**written, "metadata": {**written["metadata"], "managedFields": [
        entry("kube-controller-manager", 3, fields), entry("kubectl-edit", 3, fields, "status")]}}  # fmt: skip
    assert entity not in changed(written)


def node(name: str, *entries: Obj, **spec: Any) -> Obj:
    return obj(
        "Node", name, *entries, namespace=None, spec=spec, status={"conditions": [{"type": "Ready", "status": "True"}]}
    )


def test_nodes_that_were_cordoned_in_one_maintenance_are_one_change() -> None:
    cordoned = [node(f"pool-{i}", entry("kubectl", 20 - i, {"f:spec": {"f:unschedulable": {}}}), unschedulable=True) for i in range(3)]  # fmt: skip
    change = changed(*cordoned)["Node pool-0"]
    assert "cordoned" in change.summary
    assert "pool-1, pool-2" in change.summary
    assert "Node pool-2" not in changed(*cordoned)


def test_the_taint_that_follows_a_cordon_says_when_where_no_field_does() -> None:
    taint = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule", "timeAdded": ago(30)}
    change = changed(node("pool-0", unschedulable=True, taints=[taint]))["Node pool-0"]
    assert (NOW - change.at).total_seconds() == 1800


def test_a_taint_by_somebody_is_a_change_and_one_by_the_node_controller_is_none() -> None:
    own = {"key": "dedicated", "value": "batch", "effect": "NoSchedule"}
    pressed = {"key": "node.kubernetes.io/memory-pressure", "effect": "NoSchedule"}
    fields = {"f:spec": {"f:taints": {}}}
    tainted = node("pool-0", entry("kubectl-taint", 9, fields), taints=[own])
    assert changed(tainted)["Node pool-0"].summary == "tainted: dedicated=batch:NoSchedule"
    assert "Node pool-0" not in changed(node("pool-0", entry("kube-controller-manager", 9, fields), taints=[pressed]))


def test_a_security_level_that_a_namespace_enforces_is_a_change_and_any_other_label_is_none() -> None:
    key = "pod-security.kubernetes.io/enforce"
    fields = {"f:metadata": {"f:labels": {f"f:{key}": {}}}}
    level = obj("Namespace", "shop", entry("kubectl-label", 9, fields), namespace=None, labels={key: "restricted"})
    assert "restricted" in changed(level)["Namespace shop"].summary
    team = obj("Namespace", "shop", entry("kubectl-label", 9, {"f:metadata": {"f:labels": {"f:team": {}}}}), namespace=None, labels={"team": "x"})  # fmt: skip
    assert "Namespace shop" not in changed(team)


def test_replicas_written_apart_from_the_template_are_a_scaling_and_a_release_is_none() -> None:
    scaled = deployment("db")
    scaled["metadata"]["managedFields"] = [entry("kubectl", 9, {"f:spec": {"f:replicas": {}}}, "scale")]
    change = changed(scaled)["Deployment shop/db"]
    assert (change.kind, change.author) == ("scale", "kubectl")
    released = deployment("db")
    released["metadata"]["managedFields"] = [entry("helm", 9, {"f:spec": {"f:replicas": {}, "f:template": {}}})]
    assert "Deployment shop/db" not in changed(released)


@pytest.mark.parametrize("order", [(2, 1), (1, 2)])
def test_a_scaling_that_is_told_in_steps_is_one_change(order: tuple[int, int]) -> None:
    told = [f"Scaled down replica set cart-6d5f7c9b8 from {n} to {n - 1}" for n in order]
    steps = [event("Deployment", "cart", "ScalingReplicaSet", m, first=9 - i / 60) for i, m in enumerate(told)]
    found = rollouts.changes(snapshot(*NODES, *app("cart"), *steps), WINDOW)
    assert [c.summary for c in found if c.kind == "scale"] == ["Scaled down replica set cart-6d5f7c9b8 from 2 to 0"]


PREEMPTED = [
    "Preempted by pod uid-batch-big-0 on node node-a",
    "Preempted by batch/big-0 on node node-a",
    "Preempted by a pod on node node-a",
]
"""pkg/scheduler/framework/preemption, of today, before Kubernetes 1.26, and where it gives no name."""


@pytest.mark.parametrize("message", PREEMPTED)
def test_who_took_the_room_is_named_where_the_event_names_its_pod(message: str) -> None:
    big = {"kind": "Pod", "apiVersion": "v1", "metadata": meta("big-0", namespace="batch"), "spec": {"priority": 1000},
           "status": {"phase": "Running"}}  # fmt: skip
    told = event("Pod", "cart-5d9c7b-old11", "Preempted", message, warning=False)
    best = next(s for s in found_in(*app("cart"), big, told) if s.analyzer == "kubernetes.scheduler")
    names = [e.name for e in best.points_at]
    assert names == ([] if "a pod on" in message else ["big-0"])


REFUSED = 'configmaps is forbidden: User "system:serviceaccount:shop:cart" cannot list resource "configmaps" in API group "" in the namespace "shop"'
BOUND = obj("RoleBinding", "reader", subjects=[{"kind": "ServiceAccount", "name": "cart", "namespace": "shop"}], roleRef={"kind": "Role", "name": "reader"})  # fmt: skip


def refused(*verbs: str, minutes: float = 9) -> Symptom:
    role = obj("Role", "reader", entry("kubectl-edit", minutes, {"f:rules": {}}), rules=[{"verbs": list(verbs), "resources": ["configmaps"]}])  # fmt: skip
    objects = app("cart")
    pod = next(o for o in objects if o["kind"] == "Pod")["metadata"]["name"]
    lines = [LogLine(NOW - timedelta(minutes=m), REFUSED) for m in (8, 1)]
    found = found_in(*NODES, *objects, role, BOUND, logs={("shop", pod, "app", False): lines})
    return next(s for s in found if s.analyzer == "kubernetes.permissions")


def test_a_running_pod_that_is_refused_lost_its_right_when_its_role_was_written() -> None:
    symptom = refused("watch")
    assert symptom.change == "role/shop/reader/100"
    assert symptom.onset == NOW - timedelta(minutes=8)


def test_a_role_that_grants_it_or_was_written_long_ago_took_nothing_away() -> None:
    assert refused("list").change is None
    assert refused("watch", minutes=60 * 24 * 9).change is None
