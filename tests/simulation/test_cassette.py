"""Cassettes give back what was recorded, say what they have not, and never call anybody."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from workers.simulation.cassette import Cassette, CassetteError, Player, Recorder, load
from workers.simulation.faces.exchange import Ask, Reply, as_json
from workers.simulation.faces.serve import Served
from workers.simulation.live import Live, masks


class Counting:
    """A system that answers each time differently."""

    def __init__(self) -> None:
        self.refused: Counter[str] = Counter()
        self.asked: list[Ask] = []

    def answer(self, ask: Ask) -> Reply:
        self.asked.append(ask)
        secret = {"data": {"password": "c2hhbG9tLWFsZWljaGVt"}} if "secrets" in ask.path else {}
        return as_json({"path": ask.path, "asked": len(self.asked), "host": "db.northwind.corp", **secret})


def test_the_same_question_gets_the_same_bytes_however_it_is_written(tmp_path: Path) -> None:
    system, cassette = Counting(), Cassette()
    recorder = Recorder(system, cassette, "elasticsearch")
    first = recorder.answer(Ask("POST", "/logs-*/_search", (("size", "1"), ("q", "x")), body=b'{"a": 1, "b": [2]}'))
    cassette.write(tmp_path / "one.jsonl")
    played = Player(load(tmp_path / "one.jsonl"), "elasticsearch")
    again = played.answer(Ask("POST", "/logs-*/_search", (("q", "x"), ("size", "1")), body=b'{"b":[2],"a":1}'))
    assert again.body == first.body
    assert len(system.asked) == 1


def test_a_question_that_was_not_recorded_is_named_and_goes_nowhere() -> None:
    system, cassette = Counting(), Cassette(name="night.jsonl")
    Recorder(system, cassette, "kubernetes").answer(Ask("GET", "/api/v1/pods"))
    played = Player(cassette, "kubernetes")
    reply = played.answer(Ask("GET", "/api/v1/pods", (("limit", "5"),)))
    assert reply.status == 501
    said = json.loads(reply.body)["error"]
    assert "night.jsonl: no answer of kubernetes to 'GET /api/v1/pods?limit=5'" in said
    assert "it has 'GET /api/v1/pods'" in said
    assert played.refused == {"GET /api/v1/pods?limit=5": 1}
    assert len(system.asked) == 1
    with pytest.raises(CassetteError, match="no answer of loki"):
        cassette.reply("loki", Ask("GET", "/ready"))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda text: text[:-30], "line 3 is damaged"),
        (
            lambda text: text.replace('\\"asked\\":2', '\\"asked\\":9'),
            "line 3 was changed after it was recorded: 'GET /b'",
        ),
        (lambda text: "\n".join(text.splitlines()[:2]) + "\n", "2 exchanges were recorded, and 1 are left"),
        (lambda text: text.replace("gumshoe-cassette-1", "tape"), "line 1 is not the head of a cassette"),
        (lambda text: "", "line 1 is not the head of a cassette"),
    ],
)
def test_a_damaged_cassette_is_refused_with_file_line_and_request(tmp_path: Path, damage, words: str) -> None:  # type: ignore[no-untyped-def]
    system, cassette = Counting(), Cassette()
    for path in ("/a", "/b"):
        Recorder(system, cassette, "github").answer(Ask("GET", path))
    file = tmp_path / "two.jsonl"
    cassette.write(file)
    text = damage(file.read_text())
    file.write_text(text)
    with pytest.raises(CassetteError) as refusal:
        load(file)
    assert words in str(refusal.value)
    assert "two.jsonl" in str(refusal.value)


def test_recording_reads_a_real_server_with_names_and_secrets_masked_and_writes_nothing() -> None:
    system = Counting()
    served = Served({"kubernetes": system})
    try:
        live = Live(served.urls["kubernetes"] + "/", masks({"northwind": "harbourline"}))
        cassette = Cassette()
        recorder = Recorder(live, cassette, "kubernetes")
        reply = recorder.answer(Ask("GET", "/api/v1/namespaces/harbourline/secrets"))
        refused = recorder.answer(Ask("DELETE", "/api/v1/namespaces/harbourline/pods/cart-0"))
        search = recorder.answer(Ask("POST", "/logs/_search", body=b'{"query":"harbourline"}'))
    finally:
        served.close()
    assert system.asked[0].path == "/api/v1/namespaces/northwind/secrets"  # asked by its real name
    body = json.loads(reply.body)
    assert body["host"] == "db.harbourline.corp"
    assert "c2hhbG9t" not in reply.body.decode()
    assert "northwind" not in "".join(e.request + e.reply.body.decode() for e in cassette.of("kubernetes"))
    assert refused.status == 405
    assert "was not passed on" in refused.body.decode()
    assert search.status == 200
    assert [a.method for a in system.asked] == ["GET", "POST"]


def test_a_system_that_does_not_answer_is_an_error_that_names_the_request() -> None:
    served = Served({"gone": Counting()})
    url = served.urls["gone"]
    served.close()
    reply = Live(url, masks({}), timeout_seconds=2).answer(Ask("GET", "/api/v1/pods"))
    assert reply.status == 502
    assert "GET /api/v1/pods: the system did not answer" in reply.body.decode()
