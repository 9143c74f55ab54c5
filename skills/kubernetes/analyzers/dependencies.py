"""Addresses that lead nowhere: a Service that is gone (F5) or was refused by quota (A4), a wrong host or port in the
caller's configuration (F7, I3).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from skills.contract import Entity, Excerpt, Focus, Symptom, Window
from skills.kubernetes import cite, podlogs, references, rollouts
from skills.kubernetes.analyzers.quotas import fault_of
from skills.kubernetes.nearness import nearest
from skills.kubernetes.objects import Object, created, mapping, maps, name, namespace, notes, number, strings, text
from skills.kubernetes.pods import is_ready, live, name_of
from skills.kubernetes.quantities import quantity
from skills.kubernetes.references import Reference, Target
from skills.kubernetes.snapshot import Snapshot, Workload
from skills.kubernetes.stores import is_store

NAME = "kubernetes.dependencies"
_NAMES_AN_ADDRESS = re.compile(
    r"(HOST|HOSTNAME|ADDR|ADDRESS|URL|URI|ENDPOINT|SERVER|BROKER|UPSTREAM|DSN)S?(_STRING)?$", re.IGNORECASE
)
_FOR_MONITORING = re.compile(
    r"^(https?-)?(metrics?|prom|prometheus|monitoring|health|healthz|healthcheck|probes?|live(ness)?|ready|readiness|"
    r"status|admin|management|actuator|debug|pprof|telemetry)(-port)?$",
    re.IGNORECASE,
)
_NAMING = ("app", "name", "k8s-app", "instance", "component", "service")
_TELEMETRY = re.compile(r"otel|jaeger|zipkin|statsd|telegraf|datadog|\bdd_|sentry|tracing|telemetry|collector|"
                        r"pyroscope|fluent|loki|newrelic|apm|grafana|prometheus|kibana", re.IGNORECASE)  # fmt: skip
_SCRAPED = ("prometheus.io/port", "prometheus.io.port")
_LOOKUP_FAILS = re.compile(
    r"no such host|NXDOMAIN|not resolve|resolve host|Name or service not known|getaddrinfo|Temporary failure in name",
    re.IGNORECASE,
)


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    if not snapshot.knows("Service"):
        return []
    all_references = references.every(snapshot)
    missing: dict[tuple[str, str], list[Reference]] = defaultdict(list)
    found: list[Symptom | None] = []
    for reference in all_references:
        place = reference.workload.namespace or ""
        target = None if references.is_local(reference.host) else references.understand(snapshot, reference.host, place)
        if target is None or target.namespace not in snapshot.namespaces:
            continue
        service = snapshot.find("Service", target.namespace, target.service)
        if service is not None and service in snapshot.services_of(reference.workload):
            continue  # a listener of its own, such as a broker's controller port
        if service is not None:
            found.append(_port(snapshot, reference, service, all_references))
        elif _is_own_name(snapshot, reference, target) or _is_elsewhere(snapshot, reference):
            continue
        elif reference.port is not None or reference.where.startswith(("env", "command")):
            missing[(target.namespace, target.service)].append(reference)
    found += [_missing(snapshot, Target(s, p), these, all_references) for (p, s), these in missing.items()]
    found += _unserved(snapshot, {service for _, service in missing}, focus)
    return [s for s in found if s]


def _is_own_name(snapshot: Snapshot, reference: Reference, target: Target) -> bool:
    """What a workload calls itself in traces, metrics and queues, not what it calls."""
    workload = snapshot.workload(reference.workload)
    names = {reference.workload.name}
    if workload is not None:
        names |= {name_of(c) for c in workload.containers}
        names |= {v for k, v in workload.pod_labels.items() if k.rpartition("/")[2] in _NAMING}
    return target.service == reference.workload.name or (reference.port is None and target.service in names)


def _is_elsewhere(snapshot: Snapshot, reference: Reference) -> bool:
    """The pod has the name in its own hosts file."""
    workload = snapshot.workload(reference.workload)
    aliases = maps(workload.pod_spec, "hostAliases") if workload else []
    return any(reference.host in strings(a, "hostnames") for a in aliases)


def _reads_as_address(reference: Reference) -> bool:
    """`cart:8080`, `cart.shop`, `http://cart`, `CART_HOST=cart`; not `SERVICE=cart`, which may be a mere name."""
    return reference.port is not None or "." in reference.host or bool(_NAMES_AN_ADDRESS.search(reference.key)) or (
        not reference.key and reference.where.startswith("command")
    )  # fmt: skip


# --- the Service is not there --------------------------------------------------------------------------------------


def _missing(snapshot: Snapshot, target: Target, these: list[Reference], every: Sequence[Reference]) -> Symptom | None:
    callers = list(dict.fromkeys(r.workload for r in these))
    own = [w for w in snapshot.workloads if w.entity.namespace == target.namespace and w.entity.name == target.service]
    near = _near(snapshot, target)
    usual = "" if near else _usual(snapshot, these[0], every)
    suffering = [c for c in callers if _suffers(snapshot, c, target.service)]
    there = [name(s) for s in snapshot.of("Service") if namespace(s) == target.namespace]
    words = f"no Service {target.service} in {target.namespace}; there are: {', '.join(there[:20])}"
    evidence = [cite.absent(snapshot, "Service", target.namespace, words)]
    evidence += [references.excerpt(snapshot, r) for r in these[:3]]
    if not own and (near or usual) and len(callers) == 1:
        caller = callers[0]
        store = _is_store(these[0])
        faults = ("datastore_endpoint_wrong", "dependency_address_wrong")
        return Symptom(
            analyzer=NAME,
            entity=caller,
            faults=faults if store else faults[::-1],
            summary=f"{caller.kind} {caller.name}: {these[0].where} names {these[0].shown}, which no Service has "
            f"({f'nearest: {near}' if near else f'its siblings name {usual}'}).",
            specificity=(0.9 if suffering else 0.8) if near else (0.85 if suffering else 0.6),
            evidence=tuple(evidence),
            onset=env_changed_at(snapshot, caller),
            change=change_of_env(snapshot, caller),
        )
    if not any(_reads_as_address(r) for r in these) and not suffering:
        return None
    telemetry = all(_TELEMETRY.search(f"{r.key} {r.host}") for r in these)
    if own:
        specificity = 0.94
    elif telemetry:
        specificity = 0.2  # programs do without their collector
    elif len(callers) > 1:
        specificity = 0.85 if suffering else 0.5
    else:
        specificity = 0.7 if suffering else 0.25  # optional parts that nobody installed are named in many manifests
    pods = live(snapshot.pods_of(own[0].entity)) if own else []
    ready = sum(1 for p in pods if is_ready(p))
    return _gone(
        snapshot,
        target,
        tuple(callers),
        evidence,
        specificity,
        f"{ready} ready pod(s) run behind that name" if own else "",
    )


def _gone(
    snapshot: Snapshot,
    target: Target,
    callers: tuple[Entity, ...],
    evidence: list[Excerpt],
    specificity: float,
    more: str,
) -> Symptom:
    who = ", ".join(c.name for c in callers[:5])
    what = f"Service {target.service} does not exist in {target.namespace}"
    what += f" although {who} call(s) it" if who else ""
    quota = _service_quota(snapshot, target.namespace)
    entity = Entity(kind="Service", namespace=target.namespace, name=target.service)
    faults: tuple[str, ...] = ("service_deleted",)
    if quota is not None:
        entity, faults = (
            Entity(kind="Namespace", name=target.namespace),
            ("service_object_quota_exhausted", "service_deleted"),
        )
        what += f"; quota {name(quota)} allows no further Service"
        used, hard = mapping(quota, "status", "used"), mapping(quota, "status", "hard")
        told = f"ResourceQuota {name(quota)} used {used} hard {hard}"
        evidence = [cite.seen(snapshot, "ResourceQuota", quota, told), *evidence]
    return Symptom(
        analyzer=NAME,
        entity=entity,
        faults=faults,
        summary=f"{what}{f'; {more}' if more else ''} (inferred: a missing object leaves no event).",
        specificity=specificity,
        evidence=tuple(evidence),
        victims=callers,
    )


def _service_quota(snapshot: Snapshot, place: str) -> Object | None:
    for quota in snapshot.of("ResourceQuota"):
        hard, used = mapping(quota, "status", "hard"), mapping(quota, "status", "used")
        for resource in hard:
            full = (quantity(used.get(resource)) or 0) >= (quantity(hard[resource]) or 0)
            if namespace(quota) == place and fault_of(resource) == "service_object_quota_exhausted" and full:
                return quota
    return None


def _unserved(snapshot: Snapshot, told: set[str], focus: Focus) -> list[Symptom]:
    """A workload with ports that no Service selects, where its neighbours all have a Service of their own name."""
    found = []
    for place in snapshot.namespaces:
        here = [w for w in snapshot.workloads if w.entity.namespace == place and _serves(w)]
        here = [w for w in here if w.entity.kind in ("Deployment", "StatefulSet")]
        named = {name(s) for s in snapshot.of("Service") if namespace(s) == place}
        without = [w for w in here if w.entity.name not in named and not snapshot.services_of(w.entity)]
        if len(here) < 5 or len(without) * 5 > len(here):
            continue
        for workload in without:
            if workload.entity.name not in told and live(snapshot.pods_of(workload.entity)):
                asked = _unresolved(snapshot, place, workload.entity.name)
                words = (
                    f"{workload.entity.kind} {workload.entity.name} declares ports but no Service selects it; "
                    f"{len(named)} Services exist"
                )
                evidence = [cite.absent(snapshot, "Service", place, words), *(asked[1] if asked else [])]
                target = Target(workload.entity.name, place)
                if asked:
                    found.append(_gone(snapshot, target, asked[0], evidence, 0.92, "lookups fail"))
                else:
                    # Inferred from its siblings alone; more when it is the one that the alert is about.
                    specificity = 0.5 if focus.service == workload.entity.name else 0.3
                    found.append(_gone(snapshot, target, (), evidence, specificity, "its neighbours all have one"))
    return found


def _serves(workload: Workload) -> bool:
    """Declares a port that others may call: more than the one that metrics are scraped from or probes ask."""
    scraped = {v for k, v in notes(workload.template).items() if k in _SCRAPED}
    return any(
        not _FOR_MONITORING.search(text(p, "name")) and str(number(p, "containerPort")) not in scraped
        for p in references.container_ports(workload.pod_spec)
    )


def _unresolved(snapshot: Snapshot, place: str, host: str) -> tuple[tuple[Entity, ...], list[Excerpt]] | None:
    """Who looks the name up in vain, by their logs: addresses may be built into an image and stand in no object."""
    callers, said = [], []
    named = re.compile(rf"(?<![\w-]){re.escape(host)}(?![\w-])")
    for key, lines in snapshot.logs.items():
        pod = snapshot.find("Pod", key[0], key[1])
        caller = snapshot.owner_of(pod) if pod else Entity(kind="Pod", namespace=place, name=key[1])
        if key[0] != place or caller.name == host:
            continue  # what a workload calls itself stands in all of its lines
        failing = [line for line in lines if named.search(line.text) and _LOOKUP_FAILS.search(line.text)]
        if failing:
            callers.append(caller)
            said.append(Excerpt(failing[-1].text[:300], podlogs.Tail(*key).command, entity=caller))
    return (tuple(dict.fromkeys(callers)), said[:2]) if callers else None


def _is_store(reference: Reference) -> bool:
    """A cache is a dependency like others: what is lost with it can be had again."""
    words = f"{reference.host} {reference.key}"
    return is_store(words, reference.port) and "cache" not in words.lower()


def _near(snapshot: Snapshot, target: Target) -> str:
    return nearest(target.service, [name(s) for s in snapshot.of("Service") if namespace(s) == target.namespace])


def _usual(snapshot: Snapshot, reference: Reference, every: Sequence[Reference]) -> str:
    """The Service that at least two others name under the same key, or one that differs in their own names only
    (ORDER_MYSQL_HOST, USER_MYSQL_HOST): what this one probably meant."""
    place, key = reference.workload.namespace or "", _shared_part(reference.key)
    if not key:
        return ""
    alike = {r.workload: r.host for r in every if r.workload.namespace == place and _shared_part(r.key) == key}
    alike.pop(reference.workload, None)
    hosts = set(alike.values())
    exists = len(hosts) == 1 and references.service_of(snapshot, next(iter(hosts)), place) is not None
    return hosts.pop() if exists and len(alike) >= 2 else ""


def _shared_part(key: str) -> str:
    """DATABASE_HOST as it is, ORDER_MYSQL_HOST without the word that says whose it is."""
    words = key.upper().replace("-", "_").replace(".", "_").split("_")
    return "_".join(words[1:] if len(words) > 2 else words) if len(words) > 1 else ""


def _suffers(snapshot: Snapshot, caller: Entity, host: str) -> bool:
    """The caller is unwell, or its log names the host."""
    pods = live(snapshot.pods_of(caller))
    said = any(
        host in line.text
        for (place, pod, _, _), lines in snapshot.logs.items()
        if place == caller.namespace and pod.startswith(caller.name)
        for line in lines
    )
    return said or any(not is_ready(p) for p in pods)


# --- the port is another -------------------------------------------------------------------------------------------


def _port(snapshot: Snapshot, reference: Reference, service: Object, every: list[Reference]) -> Symptom | None:
    offered = references.ports_of(service)
    if reference.port is None or not offered or reference.port in offered:
        return None
    pods = live(snapshot.selected_by(service))
    listening = {number(p, "containerPort") for pod in pods for p in references.container_ports(mapping(pod, "spec"))}
    headless = text(service, "spec", "clusterIP") == "None"
    if (headless and reference.port in listening) or text(service, "spec", "type") == "ExternalName":
        return None
    others = {
        r.workload: r.port
        for r in every
        if r.host.partition(".")[0] == name(service) and r.workload != reference.workload and r.port is not None
    }
    agreeing = [w for w, port in others.items() if port == reference.port]
    right = [w for w, port in others.items() if port in offered]
    words = f"Service {name(service)} offers port {', '.join(map(str, offered))}"
    evidence = (references.excerpt(snapshot, reference), cite.seen(snapshot, "Service", service, words))
    if (agreeing or reference.port in listening) and not right:
        return Symptom(
            analyzer=NAME,
            entity=Entity(kind="Service", namespace=namespace(service), name=name(service)),
            faults=("service_target_port_wrong", "dependency_address_wrong"),
            summary=f"{words}, but {1 + len(agreeing)} caller(s) use {reference.port}, where its pods listen.",
            specificity=0.8,
            evidence=evidence,
            onset=created(service),
            victims=(reference.workload, *agreeing),
        )
    faults = ("datastore_endpoint_wrong", "dependency_address_wrong")
    store = _is_store(reference)
    caller = reference.workload
    return Symptom(
        analyzer=NAME,
        entity=caller,
        faults=faults if store else faults[::-1],
        summary=f"{caller.kind} {caller.name}: {reference.where} is {reference.shown}, but {words}.",
        specificity=0.9 if right or _suffers(snapshot, caller, reference.host) else 0.7,
        evidence=evidence,
        onset=env_changed_at(snapshot, caller),
        change=change_of_env(snapshot, caller),
    )


def change_of_env(snapshot: Snapshot, target: Entity) -> str | None:
    rollout = rollouts.latest(snapshot, target)
    return rollout.id if rollouts.find(rollout, "env") and rollout else None


def env_changed_at(snapshot: Snapshot, target: Entity) -> datetime | None:
    rollout = rollouts.latest(snapshot, target)
    if rollout and rollouts.find(rollout, "env"):
        return rollout.after.at
    workload = snapshot.workload(target)
    return created(workload.obj) if workload else None
