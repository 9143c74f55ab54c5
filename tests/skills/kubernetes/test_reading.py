# ruff: noqa: E501  (the wordings of Kubernetes are quoted whole)
"""Reading a cluster over HTTP through the real client: scope, few requests, permissions, tools and sources."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from skills.contract import LogQuery, ToolError, ToolInput
from skills.kubernetes.kinds import IN_NAMESPACE, OF_CLUSTER, OPTIONAL
from skills.kubernetes.settings import Settings
from tests.skills.kubernetes.served import broken_shop, context, kubernetes
from tests.skills.kubernetes.server import Cluster, serving
from tests.skills.kubernetes.shapes import (
    NODES,
    NS,
    WINDOW,
    app,
    ended,
    meta,
    unwell,
    waiting,
)
from tests.skills.kubernetes.test_traffic import proxy


def test_the_first_look_names_the_culprit_within_seconds_and_few_requests() -> None:
    cluster = broken_shop()
    with serving(cluster) as url:
        begun = time.monotonic()
        look = kubernetes(url).first_look(context())
        assert time.monotonic() - begun < 2
    best = look.symptoms[0]
    assert (str(best.entity), best.faults[0]) == ("Service shop/cart", "service_selects_no_pods")
    assert sum(cluster.requests.values()) < 30
    assert look.gaps == ()
    assert all(e.query.startswith("kubectl ") for s in look.symptoms for e in s.evidence)
    assert not any(path.startswith("/api/v1/pods") for path in cluster.paths), "never all pods of a cluster"


def test_without_a_namespace_the_one_that_holds_the_service_is_found() -> None:
    cluster = broken_shop()
    with serving(cluster) as url:
        look = kubernetes(url).first_look(context(namespace=""))
    assert look.symptoms[0].entity.namespace == NS
    assert not any("/namespaces/billing/" in path for path in cluster.paths)


def test_every_tool_answers_and_a_second_question_reads_nothing_twice() -> None:
    cluster = broken_shop()
    cluster.logs[(NS, "cart-5d9c7b-ax7k2", "app", False)] = "2026-03-14T14:59:00.000000000Z listening on 8080\n"
    arguments = {"kubernetes_describe": {"kind": "Service", "name": "cart"}, "kubernetes_logs": {"name": "cart"}}
    with serving(cluster) as url:
        skill = kubernetes(url)
        skill.reach()
        answers = {t.name: t.run(t.input(**arguments.get(t.name, {})), context()) for t in skill.tools}
        before = sum(cluster.requests.values())
        skill.tools[0].run(skill.tools[0].input(), context())
        assert sum(cluster.requests.values()) == before
    assert {name for name, a in answers.items() if a.status == "error"} == set()
    assert "listening on 8080" in answers["kubernetes_logs"].evidence[0].text
    assert len(skill.tools) <= 7


def test_values_of_secrets_never_enter_a_snapshot() -> None:
    applied = {"kubectl.kubernetes.io/last-applied-configuration": '{"stringData": {"password": "made-up-value"}}'}
    secret = {
        "kind": "Secret",
        "apiVersion": "v1",
        "type": "Opaque",
        "data": {"password": "bWFkZS11cC12YWx1ZQ=="},
        "metadata": meta("db", annotations=applied),
    }
    cluster = Cluster([*NODES, *app("cart"), secret])
    with serving(cluster) as url:
        skill = kubernetes(url)
        skill.first_look(context())
        told = skill.tools[2].run(skill.tools[2].input(kind="Secret", name="db"), context())
    assert "made-up" not in repr(told)
    assert "bWFkZS1" not in repr(told)


def test_logs_are_offered_to_other_skills() -> None:
    cluster = broken_shop()
    cluster.logs[(NS, "cart-5d9c7b-ax7k2", "app", False)] = (
        "2026-03-14T14:59:00.000000000Z ERROR no route\n2026-03-14T14:59:01.000000000Z fine\n"
    )
    with serving(cluster) as url:
        logs = kubernetes(url).sources.logs
        assert logs is not None
        batch = logs.read(LogQuery(WINDOW, NS, "cart", errors_only=True))
    assert [line.text for line in batch.lines] == ["ERROR no route"]


def test_the_last_words_of_a_crashing_container_are_read_and_cited() -> None:
    last = ended("Error", 1)
    cluster = Cluster(
        [*NODES, *unwell("cart", statuses=[waiting("CrashLoopBackOff", "back-off", restarts=3, last=last)])]
    )
    cluster.logs[(NS, "cart-5d9c7b-ax7k2", "app", True)] = (
        "2026-03-14T14:54:59.000000000Z panic: lookup ledger on 10.96.0.10:53: no such host\n"
    )
    with serving(cluster) as url:
        look = kubernetes(url).first_look(context())
    assert any("no such host" in e.text for s in look.symptoms for e in s.evidence)


def test_a_token_is_sent_and_its_absence_is_no_authentication() -> None:
    with serving(Cluster(token="made-up")) as url:
        kubernetes(url, token="made-up").reach()
        with pytest.raises(ToolError, match="401"):
            kubernetes(url).reach()


@pytest.mark.parametrize(
    "wrong", [{}, {"url": "http://x", "in_cluster": True}, {"url": "x"}, {"url": "http://x", "color": 1}]
)
def test_settings_want_exactly_one_way_in(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(wrong)


def test_the_rbac_manifest_allows_reading_all_kinds_and_nothing_else() -> None:
    documents = list(yaml.safe_load_all(Path("config/kubernetes-rbac.yaml").read_text(encoding="utf-8")))
    rules = next(d for d in documents if d["kind"] == "ClusterRole")["rules"]
    allowed = {(g, r) for rule in rules for g in rule["apiGroups"] for r in rule["resources"]}
    assert {v for rule in rules for v in rule["verbs"]} == {"get", "list"}
    for kind in (*IN_NAMESPACE, *OF_CLUSTER, *OPTIONAL):
        group = "" if kind.base == "/api/v1" else kind.base.split("/")[2]
        assert (group, kind.plural) in allowed


def test_the_client_is_light_to_load() -> None:
    code = "import sys; import skills.kubernetes.client; print(any(m.startswith('kubernetes.client.api.') or m.startswith('kubernetes.client.models.') for m in sys.modules))"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        == "False"
    )


def test_unknown_arguments_are_refused() -> None:
    with pytest.raises(ValidationError):
        ToolInput(nonsense=1)  # type: ignore[call-arg]  # that is the point


def test_a_second_question_about_a_namespace_that_was_read_wholly_reads_nothing() -> None:
    cluster = broken_shop()
    with serving(cluster) as url:
        skill = kubernetes(url, namespaces=["shop", "billing"])
        skill.first_look(context())
        before = sum(cluster.requests.values())
        overview = next(t for t in skill.tools if t.name == "kubernetes_overview")
        assert overview.run(overview.input(namespace="shop"), context()).status == "ok"
        assert sum(cluster.requests.values()) == before


def test_what_the_look_had_no_reason_to_read_is_named_when_it_is_asked_for() -> None:
    role = {"kind": "Role", "apiVersion": "rbac.authorization.k8s.io/v1", "metadata": meta("reader"), "rules": []}
    cluster = Cluster([*NODES, *app("cart"), role])
    with serving(cluster) as url:
        skill = kubernetes(url)
        describe = next(t for t in skill.tools if t.name == "kubernetes_describe")
        told = describe.run(describe.input(kind="Role", name="writer"), context())
        assert told.status == "no_data"
        assert "there are: reader" in told.text
        assert describe.run(describe.input(kind="Role", name="reader"), context()).status == "ok"


def test_what_the_lines_of_a_log_mean_is_told_with_them() -> None:
    cluster = broken_shop()
    cluster.logs[(NS, "cart-5d9c7b-ax7k2", "app", False)] = (
        "2026-03-14T14:58:00.000000000Z sqlalchemy.exc.TimeoutError: QueuePool limit of size 5 overflow 10 reached, connection timed out\n"
        * 4
    )
    with serving(cluster) as url:
        skill = kubernetes(url)
        logs = next(t for t in skill.tools if t.name == "kubernetes_logs")
        skill.first_look(context())
        told = logs.run(logs.input(name="cart"), context())
    assert ("Deployment shop/cart", "connection_pool_exhausted") in {
        (str(s.entity), s.faults[0]) for s in told.symptoms
    }


def test_a_node_proxy_that_was_edited_makes_the_control_plane_worth_reading() -> None:
    cluster = Cluster([*NODES, *app("cart"), *proxy("ghcr.io/someone/kube-proxy:v1.33.1", 20)])
    with serving(cluster) as url:
        look = kubernetes(url).first_look(context())
    assert any(s.entity.name == "kube-proxy" for s in look.symptoms)
