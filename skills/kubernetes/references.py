"""Addresses that workloads are configured with (env, arguments, ConfigMaps, probes of init containers), and what they
point to: the edges of the dependency graph, and the witness of Services that are gone or misspelt.

Only what reads as an address is kept; user names and passwords in URLs are never carried along.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from skills.contract import Entity, Excerpt
from skills.kubernetes import cite
from skills.kubernetes.objects import Object, dig, mapping, maps, name, namespace, number, strings, text
from skills.kubernetes.pods import name_of
from skills.kubernetes.snapshot import Snapshot, Workload

_NAME = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = rf"{_NAME}(?:\.{_NAME})*"
_URL = re.compile(
    rf"\b[a-z][a-z0-9+.-]{{1,30}}://(?:[^\s/@'\"]*@)?(?P<host>{_HOST})(?::(?P<port>\d{{2,5}}))?", re.IGNORECASE
)
_HOST_PORT = re.compile(rf"(?<![\w./:@-])(?P<host>{_HOST}):(?P<port>\d{{2,5}})(?![\w:.-])")
_MYSQL_DSN = re.compile(rf"@tcp\((?P<host>{_HOST}):(?P<port>\d{{2,5}})\)")
_PAIR = re.compile(
    rf"(?:^|[\s\"';,{{])(?P<key>[\w.-]*(?:addr|address|host|hostname|server|endpoint|upstream)s?)[\"']?\s*[:=]\s*[\"']?"
    rf"(?P<host>{_HOST})[\"']?(?=$|[\s,;}}])",
    re.IGNORECASE,
)
_PORT_AFTER = re.compile(r"^[\s,;\"']*[\"']?(?:\w*port)[\"']?\s*[:=]\s*[\"']?(?P<port>\d{2,5})", re.IGNORECASE)
_LOOKUP = re.compile(
    rf"\b(?:nslookup|getent hosts|dig \+short|ping -c ?\d+|nc -\w+|wait-for-it(?:\.sh)?)\s+(?P<host>{_HOST})(?:[ "
    r":](?P<port>\d{2,5}))?"
)
_ADDRESS_NAME = re.compile(
    r"(HOST|ADDR|ADDRESS|URL|URI|ENDPOINT|SERVER|BROKER|BROKERS|DSN|UPSTREAM|TARGET|SERVICE|CONNECTION|"
    r"CONN)S?(_STRING)?$",
    re.IGNORECASE,
)
_NO_HOST = frozenset(
    {
        "localhost",
        "http",
        "https",
        "tcp",
        "udp",
        "true",
        "false",
        "none",
        "null",
        "default",
        "info",
        "debug",
        "warn",
        "error",
        "prod",
        "production",
        "dev",
        "test",
        "latest",
    }
)
_NOT_READ = re.compile(r"(dashboard|grafana|prometheus|\.crt|ca-bundle|\.pem$|kube-root-ca)", re.IGNORECASE)
_COMMENT = re.compile(r"(?m)^\s*(#|//|;|--)[^\n]*$")
_MOST_TEXT = 64 * 1024


@dataclass(frozen=True)
class Reference:
    workload: Entity
    where: str
    """`env CART_ADDR of container frontend`, `ConfigMap app-config key config.json`"""
    host: str
    port: int | None
    shown: str
    """`cart:8080`, without credentials."""
    key: str = ""
    """Name of the variable or key."""


@dataclass(frozen=True)
class Target:
    """A host name, understood in the cluster's name space."""

    service: str
    namespace: str
    subdomain: str = ""
    """For `pod.service`: the pod."""


def of_workload(snapshot: Snapshot, workload: Workload) -> list[Reference]:
    """Every address that the workload's containers are given; each host and port once, the most direct place first."""
    found: dict[tuple[str, int | None], Reference] = {}
    for where, key, value in _settings(snapshot, workload):
        if key.upper() in ("NO_PROXY", "HTTP_PROXY", "HTTPS_PROXY"):
            continue
        for host, port, shown in addresses(value, key):
            reference = Reference(workload.entity, where, host, port, shown, key)
            found.setdefault((host, port), reference)
    bare = {h for h, p in found if p is not None}
    return [r for (host, port), r in found.items() if port is not None or host not in bare]


def every(snapshot: Snapshot) -> list[Reference]:
    found: list[Reference] | None = snapshot.memo.get("references")
    if found is None:
        found = snapshot.memo["references"] = [r for w in snapshot.workloads for r in of_workload(snapshot, w)]
    return found


def _settings(snapshot: Snapshot, workload: Workload) -> Iterator[tuple[str, str, str]]:
    """(where, key, text) of everything that configures the workload."""
    spec, place = workload.pod_spec, workload.entity.namespace or ""
    for group in ("containers", "initContainers"):
        for container in maps(spec, group):
            called = name_of(container)
            env = environment(container)
            for key, value in env.items():
                yield f"env {key} of container {called}", key, value
            for key, source in _from_config_maps(snapshot, container, place):
                yield source[0], key, source[1]
            line = " ".join([*strings(container, "command"), *strings(container, "args")])
            if line:
                yield f"command of container {called}", "", _substituted(line, env)
    for config_map in mounted_config_maps(spec):
        obj = snapshot.find("ConfigMap", place, config_map)
        for key, value in mapping(obj, "data").items():
            if isinstance(value, str) and not _NOT_READ.search(f"{config_map}/{key}"):
                yield f"ConfigMap {config_map} key {key}", key, _COMMENT.sub("", value)


def environment(container: Object) -> dict[str, str]:
    """Literal variables as the process sees them: of duplicates the last one wins, $(NAME) is filled in."""
    found: dict[str, str] = {}
    for each in maps(container, "env"):
        value = each.get("value")
        if isinstance(value, (str, int, float)) and text(each, "name"):
            found[text(each, "name")] = _substituted(str(value), found)
    return found


def _substituted(value: str, known: dict[str, str]) -> str:
    return re.sub(r"\$\(([A-Za-z_][A-Za-z0-9_]*)\)", lambda m: known.get(m.group(1), m.group(0)), value)


def _from_config_maps(snapshot: Snapshot, container: Object, place: str) -> Iterator[tuple[str, tuple[str, str]]]:
    for source in maps(container, "envFrom"):
        called = text(source, "configMapRef", "name")
        data = mapping(snapshot.find("ConfigMap", place, called), "data") if called else {}
        for key, value in data.items():
            if isinstance(value, str):
                yield text(source, "prefix") + key, (f"ConfigMap {called} key {key}", value)
    for each in maps(container, "env"):
        ref = mapping(each, "valueFrom", "configMapKeyRef")
        value = dig(snapshot.find("ConfigMap", place, text(ref, "name")), "data", text(ref, "key")) if ref else None
        if isinstance(value, str):
            yield text(each, "name"), (f"ConfigMap {text(ref, 'name')} key {text(ref, 'key')}", value)


def mounted_config_maps(pod_spec: Object) -> list[str]:
    names = []
    for volume in maps(pod_spec, "volumes"):
        names.append(text(volume, "configMap", "name"))
        names += [text(s, "configMap", "name") for s in maps(volume, "projected", "sources")]
    return list(dict.fromkeys(n for n in names if n))


def users_of_config_map(snapshot: Snapshot, config: Object) -> list[Entity]:
    """Workloads that mount the ConfigMap or take variables from it; where none does, those that name a file of it."""
    called, place = name(config), namespace(config)
    here = [w for w in snapshot.workloads if w.entity.namespace == place]
    users = [w.entity for w in here if called in config_maps_of(w.pod_spec)]
    files = [key for key in mapping(config, "data") if "." in key and len(key) > 5]
    if users or not files:
        return users
    return [w.entity for w in here if any(f"/{f}" in value for _, _, value in _settings(snapshot, w) for f in files)]


def config_maps_of(pod_spec: Object) -> set[str]:
    found = set(mounted_config_maps(pod_spec))
    for container in [*maps(pod_spec, "containers"), *maps(pod_spec, "initContainers")]:
        found |= {text(s, "configMapRef", "name") for s in maps(container, "envFrom")}
        found |= {text(e, "valueFrom", "configMapKeyRef", "name") for e in maps(container, "env")}
    return found - {""}


def addresses(value: str, key: str = "") -> list[tuple[str, int | None, str]]:
    """(host, port, `host:port`) of each address in a value or a configuration file."""
    return list(_addresses(value[:_MOST_TEXT], key))


@lru_cache(maxsize=4096)
def _addresses(value: str, key: str) -> tuple[tuple[str, int | None, str], ...]:
    found: dict[tuple[str, int | None], str] = {}

    def add(host: str, port: str | None) -> None:
        low = host.lower()
        number_of = int(port) if port else None
        if low not in _NO_HOST and not low.replace(".", "").isdigit() and (number_of is None or 0 < number_of < 65536):
            found.setdefault((low, number_of), f"{low}:{number_of}" if number_of else low)

    for pattern in (_URL, _MYSQL_DSN, _HOST_PORT, _LOOKUP):
        for match in pattern.finditer(value):
            if pattern is not _HOST_PORT or re.search(r"[a-z]", match["host"]):
                add(match["host"], match["port"])
    for match in _PAIR.finditer(value):
        after = _PORT_AFTER.match(value[match.end() :])
        add(match["host"], after["port"] if after else None)
    bare = value.strip()
    if _ADDRESS_NAME.search(key) and re.fullmatch(_HOST, bare) and re.search(r"[a-z]", bare) and not found:
        add(bare, None)
    with_port = {h for h, p in found if p is not None}
    return tuple((h, p, shown) for (h, p), shown in found.items() if p is not None or h not in with_port)


def is_local(host: str) -> bool:
    return host in ("localhost", "ip6-localhost") or host.startswith("127.")


def understand(snapshot: Snapshot, host: str, place: str) -> Target | None:
    """The Service that a host name means, existing or not; None for names outside of the cluster.

    Names as in the DNS specification of Kubernetes: service, service.namespace, service.namespace.svc[.domain],
    pod.service[...] below a headless Service.
    """
    parts = host.rstrip(".").split(".")
    if len(parts) == 1:
        return Target(parts[0], place)
    if "svc" in parts[2:]:
        at = parts.index("svc", 2)
        return Target(parts[at - 2], parts[at - 1], ".".join(parts[: at - 2]))
    if len(parts) == 2 and snapshot.find("Service", place, parts[1]) is not None:
        return Target(parts[1], place, parts[0])
    if len(parts) == 2 and (place, parts[1]) in _governing(snapshot):
        return Target(parts[1], place, parts[0])
    if len(parts) == 2 and (parts[1] in snapshot.namespaces or snapshot.find("Namespace", "", parts[1]) is not None):
        return Target(parts[0], parts[1])
    return None


def _governing(snapshot: Snapshot) -> set[tuple[str, str]]:
    """(namespace, name) of the Services below which StatefulSets give their pods names, there or not."""
    known: set[tuple[str, str]] | None = snapshot.memo.get("governing")
    if known is None:
        known = snapshot.memo["governing"] = {
            (namespace(s), text(s, "spec", "serviceName")) for s in snapshot.all("StatefulSet")
        }
    return known


def service_of(snapshot: Snapshot, host: str, place: str) -> Object | None:
    target = understand(snapshot, host, place)
    return snapshot.find("Service", target.namespace, target.service) if target else None


def excerpt(snapshot: Snapshot, reference: Reference) -> Excerpt:
    words = f"{reference.workload.kind} {reference.workload.name}: {reference.where} = {reference.shown}"
    return cite.about(snapshot, reference.workload, words, verb="get")


def ports_of(service: Object) -> list[int]:
    return [number(p, "port") for p in maps(service, "spec", "ports")]


def container_ports(pod_spec: Object) -> list[Object]:
    """Declared ports of the containers and sidecars."""
    sidecars = [c for c in maps(pod_spec, "initContainers") if text(c, "restartPolicy") == "Always"]
    return [p for c in [*maps(pod_spec, "containers"), *sidecars] for p in maps(c, "ports")]
