# ruff: noqa: E501  (the wordings of Kubernetes are quoted whole)
"""Ingress, Gateway API and mesh routes: what leads nowhere, and what only looks odd.

Shapes: networking.k8s.io/v1 Ingress and IngressClass; gateway.networking.k8s.io/v1 HTTPRoute and Gateway (reasons in
gateway-api apis/v1/shared_types.go and gateway_types.go); networking.istio.io VirtualService and DestinationRule.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.skills.kubernetes.shapes import (
    NS,
    Obj,
    ago,
    app,
    causes,
    conditions,
    container,
    event,
    leading,
    meta,
    pod_spec,
    replica_set,
    service,
)

NGINX = {
    "kind": "IngressClass",
    "apiVersion": "networking.k8s.io/v1",
    "metadata": meta("nginx", namespace=None),
    "spec": {"controller": "k8s.io/ingress-nginx"},
}
INGRESS = "Ingress shop/edge"


def ingress(*paths: tuple[str, str, Obj], host: str = "", name: str = "edge", **spec: Any) -> Obj:
    """Rules of one host: (path, Service, port)."""
    rule: Obj = {"http": {"paths": [
        {"path": path, "pathType": "Prefix", "backend": {"service": {"name": backend, "port": port}}} for path, backend, port in paths
    ]}}  # fmt: skip
    if host:
        rule["host"] = host
    body = {"ingressClassName": "nginx", "rules": [rule], **spec}
    return {"kind": "Ingress", "apiVersion": "networking.k8s.io/v1", "metadata": meta(name), "spec": body}


PORT = {"number": 8080}


def test_a_backend_that_is_gone_starves_the_service_it_was_meant_for() -> None:
    best = causes(*app("tracking"), NGINX, ingress(("/", "tracking-web", PORT), host="track.example.com"))[0]
    assert (str(best.entity), best.faults[0]) == (INGRESS, "ingress_route_wrong")
    assert {"Service shop/tracking", "Deployment shop/tracking"} <= {str(v) for v in best.victims}
    assert "nearest: tracking" in best.summary


def test_a_route_to_a_service_that_went_from_in_front_of_its_own_pods_is_right_and_the_service_is_gone() -> None:
    without = [o for o in app("cart") if o["kind"] != "Service"]
    route = ingress(("/", "cart", PORT))
    assert leading(*without, NGINX, route) == ("Service shop/cart", "service_deleted")
    assert leading(*app("catalogue"), NGINX, route) == (INGRESS, "ingress_route_wrong")


@pytest.mark.parametrize("port", [{"number": 81}, {"name": "web"}])
def test_a_port_that_the_service_does_not_offer(port: Obj) -> None:
    assert leading(*app("cart"), NGINX, ingress(("/", "cart", port))) == (INGRESS, "ingress_route_wrong")


def test_a_class_that_no_controller_has_and_none_at_all_where_none_is_the_default() -> None:
    wrong = ingress(("/cart", "cart", PORT), ingressClassName="ngnix")
    assert leading(*app("cart"), NGINX, wrong) == (INGRESS, "ingress_route_wrong")
    assert leading(*app("cart"), NGINX, ingress(("/cart", "cart", PORT), ingressClassName=None))[0] == INGRESS


def test_a_class_by_annotation_and_a_served_ingress_are_in_order() -> None:
    annotated = ingress(("/cart", "cart", PORT), ingressClassName=None)
    annotated["metadata"]["annotations"] = {"kubernetes.io/ingress.class": "gce"}
    served = ingress(("/cart", "cart", PORT), ingressClassName="gce", name="other")
    served["status"] = {"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}]}}
    assert causes(*app("cart"), NGINX, annotated, served) == []


def test_an_action_of_the_aws_controller_is_no_missing_service() -> None:
    # kubernetes-sigs/aws-load-balancer-controller, docs/guide/ingress/annotations.md, actions.${action-name}
    redirect = ingress(("/", "ssl-redirect", {"name": "use-annotation"}), ("/cart", "cart", PORT))
    assert causes(*app("cart"), NGINX, redirect) == []


def test_a_gateway_behind_many_paths_is_not_asked_for_its_siblings_names() -> None:
    edge = ingress(("/orders", "edge-gateway", PORT), ("/cart", "edge-gateway", PORT))
    hub = ingress(("/orders", "hub", PORT), ("/cart", "hub", PORT), name="hub")
    assert causes(*app("orders"), *app("cart"), *app("edge-gateway"), *app("hub"), NGINX, edge, hub) == []


def test_an_api_host_that_leads_to_the_api_is_right_although_there_is_a_front_end() -> None:
    api = ingress(("/", "orders", PORT), host="orders.example.com")
    assert causes(*app("orders"), *app("frontend"), NGINX, api) == []
    both = [ingress(("/", "orders", PORT), host="x.example.com"), ingress(("/", "frontend", PORT), name="www")]
    assert causes(*app("orders"), *app("frontend"), NGINX, *both) == []


def test_a_path_that_leads_to_another_service_than_its_namesake() -> None:
    assert leading(*app("orders"), *app("cart"), NGINX, ingress(("/cart", "orders", PORT)))[0] == INGRESS


def test_the_words_of_a_controller_that_cannot_build_the_route() -> None:
    # aws-load-balancer-controller pkg/k8s/events.go: FailedBuildModel
    said = event(
        "Ingress",
        "edge",
        "FailedBuildModel",
        "Failed build model due to couldn't auto-discover subnets: unable to resolve at least one subnet",
    )
    assert leading(*app("cart"), NGINX, ingress(("/cart", "cart", PORT)), said) == (INGRESS, "ingress_route_wrong")


def route(backend: str, port: int = 8080, **states: Any) -> Obj:
    parents = (
        [{"controllerName": "example.com/gateway", "parentRef": {"name": "gw"}, "conditions": conditions(**states)}]
        if states
        else []
    )
    return {"kind": "HTTPRoute", "apiVersion": "gateway.networking.k8s.io/v1", "metadata": meta("edge"),
            "spec": {"parentRefs": [{"name": "gw"}], "rules": [{"backendRefs": [{"name": backend, "port": port}]}]}, "status": {"parents": parents}}  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        route("cart", ResolvedRefs=("False", "BackendNotFound", 'service "shop/gone" not found'), Accepted="True"),
        route("cart", Accepted=("False", "NoMatchingListenerHostname", "there were no hostname intersections")),
        route("gone"),
        route("cart", 81),
    ],
)
def test_a_gateway_route_that_does_not_resolve(wrong: Obj) -> None:
    assert leading(*app("cart"), wrong) == ("HTTPRoute shop/edge", "ingress_route_wrong")


def test_a_gateway_route_that_resolves_and_a_gateway_whose_secret_is_gone() -> None:
    assert causes(*app("cart"), route("cart", ResolvedRefs="True", Accepted="True")) == []
    listener = {
        "name": "https",
        "attachedRoutes": 1,
        "conditions": conditions(ResolvedRefs=("False", "InvalidCertificateRef", "Secret shop/tls not found")),
    }
    gateway = {
        "kind": "Gateway",
        "apiVersion": "gateway.networking.k8s.io/v1",
        "metadata": meta("gw"),
        "spec": {},
        "status": {"listeners": [listener]},
    }
    assert leading(*app("cart"), gateway) == ("Gateway shop/gw", "ingress_route_wrong")


def virtual(host: str, subset: str = "") -> Obj:
    destination = {"host": host, **({"subset": subset} if subset else {})}
    return {"kind": "VirtualService", "apiVersion": "networking.istio.io/v1", "metadata": meta("cart"),
            "spec": {"hosts": ["cart"], "http": [{"route": [{"destination": destination}]}]}}  # fmt: skip


def test_a_mesh_route_to_a_subset_or_host_that_nobody_defines() -> None:
    rule = {"kind": "DestinationRule", "apiVersion": "networking.istio.io/v1", "metadata": meta("cart"),
            "spec": {"host": f"cart.{NS}.svc.cluster.local", "subsets": [{"name": "v1", "labels": {"app": "cart"}}, {"name": "v4", "labels": {"version": "v4"}}]}}  # fmt: skip
    assert leading(*app("cart"), rule, virtual("cart", "v2")) == ("VirtualService shop/cart", "ingress_route_wrong")
    assert leading(*app("cart"), rule, virtual("basket")) == ("VirtualService shop/cart", "ingress_route_wrong")
    nobody = causes(*app("cart"), rule, virtual("cart", "v4"))[0]
    assert (str(nobody.entity), "version=v4" in nobody.summary) == ("VirtualService shop/cart", True)
    assert causes(*app("cart"), rule, virtual("cart", "v1"), virtual("payments.example.com")) == []


def test_a_default_backend_that_is_gone() -> None:
    default = {"service": {"name": "fallback", "port": {"number": 80}}}
    assert leading(*app("cart"), NGINX, ingress(("/cart", "cart", PORT), defaultBackend=default)) == (
        INGRESS,
        "ingress_route_wrong",
    )
    assert (
        causes(*app("cart"), service("fallback", selector={}, port=80), NGINX, ingress(("/cart", "cart", PORT))) == []
    )


@pytest.mark.parametrize(("rolled", "since"), [(6, 6), (20000, 9000)])
def test_a_service_is_wrong_since_the_rollout_that_moved_the_port_behind_it(rolled: float, since: float) -> None:
    ports = {"old": [{"name": "http", "containerPort": 8080}], "new": [{"name": "public", "containerPort": 8080}]}
    before, after = (pod_spec(container(port=None, ports=ports[k])) for k in ("old", "new"))
    objects = app("web", spec=after, suffix="6f8d9c", age=min(rolled, 9000))
    sets = next(o for o in objects if o["kind"] == "ReplicaSet")
    revision = {"deployment.kubernetes.io/revision": "2"}
    sets["metadata"] |= {"creationTimestamp": ago(rolled), "annotations": revision}
    made = next(o for o in objects if o["kind"] == "Service")
    made["spec"]["ports"][0]["targetPort"] = "http"
    owned = {"f:spec": {"f:ports": {}}}
    made["metadata"]["managedFields"] = [
        {"manager": "kubectl", "operation": "Update", "time": ago(9000), "fieldsV1": owned}
    ]
    found = causes(*objects, replica_set("web", "5d9c7b", spec=before, replicas=0, revision=1))
    (wrong,) = [s for s in found if s.faults[0] == "service_target_port_wrong"]
    assert wrong.onset is not None
    assert f"{wrong.onset:%Y-%m-%dT%H:%M:%SZ}" == ago(since)
