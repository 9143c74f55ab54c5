"""What the exporters of PostgreSQL, Redis, RabbitMQ and Kafka tell of the data stores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import sin

from workers.simulation import dice
from workers.simulation.cluster import Pod
from workers.simulation.company import Service, Store
from workers.simulation.metrics.series import Series, bound, gauge
from workers.simulation.scene import Scene
from workers.simulation.traffic import Segment
from workers.simulation.usage import memory

Family = Callable[[Scene], Iterable[Series]]
PARTITIONS = 6
"""Of every topic."""


def _stores(scene: Scene, engine: str) -> Iterator[tuple[Store, Pod, dict[str, str]]]:
    port = {"postgres": 9187, "redis": 9121, "rabbitmq": 15692, "kafka": 9308}.get(engine, 9100)
    for store in scene.world.company.stores:
        if store.engine == engine:
            for pod in scene.world.workload(store.name, store.namespace).pods:
                if pod.ip:
                    yield (
                        store,
                        pod,
                        {
                            "job": store.name,
                            "namespace": store.namespace,
                            "pod": pod.name,
                            "service": store.name,
                            "instance": f"{pod.ip}:{port}",
                        },
                    )


def _each(name: str, engine: str, value: Callable[[Scene, Store, Pod, float], float], **more: str) -> Family:
    def family(scene: Scene) -> Iterable[Series]:
        for store, pod, labels in _stores(scene, engine):
            fill = {k: v.format(database=store.database, user=store.user) for k, v in more.items()}
            spans = [(r.started + 8, min(r.ended, pod.deleted, pod.lost)) for r in pod.runs.get(pod.main, ())]
            yield gauge(name, {**labels, **fill}, bound(lambda s, p, t: value(scene, s, p, t), store, pod), spans)

    return family


def _up(name: str, engine: str) -> Family:
    def family(scene: Scene) -> Iterable[Series]:
        for _, pod, labels in _stores(scene, engine):
            yield gauge(
                name, labels, bound(lambda p, t: 1.0 if p.is_ready(t) else 0.0, pod), [(pod.created, pod.deleted)]
            )

    return family


def _connections(scene: Scene, store: Store, pod: Pod, at: float) -> float:
    users = [s for s in scene.world.company.services if store.name in s.dependencies]
    pools = sum(len(scene.traffic.at(at).ready.get(s.name, [])) for s in users) * 4
    return float(int(pools + 3 + 2.4 * sin(at / 89 + dice.unit(store.name) * 6)))


def _rate(scene: Scene, store: Store, at: float) -> float:
    return scene.traffic.rate(store.name, at)


def _counted(per_request: float) -> Callable[[Scene, Store, Pod, float], float]:
    """A counter that follows the store's requests."""

    def value(scene: Scene, store: Store, pod: Pod, at: float) -> float:
        run = pod.run_at(at)
        if not run:
            return 0.0
        shape, total = scene.world.shape, 0.0
        for segment in scene.traffic.segments:
            a, b = max(segment.start, run.started), min(segment.end, at)
            if a < b:
                total += segment.rates.get(store.name, 0.0) * (shape.until(b) - shape.until(a))
        return float(int(total * per_request))

    return value


def _lag(scene: Scene) -> Iterable[Series]:
    """Messages that wait in a queue: few, unless its consumers stand still."""
    for store, pod, labels in _stores(scene, "rabbitmq"):
        for queue in store.queues:
            workers = [s for s in scene.world.company.services if s.consumes == queue]

            def value(at: float, q: str = queue, workers: list = workers) -> float:  # type: ignore[type-arg]
                total = 2 + 2 * sin(at / 37 + dice.unit(q) * 6)
                for worker in workers:
                    for segment in scene.traffic.segments:
                        if (
                            segment.end > scene.world.now - 86400
                            and segment.start < at
                            and not segment.pods.get(worker.name)
                        ):
                            total += (min(segment.end, at) - segment.start) * 0.61
                return float(max(0, int(total)))

            yield gauge(
                "rabbitmq_queue_messages_ready",
                {**labels, "queue": queue, "vhost": "/"},
                value,
                [(pod.created, pod.deleted)],
            )


def _consumer_lag(scene: Scene) -> Iterable[Series]:
    """Of each consumer group, by partition: a handful, unless it stands still."""
    for store in scene.world.company.stores:
        for worker in scene.world.company.services:
            if store.engine == "kafka" and worker.consumes in store.queues:
                labels = {
                    "job": store.name,
                    "namespace": store.namespace,
                    "service": store.name,
                    "instance": "kafka-exporter:9308",
                    "topic": worker.consumes,
                    "consumergroup": worker.name,
                }
                day = scene.world.now - 86400
                idle = [s for s in scene.traffic.segments if s.end > day and not s.pods.get(worker.name)]
                for partition in range(PARTITIONS):
                    named = {**labels, "partition": str(partition)}
                    yield gauge("kafka_consumergroup_lag", named, bound(_behind, worker, partition, idle))


def _behind(worker: Service, partition: int, idle: Sequence[Segment], at: float) -> float:
    """Messages that came while no consumer was up in the last day, and the few of any moment."""
    total = 7 + 6 * sin(at / 37 + dice.unit(worker.name, partition) * 6)
    for segment in idle:
        if segment.start < at:
            total += (min(segment.end, at) - segment.start) * 2.1
    return float(int(max(0.0, total) / PARTITIONS))


def _offsets(scene: Scene) -> Iterable[Series]:
    """How far each partition was written; a producer spreads its keys about evenly."""
    for store, pod, labels in _stores(scene, "kafka"):
        if not pod.name.endswith("-0"):
            continue
        for topic in store.queues:
            for partition in range(PARTITIONS):
                share = dice.between(0.9, 1.1, topic, partition) / PARTITIONS

                def value(at: float, share: float = share, topic: str = topic) -> float:
                    since = scene.world.founded
                    written = scene.world.shape.until(at) - scene.world.shape.until(since)
                    return float(int(written * share * dice.between(9, 31, topic)))

                named = {**labels, "instance": "kafka-exporter:9308", "topic": topic, "partition": str(partition)}
                yield gauge("kafka_topic_partition_current_offset", named, value)


def _consumers(scene: Scene) -> Iterable[Series]:
    for store, pod, labels in _stores(scene, "rabbitmq"):
        for queue in store.queues:
            workers = [s.name for s in scene.world.company.services if s.consumes == queue]
            yield gauge(
                "rabbitmq_queue_consumers",
                {**labels, "queue": queue, "vhost": "/"},
                bound(lambda w, t: float(sum(len(scene.traffic.at(t).pods.get(n, [])) for n in w)), workers),
                [(pod.created, pod.deleted)],
            )


def _activity(scene: Scene) -> Iterable[Series]:
    """One for each state that a backend may be in, as postgres_exporter has them."""
    states: dict[str, Callable[[Scene, Store, Pod, float], float]] = {
        "idle": _connections,
        "active": lambda _sc, s, _p, t: float(int(1.5 + sin(t / 23 + dice.unit(s.name, "active") * 6))),
        "idle in transaction": lambda _sc, s, _p, t: 0.0,
        "idle in transaction (aborted)": lambda _sc, s, _p, t: 0.0,
    }
    for state, value in states.items():
        yield from _each("pg_stat_activity_count", "postgres", value, datname="{database}", state=state)(scene)


FAMILIES: dict[str, Family] = {
    "pg_up": _up("pg_up", "postgres"),
    "pg_stat_activity_count": _activity,
    "pg_settings_max_connections": _each(
        "pg_settings_max_connections", "postgres", lambda _sc, s, _p, _t: float(s.max_connections)
    ),
    "pg_stat_database_xact_commit": _each(
        "pg_stat_database_xact_commit", "postgres", _counted(2.1), datname="{database}"
    ),
    "pg_stat_database_xact_rollback": _each(
        "pg_stat_database_xact_rollback", "postgres", _counted(0.003), datname="{database}"
    ),
    "pg_stat_activity_max_tx_duration": _each(
        "pg_stat_activity_max_tx_duration",
        "postgres",
        lambda _sc, s, _p, t: 0.04 + 0.03 * abs(sin(t / 53 + dice.unit(s.name))),
        datname="{database}",
        state="active",
    ),
    "pg_locks_count": _each(
        "pg_locks_count",
        "postgres",
        lambda sc, s, _p, t: float(int(2 + _rate(sc, s, t) * 0.8)),
        datname="{database}",
        mode="rowexclusivelock",
    ),
    "redis_up": _up("redis_up", "redis"),
    "redis_memory_used_bytes": _each(
        "redis_memory_used_bytes", "redis", lambda _sc, _s, p, t: (memory(p, t) or 0) * 0.86
    ),
    "redis_memory_max_bytes": _each("redis_memory_max_bytes", "redis", lambda _sc, s, _p, _t: s.uses_mib * 1.6 * 2**20),
    "redis_connected_clients": _each("redis_connected_clients", "redis", _connections),
    "redis_keyspace_hits_total": _each("redis_keyspace_hits_total", "redis", _counted(2.7)),
    "redis_keyspace_misses_total": _each("redis_keyspace_misses_total", "redis", _counted(0.21)),
    "redis_evicted_keys_total": _each("redis_evicted_keys_total", "redis", lambda _sc, _s, _p, _t: 0.0),
    "rabbitmq_queue_messages_ready": _lag,
    "rabbitmq_queue_consumers": _consumers,
    "kafka_consumergroup_lag": _consumer_lag,
    "kafka_topic_partition_current_offset": _offsets,
    "kafka_brokers": _each("kafka_brokers", "kafka", lambda _sc, s, _p, _t: float(s.replicas)),
}
