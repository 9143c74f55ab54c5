"""Whatever the server does, an answer comes in time and says what happened."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from subprocess import run
from time import monotonic

import pytest

from skills.contract import Access, Check, QueryMeter, ToolError
from skills.elasticsearch.settings import Settings
from skills.elasticsearch.tools import connect
from tests.skills.elasticsearch.cluster import Cluster, dripping, endless, raw, serve, silent
from tests.skills.elasticsearch.layouts import TYPES, incident
from tests.skills.elasticsearch.test_look import CONTEXT


def error(kind: str, reason: str) -> bytes:
    return json.dumps({"error": {"root_cause": [{"type": kind, "reason": reason}], "type": kind}}).encode()


AUTH = error("security_exception", "unable to authenticate user [app]")
MISSING = error("index_not_found_exception", "no such index [logs]")
BUSY = error("es_rejected_execution_exception", "queue is full")

FAILURES: dict[str, tuple[Callable[..., bool], str]] = {
    "401": (raw(401, AUTH), "unable to authenticate user"),
    "403": (raw(403, AUTH.replace(b"unable", b"not allowed")), "view_index_metadata"),
    "404": (raw(404, MISSING), "no such index [logs]"),
    "429": (raw(429, BUSY), "queue is full"),
    "500": (raw(500, b'{"error":"boom","status":500}'), "boom"),
    "502 from a proxy": (raw(502, b"<html>Bad Gateway</html>", kind="text/html"), "502"),
    "garbage": (raw(200, b"\x00\xff not json"), "no JSON"),
    "html": (raw(200, b"<html>login</html>", kind="text/html"), "no JSON object: <html>login"),
    "another JSON": (raw(200, b'{"hello": 1}'), "without hits"),
    "half a body": (raw(200, b'{"hits": {"total"', length=5000), "did not answer"),
    "half a body that ends": (raw(200, b'{"hits": {"total"'), "no JSON"),
    "empty": (raw(200, b""), "nothing"),
    "silence": (silent(3), "timed out"),
    "a byte now and then": (dripping, "had not ended after 1 s"),
    "100 MB": (endless, "larger than 32 MB"),
}


@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize("what", ["reach", "first_look"])
def test_a_server_that_fails_gives_a_tool_error_in_time(name: str, what: str) -> None:
    misbehave, words = FAILURES[name]
    with serve(Cluster([], {}, misbehave=misbehave)) as cluster:
        settings = Settings(url=cluster.url, index="logs")
        connected = connect(Access(settings, lambda _: None, QueryMeter("elasticsearch"), timeout_seconds=1.0))
        started = monotonic()
        with pytest.raises(ToolError) as raised:
            connected.reach() if what == "reach" else connected.first_look(CONTEXT)
        assert monotonic() - started < 8
    assert words in str(raised.value)
    assert "logs" in str(raised.value)


def test_nobody_at_the_address_is_said() -> None:
    connected = connect(Access(Settings(url="http://127.0.0.1:9"), lambda _: None, QueryMeter("elasticsearch")))
    with pytest.raises(ToolError, match="refused"):
        connected.reach()


def test_doctor_says_what_to_do() -> None:
    with serve(Cluster([], {}, misbehave=raw(401, AUTH))) as cluster:
        connected = connect(Access(Settings(url=cluster.url), lambda _: None, QueryMeter("elasticsearch")))
        (check,) = connected.checks()
    assert isinstance(check, Check)
    assert not check.ok
    assert "credentials" in check.remedy


@pytest.mark.parametrize(
    ("settings", "header"),
    [
        ({"api_key_env": "KEY"}, "ApiKey made-up"),
        ({"username": "app", "password_env": "KEY"}, "Basic YXBwOm1hZGUtdXA="),
        ({"api_key_env": "UNSET"}, None),
    ],
)
@pytest.mark.parametrize("product", ["Elasticsearch", "OpenSearch"])
def test_credentials_are_sent_to_either_product_and_only_where_they_are_set(
    settings: dict[str, str], header: str | None, product: str
) -> None:
    with serve(Cluster(incident("ecs"), TYPES["ecs"], product=product)) as cluster:
        access = Access(Settings(url=cluster.url, **settings), {"KEY": "made-up"}.get, QueryMeter("elasticsearch"))  # type: ignore[arg-type]
        connect(access).reach()
    assert {headers.get("authorization") for headers in cluster.headers} == {header}


def test_requests_and_bytes_are_metered_and_limited() -> None:
    with serve(Cluster(incident("ecs"), TYPES["ecs"])) as cluster:
        meter = QueryMeter("elasticsearch", limit=2)
        connected = connect(Access(Settings(url=cluster.url), lambda _: None, meter))
        with pytest.raises(ToolError, match="limit of 2 requests"):
            connected.first_look(CONTEXT)
    assert (len(cluster.asked), meter.requests) == (2, 2)
    assert meter.bytes > 1000


def test_the_vendors_client_is_not_imported_before_the_first_question() -> None:
    code = "import sys, skills.elasticsearch.tools; print({'elasticsearch', 'elastic_transport'} & set(sys.modules))"
    assert run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
