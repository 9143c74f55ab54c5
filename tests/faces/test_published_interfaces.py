"""The simulated Alertmanager and Argo CD, held to the interface files that their makers publish."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError

import pytest

from tests.faces.published import Json, interface, problems
from workers.simulation import Running, start

pytestmark = pytest.mark.faces

WORLDS = ("oom-after-deploy", "two-at-once", "poison-message")


@pytest.fixture(scope="module", params=WORLDS)
def world(request: pytest.FixtureRequest) -> Iterator[Running]:
    running = start(request.param, skills=("prometheus", "changes"))
    yield running
    running.close()


@pytest.fixture(scope="module")
def alertmanager() -> Json:
    """Of the version that the face says it is."""
    return interface("github.com/prometheus/alertmanager", "v0.27.0", "api/v2/openapi.yaml")


@pytest.fixture(scope="module")
def argocd() -> Json:
    return interface("github.com/argoproj/argo-cd/v2", "v2.13.9", "assets/swagger.json")


def got(world: Running, face: str, path: str) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(world.urls[face] + path) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        return error.code, json.load(error)


def test_the_check_finds_what_is_not_as_published(world: Running, alertmanager: Json) -> None:
    one = got(world, "alertmanager", "/api/v2/alerts")[1][0]
    assert problems(alertmanager, "gettableAlert", one) == []
    assert problems(alertmanager, "gettableAlert", {k: v for k, v in one.items() if k != "fingerprint"})
    assert problems(alertmanager, "gettableAlert", {**one, "finger_print": "0"})
    assert problems(alertmanager, "gettableAlert", {**one, "status": {**one["status"], "state": "asleep"}})


@pytest.mark.parametrize(
    ("path", "definition", "many"),
    [
        ("alerts", "gettableAlert", True),
        ("alerts?filter=severity%21%3D%22%22", "gettableAlert", True),
        ("alerts/groups", "alertGroup", True),
        ("silences", "gettableSilence", True),
        ("receivers", "receiver", True),
        ("status", "alertmanagerStatus", False),
    ],
)
def test_alertmanager_answers_as_published(
    world: Running, alertmanager: Json, path: str, definition: str, many: bool
) -> None:
    status, body = got(world, "alertmanager", f"/api/v2/{path}")
    assert (status, problems(alertmanager, definition, body, many=many)) == (200, [])
    assert body


def test_alertmanager_shows_each_silence_as_published(world: Running, alertmanager: Json) -> None:
    for silence in got(world, "alertmanager", "/api/v2/silences")[1]:
        status, body = got(world, "alertmanager", f"/api/v2/silence/{silence['id']}")
        assert (status, problems(alertmanager, "gettableSilence", body)) == (200, [])


def test_argocd_answers_as_published(world: Running, argocd: Json) -> None:
    status, listed = got(world, "argocd", "/api/v1/applications")
    assert (status, problems(argocd, "v1alpha1ApplicationList", listed)) == (200, [])
    revisions = 0
    for app in listed["items"]:
        name = app["metadata"]["name"]
        status, one = got(world, "argocd", f"/api/v1/applications/{name}")
        assert (status, problems(argocd, "v1alpha1Application", one)) == (200, [])
        for entry in one["status"]["history"]:
            path = f"/api/v1/applications/{name}/revisions/{entry['revision']}/metadata"
            status, metadata = got(world, "argocd", path)
            assert (status, problems(argocd, "v1alpha1RevisionMetadata", metadata)) == (200, [])
            revisions += 1
    assert problems(argocd, "versionVersionMessage", got(world, "argocd", "/api/version")[1]) == []
    assert len(listed["items"]) > 10
    assert revisions > 10


def test_argocd_refuses_as_grpc_gateway_does(world: Running, argocd: Json) -> None:
    for path in ("/api/v1/applications/nobody", "/api/v1/nothing"):
        status, body = got(world, "argocd", path)
        assert status in (403, 404)
        assert set(body) <= set(argocd["definitions"]["runtimeError"]["properties"])
    name = got(world, "argocd", "/api/v1/applications")[1]["items"][0]["metadata"]["name"]
    sync = urllib.request.Request(f"{world.urls['argocd']}/api/v1/applications/{name}/sync", b"{}", method="POST")
    with pytest.raises(HTTPError) as denied:
        urllib.request.urlopen(sync)
    assert denied.value.code == 403
    assert json.load(denied.value)["code"] == 7
