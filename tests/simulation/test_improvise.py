"""Replies beyond the faces: checked against the world, recorded, and the same for ever after; also without a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workers.llm.scripted import Scripted
from workers.simulation.cassette import Cassette, load
from workers.simulation.faces.exchange import Ask
from workers.simulation.improvise import Improvising
from workers.simulation.running import Staged, stage


@pytest.fixture(scope="module")
def world() -> Staged:
    return stage("oom-after-deploy")


def says(*replies: tuple[int, Any]) -> Scripted:
    return Scripted([[{"type": "tool_use", "name": "answer", "input": {"status": s, "body": b}}] for s, b in replies])


OWNER = Ask("GET", "/api/v2/services/cart")


def test_a_reply_that_agrees_with_the_world_is_taken_and_then_given_back_without_a_model(
    world: Staged, tmp_path: Path
) -> None:
    cassette = Cassette()
    body = {"name": "cart", "namespace": "shop", "tier": 1, "onCall": "cart"}
    face = Improvising(world.scene, "catalogue", cassette, model=says((200, body)))
    first = face.answer(OWNER)
    assert json.loads(first.body) == body
    cassette.write(tmp_path / "c.jsonl")
    later = Improvising(world.scene, "catalogue", load(tmp_path / "c.jsonl"), model=says((500, {})))
    assert later.answer(OWNER) == first


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"service": "basket"}, "there is no service called 'basket'"),
        ({"pod": "cart-5d9f-abcde"}, "there is no pod called"),
        ({"namespace": "shop-eu"}, "there is no namespace called"),
        ({"lastSeen": "2026-11-24T15:00:00Z"}, "which is after now"),
        ({"kind": "Deployment", "name": "payment", "replicas": 17}, "replicas of Deployment payment is 3, not 17"),
        ({"url": "http://localhost:8080"}, "the reader's own machine"),
        ({"note": "demo environment"}, "a name that nobody uses"),
        ({"peer": "10.99.3.4"}, "in no network of the cluster"),
    ],
)
def test_a_contradiction_is_told_to_the_model_which_may_try_once_more(
    world: Staged, body: dict[str, Any], words: str
) -> None:
    model = says((200, body), (200, {"name": "cart", "owner": "cart"}))
    face = Improvising(world.scene, "catalogue", Cassette(), model=model)
    assert json.loads(face.answer(OWNER).body) == {"name": "cart", "owner": "cart"}
    assert model.calls == 2
    assert words in " ".join(face.dropped)


def test_after_two_contradictions_the_facts_answer(world: Staged) -> None:
    wrong = {"kind": "Deployment", "name": "cart", "replicas": 40}
    face = Improvising(world.scene, "catalogue", Cassette(), model=says((200, wrong), (200, wrong)))
    body = json.loads(face.answer(OWNER).body)
    assert {each["kind"] for each in body["items"]} >= {"Deployment", "Service", "service"}
    assert next(e for e in body["items"] if e["kind"] == "Deployment")["replicas"] == 3


def test_what_was_said_before_stays_so(world: Staged) -> None:
    cassette = Cassette()
    Improvising(world.scene, "tickets", cassette, model=says((200, {"id": "OPS-311", "status": "open"}))).answer(
        Ask("GET", "/tickets/OPS-311")
    )
    model = says((200, [{"id": "OPS-311", "status": "closed"}]), (200, [{"id": "OPS-311", "status": "open"}]))
    face = Improvising(world.scene, "tickets", cassette, model=model)
    assert json.loads(face.answer(Ask("GET", "/tickets")).body) == [{"id": "OPS-311", "status": "open"}]
    assert "was 'open' before" in face.dropped[0]


def test_without_a_model_the_facts_answer_and_what_they_do_not_have_is_not_found(world: Staged) -> None:
    face = Improvising(world.scene, "catalogue", Cassette())
    node = next(iter(world.scene.world.nodes))
    assert json.loads(face.answer(Ask("GET", f"/hosts/{node}")).body)["name"] == node
    assert face.answer(Ask("GET", "/api/v2/teams/nobody")).status == 404
    assert face.answer(Ask("POST", "/api/v2/services", body=b"{}")).status == 405


def test_what_the_face_does_itself_is_not_improvised(world: Staged) -> None:
    model = says()
    face = Improvising(world.scene, "kubernetes", Cassette(), inner=world.faces["kubernetes"], model=model)
    assert json.loads(face.answer(Ask("GET", "/api/v1/namespaces")).body)["kind"] == "NamespaceList"
    assert model.calls == 0
    beyond = face.answer(Ask("GET", "/openapi/v3"))
    assert beyond.status == 404
    assert len(face._cassette) == 1
