"""A few small clusters in which many analyzers have something to see: the corpus of tests about missing parts and about
the official client's models."""

from __future__ import annotations

from skills.contract import LogLine
from tests.skills.kubernetes import test_analyzers as basics
from tests.skills.kubernetes import test_changes_read as changes
from tests.skills.kubernetes import test_kubelet as kubelet
from tests.skills.kubernetes import test_routes as routes
from tests.skills.kubernetes import test_standstill as standstill
from tests.skills.kubernetes import test_traffic as traffic
from tests.skills.kubernetes import test_traps as traps
from tests.skills.kubernetes.shapes import NODES, NOW, NS, Obj, app, ended, event, pod_spec, waiting
from tests.skills.kubernetes.test_healthy import shop

CRASH = "back-off 5m0s restarting failed container=app pod=cart-5d9c7b-ax7k2_shop"
FORBIDDEN = (
    'configmaps is forbidden: User "system:serviceaccount:shop:robot" cannot list resource "configmaps" in API group '
    '"" in the namespace "shop"'
)
LOGS = {
    (NS, "cart-5d9c7b-ax7k2", "app", previous): tuple(
        LogLine(NOW, words, None, "app")
        for words in ("panic: lookup ledger on 10.96.0.10:53: no such host", FORBIDDEN, "bind: address already in use")
    )
    for previous in (True, False)
}


def _crashing() -> list[Obj]:
    status = waiting("CrashLoopBackOff", CRASH, restarts=5, last=ended("OOMKilled", 137))
    spec = traps.probed("livenessProbe", httpGet={"path": "/live", "port": "http"})
    spec["containers"][0] |= {
        "resources": {"limits": {"memory": "64Mi", "cpu": "100m"}, "requests": {"cpu": "50m"}},
        "env": [
            {"name": "DB_URL", "value": "postgres://db:5432/x"},
            {"name": "P", "valueFrom": {"secretKeyRef": {"name": "db", "key": "p"}}},
        ],
        "envFrom": [{"configMapRef": {"name": "conf"}}],
    }
    return basics.second_revision(basics.unwell("cart", spec=spec, statuses=[status]), pod_spec())


EVERY: dict[str, list[Obj]] = {
    "healthy": [*NODES, *(o for o in shop() if o["metadata"]["name"] != "bare")],
    "crashing": [*NODES, *_crashing(), event("Pod", "cart-5d9c7b-ax7k2", "Unhealthy", "Liveness probe failed: EOF")],
    "pending": [
        *NODES,
        *basics.pending(
            "0/3 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint {team: batch}.",
            pod_spec(affinity={**basics.AFFINITY, **basics.ANTI}, nodeSelector={"disk": "ssd"}, **traps.USER),
        ),
        traps.claim(selector={"matchLabels": {"a": "b"}}),
        traps.FAST,
        basics.volume("v", "Released", claimRef={"namespace": "shop", "name": "old", "uid": "u"}),
    ],
    "deadlocked": [
        *standstill.rolling(
            standstill.NO_ROOM, pod_spec(affinity=standstill.ANTI), pod_spec(affinity=standstill.ANTI), maxSurge=1
        ),
        standstill.lease("kube-scheduler", "2026-03-14T14:30:00.000000Z"),
    ],
    "refused": [
        *basics.refused("exceeded quota: q, requested: pods=1, used: pods=4, limited: pods=4"),
        traps.quota({"pods": "4", "requests.storage": "1Gi"}, {"pods": "4", "requests.storage": "1Gi"}),
    ],
    "jobs": [
        standstill.cron(),
        standstill.run(1, 130, succeeded=1, conditions=standstill.DONE),
        standstill.run(2, 10, "shop/report:2", failed=3, conditions=standstill.FAILED),
    ],
    "traffic": [
        *app("cart"),
        *traffic.caller(),
        routes.NGINX,
        routes.ingress(("/", "gone", routes.PORT), host="x.example.com", tls=[{"secretName": "edge"}]),
        traffic.policy("out", traffic.FRONT, policyTypes=["Egress", "Ingress"], egress=[traffic.DNS], ingress=[{}]),
        changes.written("flags", {"a": "1", "b.json": '{"flags": {}}'}, "a"),
    ],
    "kubelet": [*app("cart"), *NODES, kubelet.over("Evicted", kubelet.LOW), kubelet.over("OutOfcpu", kubelet.SHORT)],
    "custom": [
        *traffic.meshed("cart"),
        *traffic.caller(),
        traffic.authorization(),
        traffic.STRICT,
        routes.route("gone", Accepted="True"),
        routes.virtual("cart", "v9"),
        traps.certificate("edge", 5),
    ],
}
