# ruff: noqa: E501  (the wordings of Kubernetes are quoted whole)
"""What does not move: rollouts that block themselves, a scheduler that is away, jobs whose every run fails.

Sources: pkg/controller/deployment/util/deployment_util.go (ResolveFenceposts), client-go leaderelection (renewTime),
kube-scheduler's static pod of kubeadm, pkg/controller/job and cronjob_controllerv2.go (conditions and event reasons).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from skills.contract import Focus, LogLine
from skills.kubernetes import analyzers, crashlogs
from tests.skills.kubernetes import shapes
from tests.skills.kubernetes.shapes import (
    NOW,
    NS,
    UNREADY,
    Obj,
    ago,
    app,
    causes,
    conditions,
    container,
    ended,
    event,
    leading,
    meta,
    node,
    owner,
    pod,
    pod_spec,
    replica_set,
    running,
    snapshot,
    unwell,
    waiting,
)

CART = "Deployment shop/cart"
ANTI = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
    {"labelSelector": {"matchLabels": {"app": "cart"}}, "topologyKey": "kubernetes.io/hostname"}
]}}  # fmt: skip
NO_ROOM = "0/2 nodes are available: 2 node(s) didn't match pod anti-affinity rules. preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod."


def rolling(reason: str, old: Obj, new: Obj, **strategy: Any) -> list[Obj]:
    """Two old pods ready, one new pod without a place."""
    objects = app("cart", spec=old, replicas=2)
    objects[0]["spec"]["template"]["spec"] = new
    objects[0]["spec"]["strategy"]["rollingUpdate"] = strategy
    objects[0]["status"] |= {"replicas": 3, "updatedReplicas": 1}
    fresh = replica_set("cart", "77bb", spec=new, replicas=1, revision=2, age=20)
    conds = conditions(PodScheduled=("False", "Unschedulable", reason))
    stuck = pod("cart-77bb-zzzzz", labels={"app": "cart", "pod-template-hash": "77bb"}, replica_set="cart-77bb", spec=new, node=None,
                phase="Pending", conds=conds, age=20)  # fmt: skip
    return [*objects, fresh, stuck]


IMAGE = container(image="registry.example.com/shop/cart:1.4.2")


def test_a_rollout_that_may_take_nothing_away_blocks_itself() -> None:
    objects = rolling(NO_ROOM, pod_spec(affinity=ANTI), pod_spec(IMAGE, affinity=ANTI), maxUnavailable=0, maxSurge=1)
    assert leading(*objects) == (CART, "rollout_deadlocked")


def test_a_rollout_that_may_take_one_away_and_a_rule_that_the_rollout_brought_are_the_rules_fault() -> None:
    free = rolling(NO_ROOM, pod_spec(affinity=ANTI), pod_spec(IMAGE, affinity=ANTI), maxUnavailable=1, maxSurge=1)
    brought = rolling(NO_ROOM, pod_spec(), pod_spec(IMAGE, affinity=ANTI), maxUnavailable=0, maxSurge=1)
    assert leading(*free) == (CART, "anti_affinity_blocks_replica")
    assert leading(*brought) == (CART, "anti_affinity_blocks_replica")


def test_a_quarter_of_two_pods_is_none_and_so_a_host_port_blocks_the_default_strategy() -> None:
    spec = pod_spec(container(ports=[{"containerPort": 8080, "hostPort": 8080, "protocol": "TCP"}]))
    words = "0/2 nodes are available: 2 node(s) didn't have free ports for the requested pod ports."
    objects = rolling(words, spec, {**spec, "priority": 0})
    assert leading(*objects) == (CART, "rollout_deadlocked")


def test_a_request_that_the_rollout_raised_is_no_deadlock() -> None:
    larger = pod_spec(container(resources={"requests": {"cpu": "3"}}))
    objects = rolling("0/2 nodes are available: 2 Insufficient cpu.", pod_spec(), larger, maxUnavailable=0, maxSurge=1)
    best = causes(*objects)[0]
    assert best.faults == ("cpu_requests_do_not_fit",)


# --- B10 ---------------------------------------------------------------------------------------------------------------


def unseen(age: float = 10) -> list[Obj]:
    return unwell("cart", node=None, phase="Pending", conds=[], age=age)


def lease(name: str, renewed: str, namespace: str = "kube-system") -> Obj:
    return {
        "kind": "Lease",
        "apiVersion": "coordination.k8s.io/v1",
        "metadata": meta(name, namespace=namespace),
        "spec": {"renewTime": renewed},
    }


def control_plane(name: str, **more: Any) -> Obj:
    return pod(f"{name}-cp", labels={"tier": "control-plane", "component": name}, namespace="kube-system",
               owners=owner("Node", "control-plane", "v1"), node="control-plane", **more)  # fmt: skip


def test_a_static_pod_that_is_absent_beside_its_siblings() -> None:
    best = causes(*unseen(), control_plane("kube-apiserver"), control_plane("kube-controller-manager"))[0]
    assert (best.faults[0], best.specificity) == ("scheduler_not_running", 0.96)
    assert any("no pod kube-scheduler" in e.text for e in best.evidence)


def test_a_stale_lease_of_a_managed_cluster_is_named_itself() -> None:
    fresh = lease("node-a", "2026-03-14T14:59:55.000000Z", "kube-node-lease")
    found = leading(*unseen(), lease("kube-scheduler", "2026-03-14T14:30:00.000000Z"), fresh)
    assert found == ("Lease kube-system/kube-scheduler", "scheduler_not_running")


def test_a_lease_as_old_as_all_others_is_a_recording_and_no_fault() -> None:
    others = [lease(n, "2026-03-14T14:49:58.000000Z", "kube-node-lease") for n in ("node-a", "node-b")]
    best = causes(*unseen(), lease("kube-scheduler", "2026-03-14T14:50:00.000000Z"), *others)[0]
    assert best.specificity < 0.9


def test_younger_pods_that_found_a_node_acquit_the_scheduler() -> None:
    assert all(s.specificity <= 0.3 for s in causes(*unseen(), *app("search", age=2)))


def test_a_pod_that_is_gated_or_seconds_old_accuses_nobody() -> None:
    gated = unwell("cart", node=None, phase="Pending", age=10, conds=conditions(
        PodScheduled=("False", "SchedulingGated", "Scheduling is blocked due to non-empty scheduling gates")))  # fmt: skip
    assert causes(*unseen(age=0.2)) == []
    assert causes(*gated) == []


# --- J6 ----------------------------------------------------------------------------------------------------------------

FAILED = conditions(Failed=("True", "BackoffLimitExceeded", "Job has reached the specified backoff limit"))
DONE = conditions(Complete=("True", "CompletionsReached", "Reached expected number of succeeded pods"))


def run(number: int, age: float, image: str = "shop/report:1", **status: Any) -> Obj:
    name = f"report-{29012340 + number}"
    spec = pod_spec(container("report", image, None), restartPolicy="Never")
    labels = {"job-name": name, "batch.kubernetes.io/controller-uid": name}
    return {"kind": "Job", "apiVersion": "batch/v1", "metadata": meta(name, age=age, ownerReferences=owner("CronJob", "report", "batch/v1")),
            "spec": {"backoffLimit": 2, "template": {"metadata": {"labels": labels}, "spec": spec}}, "status": status}  # fmt: skip


def test_runs_that_fail_since_the_image_changed_tell_the_change() -> None:
    jobs = [
        run(1, 130, succeeded=1, conditions=DONE),
        run(2, 70, "shop/report:2", failed=3, conditions=FAILED),
        run(3, 10, "shop/report:2", failed=1, active=1),
    ]
    best = causes(*jobs)[0]
    assert (str(best.entity), best.faults[0]) == ("CronJob shop/report", "scheduled_job_failing")
    assert best.specificity >= 0.93
    assert "image shop/report:1 -> shop/report:2" in best.summary


def test_a_failed_run_that_a_later_one_made_good_is_no_cause() -> None:
    assert causes(run(1, 130, failed=3, conditions=FAILED), run(2, 10, succeeded=1, conditions=DONE)) == []


def test_a_missing_module_in_a_job_is_the_jobs_failure_first() -> None:
    failing = pod("report-29012341-x", labels={"job-name": "report-29012341"}, owners=owner("Job", "report-29012341", "batch/v1"), phase="Failed",
                  statuses=[{**running("report", ready=False), "state": {"terminated": ended()}}], conds=UNREADY)  # fmt: skip
    key = (NS, "report-29012341-x", "report", False)
    lines = tuple(
        LogLine(NOW - timedelta(minutes=1), said, None, "report")
        for said in (
            "Traceback (most recent call last):",
            '  File "/app/report.py", line 3, in <module>',
            "    import dateutil",
            "ModuleNotFoundError: No module named 'dateutil'",
        )
    )
    found = crashlogs.symptoms(snapshot(run(1, 10, failed=1), failing, logs={key: lines}), NOW)
    assert found[0].faults[:2] == ("scheduled_job_failing", "boot_dependency_missing")
    assert str(found[0].entity) == "CronJob shop/report"


def cron(**status: Any) -> Obj:
    return {"kind": "CronJob", "apiVersion": "batch/v1", "metadata": meta("report"),
            "spec": {"schedule": "0 * * * *", "jobTemplate": {"spec": {"template": {"spec": pod_spec()}}}}, "status": status}  # fmt: skip


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("JobAlreadyActive", "Not starting job because prior execution is running and concurrency policy is Forbid"),
        ("UnparseableSchedule", 'unparseable schedule: "61 * * * *"'),
        ("TooManyMissedTimes", "too many missed start times: 101. Set or decrease .spec.startingDeadlineSeconds or check clock skew"),
        ("FailedCreate", "Error creating job: jobs.batch is forbidden"),
    ],
)  # fmt: skip
def test_a_schedule_that_starts_nothing(reason: str, message: str) -> None:
    assert leading(cron(lastScheduleTime=ago(200)), event("CronJob", "report", reason, message)) == (
        "CronJob shop/report",
        "scheduled_job_failing",
    )


@pytest.mark.parametrize(
    ("since", "asked", "least", "most"),
    [(20, True, 0.8, 1.0), (20, False, 0.2, 0.4), (4320, False, 0.0, 0.1), (6000, False, 0.0, 0.1)],
    ids=["missed", "lately, and nobody asks", "for days", "made so"],
)
def test_a_schedule_that_is_kept_suspended_is_no_suspect(since: int, asked: bool, least: float, most: float) -> None:
    held = cron(lastScheduleTime=ago(6000))
    held["spec"]["suspend"] = True
    owned = {"f:spec": {"f:suspend": {}}}
    write = {"manager": "kubectl-patch", "operation": "Update", "time": ago(since), "fieldsV1": owned}
    held["metadata"] |= {"creationTimestamp": ago(6000), "managedFields": [write]}
    focus = Focus(namespace=shapes.NS, labels={"cronjob": "report"} if asked else {})
    look = shapes.snapshot(*shapes.NODES, held)
    (found,) = analyzers.run(look, focus, shapes.WINDOW, shapes.NOW)
    assert least <= found.specificity <= most
    assert found.onset is not None
    assert f"{found.onset:%Y-%m-%dT%H:%M:%SZ}" == ago(since)


@pytest.mark.parametrize(("asked", "told"), [("report-1", 1), ("import-1", 0)])
def test_a_job_that_is_suspended_matters_to_whoever_misses_it(asked: str, told: int) -> None:
    held = {"kind": "Job", "apiVersion": "batch/v1", "metadata": meta("report-1", age=30), "spec": {"suspend": True},
            "status": {"conditions": conditions(Suspended=("True", "JobSuspended", "Job suspended"))}}  # fmt: skip
    look = shapes.snapshot(*shapes.NODES, held)
    found = analyzers.run(look, Focus(namespace=shapes.NS, labels={"job_name": asked}), shapes.WINDOW, shapes.NOW)
    assert len(found) == told
    assert all("is suspended" in s.summary for s in found)


def test_a_missed_start_before_the_last_good_run_is_over() -> None:
    said = event("CronJob", "report", "MissSchedule", "Missed scheduled time to start a job", minutes=50)
    assert causes(cron(lastScheduleTime=ago(10), lastSuccessfulTime=ago(9)), said) == []


def test_a_pod_of_a_run_seconds_old_lacks_nothing_that_its_siblings_had() -> None:
    refers = pod_spec(
        container(
            "report", port=None, env=[{"name": "DB", "valueFrom": {"secretKeyRef": {"name": "db", "key": "url"}}}]
        )
    )
    ran = {**running("report", ready=False), "state": {"terminated": ended("Completed", 0)}}
    before = pod(
        "report-1-x",
        labels={},
        owners=owner("Job", "report-29012341", "batch/v1"),
        spec=refers,
        phase="Succeeded",
        statuses=[ran],
        conds=UNREADY,
    )
    fresh = pod("report-2-x", labels={}, owners=owner("Job", "report-29012342", "batch/v1"), spec=refers, phase="Pending", age=5,
                statuses=[waiting("ContainerCreating", name="report")], conds=UNREADY)  # fmt: skip
    assert causes(before, fresh) == []


# --- the scheduler's rarer words -----------------------------------------------------------------------------------------


def unplaced(message: str, spec: Obj | None = None) -> list[Obj]:
    return unwell(
        "cart",
        spec=spec,
        node=None,
        phase="Pending",
        conds=conditions(PodScheduled=("False", "Unschedulable", message)),
    )


def tainted(name: str, key: str) -> Obj:
    return node(name, taints=[{"key": key, "value": "true", "effect": "NoSchedule"}])


def test_a_pool_for_others_is_not_why_a_pod_finds_no_cpu() -> None:
    words = "0/4 nodes are available: 1 Insufficient cpu, 3 node(s) had untolerated taint {nvidia.com/gpu: true}."
    nodes = [node("node-a"), *(tainted(f"gpu-{i}", "nvidia.com/gpu") for i in range(3))]
    assert leading(*unplaced(words), *app("search"), *nodes) == (CART, "cpu_requests_do_not_fit")


def test_a_taint_that_came_after_the_pods_that_run_there_is_why() -> None:
    words = "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint {dedicated: batch}."
    nodes = [node("node-b"), tainted("node-a", "dedicated")]
    assert "taint_not_tolerated" in {f for s in causes(*unplaced(words), *app("search"), *nodes) for f in s.faults}


def test_a_taint_that_is_not_named_is_read_from_the_nodes() -> None:
    # Since 1.34 the message does not list the taints: "node(s) had untolerated taint(s)".
    words = "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient memory."
    best = causes(*unplaced(words))
    assert [s.faults[0] for s in best] == ["memory_requests_do_not_fit"]
    batch = [tainted("node-a", "team"), tainted("node-b", "team")]
    assert leading(*unplaced("0/2 nodes are available: 2 node(s) had untolerated taint(s)."), *batch) == (
        CART,
        "taint_not_tolerated",
    )


def test_nodes_that_a_daemons_pod_was_never_meant_for_are_left_out() -> None:
    words = "0/3 nodes are available: 1 Insufficient cpu, 2 node is filtered out by the prefilter result."
    assert leading(*unplaced(words)) == (CART, "cpu_requests_do_not_fit")


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("0/2 nodes are available: 2 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode.", "volume_cannot_attach"),
        ('0/2 nodes are available: persistentvolumeclaim "data" is being deleted.', "volume_cannot_attach"),
        ("0/2 nodes are available: 2 node(s) did not have enough free storage.", "pvc_matches_no_volume"),
        ("0/2 nodes are available: 2 node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s).", "pvc_matches_no_volume"),
    ],
)  # fmt: skip
def test_volumes_in_the_schedulers_words(words: str, fault: str) -> None:
    assert leading(*unplaced(words)) == (CART, fault)


def test_a_quota_that_leaves_no_room_for_the_surge_stops_the_rollout() -> None:
    objects = app("cart", replicas=2)
    objects[0]["spec"]["strategy"]["rollingUpdate"] = {"maxUnavailable": 0, "maxSurge": 1}
    objects[0]["status"] |= {"updatedReplicas": 0}
    words = 'Error creating: pods "cart-77bb-x" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2'
    said = event("ReplicaSet", "cart-77bb", "FailedCreate", words)
    best = causes(*objects, replica_set("cart", "77bb", replicas=1, revision=2, age=20), said)[0]
    assert best.faults == ("pod_count_quota_exhausted", "rollout_deadlocked")
