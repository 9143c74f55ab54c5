# ruff: noqa: E501  (the wordings of Kubernetes are quoted whole)
"""A server that lets one down in a part: a gap that names what happened, and the rest is answered."""

from __future__ import annotations

import re
import time
from http.server import BaseHTTPRequestHandler

import pytest

from skills.contract import Access, LogQuery, QueryMeter
from skills.kubernetes.client import Client
from skills.kubernetes.settings import Settings
from tests.skills.kubernetes.served import broken_shop, context, crowded, kubernetes
from tests.skills.kubernetes.server import Cluster, Misbehave, send, serving, status
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


def answering(code: int, words: str) -> Misbehave:
    def answer(handler: BaseHTTPRequestHandler) -> bool:
        status(handler, code, "Because", words)
        return True

    return answer


def garbage(handler: BaseHTTPRequestHandler) -> bool:
    handler.send_response(200)
    handler.send_header("Content-Length", "12")
    handler.end_headers()
    handler.wfile.write(b"<html>no</h>")
    return True


def half_a_body(handler: BaseHTTPRequestHandler) -> bool:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"items": [')
    handler.close_connection = True
    return True


def nothing(handler: BaseHTTPRequestHandler) -> bool:
    handler.close_connection = True
    return True


def silence(handler: BaseHTTPRequestHandler) -> bool:
    time.sleep(1.5)
    handler.close_connection = True
    return True


def drip(handler: BaseHTTPRequestHandler) -> bool:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    for _ in range(20):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.1)
    handler.close_connection = True
    return True


def huge(handler: BaseHTTPRequestHandler) -> bool:
    handler.send_response(200)
    handler.send_header("Content-Length", str(100 * 2**20))
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b" " * 2**20)
    return True


def test_one_kind_that_is_slow_is_a_gap_and_the_rest_is_answered() -> None:
    def slow_nodes(handler: BaseHTTPRequestHandler) -> bool:
        return handler.path.startswith("/api/v1/nodes") and silence(handler)

    cluster = broken_shop()
    cluster.misbehave = slow_nodes
    with serving(cluster) as url:
        look = kubernetes(url, first_look_seconds=1.2).first_look(context())
    assert look.symptoms[0].faults[0] == "service_selects_no_pods"
    assert any("nodes" in g.what for g in look.gaps)


def test_a_list_whose_items_are_null_is_an_empty_list() -> None:
    def wrong(handler: BaseHTTPRequestHandler) -> bool:
        if handler.path.startswith(f"/api/v1/namespaces/{NS}/pods"):
            send(handler, {"kind": "PodList", "items": None})
            return True
        return False

    with serving(Cluster([*NODES, *app("cart")], misbehave=wrong)) as url:
        look = kubernetes(url).first_look(context())
    assert not [g for g in look.gaps if "pods" in g.what]


def test_the_load_limit_ends_reading_with_a_gap() -> None:
    with serving(broken_shop()) as url:
        look = kubernetes(url, limit=10).first_look(context())
    assert any("limit of 10 requests" in g.why for g in look.gaps)


def only(path: str, misbehave: Misbehave) -> Misbehave:
    return lambda handler: path in handler.path and misbehave(handler)


@pytest.mark.parametrize(
    ("misbehave", "words"),
    [
        (answering(401, "Unauthorized"), r"\(401\): Unauthorized"),
        (answering(403, "configmaps is forbidden"), r"\(403\): configmaps is forbidden"),
        (answering(429, "too many requests"), "429"),
        (answering(500, "etcdserver: request timed out"), r"\(500\): etcdserver: request timed out"),
        (answering(503, "apiserver is shutting down"), r"\(503\): apiserver is shutting down"),
        (garbage, "instead of JSON"),
        (half_a_body, "broke off"),
        (nothing, "without an answer"),
        (silence, "did not answer within|not read within"),
        (drip, "had not ended its answer after|not read within"),
        (huge, "of which 32 MB would be read"),
    ],
)
def test_one_kind_that_lets_one_down_is_a_gap_with_its_reason_and_the_rest_is_answered(
    misbehave: Misbehave, words: str
) -> None:
    cluster = broken_shop()
    cluster.misbehave = only("/configmaps", misbehave)
    with serving(cluster) as url:
        begun = time.monotonic()
        look = kubernetes(url, timeout_seconds=1, first_look_seconds=3).first_look(context())
        assert time.monotonic() - begun < 5
    assert look.symptoms[0].faults[0] == "service_selects_no_pods"
    assert any("configmaps" in g.what and re.search(words, g.why) for g in look.gaps), look.gaps


def test_a_kind_that_the_cluster_does_not_serve_is_no_gap() -> None:
    cluster = broken_shop()
    cluster.misbehave = only("/horizontalpodautoscalers", answering(404, "page not found"))
    with serving(cluster) as url:
        assert kubernetes(url).first_look(context()).gaps == ()


@pytest.mark.parametrize(
    ("misbehave", "words"),
    [(answering(403, "pods/log is forbidden"), "403"), (answering(500, "proxy error from kubelet"), "500"), (silence, "did not answer"), (nothing, "without an answer")],
)  # fmt: skip
def test_a_log_that_cannot_be_read_is_a_gap_and_one_that_is_not_there_is_none(misbehave: Misbehave, words: str) -> None:
    last = ended("Error", 1)
    objects = [*NODES, *unwell("cart", statuses=[waiting("CrashLoopBackOff", "back-off", restarts=3, last=last)])]
    cluster = Cluster(objects, misbehave=only("/log", misbehave))
    with serving(cluster) as url:
        look = kubernetes(url, timeout_seconds=1, first_look_seconds=3).first_look(context())
    assert any("log of pod" in g.what and words in g.why for g in look.gaps)
    with serving(Cluster(objects)) as url:
        assert kubernetes(url).first_look(context()).gaps == ()


def test_a_log_of_a_hundred_megabytes_is_cut_and_told_in_time() -> None:
    def endless(handler: BaseHTTPRequestHandler) -> bool:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/plain")
        handler.send_header("Content-Length", str(100 * 2**20))
        handler.end_headers()
        line = b"2026-03-14T14:59:00.000000000Z ERROR again\n"
        for _ in range(100):
            handler.wfile.write(line * (2**20 // len(line)))
        return True

    cluster = Cluster([*NODES, *app("cart")], misbehave=only("/log", endless))
    with serving(cluster) as url:
        skill = kubernetes(url)
        begun = time.monotonic()
        assert skill.sources.logs is not None
        batch = skill.sources.logs.read(LogQuery(WINDOW, NS, "cart", limit=100))
        assert time.monotonic() - begun < 5
    assert len(batch.lines) == 100


def test_a_server_that_does_not_know_the_type_of_secrets_is_asked_without_it() -> None:
    def strict(handler: BaseHTTPRequestHandler) -> bool:
        if "/secrets" in handler.path and "fieldSelector" in handler.path:
            status(handler, 400, "BadRequest", 'field label not supported: "type"')
            return True
        return False

    cluster = broken_shop()
    cluster.misbehave = strict
    with serving(cluster) as url:
        assert kubernetes(url).first_look(context()).gaps == ()


def test_a_missing_permission_is_a_gap_with_verb_and_resource() -> None:
    cluster = broken_shop()
    cluster.forbidden = {"secrets", "nodes"}
    with serving(cluster) as url:
        skill = kubernetes(url)
        look = skill.first_look(context())
        checks = {c.what: c for c in skill.checks()}
    assert look.symptoms[0].faults[0] == "service_selects_no_pods"
    assert {g.what for g in look.gaps} == {"list secrets in shop", "list nodes"}
    assert any('cannot list resource "nodes"' in g.why for g in look.gaps)
    assert not checks["list nodes"].ok
    assert checks["list pods"].ok


def test_what_is_forbidden_in_several_places_is_one_gap_that_says_whom_to_allow_it() -> None:
    cluster = broken_shop()
    cluster.forbidden = {"events"}
    with serving(cluster) as url:
        look = kubernetes(url).first_look(context())
    (gap,) = look.gaps
    assert gap.what == "list events in shop, list events in default, list events in kube-system"
    assert "; let the user named here do so: apply config/kubernetes-rbac.yaml; asked: GET /api/v1/" in gap.why
    assert gap.why.endswith(" and 2 more")


def test_a_table_that_is_refused_leaves_a_gap_and_the_rest() -> None:
    def no_tables(handler: BaseHTTPRequestHandler) -> bool:
        if "as=Table" in handler.headers.get("Accept", ""):
            status(handler, 406, "NotAcceptable", "only the following media types are accepted: application/json")
            return True
        return False

    cluster = crowded()
    cluster.misbehave = no_tables
    with serving(cluster) as url:
        look = kubernetes(url).first_look(context())
    assert any("pods" in g.what and "406" in g.why for g in look.gaps)
    assert look.symptoms == () or look.symptoms[0].specificity <= 0.96


def many(count: int) -> Cluster:
    return Cluster(
        [{"kind": "Service", "apiVersion": "v1", "metadata": meta(f"s{i}"), "spec": {}} for i in range(count)]
    )


def expiring(token: str, times: int = 1) -> Misbehave:
    """etcd has compacted the moment of the first page: Kubernetes API concepts, "Retrieving large results sets in
    chunks"; the token is what the server offers to go on with."""
    left = [times]

    def answer(handler: BaseHTTPRequestHandler) -> bool:
        if "continue=" not in handler.path or not left[0]:
            return False
        left[0] -= 1
        words = "The provided continue parameter is too old to display a consistent list result."
        metadata = {"continue": token} if token else {}
        body = {"kind": "Status", "apiVersion": "v1", "metadata": metadata, "status": "Failure", "message": words,
                "reason": "Expired", "code": 410}  # fmt: skip
        send(handler, body, 410)
        return True

    return answer


@pytest.mark.parametrize(
    ("misbehave", "read", "words"),
    [
        (expiring("4"), 9, "it changed while it was read, so that some objects may be missing"),
        (expiring("4", times=2), 4, "stopped after 4 objects"),
        (expiring(""), 4, "stopped after 4 objects: Kubernetes rejected the question (410): The provided continue"),
        (answering(500, "etcdserver: request timed out"), 4, "(500): etcdserver: request timed out"),
        (half_a_body, 4, "broke off its answer"),
    ],
)
def test_what_was_read_before_a_page_failed_is_kept_and_said(misbehave: Misbehave, read: int, words: str) -> None:
    cluster = many(9)
    cluster.misbehave = only("continue=", misbehave)
    with serving(cluster) as url:
        client = Client(Access(Settings(url=url), lambda name: None, QueryMeter("kubernetes"), 5.0))
        found = client.list("/api/v1/namespaces/shop/services", {"limit": 4})
    assert len(found.items) == read
    assert words in found.left_out
    assert not any("watch" in path for path in cluster.paths)
