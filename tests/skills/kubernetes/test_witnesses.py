"""Logs of what runs well: heard along edges where no log store is on, and believed against their own past."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from skills.contract import FirstLook, LogBatch, LogQuery, Sources, Symptom
from tests.skills.kubernetes.served import NAMESPACES, context, kubernetes
from tests.skills.kubernetes.server import Cluster, serving
from tests.skills.kubernetes.shapes import NODES, NOW, NS, Obj, app, container, pod_spec

REFUSED = "redis.exceptions.AuthenticationError: NOAUTH Authentication required. host: sessions-redis:6379"
SERVED = "GET /basket 200 3ms"


def calling(name: str, address: str = "", **more: object) -> list[Obj]:
    env = [{"name": "UPSTREAM_ADDR", "value": address}] if address else []
    return app(name, spec=pod_spec(container(env=env, **more)))


def shop() -> list[Obj]:
    """checkout calls basket, which keeps its sessions in a store; nothing about them deviates."""
    return [
        *NODES,
        *NAMESPACES,
        *calling("checkout", "basket:8080"),
        *calling("basket", "sessions-redis:6379"),
        *calling("sessions-redis", image="redis:7"),
    ]


def said(name: str, text: str, *minutes: float, stamped: bool = True) -> dict[tuple[str, str, str, bool], str]:
    stamps = [f"{NOW - timedelta(minutes=m):%Y-%m-%dT%H:%M:%S}.000000000Z " if stamped else "" for m in minutes]
    return {(NS, f"{name}-5d9c7b-ax7k2", "app", False): "\n".join(f"{s}{text}" for s in stamps)}


def looked(cluster: Cluster, sources: dict[str, Sources] | None = None) -> FirstLook:
    with serving(cluster) as url:
        return kubernetes(url).first_look(replace(context(service="checkout"), sources=sources or {}))


def of_logs(seen: FirstLook) -> list[Symptom]:
    return [s for s in seen.symptoms if s.analyzer == "kubernetes.logs"]


def test_a_dependency_that_runs_well_is_heard_where_nobody_else_reads_logs() -> None:
    told = of_logs(looked(Cluster(shop(), said("basket", REFUSED, *range(8, 0, -1)))))
    assert [(s.entity.name, s.faults[0], s.role) for s in told] == [
        ("basket", "datastore_credentials_rejected", "cause")
    ]
    assert told[0].evidence[0].query == "kubectl -n shop logs deployment/basket -c app"


class Store:
    def read(self, query: LogQuery) -> LogBatch:
        raise AssertionError("not asked in a look of this skill")


def test_a_log_store_spares_the_cluster_the_question() -> None:
    cluster = Cluster(shop(), said("basket", REFUSED, *range(8, 0, -1)))
    assert not of_logs(looked(cluster, {"elasticsearch": Sources(logs=Store())}))
    assert not any("basket" in p and p.partition("?")[0].endswith("/log") for p in cluster.paths)


def test_what_it_has_always_said_is_no_news() -> None:
    """The same error at the same rate before the window: its own past speaks against it."""
    assert not of_logs(looked(Cluster(shop(), said("basket", REFUSED, *range(110, 0, -1)))))


def test_lines_without_the_kubelets_stamp_tell_what_but_not_when() -> None:
    told = of_logs(looked(Cluster(shop(), said("basket", REFUSED, *range(8, 0, -1), stamped=False))))
    assert [(s.entity.name, s.faults[0]) for s in told] == [("basket", "datastore_credentials_rejected")]
    assert told[0].onset is None
    assert all(e.at is None for e in told[0].evidence)


def test_a_large_namespace_is_heard_in_part_and_the_alerts_own_way_first() -> None:
    crowd = [o for i in range(40) for o in calling(f"aside-{i:02}")]
    cluster = Cluster([*shop(), *crowd], said("sessions-redis", SERVED, 1))
    looked(cluster)
    heard = [p.split("/pods/")[1].split("-5d9c7b")[0] for p in cluster.paths if "/log?" in p]
    assert len(heard) <= 24
    assert {"checkout", "basket", "sessions-redis"} <= set(heard)


def test_replicas_are_heard_as_far_as_there_is_room() -> None:
    """One of three complains: it is found in a small shop, and each workload has its say before any has a second."""
    three = app(
        "basket", replicas=3, spec=pod_spec(container(env=[{"name": "DB_ADDR", "value": "sessions-redis:6379"}]))
    )
    others = [o for o in shop() if not o["metadata"]["name"].startswith("basket")]
    logs = said("basket", REFUSED, *range(8, 0, -1))
    logs = {(NS, "basket-5d9c7b-cx7k2", "app", False): next(iter(logs.values()))}
    assert of_logs(looked(Cluster([*others, *three], logs)))
