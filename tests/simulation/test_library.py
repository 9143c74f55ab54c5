"""Every scenario of the library: alert from its world, objects for strict models, a sound truth."""

from __future__ import annotations

import json
from typing import Any

import pytest
from kubernetes import client

from skills.faults import all_faults, fault
from workers.evaluation import predicates
from workers.simulation import names
from workers.simulation.api.resources import resource
from workers.simulation.clock import moment
from workers.simulation.running import Staged, stage
from workers.simulation.scenario import load

MODELS: dict[tuple[str, str, str], Any] = {
    ("", "v1", "pods"): client.V1Pod,
    ("", "v1", "events"): client.CoreV1Event,
    ("", "v1", "services"): client.V1Service,
    ("", "v1", "endpoints"): client.V1Endpoints,
    ("", "v1", "nodes"): client.V1Node,
    ("", "v1", "persistentvolumeclaims"): client.V1PersistentVolumeClaim,
    ("", "v1", "resourcequotas"): client.V1ResourceQuota,
    ("", "v1", "secrets"): client.V1Secret,
    ("apps", "v1", "deployments"): client.V1Deployment,
    ("apps", "v1", "replicasets"): client.V1ReplicaSet,
    ("apps", "v1", "statefulsets"): client.V1StatefulSet,
    ("batch", "v1", "jobs"): client.V1Job,
    ("batch", "v1", "cronjobs"): client.V1CronJob,
    ("autoscaling", "v2", "horizontalpodautoscalers"): client.V2HorizontalPodAutoscaler,
    ("networking.k8s.io", "v1", "networkpolicies"): client.V1NetworkPolicy,
    ("rbac.authorization.k8s.io", "v1", "roles"): client.V1Role,
}


def one_of_each_fault() -> list[str]:
    """The first scenario of each fault, by name: what it does to objects, its others do as well."""
    found: dict[str, str] = {}
    for name in names():
        for each in load(name).faults:
            found.setdefault(each.fault, name)
    return sorted(set(found.values()))


@pytest.mark.parametrize("name", names())
def test_the_alert_follows_from_the_world_and_the_truth_is_in_the_vocabulary(name: str) -> None:
    staged = stage(name)
    now = staged.scene.world.now
    _alert_follows_the_onset(staged, now)
    for cause in staged.truth.causes:
        known = fault(cause.fault)
        assert known.is_cause
        assert known.id == cause.fault_id
        assert cause.evidence
        assert all(predicates.is_checkable(predicate) for predicate in cause.evidence)


@pytest.mark.parametrize("name", one_of_each_fault())
def test_objects_are_for_strict_models_and_no_event_is_from_tomorrow(name: str) -> None:
    staged = stage(name)
    now = staged.scene.world.now
    for (group, version, plural), model in MODELS.items():
        found = resource(group, version, plural)
        assert found
        for each in staged.scene.api.all(found):
            model.from_dict(each)
            text = json.dumps(each)
            assert "Infinity" not in text
            created = each["metadata"]["creationTimestamp"]
            assert moment(created) <= now
    for event in staged.scene.api.all(resource("", "v1", "events")):  # type: ignore[arg-type]
        assert moment(event["firstTimestamp"]) <= moment(event["lastTimestamp"]) <= now


def _alert_follows_the_onset(staged: Staged, now: float) -> None:
    fired = moment(staged.alert["alerts"][0]["startsAt"])
    assert fired <= now
    for cause in staged.truth.causes:
        assert moment(cause.onset) < now
    if len(staged.truth.causes) == 1:
        assert moment(staged.truth.causes[0].onset) <= fired


def test_the_library_covers_every_group_of_causes() -> None:
    leaves = {fault(f.fault).id for n in names() for f in load(n).faults}
    assert {leaf[0] for leaf in leaves} == set("ABCDEFGHIJK")
    assert leaves == {f.id for f in all_faults() if f.is_cause}


def test_the_library_has_every_kind_of_group_l_and_every_axis() -> None:
    kinds = {k for n in names() for k in load(n).kinds} | {"unrelated_change_decoy" for n in names() if load(n).decoys}
    assert kinds == {f.name for f in all_faults() if not f.is_cause}
    assert len(names()) >= 130
