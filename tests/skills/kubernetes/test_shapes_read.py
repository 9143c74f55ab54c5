# ruff: noqa: E501  (the wordings of Kubernetes are quoted whole)
"""Small words that everything rests on: events in both shapes, quantities, templates compared, addresses understood."""

from __future__ import annotations

import json
from typing import Any

import pytest

from skills import manifest
from skills.kubernetes import events, references, unschedulable
from skills.kubernetes.differences import drift, of_templates
from skills.kubernetes.objects import time_of
from skills.kubernetes.quantities import quantity
from tests.skills.kubernetes.shapes import NOW, ago, app, container, meta, pod_spec, service, snapshot, template


def test_an_event_of_the_newer_api_reads_like_one_of_the_older() -> None:
    # events.k8s.io/v1: regarding, note, eventTime, series (API reference, Event v1 events.k8s.io).
    raw = {"metadata": meta("e"), "regarding": {"kind": "Pod", "name": "p", "namespace": "shop"}, "note": "0/3 nodes", "reason": "FailedScheduling",
           "type": "Warning", "eventTime": "2026-03-14T14:00:00.000000Z", "series": {"count": 7, "lastObservedTime": "2026-03-14T14:59:00.000000Z"}}  # fmt: skip
    event = events.read(raw)
    assert (event.kind, event.message, event.count) == ("Pod", "0/3 nodes", 7)
    assert event.last is not None
    assert (NOW - event.last).total_seconds() == 60


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("128Mi", 128 * 2**20),
        ("250m", 0.25),
        ("1e3", 1000),
        ("0.5", 0.5),
        (2, 2),
        ("2k", 2000),
        ("x", None),
        (None, None),
        ("", None),
    ],
)
def test_quantities_are_read_as_the_api_writes_them(written: object, value: float | None) -> None:
    assert quantity(written) == value


def test_differences_are_told_in_an_engineers_words_and_secrets_are_not() -> None:
    before = pod_spec(container(env=[{"name": "A", "value": "1"}, {"name": "DB_PASSWORD", "value": "made-up-old"}]))
    after = pod_spec(
        container(image="registry.example.com/shop/cart:1.4.2", env=[{"name": "DB_PASSWORD", "value": "made-up-new"}])
    )
    told = [str(d) for d in of_templates(template({"app": "x"}, before), template({"app": "x"}, after))]
    assert told[0] == "app image registry.example.com/shop/cart:1.4.1 -> registry.example.com/shop/cart:1.4.2"
    assert "app env A 1 -> (removed)" in told
    assert "made-up" not in " ".join(told)


def test_a_service_that_departs_from_its_manifest_says_where() -> None:
    applied = {"ports": [{"port": 9090, "targetPort": 9090, "protocol": "TCP"}], "selector": {"app": "cart"}}
    edited = service("cart", port=9090, target=9999, applied=applied)
    assert [str(d) for d in drift(edited)] == ["ports.9090.targetPort 9090 -> 9999"]
    assert drift(service("cart", port=9090, applied=applied)) == []


@pytest.mark.parametrize(
    ("value", "key", "found"),
    [
        ("http://cart:8080/api", "X", [("cart", 8080)]),
        ("postgres://shop:made-up@db.data.svc.cluster.local:5432/x", "X", [("db.data.svc.cluster.local", 5432)]),
        ("user:made-up@tcp(mysql:3306)/shop", "DSN", [("mysql", 3306)]),
        ('{"GeoMongoAddress": "mongodb-geo:27017", "consulAddress": "consul:8500"}', "config.json", [("mongodb-geo", 27017), ("consul", 8500)]),
        ('"user-service": {"addr": "user-service", "port": 9090}', "service-config.json", [("user-service", 9090)]),
        ("cart", "CART_HOST", [("cart", None)]),
        ("cart", "COLOR", []),
        ("10.0.0.1:80", "X", []),
        ("info", "LOG_SERVER", []),
    ],
)  # fmt: skip
def test_addresses_are_found_where_programs_keep_them(
    value: str, key: str, found: list[tuple[str, int | None]]
) -> None:
    assert [(h, p) for h, p, _ in references.addresses(value, key)] == found


def test_names_are_understood_as_cluster_dns_does() -> None:
    shop = snapshot(*app("cart"), {"kind": "Namespace", "metadata": {"name": "data"}})
    told = {
        h: references.understand(shop, h, "shop") for h in ("cart", "db.data", "db.data.svc", "p-0.cart", "example.com")
    }
    assert {h: (t.service, t.namespace) if t else None for h, t in told.items()} == {
        "cart": ("cart", "shop"), "db.data": ("db", "data"), "db.data.svc": ("db", "data"), "p-0.cart": ("cart", "shop"), "example.com": None,
    }  # fmt: skip


def test_the_schedulers_message_is_counts_per_reason() -> None:
    words = "0/5 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 3 Insufficient cpu, 1 node(s) were unschedulable. preemption: 0/5 nodes are available: 5 No preemption victims found for incoming pod."
    assert [(r.kind, r.count, r.is_control_plane) for r in unschedulable.reasons(words)] == [
        ("taint", 1, True),
        ("cpu", 3, False),
        ("cordoned", 1, False),
    ]


def test_a_container_that_never_started_has_no_time() -> None:
    assert time_of("1970-01-01T00:00:00Z") is None
    assert time_of(ago(5)) is not None


def test_the_advice_to_the_model_is_short() -> None:
    assert len(manifest.load("kubernetes").advice.encode()) / 4 < 250


def test_limits_given_for_the_first_time_and_taken_away_are_told_one_by_one() -> None:
    bare, bound = pod_spec(), pod_spec(container(resources={"limits": {"memory": "64Mi"}}))
    given = [str(d) for d in of_templates(template({}, bare), template({}, bound))]
    taken = [str(d) for d in of_templates(template({}, bound), template({}, bare))]
    assert given == ["app limits.memory (none) -> 64Mi"]
    assert taken == ["app limits.memory 64Mi -> (removed)"]


def test_what_the_server_fills_into_a_claim_template_is_no_drift() -> None:
    """As kube-apiserver 1.34 stores a StatefulSet that was applied without them."""
    claim = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "fast"}}
    stored = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {**claim["spec"], "volumeMode": "Filesystem"},
        "status": {"phase": "Pending"},
    }
    kept = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps({"spec": {"volumeClaimTemplates": [claim]}})}
    live: dict[str, Any] = {"metadata": {"annotations": kept}, "spec": {"volumeClaimTemplates": [stored]}}
    assert drift(live) == []
    stored["spec"]["storageClassName"] = "slow"
    assert [str(d) for d in drift(live)] == ["volumeClaimTemplates.spec.storageClassName fast -> slow"]


def test_a_restart_of_a_template_that_had_no_annotations_changes_nothing_else() -> None:
    """`kubectl rollout restart` writes the first annotation of many a template."""
    before = {"metadata": {"labels": {"app": "cart"}}, "spec": pod_spec()}
    stamp = {"kubectl.kubernetes.io/restartedAt": "2026-03-14T14:41:00Z"}
    restarted = {"metadata": {"labels": {"app": "cart"}, "annotations": stamp}, "spec": pod_spec()}
    assert of_templates(before, restarted) == []
    marked = {**restarted, "metadata": {**restarted["metadata"], "annotations": {**stamp, "sidecar": "off"}}}
    assert [str(d) for d in of_templates(before, marked)] == ["annotation sidecar (none) -> off"]
