# ruff: noqa: E501  (the wordings of Kubernetes are quoted whole)
"""Configuration and scaling near the onset: which keys were written, which flag, and what is over again.

Shapes: metadata.managedFields (Server-Side Apply reference, FieldsV1), events ScalingReplicaSet of
pkg/controller/deployment/sync.go in both word orders, flagd's flag definitions.
"""

from __future__ import annotations

import pytest

from skills.contract import LogLine, Symptom
from skills.kubernetes.rollouts import changes
from tests.skills.kubernetes.shapes import (
    NODES,
    NOW,
    NS,
    WINDOW,
    Obj,
    ago,
    app,
    causes,
    container,
    deployment,
    event,
    found_in,
    meta,
    pod_spec,
    replica_set,
    service,
    snapshot,
    without,
)


def written(name: str, data: dict[str, str], *keys: str, minutes: float = 8) -> Obj:
    fields = {"f:data": {f"f:{k}": {} for k in keys}}
    managed = [{"manager": "helm", "operation": "Update", "apiVersion": "v1", "time": ago(9000), "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {}}},
               {"manager": "kubectl-edit", "operation": "Update", "apiVersion": "v1", "time": ago(minutes), "fieldsType": "FieldsV1", "fieldsV1": fields}]  # fmt: skip
    return {"kind": "ConfigMap", "apiVersion": "v1", "metadata": meta(name, managedFields=managed), "data": data}


def user(name: str, config: str) -> list[Obj]:
    return app(name, spec=pod_spec(container(image=f"x/{name}:1", envFrom=[{"configMapRef": {"name": config}}])))


def told(*objects: Obj) -> list[Symptom]:
    return [s for s in found_in(*NODES, *objects) if s.analyzer == "kubernetes.configuration"]


def test_the_keys_that_were_written_are_named_with_their_values_and_secrets_are_not() -> None:
    data = {"TIMEOUT_MS": "20", "LOG_LEVEL": "info", "API_TOKEN": "made-up-token-value"}
    best = told(written("cart-config", data, "TIMEOUT_MS", "API_TOKEN"), *user("cart", "cart-config"))[0]
    assert (str(best.entity), best.faults, best.role, best.specificity) == (
        "Deployment shop/cart",
        ("config_value_harmful",),
        "change",
        0.5,
    )
    assert "TIMEOUT_MS = 20" in best.summary
    assert "LOG_LEVEL" not in best.summary
    assert "made-up-token" not in repr(best)
    assert best.change


def test_a_config_of_several_users_is_named_itself() -> None:
    best = told(written("shared", {"A": "1"}, "A"), *user("cart", "shared"), *user("orders", "shared"))[0]
    assert str(best.entity) == "ConfigMap shop/shared"
    assert {v.name for v in best.victims} == {"cart", "orders"}


def test_a_flag_of_its_own_key_is_the_entity_and_a_file_of_flags_is_the_config_map() -> None:
    single = told(
        written("feature-flags", {"new-checkout": "true", "beta": "false"}, "new-checkout"),
        *user("cart", "feature-flags"),
    )[0]
    assert (str(single.entity), single.faults[0], single.specificity) == (
        "feature_flag new-checkout",
        "feature_flag_harmful",
        0.6,
    )
    document = {"flags.yaml": "flags:\n  beta: {enabled: true}\n"}
    reads = app("cart", spec=pod_spec(container(env=[{"name": "FLAGS", "value": "file:///etc/flags/flags.yaml"}])))
    whole = told(written("toggles", document, "flags.yaml"), *reads)[0]
    assert str(whole.entity) == "ConfigMap shop/toggles"
    assert [v.name for v in whole.victims] == ["cart"]


@pytest.mark.parametrize("minutes", [300, 9000])
def test_what_was_written_long_before_is_no_suspect(minutes: float) -> None:
    assert told(written("cart-config", {"A": "1"}, "A", minutes=minutes), *user("cart", "cart-config")) == []


def test_a_config_that_nobody_uses_is_no_suspect() -> None:
    assert told(written("leftover", {"A": "1"}, "A"), *app("cart")) == []


@pytest.mark.parametrize(
    ("down", "up"),
    [
        ("Scaled down replica set cart-5d9c7b to 0 from 2", "Scaled up replica set cart-5d9c7b to 2 from 0"),
        ("Scaled down replica set cart-5d9c7b from 2 to 0", "Scaled up replica set cart-5d9c7b from 0 to 2"),
        ("Scaled down replica set cart-5d9c7b to 0", "Scaled up replica set cart-5d9c7b to 2"),
    ],
)
def test_a_workload_that_was_at_zero_and_is_back_is_over(down: str, up: str) -> None:
    events = [
        event("Deployment", "cart", "ScalingReplicaSet", down, minutes=20, count=1, first=20, warning=False),
        event("Deployment", "cart", "ScalingReplicaSet", up, minutes=12, count=1, first=12, warning=False),
    ]
    best = next(s for s in found_in(*app("cart"), *events) if s.faults == ("scaled_to_zero",))
    assert (str(best.entity), best.ongoing) == ("Deployment shop/cart", False)


def test_a_rollout_is_not_read_as_a_scaling_to_zero() -> None:
    events = [
        event(
            "Deployment",
            "cart",
            "ScalingReplicaSet",
            "Scaled up replica set cart-5d9c7b to 1",
            minutes=20,
            first=20,
            warning=False,
        ),
        event(
            "Deployment",
            "cart",
            "ScalingReplicaSet",
            "Scaled down replica set cart-77aa to 0 from 1",
            minutes=19,
            first=19,
            warning=False,
        ),
        event(
            "Deployment",
            "cart",
            "ScalingReplicaSet",
            "Scaled up replica set cart-5d9c7b to 2 from 1",
            minutes=18,
            first=18,
            warning=False,
        ),
    ]
    assert not [s for s in found_in(*app("cart"), *events) if "scaled_to_zero" in s.faults]


def test_a_deployment_at_zero_for_days_without_callers_is_a_leftover() -> None:
    old = deployment("cart", replicas=0)
    off = [s for s in found_in(old, service("cart")) if s.faults == ("scaled_to_zero",)]
    assert off[0].specificity < 0.5


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"GOMEMLIMIT": "450MiB"}, {"GOMEMLIMIT": "64MiB"}),
        ({"JAVA_OPTS": "-Xmx2g"}, {"JAVA_OPTS": "-Xmx256m"}),
        ({"NODE_OPTIONS": "--max-old-space-size=2048"}, {}),
    ],
)
def test_a_release_that_tunes_the_heap_or_the_collector_is_told_apart_from_other_releases(
    before: dict[str, str], after: dict[str, str]
) -> None:
    def spec(env: dict[str, str]) -> Obj:
        return pod_spec(container(env=[{"name": k, "value": v} for k, v in env.items()]))

    objects = [o for o in app("cart", spec=spec(after)) if o["kind"] != "ReplicaSet"]
    sets = [
        replica_set("cart", "5d9c7b", spec=spec(after), revision=2, age=20),
        replica_set("cart", "77aa", spec=spec(before), replicas=0),
    ]
    told = next(s for s in found_in(*objects, *sets) if s.analyzer == "kubernetes.releases")
    assert (told.faults[0], told.specificity) == ("garbage_collection_stalls", 0.5)


def test_without_the_memory_of_writes_an_old_object_does_not_say_when_its_field_went_wrong() -> None:
    old = service("cart", target=9999)
    assert causes(*without(app("cart"), "Service"), old)[0].onset is None
    young = service("cart", target=9999, age=20)
    assert causes(*without(app("cart"), "Service"), young)[0].onset is not None


def test_a_workload_at_zero_that_somebody_calls_in_vain_is_no_leftover() -> None:
    said = LogLine(NOW, "Error: connect ECONNREFUSED, Redis connection to cart:6379 failed", None, "app")
    off = [deployment("cart", replicas=0), service("cart")]
    quiet = [s for s in found_in(*off) if s.faults == ("scaled_to_zero",)]
    heard = [s for s in found_in(*off, logs={(NS, "web-1", "app", False): (said,)}) if s.faults == ("scaled_to_zero",)]
    assert quiet[0].specificity < 0.5 < heard[0].specificity


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"f:ports": {}}, "Service changed: ports"),
        ({"f:selector": {"f:app": {}}}, "Service changed: selector"),
        ({"f:ports": {}, "f:selector": {}, "f:type": {}}, "Service changed"),
    ],
    ids=["its ports", "its selector", "a whole manifest"],
)
def test_the_part_of_a_service_that_its_last_writer_owns_is_the_part_that_it_changed(fields: Obj, says: str) -> None:
    edited = service("cart")
    edited["metadata"]["managedFields"] = [
        {"manager": "kubectl-edit", "operation": "Update", "apiVersion": "v1", "time": ago(8), "fieldsType": "FieldsV1",
         "fieldsV1": {"f:spec": fields}},
    ]  # fmt: skip
    found = [c.summary for c in changes(snapshot(edited), WINDOW) if c.entity.kind == "Service"]
    assert found == [says]


@pytest.mark.parametrize(
    "file",
    [
        "flags:\n  stacked-vouchers: {enabled: true}\n  dark-theme: {enabled: false}\n",
        "flags:\n  stacked-vouchers:\n    enabled: true\n  dark-theme:\n    enabled: false\n",
        '{"flags": {\n  "stacked-vouchers": {"enabled": true},\n  "dark-theme": {"enabled": false}}}',
    ],
    ids=["flow", "block", "json"],
)
def test_a_flag_that_was_switched_hours_ago_is_told_by_its_name_and_weighs_next_to_nothing(file: str) -> None:
    found = told(written("feature-flags", {"flags.yaml": file}, "flags.yaml", minutes=200))
    assert [(str(s.entity), s.role, s.specificity) for s in found] == [("feature_flag stacked-vouchers", "change", 0.1)]
    assert told(written("feature-flags", {"flags.yaml": file}, "flags.yaml", minutes=2000)) == []
