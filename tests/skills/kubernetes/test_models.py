"""What the tests and the simulated company serve is what Kubernetes serves: the official client's strict models accept
all of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.request import urlopen

import pytest

from skills.kubernetes.kinds import IN_NAMESPACE, LEASE, OF_CLUSTER, Kind
from tests.skills.kubernetes import clusters
from tests.skills.kubernetes.server import Cluster, serving
from tests.skills.kubernetes.shapes import Obj
from tests.skills.kubernetes.strict import OF_OTHER_GROUPS, refusal
from workers import simulation


def every_object() -> list[Obj]:
    return [o for objects in clusters.EVERY.values() for o in objects]


@pytest.mark.parametrize("kind", sorted({o["kind"] for o in every_object()} - OF_OTHER_GROUPS))
def test_the_official_models_accept_the_fixtures(kind: str) -> None:
    """What is served over HTTP besides is held to them by the server itself."""
    assert [why for o in every_object() if o["kind"] == kind and (why := refusal(o))] == []


def test_the_official_models_refuse_what_no_cluster_would_send() -> None:
    bare = {"kind": "Pod", "metadata": {"name": "p"}, "spec": {}}
    with pytest.raises(AssertionError, match=r"Pod p: .*containers"), serving(Cluster([bare])):
        pass


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
    wrong = [why for kind, item in found if (why := refusal({**item, "kind": kind.name}))]
    assert wrong[:5] == []
