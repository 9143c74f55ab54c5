# ruff: noqa: E501  (the wordings of Kubernetes are quoted whole)
"""Workloads of other makers (Argo Rollouts, OpenShift), and budgets that keep nodes from being drained."""

from __future__ import annotations

import copy
from typing import Any

from skills.contract import Entity
from tests.skills.kubernetes.served import NAMESPACES, context, kubernetes
from tests.skills.kubernetes.server import Cluster, serving
from tests.skills.kubernetes.shapes import (
    NODES,
    NS,
    Obj,
    ago,
    app,
    causes,
    container,
    endpoints,
    event,
    found_in,
    meta,
    owner,
    pod,
    pod_spec,
    replica_set,
    service,
    snapshot,
)

ARGO = "argoproj.io/v1alpha1"


def rollout(name: str, replicas: int = 2, *, status: Obj | None = None, **spec: Any) -> Obj:
    """Shape: argo-rollouts pkg/apis/rollouts/v1alpha1 types.go."""
    labels = {"app": name}
    template = {"template": {"metadata": {"labels": labels}, "spec": pod_spec()}} if "workloadRef" not in spec else {}
    wanted: Obj = {"replicas": replicas, "selector": {"matchLabels": labels}, "strategy": {"canary": {}}}
    healthy = {"phase": "Healthy", "replicas": replicas, "readyReplicas": replicas, "updatedReplicas": replicas}
    return {
        "kind": "Rollout",
        "apiVersion": ARGO,
        "metadata": meta(name, labels=labels),
        "spec": {**wanted, **template, **spec},
        "status": {**healthy, **(status or {})},
    }


def rolled(name: str, suffix: str, revision: int, age: float, image: str) -> Obj:
    found = replica_set(name, suffix, spec=pod_spec(container(image=image)), age=age, revision=revision)
    found["metadata"] |= {
        "ownerReferences": owner("Rollout", name, ARGO),
        "annotations": {"rollout.argoproj.io/revision": str(revision)},
    }
    return found


def test_pods_of_a_rollout_are_its_own_with_or_without_their_replica_set() -> None:
    one = pod(f"cart-7b-{'ax7k2'}", labels={"app": "cart", "rollouts-pod-template-hash": "7b"}, replica_set="cart-7b")
    expected = Entity(kind="Rollout", namespace=NS, name="cart")
    assert snapshot(rollout("cart"), one).owner_of(one) == expected
    assert snapshot(rollout("cart"), rolled("cart", "7b", 1, 100, "a:1"), one).owner_of(one) == expected


def test_an_aborted_rollout_tells_which_release_was_found_wanting() -> None:
    words = 'Rollout aborted update to revision 2: Metric "success-rate" assessed Failed due to failed (2) > failureLimit (1)'
    aborted = {
        "phase": "Degraded",
        "abort": True,
        "abortedAt": ago(5),
        "message": f"RolloutAborted: {words}",
        "conditions": [{"type": "Progressing", "status": "False", "reason": "RolloutAborted", "message": words,
                        "lastTransitionTime": ago(5), "lastUpdateTime": ago(5)}],
    }  # fmt: skip
    found = causes(
        rollout("cart", status=aborted), rolled("cart", "7b", 1, 900, "c:1"), rolled("cart", "8c", 2, 12, "c:2")
    )
    best = next(s for s in found if s.analyzer == "kubernetes.progressive")
    assert (str(best.entity), best.faults[0], best.change) == (
        "Rollout shop/cart",
        "code_defect_in_release",
        "rollout/shop/cart/2",
    )


def test_a_rollout_that_pauses_at_a_step_waits_as_it_was_told_to() -> None:
    paused = {"phase": "Paused", "message": "CanaryPauseStep", "conditions": [
        {"type": "Progressing", "status": "Unknown", "reason": "RolloutPaused", "message": "Rollout is paused",
         "lastTransitionTime": ago(5), "lastUpdateTime": ago(5)}]}  # fmt: skip
    assert not [s for s in found_in(rollout("cart", status=paused)) if s.analyzer == "kubernetes.progressive"]


def test_a_deployment_that_lends_its_template_is_not_scaled_to_zero() -> None:
    lending = app("cart")
    for each in lending:
        if each["kind"] == "Deployment":
            each["spec"]["replicas"] = 0
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "cart"}
    lent = [o for o in lending if o["kind"] in ("Deployment", "Service")]
    assert [s.faults[0] for s in causes(*lent)] == ["scaled_to_zero"]
    mine = pod("cart-7b-ax7k2", labels={"app": "cart", "rollouts-pod-template-hash": "7b"}, replica_set="cart-7b")
    assert not causes(*lent, rollout("cart", workloadRef=reference), mine, endpoints("cart", "cart-7b-ax7k2"))


def test_a_rollout_at_zero_is_named() -> None:
    assert [(str(s.entity), s.faults[0]) for s in causes(rollout("cart", 0), service("cart"))] == [
        ("Rollout shop/cart", "scaled_to_zero")
    ]


def config(name: str, replicas: int = 1) -> Obj:
    """Shape: OpenShift apps.openshift.io/v1 DeploymentConfig; its selector is a plain map."""
    labels = {"app": name, "deploymentconfig": name}
    template = {"metadata": {"labels": labels}, "spec": pod_spec()}
    return {
        "kind": "DeploymentConfig",
        "apiVersion": "apps.openshift.io/v1",
        "metadata": meta(name, labels={"app": name}),
        "spec": {"replicas": replicas, "selector": labels, "template": template, "strategy": {"type": "Rolling"}},
        "status": {"latestVersion": 1, "replicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas},
    }


def test_pods_of_a_deployment_config_are_its_own() -> None:
    one = pod(
        "cart-1-ax7k2",
        labels={"app": "cart", "deploymentconfig": "cart"},
        owners=owner("ReplicationController", "cart-1", "v1"),
    )
    one["metadata"]["annotations"] = {"openshift.io/deployment-config.name": "cart"}
    assert snapshot(config("cart"), one).owner_of(one) == Entity(kind="DeploymentConfig", namespace=NS, name="cart")


def test_both_are_read_where_their_groups_are_served() -> None:
    objects = [
        *NODES,
        *NAMESPACES,
        *app("frontend"),
        rollout("cart", 0),
        config("books", 0),
        service("cart"),
        service("books"),
    ]
    for served in (True, False):
        with serving(Cluster(copy.deepcopy(objects), served_optional=served)) as url:
            seen = kubernetes(url).first_look(context(service="frontend"))
        zero = {str(s.entity) for s in seen.symptoms if s.faults[:1] == ("scaled_to_zero",)}
        assert zero == ({"Rollout shop/cart", "DeploymentConfig shop/books"} if served else set())
        assert not seen.gaps


# --- budgets --------------------------------------------------------------------------------------------------------


def budget(name: str, *, healthy: int = 2, least: int = 2, allowed: int = 0) -> Obj:
    status = {"currentHealthy": healthy, "desiredHealthy": least, "expectedPods": 2, "disruptionsAllowed": allowed}
    return {
        "kind": "PodDisruptionBudget",
        "apiVersion": "policy/v1",
        "metadata": meta(name),
        "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "cart"}}},
        "status": {**status, "observedGeneration": 1},
    }


def cordoned() -> list[Obj]:
    nodes = copy.deepcopy(NODES)
    for each in nodes:
        if each["kind"] == "Node" and each["metadata"]["name"] == "node-a":
            each["spec"] |= {"unschedulable": True, "taints": [
                {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule", "timeAdded": ago(30)}]}  # fmt: skip
    return nodes


def drained(*objects: Obj) -> list[tuple[str, float]]:
    seen = [s for s in found_in(*objects) if s.analyzer == "kubernetes.drains"]
    return [(f"{s.faults[0]} of {s.entity}", s.specificity) for s in seen]


def test_a_budget_that_lets_no_healthy_pod_go_keeps_a_cordoned_node_from_being_drained() -> None:
    shop = [*cordoned(), *app("cart", replicas=2)]
    assert drained(*shop, budget("cart-pdb")) == [("rollout_deadlocked of Deployment shop/cart", 0.6)]
    blocked = event(
        "Node", "node-a", "DisruptionBlocked", 'Cannot disrupt Node: pdb "shop/cart-pdb" prevents pod evictions'
    )
    assert drained(*shop, budget("cart-pdb"), blocked) == [("rollout_deadlocked of Deployment shop/cart", 0.92)]


def test_a_budget_that_allows_one_or_has_an_unhealthy_pod_blocks_nothing_by_its_own_doing() -> None:
    shop = [*cordoned(), *app("cart", replicas=2)]
    assert not drained(*shop, budget("cart-pdb", least=1, allowed=1))
    assert not drained(*shop, budget("cart-pdb", healthy=1))


def test_a_strict_budget_on_nodes_that_stay_is_nobodys_trouble() -> None:
    assert not drained(*NODES, *app("cart", replicas=2), budget("cart-pdb"))
