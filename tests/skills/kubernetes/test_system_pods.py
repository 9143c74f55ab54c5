"""Pods of kube-system that are unwell although their controller says otherwise: read because the kubelet complains."""

from __future__ import annotations

from datetime import timedelta

from skills.contract import Symptom
from tests.skills.kubernetes.served import NAMESPACES, context, kubernetes
from tests.skills.kubernetes.server import Cluster, serving
from tests.skills.kubernetes.shapes import (
    NODES,
    NOW,
    UNREADY,
    Obj,
    app,
    deployment,
    ended,
    event,
    found_in,
    meta,
    owner,
    pod,
    pod_spec,
    waiting,
)

BACK_OFF = "Back-off restarting failed container app in pod kube-proxy-x7k2p_kube-system(uid)"


def proxied(*more: Obj) -> list[Symptom]:
    """A DaemonSet whose status is behind the times: all ready, while one pod crashes."""
    labels = {"k8s-app": "kube-proxy"}
    scheduled = {"desiredNumberScheduled": 3, "currentNumberScheduled": 3, "numberMisscheduled": 0}
    status = {**scheduled, "numberReady": 3, "numberAvailable": 3}
    proxy: Obj = {
        "kind": "DaemonSet",
        "apiVersion": "apps/v1",
        "metadata": meta("kube-proxy", namespace="kube-system", labels=labels),
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod_spec()}},
        "status": status,
    }
    crashed = pod(
        "kube-proxy-x7k2p",
        labels=labels,
        namespace="kube-system",
        owners=owner("DaemonSet", "kube-proxy"),
        statuses=[waiting("CrashLoopBackOff", BACK_OFF, restarts=7, last=ended())],
        conds=UNREADY,
    )
    with serving(Cluster([*NODES, *NAMESPACES, *app("cart"), proxy, crashed, *more])) as url:
        seen = kubernetes(url).first_look(context())
    return [s for s in seen.symptoms if s.faults[:1] == ("node_proxy_stopped",)]


def test_a_warning_of_the_kubelet_leads_to_the_pod() -> None:
    found = proxied(event("Pod", "kube-proxy-x7k2p", "BackOff", BACK_OFF, namespace="kube-system"))
    assert [str(s.entity) for s in found] == ["Node node-a"]


def test_a_warning_of_yesterday_leads_nowhere() -> None:
    assert not proxied(
        event("Pod", "kube-proxy-x7k2p", "BackOff", BACK_OFF, namespace="kube-system", minutes=1500, first=1600)
    )


def test_dns_that_went_down_minutes_ago_is_dated_by_that_and_not_by_its_pods() -> None:
    labels = {"k8s-app": "kube-dns"}
    dns = deployment("coredns", labels=labels, ready=0)
    dns["metadata"] |= {"namespace": "kube-system"}
    down = pod(
        "coredns-5d9c7b-ax7k2",
        labels=labels,
        namespace="kube-system",
        owners=owner("Deployment", "coredns"),
        statuses=[waiting("CrashLoopBackOff", BACK_OFF, restarts=7, last=ended())],
        conds=UNREADY,
        age=90000,
    )
    found = [s for s in found_in(*app("cart"), dns, down) if s.faults[:1] == ("dns_resolution_failing",)]
    assert [(str(s.entity), s.onset) for s in found] == [
        ("Deployment kube-system/coredns", NOW - timedelta(minutes=30))
    ]
