"""A system that fails hides no other, and what is read of one that fails half-way is kept."""

from __future__ import annotations

import json
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest

from skills.changes.settings import Settings
from skills.changes.tools import Changes, DetailInput, connect
from skills.contract import Access, QueryMeter, ToolError, Window
from tests.skills.changes.server import misbehaving, rest, send, serving, status
from tests.skills.changes.shapes import ONSET, application, deployment, pull
from tests.skills.changes.test_timeline import Cluster, context, github, rollout, routes, skill


@pytest.fixture
def stack() -> Any:
    with ExitStack() as entered:
        yield entered


def test_github_that_fails_is_a_gap_and_argo_cd_is_told_all_the_same(stack: ExitStack) -> None:
    bad = stack.enter_context(misbehaving(status(500, {"message": "Server Error"})))
    argo = stack.enter_context(serving(rest({"/api/v1/applications": {"metadata": {}, "items": [application(10)]}})))
    seen = skill(github=github(bad), argocd={"url": argo.url}).first_look(context(Cluster([rollout(9)])))
    assert "sync of cart" in seen.changes[0].summary
    assert [g.what.split(":")[0] for g in seen.gaps] == ["GitHub"]


def test_argo_cd_that_fails_is_a_gap_and_github_is_told_all_the_same(stack: ExitStack) -> None:
    bad = stack.enter_context(misbehaving(status(500, {"message": "Server Error"})))
    api = stack.enter_context(serving(rest(routes(deployments=[deployment(12)]))))
    seen = skill(github=github(api), argocd={"url": bad.url}).first_look(context(Cluster([rollout(9)])))
    assert "deployment of v1.34.0" in seen.changes[0].summary
    assert [g.what for g in seen.gaps] == ["Argo CD"]


def test_rate_limit_by_403_says_until_when_and_asks_no_further(stack: ExitStack) -> None:
    reset = ONSET + timedelta(minutes=20)
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{reset.timestamp():.0f}"}
    said = {"message": "API rate limit exceeded for user ID 1."}
    api = stack.enter_context(misbehaving(status(403, said, headers)))
    repositories = {f"service-{i}": f"acme/service-{i}" for i in range(8)}
    made = skill(github={"url": api.url, "repositories": {"cart": "acme/cart", **repositories}})
    seen = made.first_look(context(Cluster([rollout(9)])))
    assert "(403 until 12:20:00Z), asked once: API rate limit exceeded" in seen.gaps[0].why
    assert len(seen.gaps) == 1
    assert len(api.requests) <= 8  # those under way when the first refusal came, of 27


def test_nothing_that_can_be_read_at_all_is_an_error_with_the_reasons(stack: ExitStack) -> None:
    bad = stack.enter_context(misbehaving(status(500, {"message": "Server Error"})))
    with pytest.raises(ToolError, match="Argo CD failed"):
        skill(argocd={"url": bad.url}).first_look(context())


def test_another_skill_that_fails_hides_nothing(stack: ExitStack) -> None:
    class Broken(Cluster):
        def changes(self, window: Window, namespace: str = "") -> Any:
            raise ToolError("Kubernetes did not answer GET /apis/apps/v1")

    api = stack.enter_context(serving(rest(routes(deployments=[deployment(12)]))))
    seen = skill(github=github(api)).first_look(context(Broken([])))
    assert seen.changes[0].kind == "deployment"
    assert seen.gaps[0].what == "changes of kubernetes"


def test_repository_that_a_pattern_guessed_may_be_absent_and_one_written_down_may_not(stack: ExitStack) -> None:
    api = stack.enter_context(serving(rest(routes())))
    guessed = skill(github={"url": api.url, "repositories": {"cart": "acme/cart", "*": "acme/{service}"}})
    assert guessed.first_look(context(Cluster([rollout(9)]), service="checkout")).gaps == ()
    written = skill(github={"url": api.url, "repositories": {"cart": "acme/crat"}})
    assert "acme/crat" in written.first_look(context(Cluster([]))).gaps[0].what


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"github": {"token_env": "T"}}, "repositories"),
        ({"github": {"repositories": {"cart": "cart"}}}, "owner/repository"),
        ({"argocd": {}}, "url"),
        ({"gitlab": {}}, "gitlab"),
    ],
)
def test_wrong_settings_are_refused_by_key(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Settings.model_validate(settings)


def test_doctor_names_each_repository_that_cannot_be_read(stack: ExitStack) -> None:
    api = stack.enter_context(serving(rest({"/rate_limit": {"resources": {}}, "/repos/acme/cart": {"id": 1}})))
    values = Settings.model_validate({"github": github(api, cart="acme/cart", search="acme/gone")})
    made = connect(Access(values, lambda name: None, QueryMeter("changes"), 1.0))
    assert isinstance(made, Changes)
    assert [(c.what, c.ok) for c in made.checks()] == [("GitHub", True), ("acme/cart", True), ("acme/gone", False)]


def test_load_limit_is_kept(stack: ExitStack) -> None:
    api = stack.enter_context(serving(rest(routes())))
    made = connect(
        Access(Settings.model_validate({"github": github(api)}), lambda name: None, QueryMeter("changes", 2), 1.0)
    )
    seen = made.first_look(context(Cluster([rollout(9)])))
    assert len(api.requests) == 2
    assert "limit of 2 requests" in seen.gaps[0].why


def test_renamed_repository_is_followed_on_its_own_host_and_no_further(stack: ExitStack) -> None:
    rows = [deployment(12)]

    def answer(handler: Any, api: Any) -> None:
        if handler.path.startswith("/repos/"):
            part = handler.path.rpartition("/")[2].partition("?")[0]
            send(handler, 301, b"{}", {"Location": f"{api.url}/repositories/77/{part}"})
        else:
            send(handler, 200, json.dumps(rows if "deployments" in handler.path else []).encode())

    api = stack.enter_context(serving(answer))
    seen = skill(github=github(api)).first_look(context(Cluster([rollout(9)])))
    assert "deployment of v1.34.0" in seen.changes[0].summary
    assert not seen.gaps

    def away(handler: Any, api: Any) -> None:
        send(handler, 302, b"", {"Location": "https://login.example.com/"})

    proxy = stack.enter_context(serving(away))
    lost = skill(github=github(proxy)).first_look(context(Cluster([rollout(9)])))
    assert "sends us on to https://login.example.com/" in lost.gaps[0].why


def test_pages_that_do_not_reach_back_far_enough_are_a_gap_with_what_was_read(stack: ExitStack) -> None:
    path = "/repos/acme/cart/pulls"
    pages = [[pull(5 + page, number=page * 50 + n) for n in range(50)] for page in range(9)]
    api = stack.enter_context(serving(rest({**routes(), path: pages}, next_pages={path: 9})))
    seen = skill(github=github(api)).first_look(context(Cluster([rollout(9)])))
    assert seen.gaps[0].why == "only the newest 150 pulls were read; ask for fewer hours"
    assert "PR #" in seen.changes[0].summary


def test_rollout_is_shown_though_its_pull_request_cannot_be_read(stack: ExitStack) -> None:
    well = rest(routes(deployments=[deployment(12)], pulls=[pull(31)]))

    def answer(handler: Any, api: Any) -> None:
        if "/pulls/482" in handler.path:
            send(handler, 500, b'{"message": "Server Error"}')
        else:
            well(handler, api)

    made = skill(github=github(stack.enter_context(serving(answer))))
    result = made._detail(DetailInput(id="rollout/shop/cart/42"), context(Cluster([rollout(10)])))
    assert result.status == "ok"
    assert "image r.acme.dev/cart:1.33.0 -> 1.34.0" in result.evidence[0].text
    assert "Server Error" in result.gaps[0].why
