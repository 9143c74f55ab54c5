"""The simulated Elasticsearch and a real search node, asked the same over the same documents, give equal answers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from config.customers import Customer
from skills import registry
from skills.contract import FirstLook, Focus, SkillContext, Window
from tests.faces.conftest import free_port, running
from workers.simulation.faces.exchange import Ask, Face, Reply
from workers.simulation.faces.serve import Served
from workers.simulation.running import Staged, stage

pytestmark = pytest.mark.faces
PAGE = 5000
INDEX = "logs-all"


@dataclass
class Both:
    staged: Staged
    simulated: Face
    real: str
    """Address of a node that holds the same documents."""


class Recording:
    """A face that remembers what it was asked."""

    def __init__(self, face: Face) -> None:
        self._face, self.refused = face, face.refused
        self.asked: list[Ask] = []

    def answer(self, ask: Ask) -> Reply:
        self.asked.append(ask)
        return self._face.answer(ask)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an empty search node, built from Maven's artifacts."""
    if not shutil.which("mvn") or not shutil.which("java"):
        pytest.skip("mvn or java is not here: the search node is built from Maven's artifacts")
    kept = Path(os.environ.get("GUMSHOE_FACES_BUILD", "") or tmp_path_factory.mktemp("build"))
    shutil.copytree(Path(__file__).parent / "opensearch", kept, dirs_exist_ok=True)
    build = ["mvn", "-q", "-B", "package", "dependency:build-classpath", "-Dmdep.outputFile=classpath"]
    subprocess.run(build, cwd=kept, check=True)
    home, port = tmp_path_factory.mktemp("search"), free_port()
    (home / "config").mkdir()
    path = f"{kept / 'target/classes'}:{(kept / 'classpath').read_text()}"
    url = f"http://127.0.0.1:{port}"
    with running(["java", "-Xmx1g", "-cp", path, "Search", str(home), str(port)], url, home):
        yield url


@pytest.fixture(scope="module", params=["exception-in-release", "privilege-lost"])
def both(request: pytest.FixtureRequest, node: str) -> Both:
    """A company that ships logs with Filebeat, and one that ships them with Fluent Bit."""
    staged = stage(request.param)
    face = staged.faces["elasticsearch"]
    mappings = next(iter(asked(face, "GET", "/logs-*/_mapping").values()))
    call(node, "DELETE", f"/{INDEX}?ignore_unavailable=true")
    call(node, "PUT", f"/{INDEX}", {**mappings, "settings": {"number_of_replicas": 0, "max_result_window": 100_000}})
    after: list[Any] = []
    while True:
        body = {"size": PAGE, "sort": [{"@timestamp": "asc"}, {"_doc": "asc"}], "track_total_hits": False}
        hits = asked(face, "POST", "/logs-*/_search", body | ({"search_after": after} if after else {}))["hits"]["hits"]
        lines = [json.dumps(part) for hit in hits for part in ({"index": {"_id": hit["_id"]}}, hit["_source"])]
        if lines:
            done = call(node, "POST", f"/{INDEX}/_bulk?refresh=true", "\n".join(lines) + "\n")
            assert not done["errors"]
        if len(hits) < PAGE:
            return Both(staged, face, node)
        after = hits[-1]["sort"]


def asked(face: Face, method: str, path: str, body: Any = None) -> Any:
    return json.loads(face.answer(Ask(method, path, (), {}, json.dumps(body).encode() if body else b"")).body)


def call(url: str, method: str, path: str, body: Any = None) -> Any:
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode() if body is not None else None
    kind = "application/x-ndjson" if isinstance(body, str) else "application/json"
    try:
        with urlopen(Request(url + path, data=data, method=method, headers={"Content-Type": kind})) as answer:
            return json.loads(answer.read())
    except HTTPError as error:
        return json.loads(error.read())


def first_look(url: str, staged: Staged) -> FirstLook:
    customer = Customer(name="faces", skills={"elasticsearch": {"url": url, "index": "logs-*"}})
    skill, _ = registry.connect(customer, "elasticsearch", lambda _name: None)
    now = datetime.fromtimestamp(staged.scene.world.now, UTC)
    labels = staged.alert["alerts"][0]["labels"]
    window = Window(now - timedelta(minutes=25), now)
    focus = Focus(
        alert_type=labels["alertname"],
        namespace=labels.get("namespace", ""),
        service=labels.get("service", labels.get("deployment", "")),
        labels=labels,
        started_at=now - timedelta(minutes=10),
    )
    return skill.first_look(SkillContext(focus, now, window, window.before()))


def told(answer: Any) -> Any:
    """An answer without what is the server's own: times, shards, scores, ids of points in time, names of indices."""
    if "error" in answer:
        return {"status": answer["status"]}
    hits = answer.get("hits", {})
    return {
        "count": answer.get("count"),
        "total": hits.get("total"),
        "hits": [hit.get("_source") or hit.get("fields") for hit in hits.get("hits", ())],
        "aggregations": figures(answer.get("aggregations")),
    }


def figures(value: Any) -> Any:
    """Aggregations by their keys and figures; hits within them by their documents."""
    if isinstance(value, dict):
        if "hits" in value and "total" in value["hits"]:
            return [hit.get("_source") for hit in value["hits"]["hits"]]
        return {k: figures(v) for k, v in value.items() if k not in ("doc_count_error_upper_bound", "meta")}
    return [figures(v) for v in value] if isinstance(value, list) else value


def test_what_the_skill_asks_is_answered_the_same(both: Both) -> None:
    recording = Recording(both.simulated)
    served = Served({"elasticsearch": recording})
    try:
        first_look(served.urls["elasticsearch"], both.staged)
    finally:
        served.close()
    compared = 0
    for ask in recording.asked:
        verb = ask.path.rpartition("/")[2]
        if verb not in ("_search", "_count"):
            continue
        query = "&".join(f"{k}={v}" for k, v in ask.query)
        real = call(both.real, ask.method, f"{ask.path}?{query}", json.loads(ask.body) if ask.body else None)
        assert told(json.loads(both.simulated.answer(ask).body)) == told(real), ask.body.decode()
        compared += 1
    assert compared >= 2


def test_the_neighbours_of_those_questions_are_answered_the_same(both: Both) -> None:
    ecs = both.staged.scene.world.company.log_schema == "ecs"
    text, level, pod = (
        ("message", "log.level", "kubernetes.pod.name")
        if ecs
        else ("log", "level.keyword", "kubernetes.pod_name.keyword")
    )
    now = both.staged.scene.world.now
    hour = {"range": {"@timestamp": {"gte": int((now - 3600) * 1000), "lte": int(now * 1000)}}}
    queries: list[dict[str, Any]] = [
        {"match_all": {}},
        hour,
        {"match": {text: "timeout error"}},
        {"match": {text: {"query": "connection refused", "operator": "and"}}},
        {"match_phrase": {text: "connection refused"}},
        {"multi_match": {"query": "error", "fields": [text]}},
        {"query_string": {"query": "error AND NOT timeout", "default_field": text}},
        {"simple_query_string": {"query": "error -timeout", "fields": [text]}},
        {"prefix": {text: "err"}},
        {"wildcard": {pod: "*a*"}},
        {"regexp": {pod: "[a-m].*"}},
        {"exists": {"field": level}},
        {"term": {level: "error" if ecs else "ERROR"}},
        {"terms": {level: ["error", "warn", "ERROR", "WARNING"]}},
        {"bool": {"must_not": [{"term": {level: "info" if ecs else "INFO"}}], "filter": [hour]}},
        {"bool": {"should": [{"match": {text: "error"}}, {"match": {text: "failed"}}], "minimum_should_match": 1}},
        {"ids": {"values": []}},
    ]
    for query in queries:
        body = {"query": query, "size": 0, "track_total_hits": True}
        ours, theirs = both_say(both, body)
        assert ours == theirs, query
    aggregations: dict[str, Any] = {
        "by_level": {"terms": {"field": level, "size": 10}},
        "by_pod": {
            "terms": {"field": pod, "size": 50, "order": [{"_count": "desc"}, {"_key": "asc"}]},
            "aggs": {"first": {"min": {"field": "@timestamp"}}, "last": {"max": {"field": "@timestamp"}}},
        },
        "by_minute": {"date_histogram": {"field": "@timestamp", "fixed_interval": "5m", "min_doc_count": 0}},
        "pods": {"cardinality": {"field": pod}},
        "errors": {"filter": {"match": {text: "error"}}},
        "parts": {"filters": {"filters": {"a": {"match": {text: "error"}}, "b": {"match": {text: "timeout"}}}}},
        "without": {"missing": {"field": level}},
        "how_many": {"value_count": {"field": level}},
    }
    for name, aggregation in aggregations.items():
        body = {"query": hour, "size": 0, "aggs": {name: aggregation}}
        ours, theirs = both_say(both, body)
        assert ours == theirs, name


def both_say(both: Both, body: dict[str, Any]) -> tuple[Any, Any]:
    path = "/logs-*/_search"
    return told(asked(both.simulated, "POST", path, body)), told(call(both.real, "POST", path, body))


def test_the_skill_sees_the_same_in_both(both: Both) -> None:
    served = Served({"elasticsearch": both.simulated})
    try:
        ours = first_look(served.urls["elasticsearch"], both.staged)
    finally:
        served.close()
    theirs = first_look(both.real, both.staged)
    assert [(str(s.entity), s.faults, s.summary) for s in ours.symptoms] == [
        (str(s.entity), s.faults, s.summary) for s in theirs.symptoms
    ]
    assert ours.symptoms
