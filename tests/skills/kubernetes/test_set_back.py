"""A StatefulSet whose template was put right while its broken pod stays, as a real controller (1.34) leaves it."""

from __future__ import annotations

from typing import Any

import pytest

from skills.contract import Symptom
from tests.skills.kubernetes.shapes import (
    UNREADY,
    Obj,
    ago,
    causes,
    container,
    meta,
    owner,
    pod,
    pod_spec,
    template,
    waiting,
)

GOOD, BAD = "registry.example.com/postgres:16.4", "registry.example.com/postgres:16.44"
OLD = 60 * 24 * 9


def revision(name: str, number: int, image: str, age: float) -> Obj:
    data = {"spec": {"template": template({"app": "db"}, pod_spec(container("db", image=image)))}}
    about = meta(name, age=age, labels={"app": "db"}, ownerReferences=owner("StatefulSet", "db"))
    return {"kind": "ControllerRevision", "apiVersion": "apps/v1", "revision": number, "data": data, "metadata": about}


def stateful(image: str, update: str, current: str, written: float) -> Obj:
    owned = {"f:spec": {"f:template": {}}}
    write = {"manager": "kubectl-set", "operation": "Update", "time": ago(written), "fieldsV1": owned}
    made = template({"app": "db"}, pod_spec(container("db", image=image)))
    return {
        "kind": "StatefulSet",
        "apiVersion": "apps/v1",
        "metadata": meta("db", age=OLD, managedFields=[write]),
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "db"}}, "template": made},
        "status": {"replicas": 1, "readyReplicas": 0, "updateRevision": update, "currentRevision": current},
    }


def stuck(image: str, of: str, words: str) -> Obj:
    labels = {"app": "db", "controller-revision-hash": of}
    return pod(
        "db-0",
        labels=labels,
        owners=owner("StatefulSet", "db"),
        spec=pod_spec(container("db", image=image)),
        statuses=[waiting("ImagePullBackOff", f'Back-off pulling image "{image}": ErrImagePull: {words}', name="db")],
        conds=UNREADY,
        age=6,
    )


ABSENT = f"failed to resolve reference: {BAD}: not found"


def said(*objects: Obj) -> dict[str, Symptom]:
    found: dict[str, Symptom] = {}
    for each in causes(*objects):
        found.setdefault(each.faults[0], each)
    return found


def test_a_pod_of_the_revision_in_between_waits_for_ever_and_its_image_did_not_come_by_the_rollback() -> None:
    revisions = [revision("db-a", 3, GOOD, OLD), revision("db-b", 2, BAD, 8)]
    found = said(stateful(GOOD, "db-a", "db-a", 5), stuck(BAD, "db-b", ABSENT), *revisions)
    pulled = found["image_not_found"]
    assert f"revision 3 went back to {GOOD}, but this pod is not replaced" in pulled.summary
    assert pulled.change is None
    assert pulled.onset is not None
    assert f"{pulled.onset:%Y-%m-%dT%H:%M:%SZ}" == ago(6)
    assert "wants revision db-a, but pod db-0 of db-b" in found["rollout_deadlocked"].summary


def test_a_pod_of_the_wanted_revision_that_fails_is_no_deadlock() -> None:
    revisions = [revision("db-a", 1, GOOD, OLD), revision("db-b", 2, BAD, 8)]
    found = said(stateful(BAD, "db-b", "db-a", 8), stuck(BAD, "db-b", ABSENT), *revisions)
    assert f"the image went {GOOD} -> {BAD} in revision 2" in found["image_not_found"].summary
    assert "rollout_deadlocked" not in found


def test_a_revision_that_came_back_is_as_new_as_the_write_that_brought_it() -> None:
    from_bad_to_good: dict[str, Any] = stateful(GOOD, "db-a", "db-a", 5)
    words = "failed to authorize: 401 Unauthorized"
    revisions = [revision("db-a", 3, GOOD, OLD), revision("db-b", 2, BAD, 8)]
    (pulled,) = [
        s for s in causes(from_bad_to_good, stuck(GOOD, "db-a", words), *revisions) if s.analyzer == "kubernetes.images"
    ]
    assert pulled.onset is not None
    assert f"{pulled.onset:%Y-%m-%dT%H:%M:%SZ}" == ago(5)


@pytest.mark.parametrize(
    ("before", "to_blame"), [("registry.one/db:1", "rollout/shop/db/2"), ("registry.two/db:1", None)]
)
def test_a_new_tag_of_the_same_registry_takes_no_credentials_away(before: str, to_blame: str | None) -> None:
    image, words = "registry.two/db:2", "failed to authorize: failed to fetch anonymous token: 401 Unauthorized"
    revisions = [revision("db-a", 1, before, OLD), revision("db-b", 2, image, 8)]
    found = said(stateful(image, "db-b", "db-a", 8), stuck(image, "db-b", words), *revisions)
    assert found["registry_credentials_missing"].change == to_blame
