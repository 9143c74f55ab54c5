"""Alerts that fire although nothing is wrong: what the objects say of it, and what takes that away again."""

from __future__ import annotations

from typing import Any

import pytest

from skills.contract import Focus
from skills.kubernetes.asmeant import as_meant
from tests.skills.kubernetes.shapes import NS, Obj, ago, app, meta, owner, snapshot

RUN = "report-29012345"
LATER = "report-29012405"


def job(name: str = RUN, *, failed: int = 0, succeeded: int = 0, condition: str = "", over: float = 20) -> Obj:
    status: Obj = {"failed": failed, "succeeded": succeeded}
    if condition:
        status["conditions"] = [{"type": condition, "status": "True", "reason": "", "lastTransitionTime": ago(over)}]
    if condition == "Complete":
        status["completionTime"] = ago(over)
    metadata = meta(name, age=over + 5, ownerReferences=owner("CronJob", "report", "batch/v1"))
    return {"kind": "Job", "apiVersion": "batch/v1", "metadata": metadata, "spec": {}, "status": status}


def autoscaler(least: int = 2, most: int = 2, used: int = 25, **conditions: str) -> Obj:
    resource = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}
    now = {"name": "cpu", "current": {"averageUtilization": used, "averageValue": "50m"}}
    status = {
        "currentReplicas": 2,
        "desiredReplicas": 2,
        "currentMetrics": [{"type": "Resource", "resource": now}],
        "conditions": [{"type": t, "status": s, "reason": "", "message": ""} for t, s in conditions.items()],
    }
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "cart"},
        "minReplicas": least,
        "maxReplicas": most,
        "metrics": [{"type": "Resource", "resource": resource}],
    }
    return {"kind": "HorizontalPodAutoscaler", "metadata": meta("cart"), "spec": spec, "status": status}


def said(*objects: Obj, **labels: str) -> list[str]:
    return [s.summary for s in as_meant(snapshot(*objects), Focus(namespace=NS, labels=labels))]


def test_a_job_whose_second_pod_did_the_work_is_well_though_its_first_is_still_counted() -> None:
    (words,) = said(job(failed=1, succeeded=1, condition="Complete"), job_name=RUN)
    assert words.startswith(f"Job {RUN} is Complete since 2026-03-14T14:40:00Z: 1 pod of it failed")


def test_a_run_that_failed_is_made_up_for_by_the_latest_run_only() -> None:
    failed = job(failed=7, condition="Failed", over=70)
    assert said(failed, job_name=RUN) == []
    (words,) = said(failed, job(LATER, succeeded=1, condition="Complete"), job_name=RUN)
    assert f"{RUN} failed, and its latest run {LATER} is Complete" in words
    assert said(failed, job(LATER, failed=7, condition="Failed"), job_name=RUN) == []


def test_a_job_that_still_tries_is_not_well() -> None:
    assert said(job(failed=1), job_name=RUN) == []


def test_an_autoscaler_whose_replicas_are_fixed_and_enough_is_at_its_maximum_on_purpose() -> None:
    (words,) = said(*app("cart", replicas=2), autoscaler(), horizontalpodautoscaler="cart")
    assert words == (
        "HorizontalPodAutoscaler cart: minReplicas = maxReplicas = 2, and 2 of 2 pods of cart are ready,"
        " cpu at 25% of requests, target 70%."
    )


@pytest.mark.parametrize(
    "wrong",
    [autoscaler(least=1), autoscaler(used=95), autoscaler(ScalingActive="False"), autoscaler(least=3, most=3)],
    ids=["it had room", "usage is above the target", "it sees no metric", "replicas are missing"],
)
def test_an_autoscaler_that_is_short_of_something_is_not_as_meant(wrong: dict[str, Any]) -> None:
    assert said(*app("cart", replicas=2), wrong, horizontalpodautoscaler="cart") == []


def test_what_the_alert_does_not_name_is_not_vouched_for() -> None:
    assert said(job(failed=1, succeeded=1, condition="Complete"), *app("cart", replicas=2), autoscaler()) == []


# --- a quota that is used up ---------------------------------------------------------------------------------------


def quota(used: str = "3") -> Obj:
    status = {"hard": {"services": "3", "pods": "20"}, "used": {"services": used, "pods": "4"}}
    return {"kind": "ResourceQuota", "apiVersion": "v1", "metadata": meta("objects"), "spec": {}, "status": status}


def test_a_quota_that_is_used_up_and_refuses_nothing_is_as_meant() -> None:
    (words,) = said(*app("cart"), quota(), resourcequota="objects")
    assert words == (
        "ResourceQuota objects: services used 3 of 3; nothing is refused, and no workload of shop lacks pods."
    )


def test_a_quota_with_room_or_before_which_somebody_waits_is_not_vouched_for() -> None:
    lacking = [o for o in app("cart") if o["kind"] != "Pod"]
    assert said(*app("cart"), quota("2"), resourcequota="objects") == []
    assert said(*lacking, quota(), resourcequota="objects") == []
    assert said(*app("cart"), quota()) == []


@pytest.mark.parametrize(("condition", "waits"), [("Failed", False), ("Complete", False), ("", True)])
def test_a_job_that_is_over_waits_for_no_pod(condition: str, waits: bool) -> None:
    """It has none that lives; before, a failed run of last year made any full quota look like its obstacle."""
    over = job(failed=1, condition=condition)
    del over["metadata"]["ownerReferences"]
    assert (said(*app("cart"), over, quota(), resourcequota="objects") == []) is waits
