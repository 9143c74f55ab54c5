"""Every skill against every way to be let down: the investigation ends in time, and a gap names what happened.

Read the two tables: a row is a system as a skill reads it, a column is what its server does. All of the product is
real: the customer's settings, the skills' own clients over HTTP, the agent with the offline model. In the wording of a
column, `…` stands for anything and `|` for or.
"""

from __future__ import annotations

import json
import logging
import re
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from config.customers import Customer
from skills import registry
from skills.contract import Check, Focus, Skill, SkillContext, ToolError, Window
from tests.agent.company import NOW, MemoryJournal, alert, request
from tests.skills import misbehaving as ways
from tests.skills.mcp.servers import Wiki
from tests.skills.misbehaving import Behaviour, misbehaving
from workers import simulation
from workers.agent import Request, connect_all, investigate
from workers.domain import Finding
from workers.llm.offline import Offline
from workers.simulation.faces.exchange import Ask

TOKEN = "kept-to-ourselves-7319"
PATIENCE = 5.0
"""Seconds that a system may take for one answer, where it answers at all."""
SHORT = 0.5
"""The same where the server is slow: it is this deadline that cuts it off."""
BUDGET = 4.0
"""Seconds that the whole investigation may take: some skills ask a few times in a row."""
MEMORY = 50_000_000
"""Bytes by which an investigation may grow for a server that floods it: half of what the server sends."""


@dataclass(frozen=True)
class Row:
    given: Callable[[str], dict[str, dict[str, Any]]]
    """The `skills:` of the customer's file, from the server's address."""
    system: str
    """As the gap calls it."""
    section: str
    """Where the customer's file says how it is reached."""
    face: str = ""
    """Of the simulated company, that answers well until it does not."""
    product: str = "Elasticsearch"
    """What the server calls itself."""


def _kubernetes(url: str) -> dict[str, Any]:
    return {"url": url, "namespaces": ["shop"], "token_env": "SHOP_TOKEN", "first_look_seconds": 1.5}


def _loki(url: str) -> dict[str, Any]:
    return {"url": url, "token_env": "SHOP_TOKEN"}


def _elasticsearch(url: str) -> dict[str, Any]:
    return {"url": url, "index": "logs-*", "api_key_env": "SHOP_TOKEN"}


def _prometheus(url: str) -> dict[str, Any]:
    return {"prometheus": {"url": url, "token_env": "SHOP_TOKEN"}}


def _pagerduty(url: str) -> dict[str, Any]:
    return {"pagerduty": {"url": url, "token_env": "SHOP_TOKEN"}}


def _github(url: str) -> dict[str, Any]:
    return {"changes": {"github": {"url": url, "token_env": "SHOP_TOKEN", "repositories": {"cart": "hollybrook/cart"}}}}


def _argo(url: str) -> dict[str, Any]:
    return {"changes": {"argocd": {"url": url, "token_env": "SHOP_TOKEN"}}}


def _mcp(url: str) -> dict[str, Any]:
    return {"mcp": {"servers": {"wiki": {"url": f"{url}/mcp", "token_env": "SHOP_TOKEN"}}}}


_KUBERNETES = ("Kubernetes", "skills.kubernetes", "kubernetes")
_LOKI = ("Loki", "skills.loki", "loki")
_ELASTICSEARCH = ("Elasticsearch", "skills.elasticsearch", "elasticsearch")
ROWS: Mapping[str, Row] = {
    "kubernetes": Row(lambda url: {"kubernetes": _kubernetes(url)}, *_KUBERNETES),
    "elasticsearch": Row(lambda url: {"elasticsearch": _elasticsearch(url)}, *_ELASTICSEARCH),
    "opensearch": Row(
        lambda url: {"elasticsearch": _elasticsearch(url)}, "Elasticsearch", "skills.elasticsearch", product=""
    ),
    "loki": Row(lambda url: {"loki": _loki(url)}, *_LOKI),
    "prometheus": Row(_prometheus, "Prometheus", "skills.prometheus", "prometheus"),
    "pagerduty": Row(_pagerduty, "PagerDuty", "skills.pagerduty", "pagerduty"),
    "changes of GitHub": Row(_github, "GitHub", "skills.changes.github", "github"),
    "changes of Argo CD": Row(_argo, "Argo CD", "skills.changes.argocd", "argocd"),
    "changes of Kubernetes": Row(lambda url: {"changes": {}, "kubernetes": _kubernetes(url)}, *_KUBERNETES),
    "python by Loki": Row(lambda url: {"python": {}, "loki": _loki(url)}, *_LOKI),
    "golang by Elasticsearch": Row(lambda url: {"golang": {}, "elasticsearch": _elasticsearch(url)}, *_ELASTICSEARCH),
    "mcp": Row(_mcp, "MCP server wiki", "skills.mcp.servers.wiki"),
}

COLUMNS: Mapping[str, tuple[Behaviour, str]] = {
    "401": (
        ways.says(401, "invalid token"),
        "{system} did not accept the credentials (401): invalid token…; check the value of SHOP_TOKEN ({section}.",
    ),
    "403": (
        ways.says(403, "not yours"),
        "{system} does not allow this (403): not yours…; let the owner of SHOP_TOKEN ({section}.",
    ),
    "404": (ways.says(404, "no such place"), "{system} has nothing there (404): no such place…; check…{section}.url"),
    "429": (
        ways.says(429, "slow down", Retry_After="60"),
        "{system} limits the rate (429 for 60 s), asked once: slow down…; …budget.queries_per_system",
    ),
    "500": (ways.says(500, "boom"), "{system} failed (500): boom…; look at the health of {system}"),
    "garbage": (ways.garbage, "{system} answered with 1… bytes that are not JSON: …garbage…asked: … at http://127"),
    "half a body": (ways.half_a_body, "{system} broke off its answer"),
    "nothing": (ways.nothing, "{system} closed the connection without an answer|{system} broke off its answer"),
    "slowly": (
        ways.slowly,
        "{system} had not ended its answer after …s; look at the health|{system} did not answer within 0.… s",
    ),
    "100 MB": (
        ways.a_flood,
        "{system} answers with 100 MB, of which…MB would be read|{system} answers with more than 8 MB, reading stopped",
    ),
}
"""What the server does, and how the gap reads. These ten are promised."""

_ENDED = "{system} answers with more than…MB|{system} had not ended its answer|{system} did not answer within"
MORE: Mapping[str, tuple[Behaviour, str]] = {
    "an empty body": (
        ways.an_empty_body,
        "{system} answered with nothing (200, an empty body); check {section}.url",
    ),
    "half of a JSON": (ways.half_of_a_json, "{system} broke off its answer after 28 bytes"),
    "silence": (ways.silence, "{system} did not answer within 0.… s"),
    "an endless body": (ways.an_endless_body, _ENDED),
    "a packed gigabyte": (ways.a_bomb, _ENDED + "|{system} packs its answers although"),
    "what is not packed": (
        ways.no_gzip,
        "{system} says that its answer is packed, and nobody can unpack it|{system} packs its answers although",
    ),
    "a log-in page": (
        ways.page(200, ways.LOGIN),
        "{system} answered with a web page instead of … 'Sign in - Acme'; a log-in page",
    ),
    "a redirect to a log-in page": (
        ways.elsewhere,
        "{system} sends us on to https://login.example.com/ (302); correct {section}.url",
    ),
    "redirects in circles": (ways.around_in_circles, "{system} sends us on to /… (302)"),
    "502 of a proxy": (ways.gateway(502, "Bad Gateway"), "a proxy before {system} answered 502 Bad Gateway;"),
    "503 of a proxy": (ways.gateway(503, "Service Temporarily Unavailable"), "a proxy before {system} answered 503"),
    "504 of a proxy": (
        ways.gateway(504, "Gateway Time-out"),
        "a proxy before {system} answered 504…; see whether {system} runs behind http://127",
    ),
}
"""And these are met."""
EVERY = {**COLUMNS, **MORE}
FLOODS = ("100 MB", "an endless body", "a packed gigabyte")
SLOW = ("slowly", "silence", "an endless body", "a packed gigabyte")


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    """What is imported with the first question is no part of anybody's patience."""
    for skill in registry.names():
        import_module(f"skills.{skill}.tools")


def worded(pattern: str, row: Row) -> re.Pattern[str]:
    told = pattern.format(system=row.system, section=row.section)
    return re.compile("|".join(".*".join(map(re.escape, each.split("…"))) for each in told.split("|")), re.DOTALL)


def investigated(
    skills: Mapping[str, Any], asked: Request | None = None, seconds: float = PATIENCE
) -> tuple[Finding, MemoryJournal]:
    """One whole investigation, by default of an alert about shop/cart."""
    customer = Customer(name="acme", skills=dict(skills))
    connected = connect_all(customer, registry.toggles(customer), {"SHOP_TOKEN": TOKEN}.get, timeout_seconds=seconds)
    journal = MemoryJournal()
    given = asked or request(customer=customer)
    found = investigate(given, Offline(), connected, journal, clock=lambda: datetime.now(UTC), monotonic=time.monotonic)
    return found, journal


def patience(column: str) -> float:
    return SHORT if column in SLOW else PATIENCE


def told(finding: Finding) -> str:
    return "\n".join(f"{gap.what}: {gap.why}" for gap in finding.gaps)


def assert_quiet(finding: Finding, journal: MemoryJournal, logged: str) -> None:
    """What was sent to prove who we are is nowhere, though servers say it back."""
    trace = json.dumps([span.model_dump(mode="json") for span in journal.spans])
    shown = json.dumps([progress.model_dump(mode="json") for progress in journal.shown])
    assert TOKEN[:12] not in finding.model_dump_json() + trace + shown + logged


@contextmanager
def grown(column: str) -> Iterator[None]:
    """Asserts that little memory was taken, where a server sends a lot."""
    if column not in FLOODS:
        yield
        return
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("column", EVERY)
@pytest.mark.parametrize("row", ROWS)
def test_an_investigation_ends_in_time_with_a_gap_that_names_what_happened(
    row: str, column: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    it, (behaviour, wording) = ROWS[row], EVERY[column]
    with misbehaving(behaviour, product=it.product) as server, grown(column):
        began = time.monotonic()
        finding, journal = investigated(it.given(server.url), seconds=patience(column))
        assert time.monotonic() - began < BUDGET
    assert server.asked
    assert worded(wording, it).search(told(finding)), told(finding)
    assert finding.verdict == "inconclusive"
    assert finding.causes == ()
    assert_quiet(finding, journal, caplog.text)


# --- a system that answers at first -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def company() -> Iterator[simulation.Running]:
    """The simulated shop: cart is OOMKilled since a release lowered its memory limit."""
    skills = ("kubernetes", "elasticsearch", "loki", "prometheus", "changes", "pagerduty")
    world = simulation.start("oom-after-deploy", skills=skills)
    world.staged.faces["pagerduty"].answer(Ask("GET", "/incidents"))  # the first answer takes a second to make
    yield world
    world.close()


def about(world: simulation.Running, patience: float = 1.0) -> Request:
    labels = world.alert["alerts"][0]["labels"]
    started = datetime.fromisoformat(world.alert["alerts"][0]["startsAt"].replace("Z", "+00:00"))
    return request(
        alert(alert_type=labels["alertname"], labels=labels, started_at=started), now=world.now, patience=patience
    )


FACED = {name: row for name, row in ROWS.items() if row.face and row.face != "argocd"}
"""Argo CD is asked one question in all."""


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("row", FACED)
def test_a_system_that_fails_after_its_first_answer_is_a_gap_too(
    row: str, column: str, company: simulation.Running, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    it, (behaviour, wording) = FACED[row], COLUMNS[column]
    face = company.staged.faces[it.face]
    with misbehaving(behaviour, face, lambda number, path: number > 1) as server, grown(column):
        began = time.monotonic()
        finding, journal = investigated(it.given(server.url), about(company), patience(column) * 2)
        assert time.monotonic() - began < 2 * BUDGET
    assert len(server.asked) > 1
    assert worded(wording, it).search(told(finding)), told(finding)
    assert all(cause.confidence.band != "high" for cause in finding.causes)
    assert_quiet(finding, journal, caplog.text)


@dataclass(frozen=True)
class Part:
    fails: str
    """Regular expression of the paths that fail."""
    gap: str
    """What the gap is of, and why."""
    after: int = 0
    """How many requests to these paths are answered first."""


PARTS: Mapping[str, Part] = {
    "kubernetes": Part("/configmaps", "configmaps shop…: Kubernetes failed (500): boom"),
    "elasticsearch": Part("/_search", "log lines of the baseline: Elasticsearch failed (500): boom", after=2),
    "loki": Part("/query_range.*limit=1500", "log lines of the baseline: Loki failed (500): boom"),
    "prometheus": Part("/rules", "the alert's own rule: Prometheus failed (500): boom"),
    "pagerduty": Part("/oncalls", "PagerDuty: on call: PagerDuty failed (500): boom"),
    "changes of GitHub": Part("/pulls", "GitHub: …: GitHub failed (500): boom"),
}


@pytest.mark.parametrize("row", PARTS)
def test_what_was_read_before_one_question_failed_is_kept_and_the_gap_names_the_rest(
    row: str, company: simulation.Running
) -> None:
    it, part = FACED[row], PARTS[row]
    fitting: list[str] = []

    def fails(number: int, path: str) -> bool:
        fitting.extend([path] * bool(re.search(part.fails, path)))
        return bool(re.search(part.fails, path)) and len(fitting) > part.after

    with misbehaving(ways.says(500, "boom"), company.staged.faces[it.face], fails) as server:
        given = it.given(server.url)
        if "kubernetes" in given:
            given["kubernetes"]["first_look_seconds"] = 10.0
        finding, journal = investigated(given, about(company, patience=5.0), 10)
    assert worded(part.gap, it).search(told(finding)), told(finding)
    looked = next(span.output for span in journal.spans if span.name.startswith("first_look"))
    assert looked["evidence"] or looked["symptoms"] or looked["changes"]


# --- a system that cannot be reached ----------------------------------------------------------------------------------


def unlistened(folder: Path) -> Iterator[str]:
    yield f"http://127.0.0.1:{ways.unused_port()}"


def unknown(folder: Path) -> Iterator[str]:
    yield "http://no-such-host.invalid"


def untrusted(folder: Path) -> Iterator[str]:
    with ways.untrusted(folder) as url:
        yield url


def without_tls(folder: Path) -> Iterator[str]:
    with misbehaving(ways.garbage) as server:
        yield server.url.replace("http://", "https://")


UNREACHED: Mapping[str, tuple[Callable[[Path], Iterator[str]], str]] = {
    "nobody listens": (unlistened, "{system}: nobody listens at http://127.…(connection refused); check {section}.url"),
    "the host is unknown": (unknown, "the host no-such-host.invalid of {system} is not known; check {section}.url"),
    "the certificate is not trusted": (
        untrusted,
        "the certificate of localhost is not trusted: self…signed certificate; name its authority in {section}.ca_file",
    ),
    "it does not speak TLS": (without_tls, "https://127…does not speak TLS as expected…check {section}.url"),
}


@pytest.mark.parametrize("way", UNREACHED)
@pytest.mark.parametrize("row", ROWS)
def test_a_system_that_cannot_be_reached_is_a_gap_with_the_setting_to_change(
    row: str, way: str, tmp_path: Path
) -> None:
    it, (place, wording) = ROWS[row], UNREACHED[way]
    with contextmanager(place)(tmp_path) as url:
        began = time.monotonic()
        finding, _ = investigated(it.given(url), seconds=SHORT)
        assert time.monotonic() - began < BUDGET
    assert worded(wording, it).search(told(finding)), told(finding)
    assert finding.verdict == "inconclusive"


def connected(row: str, url: str, seconds: float = 5.0) -> Skill:
    given = ROWS[row].given(url)
    customer = Customer(name="acme", skills=given)
    return registry.connect(customer, row, {"SHOP_TOKEN": TOKEN}.get, timeout_seconds=seconds)[0]


def always_well(number: int, path: str) -> bool:
    return False


@pytest.mark.parametrize("row", ["kubernetes", "elasticsearch", "loki", "prometheus", "pagerduty"])
def test_a_host_that_only_speaks_ipv6_is_read_like_any_other(row: str, company: simulation.Running) -> None:
    with misbehaving(ways.nothing, company.staged.faces[row], always_well, host="::1") as server:
        connected(row, server.url).reach()
    assert server.asked


@pytest.mark.parametrize("row", ["kubernetes", "loki", "prometheus", "pagerduty"])
def test_a_server_that_says_when_to_come_again_is_asked_again_once(row: str, company: simulation.Running) -> None:
    busy = ways.says(429, "slow down", Retry_After="1")
    with misbehaving(busy, company.staged.faces[row], lambda number, path: number == 1) as server:
        connected(row, server.url).reach()
    assert len(server.asked) == 2
    with misbehaving(busy) as server, pytest.raises(ToolError, match=r"\(429 for 1 s\), asked 2 times: slow down"):
        connected(row, server.url).reach()
    assert len(server.asked) == 2


# --- the doctor -------------------------------------------------------------------------------------------------------


def examined(skills: Mapping[str, Any], seconds: float = PATIENCE) -> list[Check]:
    """What `gumshoe doctor` has to say of a customer's systems."""
    customer = Customer(name="acme", skills=dict(skills))
    return [
        check
        for name in registry.toggles(customer).on
        for check in registry.connect(customer, name, {"SHOP_TOKEN": TOKEN}.get, timeout_seconds=seconds)[0].checks()
    ]


@pytest.mark.parametrize("column", EVERY)
@pytest.mark.parametrize(
    "row", [row for row in ROWS if " by " not in row and row not in ("changes of Kubernetes", "opensearch")]
)
def test_the_doctor_says_the_same_once_and_what_to_change(row: str, column: str) -> None:
    it, (behaviour, wording) = ROWS[row], EVERY[column]
    with misbehaving(behaviour) as server:
        bad = [check for check in examined(it.given(server.url), patience(column)) if not check.ok]
    assert bad
    said = "\n".join(c.detail.replace("; asked: ", f"; {c.remedy}; asked: ", 1) for c in bad)
    assert worded(wording, it).search(said), said
    assert len({c.remedy for c in bad if c.remedy}) == 1
    assert len(bad) == 1 or column in ("403", "404")


@pytest.mark.parametrize("column", COLUMNS)
def test_the_doctor_tells_an_alertmanager_from_its_prometheus(column: str, company: simulation.Running) -> None:
    it = Row(_prometheus, "Alertmanager", "skills.prometheus")
    behaviour, wording = COLUMNS[column]
    with misbehaving(behaviour) as server:
        asked = {"url": company.urls["prometheus"], "alertmanager_url": server.url, "token_env": "SHOP_TOKEN"}
        bad = [check for check in examined({"prometheus": asked}, patience(column)) if not check.ok]
    said = "\n".join(c.detail.replace("; asked: ", f"; {c.remedy}; asked: ", 1) for c in bad)
    assert worded(wording.replace("{section}.url", "{section}.alertmanager_url"), it).search(said), said
    assert len(bad) == 1


@pytest.mark.parametrize("column", COLUMNS)
def test_a_tool_of_an_mcp_server_that_fails_later_is_an_error_in_the_same_words(column: str) -> None:
    it, (behaviour, wording) = ROWS["mcp"], COLUMNS[column]
    failing = Event()
    with misbehaving(behaviour, Wiki(), lambda number, path: failing.is_set()) as server:
        skill = connected("mcp", server.url, patience(column))
        skill.reach()
        failing.set()
        (tool,) = skill.tools
        window = Window(NOW - timedelta(minutes=30), NOW)
        context = SkillContext(Focus(), NOW, window, window.before())
        began = time.monotonic()
        with pytest.raises(ToolError) as error:
            tool.run(tool.input.model_validate({"query": "cart"}), context)
        assert time.monotonic() - began < BUDGET
    assert worded(wording, it).search(str(error.value)), str(error.value)
    assert TOKEN[:12] not in str(error.value)


@pytest.mark.parametrize(
    ("settings", "held", "words"),
    [
        ({"token_env": "SHOP_TOKEN"}, "", "SHOP_TOKEN (skills.loki.token_env) is empty: set it"),
        ({}, "", "no credentials were sent: name them in skills.loki.token_env"),
        ({"username": "app", "password_env": "SHOP_TOKEN"}, TOKEN, "check the value of SHOP_TOKEN (skills.loki.pass"),
    ],
)
def test_credentials_that_were_not_sent_are_told_from_those_that_were_refused(
    settings: dict[str, str], held: str, words: str
) -> None:
    with misbehaving(ways.says(401, "who are you")) as server:
        customer = Customer(name="acme", skills={"loki": {"url": server.url, **settings}})
        skill, _ = registry.connect(customer, "loki", {"SHOP_TOKEN": held}.get)
        (check,) = skill.checks()
    assert words in check.remedy
    assert TOKEN not in check.detail


@pytest.mark.parametrize("row", ["kubernetes", "elasticsearch", "loki", "prometheus", "pagerduty"])
def test_an_authority_that_cannot_be_read_is_said_by_the_name_of_its_setting(row: str, tmp_path: Path) -> None:
    with ways.untrusted(tmp_path) as url:
        given = ROWS[row].given(url)
        given[row] |= {"ca_file": "/no/such.pem"}
        bad = [check for check in examined(given) if not check.ok]
    assert f"skills.{row}.ca_file cannot be read: No such file or directory" in bad[0].detail
