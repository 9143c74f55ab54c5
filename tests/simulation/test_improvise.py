"""Replies beyond the faces: checked against the world, recorded, and the same for ever after; also without a model."""

from __future__ import annotations

import json
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from config.customers import Customer
from skills.contract import Focus, SkillContext, Window
from skills.mcp.tools import Mcp
from skills.registry import toggles
from workers.agent import connect_all
from workers.llm.scripted import Scripted
from workers.simulation import start
from workers.simulation.cassette import Cassette, load
from workers.simulation.contradictions import contradictions
from workers.simulation.faces.exchange import Ask
from workers.simulation.improvise import Beyond, Improvising
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
    face = Improvising(world.scene, "catalogue", Beyond(cassette, says((200, body))))
    first = face.answer(OWNER)
    assert json.loads(first.body) == body
    cassette.write(tmp_path / "c.jsonl")
    later = Improvising(world.scene, "catalogue", Beyond(load(tmp_path / "c.jsonl"), says((500, {}))))
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
    face = Improvising(world.scene, "catalogue", Beyond(Cassette(), model))
    assert json.loads(face.answer(OWNER).body) == {"name": "cart", "owner": "cart"}
    assert model.calls == 2
    assert words in " ".join(face.dropped)


def test_after_two_contradictions_the_facts_answer(world: Staged) -> None:
    wrong = {"kind": "Deployment", "name": "cart", "replicas": 40}
    face = Improvising(world.scene, "catalogue", Beyond(Cassette(), says((200, wrong), (200, wrong))))
    body = json.loads(face.answer(OWNER).body)
    assert {each["kind"] for each in body["items"]} >= {"Deployment", "Service", "service"}
    assert next(e for e in body["items"] if e["kind"] == "Deployment")["replicas"] == 3


def test_what_was_said_before_stays_so(world: Staged) -> None:
    cassette = Cassette()
    Improvising(world.scene, "tickets", Beyond(cassette, says((200, {"id": "OPS-311", "status": "open"})))).answer(
        Ask("GET", "/tickets/OPS-311")
    )
    model = says((200, [{"id": "OPS-311", "status": "closed"}]), (200, [{"id": "OPS-311", "status": "open"}]))
    face = Improvising(world.scene, "tickets", Beyond(cassette, model))
    assert json.loads(face.answer(Ask("GET", "/tickets")).body) == [{"id": "OPS-311", "status": "open"}]
    assert "was 'open' before" in face.dropped[0]


def test_without_a_model_the_facts_answer_and_what_they_do_not_have_is_not_found(world: Staged) -> None:
    face = Improvising(world.scene, "catalogue", Beyond(Cassette()))
    node = next(iter(world.scene.world.nodes))
    assert json.loads(face.answer(Ask("GET", f"/hosts/{node}")).body)["name"] == node
    assert face.answer(Ask("GET", "/api/v2/teams/nobody")).status == 404
    assert face.answer(Ask("POST", "/api/v2/services", body=b"{}")).status == 405


def test_what_the_face_does_itself_is_not_improvised(world: Staged) -> None:
    model = says()
    face = Improvising(world.scene, "kubernetes", Beyond(Cassette(), model), inner=world.faces["kubernetes"])
    assert json.loads(face.answer(Ask("GET", "/api/v1/namespaces")).body)["kind"] == "NamespaceList"
    assert model.calls == 0
    beyond = face.answer(Ask("GET", "/openapi/v3"))
    assert beyond.status == 404
    assert len(face._cassette) == 1


def test_what_the_library_keeps_of_improvised_replies_agrees_with_its_worlds() -> None:
    kept = sorted(Path(str(files("workers.simulation"))).glob("improvised/*.jsonl"))
    assert kept
    for path in kept:
        scene = stage(path.stem).scene
        for exchange in load(path).of("catalogue"):
            assert contradictions(scene, json.loads(exchange.reply.body), []) == [], exchange.request


def test_an_mcp_server_speaks_the_protocol_and_its_tools_answer_what_was_improvised_or_the_facts() -> None:
    running = start("weather-stays-away")
    try:
        customer = Customer(name="freight", skills={"mcp": running.skills["mcp"]})
        (mcp,) = connect_all(customer, toggles(customer), lambda name: None)
        assert isinstance(mcp.skill, Mcp)
        names = [tool.name for tool in mcp.skill.tools]
        assert names == [
            "mcp_catalogue_get_component",
            "mcp_catalogue_list_components",
            "mcp_catalogue_provider_status",
        ]
        status = mcp.skill.tools[2]
        window = Window(running.now - timedelta(hours=1), running.now)
        context = SkillContext(Focus(), running.now, window, window.before(3600))
        said = status.run(status.input.model_validate({"name": "weather"}), context)
        assert "fail with HTTP 503" in (said.full or "")
        of_facts = status.run(status.input.model_validate({"name": "portgate"}), context)
        assert '"status":"operational"' in (of_facts.full or "")
    finally:
        running.close()
