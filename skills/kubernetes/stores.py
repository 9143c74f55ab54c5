"""Which containers are data stores, told by image, port or name. A hint for ranking, never a proof."""

from __future__ import annotations

import re

from skills.kubernetes.objects import Object, maps, number, text

PORTS = {
    27017: "MongoDB",
    3306: "MySQL",
    5432: "PostgreSQL",
    6379: "Redis",
    11211: "Memcached",
    9200: "Elasticsearch",
    9042: "Cassandra",
    1433: "SQL Server",
    5672: "RabbitMQ",
    9092: "Kafka",
    2379: "etcd",
    4000: "TiDB",
}
_STORE = re.compile(
    r"(mongo|mysql|maria|postgres|pgsql|redis|valkey|memcache|cassandra|cockroach|couch|influx|clickhouse|neo4j|"
    r"elasticsearch|opensearch|etcd|mssql|sqlserver|tidb|\bdb\b|database)",
    re.IGNORECASE,
)
_CACHE = re.compile(r"(redis|valkey|memcache|hazelcast|varnish)", re.IGNORECASE)


def is_store(words: str, port: int | None = None) -> bool:
    """Does a host name, image or variable name say that a data store is meant?"""
    return bool(_STORE.search(words)) or (port in PORTS)


def is_cache(container: Object) -> bool:
    ports = [number(p, "containerPort") for p in maps(container, "ports")]
    return bool(_CACHE.search(text(container, "image").rpartition("/")[2])) or bool({6379, 11211} & set(ports))


def runs_store(container: Object) -> bool:
    ports = [number(p, "containerPort") for p in maps(container, "ports")]
    return bool(_STORE.search(text(container, "image").rpartition("/")[2])) or any(p in PORTS for p in ports)
