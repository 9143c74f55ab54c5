"""How Loki is asked: with which credentials and for which tenants, how often, and what it says to a question that it
refuses later on."""

from __future__ import annotations

import pytest

from skills.contract import Access, QueryMeter, ToolError
from skills.loki.settings import Settings
from skills.loki.tools import connect
from tests.skills.loki.layouts import incident
from tests.skills.loki.server import Store, serve
from tests.skills.loki.test_look import CONTEXT


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


def test_doctor_says_which_labels_there_are() -> None:
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
