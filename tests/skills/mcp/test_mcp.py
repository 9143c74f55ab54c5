"""An MCP server as a skill: what may be called, what comes back, and whatever the server does, an answer in time."""

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from config.customers import Customer
from skills import registry
from skills.contract import Access, Focus, QueryMeter, SkillContext, SkillError, ToolError, Window
from skills.mcp.arguments import Unusable, input_of
from skills.mcp.settings import Settings
from skills.mcp.tools import connect
from tests.skills.mcp.servers import (
    answering,
    many,
    says,
    served,
    wiki,
)

NOW = datetime(2026, 3, 4, 14, 10, tzinfo=UTC)


def context():
    window = Window(NOW - timedelta(minutes=36), NOW)
    return SkillContext(Focus(), NOW, window, window.before(3600))


def skill(meter=None, seconds=5.0, secret=lambda name: None, **servers):
    settings = Settings.model_validate({"servers": servers})
    return connect(Access(settings, secret, meter or QueryMeter("mcp"), seconds))


def reached(**more):
    connected = skill(**more)
    connected.reach()
    return connected


def ask(connected, name, **arguments):
    tool = next(t for t in connected.tools if t.name == name)
    return tool.run(tool.input.model_validate(arguments), context())


@pytest.fixture(scope="module")
def url():
    with served(wiki()) as address:
        yield address


def test_only_what_declares_itself_read_only_may_be_called(url):
    names = sorted(t.name for t in reached(wiki={"url": url}).tools)
    assert names == [
        "mcp_wiki_broken",
        "mcp_wiki_diagram",
        "mcp_wiki_dump",
        "mcp_wiki_page_history",
        "mcp_wiki_search_pages",
    ]


def test_the_customers_file_allows_and_denies_by_name(url):
    connected = reached(wiki={"url": url, "allow": ["silent_about_itself"], "deny": ["dump"]})
    names = [t.name for t in connected.tools]
    assert "mcp_wiki_silent_about_itself" in names
    assert "mcp_wiki_dump" not in names
    assert "mcp_wiki_delete_page" not in names


def test_every_tool_is_deferred_so_that_none_stands_in_the_prefix(url):
    assert all(t.deferred for t in reached(wiki={"url": url}).tools)


@pytest.mark.parametrize("shape", [{}, {"as_json": True}, {"stateless": True}])
def test_text_becomes_lines_that_can_be_cited(shape):
    with served(wiki(), **shape) as address:
        told = ask(reached(wiki={"url": address}), "mcp_wiki_search_pages", query="memory")
    assert told.status == "ok"
    assert [e.text for e in told.evidence][1] == "Its limit was lowered to 128Mi on purpose."
    assert told.evidence[0].query == 'wiki: search_pages({"query": "memory"})'


def test_a_list_becomes_one_line_an_item(url):
    told = ask(reached(wiki={"url": url}), "mcp_wiki_page_history", title="cart")
    assert len(told.evidence) == 3
    assert '"at": "2026-03-04T13:00:00Z"' in told.evidence[0].text


def test_a_picture_is_named_and_not_shown(url):
    told = ask(reached(wiki={"url": url}), "mcp_wiki_diagram", title="cart")
    assert [e.text for e in told.evidence] == ["cart calls db", "(image image/png, 300 bytes, not shown)"]


def test_nothing_found_is_no_data(url):
    assert ask(reached(wiki={"url": url}), "mcp_wiki_search_pages", query="zzz").status == "no_data"


def test_an_error_of_the_tool_is_a_result_with_its_words(url):
    told = ask(reached(wiki={"url": url}), "mcp_wiki_broken", title="cart")
    assert told.status == "error"
    assert "no page is called 'cart'" in told.text


def test_a_large_answer_is_bounded_and_says_so(url):
    told = ask(reached(wiki={"url": url}), "mcp_wiki_dump")
    assert len(told.evidence) == 40
    assert "5000 lines" in told.text
    assert "the first 40" in told.text
    assert len(told.full) > 100_000


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "'query' is a required property"),
        ({"query": 3}, "query: 3 is not of type 'string'"),
        ({"query": "a", "limit": "many"}, "limit: 'many' is not of type 'integer'"),
    ],
)
def test_arguments_are_checked_against_the_servers_schema_before_they_are_sent(url, given, words):
    meter = QueryMeter("mcp")
    connected = reached(meter=meter, wiki={"url": url})
    tool = next(t for t in connected.tools if t.name == "mcp_wiki_search_pages")
    before = meter.requests
    with pytest.raises(ValidationError, match=words):
        tool.input.model_validate(given)
    assert meter.requests == before


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string"},
        {"type": "object", "properties": {"a": {"type": "no such"}}},
        {"type": "object", "properties": {"a": {"$ref": "http://127.0.0.1:9/schema.json"}}},
    ],
)
def test_a_schema_that_is_none_makes_a_tool_unusable(schema):
    with pytest.raises(Unusable):
        input_of(schema)


def test_a_regular_expression_from_outside_is_not_run():
    takes = input_of({"type": "object", "properties": {"a": {"type": "string", "pattern": "^(a+)+$"}}})
    began = time.monotonic()
    takes.model_validate({"a": "a" * 40 + "!"})
    assert time.monotonic() - began < 1


def test_a_token_and_headers_are_sent():
    seen = []

    def refuse(handler):
        seen.append(dict(handler.headers.items()))
        says(401, b'{"error": "invalid token"}')(handler)

    with answering(refuse) as url, pytest.raises(ToolError, match=r"\(401\): invalid token; check the value of WIKI"):
        skill(
            secret={"WIKI": "made-up"}.get, wiki={"url": url, "token_env": "WIKI", "headers": {"X-Team": "a"}}
        ).reach()
    assert seen[0]["Authorization"] == "Bearer made-up"
    assert seen[0]["X-Team"] == "a"


def test_a_dead_server_beside_a_living_one_is_a_gap(url):
    connected = reached(seconds=2.0, wiki={"url": url}, dead={"url": "http://127.0.0.1:9/mcp"})
    looked = connected.first_look(context())
    assert [g.what for g in looked.gaps] == ["MCP server dead"]
    assert (
        "wiki: search_pages, page_history, diagram, broken, dump; not offered, because they may write: 2" in looked.text
    )
    assert len(connected.tools) == 5


def test_a_server_with_a_hundred_tools_is_listed_in_one_line():
    with served(many(100)) as address:
        connected = reached(many={"url": address})
    assert len(connected.tools) == 100
    assert connected.first_look(context()).text.splitlines()[1:] == ["many: check_0 and 99 alike"]


def test_the_limit_of_requests_is_kept(url):
    with pytest.raises(ToolError, match="limit of 1 requests"):
        skill(meter=QueryMeter("mcp", 1), wiki={"url": url}).reach()


def test_doctor_says_what_each_server_offers_and_what_is_misspelt(url):
    checks = skill(
        seconds=2.0, wiki={"url": url, "allow": ["serach_pages"]}, dead={"url": "http://127.0.0.1:9/mcp"}
    ).checks()
    told = {c.what: (c.ok, c.detail) for c in checks}
    assert told["server wiki"][0]
    assert "delete_page" in told["server wiki"][1]
    assert not told["server dead"][0]
    assert told["server wiki, allow"] == (False, "it has no tool serach_pages")


def test_settings_are_checked_by_file_and_key():
    acme = Customer(name="acme", skills={"mcp": {"servers": {"wiki": {"url": "ftp://x"}}}})
    with pytest.raises(SkillError, match=r"customer acme: skills.mcp.servers.wiki.url"):
        registry.validate(acme)


def test_a_customer_without_the_skill_pays_nothing_for_it():
    code = (
        "import sys, skills.mcp.settings; from skills import registry; "
        "registry.manifest('mcp'); print('mcp' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
