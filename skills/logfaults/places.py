"""Who a log line is about: the workload that wrote it, and the host that it complains of, as entities."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address

from skills.contract import Entity

Resolve = Callable[[str], Entity | None]
"""An address of the cluster (a pod's or Service's IP) to what it belongs to; None when it is not known."""


@dataclass(frozen=True)
class Host:
    name: str
    port: int | None = None

    def __str__(self) -> str:
        return self.name if self.port is None else f"{self.name}:{self.port}"

    @property
    def is_local(self) -> bool:
        return self.name in ("localhost", "127.0.0.1", "::1", "0.0.0.0")

    @property
    def is_address(self) -> bool:
        return _address(self.name) is not None

    @property
    def is_public_address(self) -> bool:
        address = _address(self.name)
        return address is not None and address.is_global


def _address(name: str):  # type: ignore[no-untyped-def]  # ipaddress has no common public base type
    try:
        return ip_address(name)
    except ValueError:
        return None


# --- the writer ---

# Kubernetes draws suffixes from an alphabet without vowels and look-alikes; a template hash may also be plain digits.
_SAFE = "[bcdfghjklmnpqrstvwxz2456789]"
_OF_DEPLOYMENT = re.compile(rf"^(.+)-(?:{_SAFE}{{5,10}}|(?=[a-z]*\d)[a-z0-9]{{6,10}})-[a-z0-9]{{5}}$")
_OF_STATEFUL_SET = re.compile(r"^(.+)-\d{1,4}$")
_OF_CRON_JOB = re.compile(rf"^(.+)-\d{{8,}}-{_SAFE}{{5}}$")
_OF_SET = re.compile(rf"^(.+)-{_SAFE}{{5}}$")


def workload(entity: Entity | None, namespace: str, container: str = "") -> Entity:
    """The workload that wrote a line: a pod's owner by the shape of its name, when the source does not know it."""
    if entity is None:
        if container:
            return Entity(kind="Deployment", namespace=namespace or None, name=container)
        return Entity(kind="Namespace", name=namespace or "unknown")
    if entity.kind != "Pod":
        return entity
    for kind, shape in (
        ("CronJob", _OF_CRON_JOB),
        ("Deployment", _OF_DEPLOYMENT),
        ("StatefulSet", _OF_STATEFUL_SET),
        ("DaemonSet", _OF_SET),
    ):
        if match := shape.match(entity.name):
            return Entity(kind=kind, namespace=entity.namespace, name=match[1])
    return entity


# --- the host ---

_HOST = r"[A-Za-z0-9](?:[\w-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9][\w-]*)*"
_URL = re.compile(rf"\b[a-z][a-z0-9+.-]*://(?:[^@/\s\"']*@)?(?P<host>{_HOST})(?::(?P<port>\d{{2,5}}))?")
_PAIR = re.compile(rf"(?<![\w./:-])(?<!client=)(?<!client\.addr=)(?P<host>{_HOST}):(?P<port>\d{{2,5}})(?!:\S|[\w.-])")
_COMPLAINT = re.compile(
    rf"\bAddr: (?P<host>{_HOST}):(?P<port>\d+)"  # mongo-go-driver
    rf"|\bhost=\\?'(?P<host2>{_HOST})\\?', port=(?P<port2>\d+)"  # urllib3
    rf"|\b(?:connecting|connect|connection) to (?:host )?\\?[\"']?(?P<host3>{_HOST})(?::(?P<port3>\d+)|\\?[\"'] )"
    rf"|\bserver on '(?P<host4>{_HOST})(?::(?P<port4>\d+))?'"  # MySQL clients
    rf"|\bserver at \\?\"(?P<host5>{_HOST})\\?\"(?:.{{0,60}}port (?P<port5>\d+))?"  # libpq
    rf"|\bhost name \\?\"(?P<host6>{_HOST})\\?\""
    rf"|\bcalling \w+ on '(?P<host8>{_HOST}):(?P<port8>\d+)'"  # mongo-c-driver
    rf"|\bHost: (?P<host7>{_HOST}) Port: (?P<port7>\d+)"  # Thrift
)
_SOURCE_FILE = re.compile(r"\.(?:go|py|java|kt|[mc]?js|tsx?|cs|rb|cc|cpp|c|h|rs|scala|php|erl|ex|lua)$", re.IGNORECASE)
_NOT_HOSTS = frozenset(
    (
        "line",
        "port",
        "time",
        "at",
        "error",
        "code",
        "pid",
        "column",
        "offset",
        "status",
        "length",
        "number",
        "cid",
        "sid",
        "tid",
        "rid",
        "uid",
        "gid",
        "id",
        "conn",
        "connection",
        "session",
        "worker",
        "thread",
        "term",
        "epoch",
        "seq",
    )
)


def host_in(match: re.Match[str], text: str) -> Host | None:
    """The dependency that a matched pattern complains of: what it captured, a name rather than an address."""
    groups = match.groupdict()
    name = _first(groups, "host")
    captured = _host(name, _first(groups, "port") or None) if name else None
    if captured is not None and not captured.is_address:
        return captured
    named = [h for h in hosts_in(text) if not h.is_address and not h.is_local]
    if captured is None:
        return named[0] if named else next((h for h in hosts_in(text) if h.is_address), None)
    if captured.is_local:
        return captured
    same_port = [h for h in named if captured.port is None or h.port in (None, captured.port)]
    return Host(same_port[0].name, captured.port) if same_port else captured


def _first(groups: dict[str, str | None], prefix: str) -> str:
    return next((value for key, value in groups.items() if key.startswith(prefix) and value), "")


def hosts_in(text: str) -> list[Host]:
    """Hosts that a text names: of URLs, host:port pairs and driver topologies, in that order, without source files."""
    found: dict[str, Host] = {}
    for shape in (_COMPLAINT, _URL, _PAIR):
        for match in shape.finditer(text[:8000]):
            groups = match.groupdict()
            host = _host(_first(groups, "host"), _first(groups, "port") or None)
            if host is not None and host.name not in found and not (shape is _URL and _is_for_readers(text, match)):
                found[host.name] = host
    return list(found.values())


def _is_for_readers(text: str, url: re.Match[str]) -> bool:
    if _MANUALS.search(url["host"]):
        return True
    return _FOR_READERS.search(text[max(0, url.start() - 40) : url.start()]) is not None


_MANUALS = re.compile(
    r"^(?:docs?|wiki|learn|kb|support|schemas?)\.[\w-]+\.\w|(?:^|\.)(?:sqlalche\.me|aka\.ms|pris\.ly|go\.microsoft\.com"
    r"|nodejs\.org|readthedocs\.io|stackoverflow\.com|w3\.org|ietf\.org|json-schema\.org|xmlsoap\.org|slf4j\.org"
    r"|pkg\.go\.dev|openjdk\.org|spring\.io)$|^github\.com$",
    re.IGNORECASE,
)
"""Where manuals, schemas and sources stand: in a line of a log they are read, not called."""
_FOR_READERS = re.compile(
    r"\b(?:see|visit|more info(?:rmation)?|documentation|docs|help|refer to|check out|learn more|background on"
    r"|this error at|troubleshoot\w*)\b[^.\n]{0,20}$",
    re.IGNORECASE,
)
"""What leads to an address that people shall read, and nothing calls: `More info: http://...`."""


def _host(name: str, port: str | None) -> Host | None:
    bare, _, inner = name.strip("[]").rstrip(".").partition(":")
    if inner.isdigit() and port is None:
        port = inner
    elif inner:  # an IPv6 address
        bare = name.strip("[]")
    bare = bare.lower()
    plausible = bare and bare not in _NOT_HOSTS and not _SOURCE_FILE.search(bare) and not bare.isdigit()
    number = int(port) if port and port.isdigit() and int(port) < 65536 else None
    return Host(bare, number) if plausible else None


_PUBLIC_ENDS = frozenset(
    (
        "com",
        "net",
        "org",
        "io",
        "co",
        "ai",
        "eu",
        "uk",
        "de",
        "fr",
        "jp",
        "cn",
        "gov",
        "edu",
        "me",
        "info",
        "biz",
        "tv",
        "xyz",
        "ca",
        "br",
        "ch",
        "nl",
        "se",
        "pl",
        "it",
        "es",
        "ru",
        "kr",
        "cz",
        "at",
    )
)
"""Of names with two labels these are domains; cart.dev or cart.test is a Service in a namespace."""


def entity_of(host: Host, namespace: str, resolve: Resolve | None = None) -> Entity | None:
    """The Service of a cluster name, else `external`; None for an address of the cluster that nobody can name.

    cart, cart.shop, cart.shop.svc, cart.shop.svc.cluster.local, db-0.db-headless.shop.svc.cluster.local.
    """
    if resolve is not None and (known := resolve(host.name)):
        return known
    if host.is_local:
        return None
    if host.is_address:
        return Entity(kind="external", name=host.name) if host.is_public_address else None
    labels = host.name.split(".")
    if "svc" in labels[1:]:
        at = labels.index("svc", 1)
        if at >= 2:
            return Entity(kind="Service", namespace=labels[at - 1], name=labels[at - 2])
    if len(labels) == 1:
        return Entity(kind="Service", namespace=namespace or None, name=labels[0])
    if labels[-1] in _PUBLIC_ENDS or len(labels) > 2:
        return Entity(kind="external", name=host.name)
    return Entity(kind="Service", namespace=labels[1], name=labels[0])


# --- data stores ---

_STORES = {
    "mongodb": re.compile(r"mongo", re.I),
    "mysql": re.compile(r"mysql|maria|percona|tidb", re.I),
    "postgres": re.compile(r"postgres|pgsql|psql|(?:^|-)pg(?:-|$)|cockroach|citus", re.I),
    "redis": re.compile(r"redis|valkey|sentinel", re.I),
    "memcached": re.compile(r"memcache|-mc(?:-|$)", re.I),
    "queue": re.compile(r"kafka|rabbit|nats|activemq|pulsar|broker|amqp", re.I),
    "other": re.compile(
        r"elastic|opensearch|cassandra|etcd|zookeeper|consul|minio|clickhouse|neo4j|influx|(?:^|-)(?:db|database)$",
        re.I,
    ),
}
_PORTS = {
    27017: "mongodb", 27018: "mongodb",
    3306: "mysql", 4000: "mysql",
    5432: "postgres", 26257: "postgres",
    6379: "redis", 26379: "redis",
    11211: "memcached",
    9092: "queue", 9093: "queue", 5672: "queue", 4222: "queue",
    2379: "other", 9042: "other", 2181: "other", 8500: "other", 1433: "other", 1521: "other",
}  # fmt: skip


def store_kind(name: str, port: int | None = None) -> str:
    """mongodb, mysql, postgres, redis, memcached, queue or other; empty for what is no data store by name or port."""
    by_name = next((kind for kind, shape in _STORES.items() if shape.search(name)), "")
    return by_name or _PORTS.get(port or 0, "")


_STORE_WORD = re.compile(r"(?<![\w./@:-])[a-z][a-z0-9]*(?:-[a-z0-9]+)+(?![\w./@:-])")
_LIBRARIES = re.compile(
    r"driver|connector|client|adapter|plugin|exporter|-(?:py|python|go|js|node|java|transport|pool)$|^(?:go|node|spring|py)-"
)


def store_in(text: str) -> Host | None:
    """A data store that a text names without a port: `call to orders-db failed`; not the library that speaks to it."""
    for word in _STORE_WORD.finditer(text[:4000]):
        if store_kind(word[0]) and not _LIBRARIES.search(word[0]):
            return Host(word[0])
    return None


def usual_ports(kind: str) -> tuple[int, ...]:
    """Where stores of a kind listen by default; none for kinds that are a mixture."""
    return () if kind in ("", "other", "queue") else tuple(port for port, of in _PORTS.items() if of == kind)


_SERVER_FORMS = re.compile(
    r"\"c\":\s?\"(?:ACCESS|NETWORK|COMMAND|STORAGE|REPL|CONTROL|INDEX|QUERY|WRITE)\s*\""  # mongod
    r"|\[MY-\d+\]|\[(?:Note|Warning|ERROR)\] (?:Access denied|Aborted connection)"  # mysqld
    r"|\d+:[MSC] \d\d \w{3} \d{4} "  # redis-server
    r"|(?:UTC|GMT|[+-]\d\d) \[\d+\](?: \S+@\S+)? (?:FATAL|ERROR|LOG|PANIC|WARNING|STATEMENT):\s"  # postgres
    # Elasticsearch's ECSJsonLayout, its older JSON and plain layouts, and OpenSearch's
    r"|\"service\.name\":\s?\"ES_ECS\"|\"component\":\s?\"o\.[eo]\.\w|\]\[(?:WARN|INFO|ERROR|DEBUG) ?\]\[o\.[eo]\.\w"
    r"|\((?:kafka\.(?:server|log|cluster|controller|network)|org\.apache\.kafka\.(?:storage|server|raft))\.[\w.]+\)"
)
_SERVER_CHARACTERS = 600


def is_store(writer: Entity, text: str) -> bool:
    """Whether the record was written by a data store itself: by the writer's name or by the server's line format."""
    return bool(store_kind(writer.name)) or _SERVER_FORMS.search(text[:_SERVER_CHARACTERS]) is not None


def store_workload(host: Host, service: Entity) -> Entity:
    """The workload behind a store's Service, by name: a Deployment, unless the host is a replica's own name."""
    if service.kind != "Service":
        return service
    labels = host.name.split(".")
    if len(labels) > 1 and (match := _OF_STATEFUL_SET.match(labels[0])) and labels[1] == service.name:
        return Entity(kind="StatefulSet", namespace=service.namespace, name=match[1])
    return Entity(kind="Deployment", namespace=service.namespace, name=service.name)
