"""Whatever the server does, the answer is a ToolError in time, with the query and the server's words."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

import pytest

from skills.contract import Access, Check, QueryMeter, ToolError
from skills.loki.settings import Settings
from skills.loki.tools import connect
from tests.skills.elasticsearch.cluster import dripping, endless, raw, silent
from tests.skills.loki.layouts import incident
from tests.skills.loki.server import Store, serve
from tests.skills.loki.test_look import CONTEXT


def text(status: int, words: str) -> Callable[..., bool]:
    return raw(status, words.encode(), kind="text/plain; charset=utf-8")


FAILURES: dict[str, tuple[Callable[..., bool], str]] = {
    "401": (text(401, "no org id"), "no org id"),
    "403": (text(403, "access denied"), "may not read"),
    "404": (text(404, "404 page not found"), "/loki/api/v1 must stand below"),
    "429": (text(429, "too many outstanding requests"), "too many outstanding requests"),
    "500": (text(500, "rpc error: code = Unavailable desc = error reading from server"), "code = Unavailable"),
    "504": (text(504, "request timed out, decrease the duration of the request"), "decrease the duration"),
    "JSON of a gateway": (raw(401, b'{"error": "unauthorized"}'), "unauthorized"),
    "502 from a proxy": (raw(502, b"<html>Bad Gateway</html>", kind="text/html"), "502"),
    "garbage": (raw(200, b"\x00\xff not json"), "no JSON"),
    "html": (raw(200, b"<html>login</html>", kind="text/html"), "no JSON: <html>login"),
    "another JSON": (raw(200, b'{"hello": 1}'), "hello"),
    "half a body": (raw(200, b'{"status": "succ', length=5000), "did not answer"),
    "half a body that ends": (raw(200, b'{"status": "succ'), "no JSON"),
    "empty": (raw(200, b""), "nothing"),
    "silence": (silent(3), "timed out"),
    "a byte now and then": (dripping, "had not ended after 1 s"),
    "100 MB": (endless, "larger than 32 MB"),
}


@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize("what", ["reach", "first_look"])
def test_a_server_that_fails_gives_a_tool_error_in_time(name: str, what: str) -> None:
    misbehave, words = FAILURES[name]
    with serve(Store([], misbehave=misbehave)) as store:
        access = Access(Settings(url=store.url), lambda _: None, QueryMeter("loki"), timeout_seconds=1.0)
        connected = connect(access)
        started = monotonic()
        with pytest.raises(ToolError) as raised:
            connected.reach() if what == "reach" else connected.first_look(CONTEXT)
        assert monotonic() - started < 5
    assert words in str(raised.value)
    assert "labels" in str(raised.value)


@pytest.mark.parametrize(
    ("refuses", "words"),
    [
        ({"/query_range": (400, "parse error at line 1, col 9: syntax error")}, "parse error at line 1, col 9"),
        ({"/query_range": (429, "too many outstanding requests")}, "too many outstanding requests"),
        ({"metric": (429, "too many outstanding requests")}, "too many outstanding requests"),
        ({"/query_range": (400, "the query would read too many bytes (query: 9GB, limit: 1GB)")}, "too many bytes"),
    ],
)
def test_a_refusal_later_on_carries_the_query_and_the_servers_words(
    refuses: dict[str, tuple[int, str]], words: str
) -> None:
    with serve(Store(incident("promtail"), refuses=refuses)) as store:
        connected = connect(Access(Settings(url=store.url), lambda _: None, QueryMeter("loki"), timeout_seconds=1.0))
        with pytest.raises(ToolError) as raised:
            connected.first_look(CONTEXT)
    assert words in str(raised.value)
    assert "namespace" in str(raised.value)


def test_nobody_at_the_address_is_said() -> None:
    connected = connect(Access(Settings(url="http://127.0.0.1:9"), lambda _: None, QueryMeter("loki")))
    with pytest.raises(ToolError, match="refused"):
        connected.reach()


def test_doctor_says_what_to_do() -> None:
    with serve(Store([], misbehave=text(401, "no org id"))) as store:
        (check,) = connect(Access(Settings(url=store.url), lambda _: None, QueryMeter("loki"))).checks()
    assert isinstance(check, Check)
    assert not check.ok
    assert "org_id" in check.remedy
    with serve(Store(incident("alloy"))) as store:
        checks = connect(Access(Settings(url=store.url), lambda _: None, QueryMeter("loki"))).checks()
    assert [c.ok for c in checks] == [True, True]
    assert "structured metadata" in checks[1].detail


@pytest.mark.parametrize(
    ("settings", "name", "value"),
    [
        ({"token_env": "KEY"}, "authorization", "Bearer made-up"),
        ({"username": "app", "password_env": "KEY"}, "authorization", "Basic YXBwOm1hZGUtdXA="),
        ({"token_env": "UNSET"}, "authorization", None),
        ({"org_id": "team-a|team-b"}, "x-scope-orgid", "team-a|team-b"),
        ({"headers": {"X-Team": "a"}}, "x-team", "a"),
    ],
)
def test_credentials_and_tenants_are_sent_and_only_where_they_are_set(
    settings: dict[str, object], name: str, value: str | None
) -> None:
    with serve(Store(incident("otel"))) as store:
        asked = Settings.model_validate({"url": f"{store.url}/loki/api/v1/", **settings})
        connect(Access(asked, {"KEY": "made-up"}.get, QueryMeter("loki"))).reach()
    assert {headers.get(name) for headers in store.headers} == {value}


def test_requests_and_bytes_are_metered_and_limited() -> None:
    with serve(Store(incident("otel"))) as store:
        meter = QueryMeter("loki", limit=2)
        connected = connect(Access(Settings(url=store.url), lambda _: None, meter))
        with pytest.raises(ToolError, match="limit of 2 requests"):
            connected.first_look(CONTEXT)
    assert (len(store.asked), meter.requests) == (2, 2)
    assert meter.bytes > 1000
