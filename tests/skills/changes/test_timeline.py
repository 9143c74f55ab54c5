"""The timeline over real HTTP: what belongs together is one change, and what does not relate is not blamed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest

from skills.changes.relation import alerted_names
from skills.changes.settings import Settings
from skills.changes.tools import Changes, DetailInput, TimelineInput, connect
from skills.contract import (
    Access,
    Change,
    Edge,
    Entity,
    Excerpt,
    FirstLook,
    Focus,
    QueryMeter,
    SkillContext,
    Sources,
    Window,
)
from tests.skills.changes import shapes
from tests.skills.changes.server import Api, rest, serving
from tests.skills.changes.shapes import NOW, ONSET, application, deployment, pull, release

CART = Entity(kind="Deployment", namespace="shop", name="cart")
CHECKOUT = Entity(kind="Deployment", namespace="shop", name="checkout")
SEARCH = Entity(kind="Deployment", namespace="shop", name="search")
EDGES = (
    Edge(Entity(kind="Service", namespace="shop", name="checkout"), CHECKOUT, "selector"),
    Edge(CHECKOUT, Entity(kind="Service", namespace="shop", name="cart"), "env"),
    Edge(Entity(kind="Service", namespace="shop", name="cart"), CART, "selector"),
    Edge(SEARCH, Entity(kind="Service", namespace="shop", name="catalog"), "env"),
)


def rollout(minutes: float, entity: Entity = CART, told: str = "image r.acme.dev/cart:1.33.0 -> 1.34.0") -> Change:
    when = ONSET - timedelta(minutes=minutes)
    seen = Excerpt(f"{entity.kind} {entity.name}: {told}", "kubectl get replicaset", at=when)
    return Change(f"rollout/shop/{entity.name}/42", when, entity, told, "rollout", evidence=(seen,))


class Cluster:
    """What another skill offers."""

    def __init__(self, changes: Sequence[Change], edges: Sequence[Edge] = EDGES) -> None:
        self.told, self.known, self.asked = tuple(changes), tuple(edges), 0

    def changes(self, window: Window, namespace: str = "") -> tuple[Change, ...]:
        self.asked += 1
        return tuple(c for c in self.told if window.start <= c.at <= window.end)

    def edges(self, namespace: str = "") -> tuple[Edge, ...]:
        return self.known


def context(cluster: Cluster | None = None, service: str = "cart", **more: Any) -> SkillContext:
    window = Window(ONSET - timedelta(minutes=30), NOW)
    sources = {"kubernetes": Sources(changes=cluster, edges=cluster)} if cluster else {}
    focus = Focus(alert_type="HighErrorRate", service=service, namespace="shop", started_at=ONSET)
    return SkillContext(focus, NOW, window, window.before(), sources, **more)


def skill(*, timeout: float = 2.0, **settings: Any) -> Changes:
    values = Settings.model_validate(settings)
    made = connect(Access(values, {"TOKEN": "made-up-token"}.get, QueryMeter("changes"), timeout))
    assert isinstance(made, Changes)
    return made


def github(api: Api, **repositories: str) -> dict[str, Any]:
    return {"url": api.url, "token_env": "TOKEN", "repositories": repositories or {"cart": "acme/cart"}}


def routes(repository: str = "acme/cart", **parts: list[Any]) -> dict[str, Any]:
    return {f"/repos/{repository}/{part}": parts.get(part, []) for part in ("deployments", "releases", "pulls")}


@pytest.fixture
def stack() -> Any:
    with ExitStack() as entered:
        yield entered


def test_rollout_deployment_release_merge_and_sync_are_one_change_with_the_rollouts_id(stack: ExitStack) -> None:
    parts = routes(deployments=[deployment(12)], releases=[release(14)], pulls=[pull(31)])
    api = stack.enter_context(serving(rest(parts)))
    argo = stack.enter_context(serving(rest({"/api/v1/applications": {"metadata": {}, "items": [application(10.5)]}})))
    made = skill(github=github(api), argocd={"url": argo.url, "token_env": "TOKEN"})
    seen = made.first_look(context(Cluster([rollout(10)])))
    assert [c.id for c in seen.changes] == ["rollout/shop/cart/42"]
    change = seen.changes[0]
    assert change.author == "mara-lind"
    for word in ("PR #482", "deployment of v1.34.0 to production", "release v1.34.0", "sync of cart to 3f1c9a7"):
        assert word in change.summary
    (said,) = change.evidence
    assert said.link == "https://github.com/acme/cart/pull/482"
    assert said.text.count("; ") == 3
    assert "rollout/shop/cart/42: same workload, 10 min before the onset" in seen.text
    assert not seen.gaps


def test_symptom_of_a_related_change_is_a_lead_and_not_a_conviction(stack: ExitStack) -> None:
    api = stack.enter_context(serving(rest(routes(deployments=[deployment(12)], pulls=[pull(31)]))))
    seen = skill(github=github(api)).first_look(context(Cluster([rollout(10)])))
    assert [(s.role, s.change, s.entity) for s in seen.symptoms] == [("change", "rollout/shop/cart/42", CART)]
    assert seen.symptoms[0].specificity < 0.5


def test_change_of_an_unrelated_service_is_not_blamed_and_the_answer_says_that_none_explains_it(
    stack: ExitStack,
) -> None:
    found = routes("acme/search", deployments=[deployment(5, ref="v3.9.2")], pulls=[pull(9)])
    api = stack.enter_context(serving(rest({**routes(), **found})))
    made = skill(github=github(api, cart="acme/cart", search="acme/search"))
    told = "image r.acme.dev/search:3.9.1 -> 3.9.2"
    seen = made.first_look(context(Cluster([rollout(4, SEARCH, told)])))
    assert seen.symptoms == ()
    assert "No change explains this: nothing touched cart" in seen.text
    assert "rollout of search" in seen.evidence[0].text
    assert seen.changes[0].id == "rollout/shop/search/42"  # known, so that it can be ruled out


def test_change_of_a_dependency_shortly_before_is_a_candidate_and_one_of_a_caller_is_not(stack: ExitStack) -> None:
    api = stack.enter_context(serving(rest(routes(deployments=[deployment(12)]))))
    made = skill(github=github(api))
    below = made.first_look(context(Cluster([rollout(10)]), service="checkout"))
    assert "dependency" in below.text
    assert [s.entity for s in below.symptoms] == [CART]
    told = "image r.acme.dev/checkout:2.20.3 -> 2.20.4"
    above = skill(github=github(api, checkout="acme/none")).first_look(context(Cluster([rollout(10, CHECKOUT, told)])))
    assert "No change explains this" in above.text


def test_merge_that_no_rollout_carried_did_not_change_production(stack: ExitStack) -> None:
    api = stack.enter_context(serving(rest(routes(pulls=[pull(8)]))))
    made = skill(github=github(api))
    seen = made.first_look(context(Cluster([])))
    assert "No change explains this" in seen.text
    assert seen.symptoms == ()
    line = made._timeline(TimelineInput(), context(Cluster([]))).evidence[0].text
    assert line.endswith("no rollout was seen to carry it")


def test_version_that_differs_keeps_a_release_apart_from_a_rollout(stack: ExitStack) -> None:
    api = stack.enter_context(serving(rest(routes(releases=[release(11, "v1.35.0")]))))
    made = skill(github=github(api))
    result = made._timeline(TimelineInput(), context(Cluster([rollout(10)])))
    assert [e.text.rsplit("[", 1)[1].split("]")[0] for e in result.evidence] == [
        "github/acme/cart/release/v1.35.0",
        "rollout/shop/cart/42",
    ]


def test_change_after_the_onset_is_told_as_such_and_explains_nothing(stack: ExitStack) -> None:
    api = stack.enter_context(serving(rest(routes(deployments=[deployment(-4)]))))
    made = skill(github=github(api))
    seen = made.first_look(context(Cluster([rollout(-5)])))
    assert "No change explains this" in seen.text
    assert "5 min after the onset" in made._timeline(TimelineInput(), context(Cluster([rollout(-5)]))).evidence[0].text


def test_pull_requests_are_paged_until_they_are_too_old(stack: ExitStack) -> None:
    pages = [[pull(None, number=n) for n in range(500, 520)], [pull(20)], [pull(60 * 90, number=1)]]
    path = "/repos/acme/cart/pulls"
    api = stack.enter_context(serving(rest({**routes(), path: pages}, next_pages={path: 9})))
    made = skill(github=github(api))
    result = made._timeline(TimelineInput(kinds=("merge",)), context(Cluster([])))
    assert [e.text.split('"')[1] for e in result.evidence] == ["Trim the memory limit"]
    assert sum(path in r for r in api.requests) == 3


def test_token_and_version_are_sent_and_deployments_of_other_environments_left_out(stack: ExitStack) -> None:
    rows = [deployment(12, environment="staging"), deployment(13, environment="production", id=7)]
    api = stack.enter_context(serving(rest(routes(deployments=rows))))
    made = skill(github={**github(api), "environments": ["production"]})
    result = made._timeline(TimelineInput(kinds=("deployment",)), context())
    assert len(result.evidence) == 1
    assert api.headers[0]["Authorization"] == "Bearer made-up-token"
    assert api.headers[0]["X-GitHub-Api-Version"] == "2022-11-28"


def test_failed_sync_is_told_with_the_controllers_words(stack: ExitStack) -> None:
    state = {
        "phase": "Failed",
        "startedAt": shapes.at(6),
        "finishedAt": shapes.at(5),
        "message": 'one or more objects failed to apply, reason: Deployment.apps "cart" is invalid',
        "operation": {"initiatedBy": {"username": "mara"}, "sync": {"revision": shapes.MERGED}},
    }
    items = [application(9000, operationState=state)]
    argo = stack.enter_context(serving(rest({"/api/v1/applications": {"metadata": {}, "items": items}})))
    seen = skill(argocd={"url": argo.url}).first_look(context(Cluster([])))
    assert seen.changes[0].summary == "sync of cart failed"
    assert 'Deployment.apps "cart" is invalid by mara' in seen.changes[0].evidence[0].text


def test_no_applications_is_null_in_go_and_no_trouble(stack: ExitStack) -> None:
    argo = stack.enter_context(serving(rest({"/api/v1/applications": {"metadata": {}, "items": None}})))
    seen = skill(argocd={"url": argo.url}).first_look(context(Cluster([])))
    assert not seen.gaps
    assert "Argo CD (0 applications)" in seen.text


FLAG = Entity(kind="feature_flag", name="bundle-v2")


def switched(*services: str, flag: Entity = FLAG) -> Change:
    touched = [Entity(kind="Service", name=s) for s in services] or [flag]
    seen = tuple(Excerpt(f"flag {flag.name} false -> true, touches {e.name}", "webhook", entity=e) for e in touched)
    return Change("flag/9", ONSET - timedelta(minutes=3), flag, "false -> true in production", "flag", "mara", seen)


def test_flag_that_was_switched_is_a_lead_when_it_touches_what_fails_and_none_otherwise() -> None:
    related = skill().first_look(context(Cluster([]), recorded_changes=(switched("search", "cart"),)))
    assert [(s.entity, s.faults) for s in related.symptoms] == [(FLAG, ("feature_flag_harmful",))]
    foreign = skill().first_look(context(Cluster([]), recorded_changes=(switched("search"),)))
    assert foreign.symptoms == ()
    assert "No change explains this" in foreign.text


def test_flag_of_which_nothing_is_said_is_a_weaker_lead_unless_its_name_or_the_settings_tell() -> None:
    unsaid = context(Cluster([]), recorded_changes=(switched(),))
    assert "touches unknown" in skill().first_look(unsaid).text
    assert "same workload" in skill(flags={"bundle-*": "cart"}).first_look(unsaid).text
    assert "No change explains this" in skill(flags={"bundle-*": "search"}).first_look(unsaid).text
    by_name = switched(flag=Entity(kind="feature_flag", name="new-cart-total"))
    named = skill().first_look(context(Cluster([]), recorded_changes=(by_name,)))
    assert "named after it" in named.text
    assert named.symptoms[0].specificity > skill().first_look(unsaid).symptoms[0].specificity


def test_other_skills_first_look_is_used_and_their_systems_are_not_read_again() -> None:
    cluster = Cluster([])
    look = FirstLook("", changes=(rollout(10),), edges=EDGES)
    seen = skill().first_look(context(cluster, look_of=lambda name, seconds: look))
    assert "rollout/shop/cart/42: same workload" in seen.text
    assert cluster.asked == 0


def test_detail_of_a_rollout_shows_its_pull_requests_files_and_diff(stack: ExitStack) -> None:
    patch = "@@ -14,3 +14,3 @@ resources:\n   limits:\n-    memory: 512Mi\n+    memory: 128Mi"
    parts = {
        **routes(deployments=[deployment(12)], pulls=[pull(31)]),
        "/repos/acme/cart/pulls/482": {
            **pull(31), "merged_by": shapes.user("jo-park"), "additions": 1, "deletions": 1, "changed_files": 1,
        },
        "/repos/acme/cart/pulls/482/files": [
            {"sha": "c1", "filename": "deploy/values.yaml", "status": "modified", "additions": 1, "deletions": 1,
             "changes": 2, "patch": patch},
        ],
    }  # fmt: skip
    api = stack.enter_context(serving(rest(parts)))
    result = skill(github=github(api))._detail(DetailInput(id="rollout/shop/cart/42"), context(Cluster([rollout(10)])))
    text = "\n".join(e.text for e in result.evidence)
    assert "image r.acme.dev/cart:1.33.0 -> 1.34.0" in text
    assert "merged 2026-11-25T11:29:00Z by jo-park into main" in text
    assert "modified deploy/values.yaml +1 -1" in text
    assert "+    memory: 128Mi" in text


def test_detail_of_an_unknown_id_names_those_that_there_are() -> None:
    result = skill()._detail(DetailInput(id="rollout/shop/cart/41"), context(Cluster([rollout(10)])))
    assert result.status == "no_data"
    assert "rollout/shop/cart/42" in result.text


def test_commit_that_last_touched_a_traces_file_is_found_below_the_images_folders(stack: ExitStack) -> None:
    row = {
        "sha": shapes.MERGED,
        "html_url": "https://github.com/acme/cart/commit/3f1c9a7",
        "commit": {
            "message": "Sum promotions before taxes\n\nlonger words",
            "author": {"name": "Mara Lind", "date": shapes.at(50)},
            "committer": {"name": "GitHub", "date": shapes.at(49)},
        },
        "author": shapes.user("mara-lind"),
    }

    def commits(query: dict[str, list[str]]) -> list[Any]:
        return [row] if query["path"] == ["cart/totals.py"] else []

    api = stack.enter_context(serving(rest({"/repos/acme/cart/commits": commits})))
    code = skill(github=github(api)).sources.code
    assert code is not None
    change = code.last_touched("/srv/app/cart/totals.py", 52, "cart")
    assert change is not None
    assert change.summary == 'cart/totals.py:52: commit 3f1c9a7 "Sum promotions before taxes" by mara-lind'
    assert code.last_touched("/usr/lib/python3.11/asyncio/base_events.py", 1, "cart") is None


def test_several_services_of_one_repository_are_told_apart_by_labels_and_scopes(stack: ExitStack) -> None:
    pulls = [
        pull(8, number=1, labels=[{"name": "service:search"}], merge_commit_sha="1" * 40),
        pull(9, number=2, title="fix(cart): round once", merge_commit_sha="2" * 40),
    ]
    api = stack.enter_context(serving(rest(routes("acme/mono", pulls=pulls))))
    made = skill(github=github(api, cart="acme/mono", search="acme/mono"))
    lines = [e.text for e in made._timeline(TimelineInput(), context()).evidence]
    assert "same workload: Service cart" in lines[0]
    assert "Service search" in lines[1]
    assert "unrelated" in lines[1]


def config(name: str, minutes: float = 3) -> Change:
    thing = Entity(kind="ConfigMap", namespace="shop", name=name)
    return Change(f"configmap/shop/{name}/9", ONSET - timedelta(minutes=minutes), thing, "ConfigMap changed", "config")


@pytest.mark.parametrize(
    ("name", "relation"),
    [
        ("cart-config", "named after it"),
        ("feature-flags", "shared in its namespace"),
        ("search-config", "same namespace"),
    ],
)
def test_configuration_relates_by_its_name_or_is_shared_by_all(name: str, relation: str) -> None:
    seen = skill().first_look(context(Cluster([config(name)])))
    assert ("No change explains this" in seen.text) is (relation == "same namespace")
    assert relation in skill()._timeline(TimelineInput(), context(Cluster([config(name)]))).evidence[0].text


def test_sync_that_wrote_only_a_config_map_is_that_change_and_not_one_of_the_workload(stack: ExitStack) -> None:
    app = application(3.02)
    app["status"]["resources"].append(
        {"version": "v1", "kind": "ConfigMap", "namespace": "shop", "name": "cart-config"}
    )
    argo = stack.enter_context(serving(rest({"/api/v1/applications": {"metadata": {}, "items": [app]}})))
    made = skill(argocd={"url": argo.url})
    seen = made.first_look(context(Cluster([config("cart-config"), rollout(200)])))
    assert seen.symptoms == ()
    assert [(c.id, c.entity.kind) for c in seen.changes] == [("configmap/shop/cart-config/9", "ConfigMap")]
    assert "sync of cart" in seen.changes[0].summary


def test_sync_with_which_nothing_was_written_did_not_change_production(stack: ExitStack) -> None:
    argo = stack.enter_context(serving(rest({"/api/v1/applications": {"metadata": {}, "items": [application(3)]}})))
    seen = skill(argocd={"url": argo.url}).first_look(context(Cluster([rollout(200)])))
    assert seen.symptoms == ()
    assert "No change explains this" in seen.text


def test_of_many_repositories_only_the_alerts_own_and_its_dependencies_are_asked(stack: ExitStack) -> None:
    many = {f"service-{i}": f"acme/service-{i}" for i in range(40)}
    api = stack.enter_context(serving(rest({**routes(deployments=[deployment(12)]), **routes("acme/checkout")})))
    made = skill(github=github(api, cart="acme/cart", checkout="acme/checkout", **many))
    seen = made.first_look(context(Cluster([rollout(10)]), service="checkout"))
    assert {r.split("/")[3] for r in api.requests} == {"checkout", "cart"}
    assert "GitHub (2 repositories)" in seen.text
    assert not seen.gaps


def test_merge_of_what_runs_nowhere_in_the_cluster_may_have_changed_production(stack: ExitStack) -> None:
    api = stack.enter_context(serving(rest(routes("acme/invoicer", pulls=[pull(8)]))))
    made = skill(github=github(api, invoicer="acme/invoicer"))
    seen = made.first_look(context(Cluster([]), service="invoicer"))
    assert "github/acme/invoicer/pull/482: same workload" in seen.text
    assert [s.change for s in seen.symptoms] == ["github/acme/cart/pull/482".replace("cart", "invoicer")]


@pytest.mark.parametrize(
    ("environment", "told"), [("production", True), ("Staging", False), ("cart-preview-17", False), ("eu-1", True)]
)
def test_deployment_to_an_environment_for_trying_out_is_left_out(
    environment: str, told: bool, stack: ExitStack
) -> None:
    rows = [deployment(12, environment=environment)]
    api = stack.enter_context(serving(rest(routes(deployments=rows))))
    assert bool(skill(github=github(api)).first_look(context()).changes) is told


def test_nothing_that_tells_of_changes_is_not_taken_for_no_change() -> None:
    seen = skill().first_look(context())
    assert seen.text == "Nothing that is on tells of changes, so nothing is known of them."
    assert seen.evidence == ()


def test_applications_of_other_clusters_are_left_out(stack: ExitStack) -> None:
    elsewhere = application(5, revision="b" * 40)
    elsewhere["spec"]["destination"] = {"name": "staging-eu", "namespace": "shop"}
    items = {"metadata": {}, "items": [application(5), elsewhere]}
    argo = stack.enter_context(serving(rest({"/api/v1/applications": items})))
    made = skill(argocd={"url": argo.url, "clusters": ["https://kubernetes.default.svc"]})
    assert "Argo CD (1 applications)" in made.first_look(context()).text


def test_application_of_several_sources_names_each_revision(stack: ExitStack) -> None:
    app = application(5)
    row = app["status"]["history"][0]
    del row["revision"], row["source"], row["deployStartedAt"]
    row |= {"id": 0, "revisions": ["0.4.0", "b" * 40], "initiatedBy": {"username": "mara"}}
    row["sources"] = [{"repoURL": "oci://charts.example.com/app", "chart": "app", "targetRevision": "0.4.0"}]
    argo = stack.enter_context(serving(rest({"/api/v1/applications": {"metadata": {}, "items": [app]}})))
    (change,) = skill(argocd={"url": argo.url}).first_look(context()).changes
    assert (change.id, change.author) == ("argocd/cart/0", "mara")
    assert "to 0.4.0, bbbbbbb (oci://charts.example.com/app app at 0.4.0)" in change.evidence[0].text


@pytest.mark.parametrize(
    ("labels", "service", "names"),
    [
        ({"pod": "cart-5d9f8c6b57-x2lqp"}, "kube-state-metrics", {"cart"}),
        ({"pod": "orders-db-0"}, "", {"orders-db"}),
        ({"job_name": "compact-positions-29925460"}, "", {"compact-positions"}),
        ({"deployment": "checkout"}, "checkout-service", {"checkout"}),
        ({"node": "worker-2"}, "node-exporter", set()),
    ],
)
def test_alert_is_about_who_ails_and_not_about_who_measured(
    labels: dict[str, str], service: str, names: set[str]
) -> None:
    assert alerted_names(Focus(service=service, labels=labels)) == names


def test_alert_about_something_without_a_repository_is_no_gap(stack: ExitStack) -> None:
    api = stack.enter_context(serving(rest(routes())))
    many = {f"service-{i}": f"acme/service-{i}" for i in range(40)}
    seen = skill(github=github(api, **many)).first_look(context(Cluster([rollout(10)]), service="postgres"))
    assert seen.gaps == ()
    assert "GitHub (which has no repository of postgres by the settings)" in seen.text
    assert api.requests == []
