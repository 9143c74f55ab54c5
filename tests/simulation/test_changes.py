"""The skill "changes" against the simulated GitHub and Argo CD: what changed is named, and no decoy is convicted."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.cli.investigate import MemoryJournal
from bot.intake import flags as flag_intake
from bot.intake import read
from config.customers import Customer
from skills import registry
from skills.changes.tools import Changes, DetailInput
from skills.contract import Access, Change, Focus, QueryMeter, SkillContext, Window
from workers import agent
from workers.domain import Finding
from workers.flags import as_changes
from workers.llm.offline import Offline
from workers.simulation import Running, start
from workers.simulation.clock import moment
from workers.simulation.faces.argocd import ArgoCD
from workers.simulation.faces.exchange import Ask
from workers.simulation.faces.github import GitHub
from workers.simulation.flags import webhook as flag_webhook
from workers.simulation.running import stage
from workers.trace import Span

SKILLS = ("kubernetes", "elasticsearch", "prometheus", "changes")


def investigated(running: Running, recorded: tuple[Change, ...] = ()) -> tuple[Finding, list[Span]]:
    customer = Customer(name="hollybrook", skills=running.skills)
    skills = agent.connect_all(customer, registry.toggles(customer), lambda name: None)
    request = agent.Request(
        customer=customer,
        incident_id="i1",
        investigation_id="v1",
        trace_id="0" * 32,
        alerts=read(running.alert).alerts,
        now=running.now,
        recorded_changes=recorded,
    )
    journal = MemoryJournal(True)
    clock = lambda: datetime.now(UTC)  # noqa: E731
    finding = agent.investigate(request, Offline(), skills, journal, clock=clock, monotonic=time.monotonic)
    return finding, journal.spans


def told(spans: list[Span]) -> dict[str, Any]:
    found: dict[str, Any] = next(s.output for s in spans if s.name == "first_look changes")
    return found


@pytest.mark.parametrize("name", ["oom-after-deploy", "exception-in-release", "readiness-path-wrong"])
def test_deploy_behind_the_fault_is_named_with_its_pull_request(name: str) -> None:
    running = start(name, skills=SKILLS)
    try:
        finding, spans = investigated(running)
    finally:
        running.close()
    true = running.truth.causes[0]
    assert true.change is not None
    assert (finding.causes[0].fault, finding.causes[0].entity.name) == (true.fault, true.entity["name"])
    revision = true.change["ids"][1].rpartition(" ")[2]
    assert finding.causes[0].change == f"rollout/shop/{true.entity['name']}/{revision}"
    row = next(c for c in told(spans)["changes"] if c["id"] == finding.causes[0].change)
    assert "PR #" in row["summary"]
    assert "deployment of v" in row["summary"]
    assert running.refused["github"] == running.refused["argocd"] == {}


@pytest.mark.parametrize("name", ["certificate-expired", "locks-in-pricing", "psp-down"])
def test_fault_without_a_change_is_said_to_have_none_and_no_decoy_is_convicted(name: str) -> None:
    running = start(name, skills=SKILLS)
    try:
        finding, _ = investigated(running)
    finally:
        running.close()
    assert running.truth.innocent, "the scenario has a decoy"
    assert [c.change for c in finding.causes] == ["none"]
    assert finding.causes[0].fault == running.truth.causes[0].fault


def test_frame_of_a_traceback_leads_to_the_commit_that_last_touched_the_file() -> None:
    running = start("exception-in-release", skills=("changes",))
    try:
        settings = registry.validate(Customer(name="hollybrook", skills=running.skills))["changes"]
        made = Changes(Access(settings, lambda name: None, QueryMeter("changes")))
        code = made.sources.code
        assert code is not None
        change = code.last_touched("/app/orders/totals.py", 52, "orders")
        assert change is not None
        window = Window(running.now, running.now)
        context = SkillContext(Focus(service="orders", namespace="shop"), running.now, window, window)
        shown = made._detail(DetailInput(id=change.id), context)
    finally:
        running.close()
    true = running.truth.causes[0].change
    assert true is not None
    before = datetime.fromisoformat(true["at"]) - change.at
    assert 0 < before.total_seconds() < 3600
    assert any("promotion.currency != items.currency" in e.text for e in shown.evidence)


def test_a_service_that_was_changed_by_hand_has_no_pull_request_for_it() -> None:
    staged = stage("oom-after-deploy")
    workload = staged.scene.world.workload("cart")
    workload.edits[-1] = (workload.edits[-1][0], "kubectl-edit", {})
    pulls = GitHub(staged.scene).answer(Ask("GET", "/repos/hollybrook/cart/releases")).body
    assert b'"tag_name":"v1.33.0"' in pulls
    assert b'"tag_name":"v1.33.1"' not in pulls


def test_faces_answer_what_they_do_not_do_as_the_real_ones_and_count_it() -> None:
    staged = stage("oom-after-deploy")
    github, argocd = GitHub(staged.scene), ArgoCD(staged.scene)
    lost = github.answer(Ask("GET", "/repos/hollybrook/cart/actions/runs"))
    assert (lost.status, b'"message":"Not Found"' in lost.body) == (404, True)
    assert github.refused == {"GET /repos/hollybrook/cart/actions/runs": 1}
    unknown = argocd.answer(Ask("GET", "/api/v1/applications/nope"))
    assert (unknown.status, b"permission denied" in unknown.body) == (403, True)
    assert argocd.answer(Ask("POST", "/api/v1/applications/cart/sync")).status == 403
    assert argocd.refused == {"POST /api/v1/applications/cart/sync": 1}


def test_pages_of_github_are_linked_and_add_up() -> None:
    github = GitHub(stage("oom-after-deploy").scene)
    first = github.answer(Ask("GET", "/repos/hollybrook/cart/pulls", (("state", "closed"), ("per_page", "2"))))
    assert 'rel="next"' in first.headers["Link"]
    whole = github.answer(Ask("GET", "/repos/hollybrook/cart/pulls", (("state", "closed"), ("per_page", "100"))))
    assert "Link" not in whole.headers
    assert whole.body.startswith(first.body[:-1])


def test_nothing_is_told_that_has_not_happened_yet() -> None:
    staged = stage("exception-in-release")
    now = staged.scene.world.now
    github, argocd = GitHub(staged.scene), ArgoCD(staged.scene)
    texts = [argocd.answer(Ask("GET", "/api/v1/applications")).body.decode()]
    for service in staged.scene.world.company.services:
        for part in ("deployments", "releases", "commits", "pulls"):
            ask = Ask("GET", f"/repos/hollybrook/{service.name}/{part}", (("state", "closed"), ("per_page", "100")))
            texts.append(github.answer(ask).body.decode())
    stamps = [moment(s) for text in texts for s in re.findall(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", text)]
    assert len(stamps) > 200
    assert max(stamps) <= now


def test_flag_that_broke_something_is_among_the_events_and_leads_to_it() -> None:
    running = start("flag-breaks-pricing", skills=SKILLS)
    try:
        true = running.truth.causes[0].change
        assert true is not None
        events = running.flag_events
        harmful = events[-1]
        assert (harmful.flag, harmful.services) == ("bundle-pricing-v2", ("pricing",))
        assert abs((harmful.at - datetime.fromisoformat(true["at"])).total_seconds()) < 2
        assert all((running.now - e.at).total_seconds() > 3 * 3600 for e in events[:-1])
        read_back, _ = flag_intake.read(flag_webhook(harmful), "hollybrook", running.now)
        assert read_back is not None
        assert (read_back.flag, read_back.summary, read_back.author) == (harmful.flag, harmful.summary, harmful.author)
        finding, spans = investigated(running, as_changes(events, "production"))
    finally:
        running.close()
    look = told(spans)
    assert f"flag/bundle-pricing-v2/{harmful.id}: same workload" in look["text"]
    assert [s["entity"]["name"] for s in look["symptoms"]] == ["bundle-pricing-v2"]
    assert finding.causes[0].fault == "feature_flag_harmful"
