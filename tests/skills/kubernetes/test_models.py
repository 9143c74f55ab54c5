"""What the tests and the simulated company serve is what Kubernetes serves: the official client's strict models accept
all of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.request import urlopen

import pytest
from kubernetes import client

from skills.kubernetes.kinds import IN_NAMESPACE, LEASE, OF_CLUSTER, Kind
from tests.skills.kubernetes import clusters
from tests.skills.kubernetes.shapes import Obj
from workers import simulation

_OF_OTHER_GROUPS = {
    "Certificate", "CiliumNetworkPolicy", "HTTPRoute", "Gateway", "VirtualService", "DestinationRule",
    "AuthorizationPolicy", "PeerAuthentication",
}  # fmt: skip
"""Kinds of custom resources: the client has no models of them."""
_NAMES = {"Event": "CoreV1Event", "HorizontalPodAutoscaler": "V2HorizontalPodAutoscaler"}


def model(kind: str) -> Any:
    return getattr(client, _NAMES.get(kind, f"V1{kind}"))


def every_object() -> list[Obj]:
    return [o for objects in clusters.EVERY.values() for o in objects]


@pytest.mark.parametrize("kind", sorted({o["kind"] for o in every_object()} - _OF_OTHER_GROUPS))
def test_the_official_models_accept_the_fixtures(kind: str) -> None:
    for obj in (o for o in every_object() if o["kind"] == kind):
        try:
            assert model(kind).from_dict(json.loads(json.dumps(obj))) is not None
        except ValueError as error:
            raise AssertionError(f"{kind} {obj['metadata']['name']}: {error}") from error


def listed(url: str) -> Iterator[tuple[Kind, Obj]]:
    for kind in (*IN_NAMESPACE, *OF_CLUSTER, LEASE):
        with urlopen(f"{url}{kind.path()}?limit=2000") as answer:
            for item in json.load(answer)["items"]:
                yield kind, item


@pytest.mark.parametrize("scenario", ["selector-mismatch", "reconcile-fails"])
def test_the_official_models_accept_the_simulated_company(scenario: str) -> None:
    world = simulation.start(scenario)
    try:
        found = list(listed(str(world.skills["kubernetes"]["url"])))
    finally:
        world.close()
    assert len({kind.name for kind, _ in found}) > 15
    wrong = []
    for kind, item in found:
        try:
            model(kind.name).from_dict(item)
        except ValueError as error:
            wrong.append(f"{kind.name} {item['metadata']['name']}: {' '.join(str(error).split())[:200]}")
    assert wrong[:5] == []
