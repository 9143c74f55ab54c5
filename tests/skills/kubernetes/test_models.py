"""What the tests serve is what Kubernetes serves: the official client's strict models accept all of it."""

from __future__ import annotations

import json

import pytest
from kubernetes import client

from tests.skills.kubernetes import test_analyzers as shapes_in_use
from tests.skills.kubernetes.shapes import NODES, Obj
from tests.skills.kubernetes.test_healthy import shop

_OURS = {"Certificate"}


def every_object() -> list[Obj]:
    pending = shapes_in_use.pending("0/3 nodes are available: 3 Insufficient cpu.")
    policies = [shapes_in_use.DENY, shapes_in_use.ingress("cart"), shapes_in_use.NGINX, shapes_in_use.STANDARD]
    storage = [shapes_in_use.claim(storageClassName="fast"), shapes_in_use.volume("v")]
    crashing = shapes_in_use.second_revision(shapes_in_use.oom("128Mi", 6, 5), shapes_in_use.limited("512Mi"))
    bare = [o for o in shop() if o["metadata"]["name"] != "bare"]
    return [*NODES, *bare, *pending, *policies, *storage, *crashing, *shapes_in_use.refused("exceeded quota")]


@pytest.mark.parametrize("kind", sorted({o["kind"] for o in every_object()} - _OURS))
def test_the_official_models_accept_the_fixtures(kind: str) -> None:
    name = {"Event": "CoreV1Event", "HorizontalPodAutoscaler": "V2HorizontalPodAutoscaler"}.get(kind, f"V1{kind}")
    model = getattr(client, name)
    for obj in (o for o in every_object() if o["kind"] == kind):
        assert model.from_dict(json.loads(json.dumps(obj))) is not None
