"""Services that lead nowhere or to others: selector (F1), foreign pods (F2).

Endpoints are made by pkg/controller/endpointslice: pods that match every pair of spec.selector; a named targetPort is
looked up in the pod's containers by name and protocol (pkg/api/v1/pod util.go FindPort), a number is taken as it is.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from skills.contract import Entity, Excerpt, Focus, Symptom, Window
from skills.kubernetes import cite, references, rollouts, topology
from skills.kubernetes.differences import drift, owner_of_field, written_at
from skills.kubernetes.objects import (
    Object,
    entity,
    labels,
    mapping,
    name,
    namespace,
    strings,
    text,
    time_of,
)
from skills.kubernetes.pods import is_ready, live, name_of
from skills.kubernetes.selectors import describe, matches_map
from skills.kubernetes.snapshot import Snapshot, Workload

NAME = "kubernetes.services"
PROXIES = ("istio-proxy", "linkerd-proxy", "envoy-sidecar", "consul-dataplane", "daprd")


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    referred = _referred(snapshot)
    found = []
    for service in snapshot.of("Service"):
        if text(service, "spec", "type") == "ExternalName":
            continue
        outside = text(service, "spec", "type") in ("LoadBalancer", "NodePort")
        is_used = outside or (namespace(service), name(service)) in referred
        pods = live(snapshot.selected_by(service))
        if pods:
            symptoms = [_foreign(snapshot, service, pods)]
        else:
            symptoms = [_selects_nothing(snapshot, service, is_used)]
        found += [s for s in symptoms if s]
    return found


def _referred(snapshot: Snapshot) -> set[tuple[str, str]]:
    targets = [references.understand(snapshot, r.host, r.workload.namespace or "") for r in references.every(snapshot)]
    used = {(t.namespace, t.service) for t in targets if t}
    used |= {(e.target.namespace or "", e.target.name) for e in topology.by_route(snapshot)}
    return used


# --- F1 ------------------------------------------------------------------------------------------------------------


def _selects_nothing(snapshot: Snapshot, service: Object, is_used: bool) -> Symptom | None:
    if not snapshot.has_no_endpoints(service) or name(service) == "kubernetes":
        return None
    selector = mapping(service, "spec", "selector")
    if not selector and (snapshot.ready_addresses(service) != 0 or not is_used):
        return None
    if snapshot.workloads_behind(service):
        return None  # the selector is right, there are only no pods: another analyzer says why
    meant, why = _meant(snapshot, service)
    pods = live(snapshot.pods_of(meant.entity)) if meant else []
    ready = [p for p in pods if is_ready(p)]
    if meant is None:
        specificity = 0.55 if is_used else 0.25
        summary = f"Service {name(service)} selects no pod ({describe(selector)}), and no workload has such labels."
    else:
        specificity = (0.95 if ready else 0.8) if why == "drift" or is_used or why == "name" else 0.75
        summary = (
            f"Service {name(service)} selects {describe(selector) if selector else 'nothing (no selector)'}, but "
            "the pods of "
            f"{meant.entity.kind} {meant.entity.name} carry {_labels(meant)}: {len(ready)} ready pod(s) get no traffic."
        )
    evidence = [cite.seen(snapshot, "Service", service, f"Service {name(service)} selector {describe(selector)}")]
    if snapshot.ready_addresses(service) == 0:
        query = f"kubectl -n {namespace(service)} get endpointslices -l kubernetes.io/service-name={name(service)}"
        evidence.append(
            Excerpt(f"Service {name(service)} has 0 ready endpoints", query, entity=entity("Service", service))
        )
    if meant and pods:
        words = f"pod {name(pods[0])} labels {_labels_of(pods[0])}, Ready={'True' if ready else 'False'}"
        evidence.append(cite.seen(snapshot, "Pod", pods[0], words, verb="get"))
    evidence += edits(snapshot, "Service", service)
    faults = ("service_selects_no_pods",) if meant else ("service_selects_no_pods", "scaled_to_zero")
    return Symptom(
        analyzer=NAME,
        entity=entity("Service", service),
        faults=faults,
        summary=summary,
        specificity=specificity,
        evidence=tuple(evidence),
        onset=_since(snapshot, service, meant),
        victims=(meant.entity,) if meant else (),
    )


def _meant(snapshot: Snapshot, service: Object) -> tuple[Workload | None, str]:
    """The workload that the Service was made for, and how that is known."""
    place, called = namespace(service), name(service)
    here = _here(snapshot, place)
    before = next((d for d in drift(service) if d.path.startswith("selector")), None)
    if before is not None:
        selector = {k: v for k, v in mapping(service, "spec", "selector").items() if f"selector.{k}" != before.path} | (
            {before.path.removeprefix("selector."): before.before} if before.before else {}
        )
        drifted = [w for w in here if selector and matches_map(selector, w.pod_labels)]
        if drifted:
            return drifted[0], "drift"
    named = _namesake(snapshot, place, called)
    if named:
        return named, "name"
    selector = mapping(service, "spec", "selector")
    wanted = {str(v) for v in selector.values()}
    shared = [
        w
        for w in here
        if not snapshot.services_of(w.entity) and (_shared(selector, w.pod_labels) or w.entity.name in wanted)
    ]
    if len(shared) == 1:
        return shared[0], "labels"
    # All pairs but one are those of a workload that bears part of the Service's name (`frontend-external`).
    close = [w for w in here if sum(w.pod_labels.get(k) != str(v) for k, v in selector.items()) == 1 < len(selector)]
    akin = [w for w in close if called.startswith(f"{_base(w.entity.name)}-")]
    return (akin[0], "labels") if len(akin) == 1 else (None, "")


def _here(snapshot: Snapshot, place: str) -> list[Workload]:
    known: dict[str, list[Workload]] | None = snapshot.memo.get("workloads of services")
    if known is None:
        known = snapshot.memo["workloads of services"] = defaultdict(list)
        for each in snapshot.workloads:
            if each.entity.kind not in ("Job", "CronJob"):
                known[each.entity.namespace or ""].append(each)
    return known.get(place, [])


def _namesake(snapshot: Snapshot, place: str, called: str) -> Workload | None:
    """The workload that bears the Service's name, endings aside."""
    known: dict[tuple[str, str], Workload] | None = snapshot.memo.get("namesakes")
    if known is None:
        known = snapshot.memo["namesakes"] = {}
        for each in snapshot.workloads:
            if each.entity.kind not in ("Job", "CronJob"):
                known.setdefault((each.entity.namespace or "", _base(each.entity.name)), each)
    return known.get((place, _base(called)))


def _base(called: str) -> str:
    """`cart-service`, `cart-svc`, `cart-headless` and `cart` are one name."""
    for ending in ("-service", "-svc", "-headless", "-deployment", "-hs"):
        called = called.removesuffix(ending)
    return called


def _shared(selector: Object, found: dict[str, str]) -> bool:
    return any(found.get(k) == str(v) for k, v in selector.items())


def _labels(workload: Workload) -> str:
    return describe({k: v for k, v in workload.pod_labels.items() if "hash" not in k})


def _labels_of(pod: Object) -> str:
    return describe({k: v for k, v in labels(pod).items() if "hash" not in k})


def _since(snapshot: Snapshot, service: Object, meant: Workload | None) -> datetime | None:
    """When selector and labels parted: the write to the selector, or the rollout that renamed the label."""
    rollout = rollouts.latest(snapshot, meant.entity) if meant else None
    if rollout and rollouts.find(rollout, "metadata.labels"):
        return rollout.after.at
    return written_at(service, snapshot.clock, "spec", "selector")


def edits(snapshot: Snapshot, kind: str, obj: Object) -> list[Excerpt]:
    """Where the object departs from its last-applied manifest: the strongest witness of an edit in place."""
    told = [str(d) for d in drift(obj)]
    if not told:
        return []
    manager, stamp = owner_of_field(obj, "spec")
    by = f" (written by {manager} at {stamp})" if manager else ""
    words = f"{kind} {name(obj)} differs from its last-applied manifest: {'; '.join(told[:4])}{by}"
    return [cite.seen(snapshot, kind, obj, words, verb="get", at=time_of(stamp))]


# --- F2 ------------------------------------------------------------------------------------------------------------


def _foreign(snapshot: Snapshot, service: Object, pods: list[Object]) -> Symptom | None:
    """Pods of another program among the endpoints. Two tracks of one program (canary, blue and green) are no fault."""
    place, called = namespace(service), name(service)
    owners = list(dict.fromkeys(snapshot.owner_of(p) for p in pods))
    own = [o for o in owners if _base(o.name) == _base(called)]
    namesake = _namesake(snapshot, place, called)
    if own:
        home = snapshot.workload(own[0])
        foreign = [o for o in owners if o not in own and home and _another_program(snapshot, home, o)]
    elif namesake and live(snapshot.pods_of(namesake.entity)):
        foreign = [o for o in owners if _another_program(snapshot, namesake, o)]
    else:
        return None
    if not foreign:
        return None
    others = ", ".join(f"{o.kind} {o.name}" for o in foreign)
    count = sum(1 for p in pods if snapshot.owner_of(p) in foreign)
    selector = describe(mapping(service, "spec", "selector"))
    homes = any(_base(name(s)) == _base(o.name) for o in foreign for s in snapshot.services_of(o) if s is not service)
    evidence = [
        cite.seen(snapshot, "Service", service, f"Service {called} selector {selector} matches {len(pods)} pods")
    ]
    for pod in [p for p in pods if snapshot.owner_of(p) in foreign][:2]:
        evidence.append(
            cite.seen(snapshot, "Pod", pod, f"pod {name(pod)} of {others} labels {_labels_of(pod)}", verb="get")
        )
    return Symptom(
        analyzer=NAME,
        entity=entity("Service", service),
        faults=("service_selects_foreign_pods",),
        summary=f"Service {called} ({selector}) sends to {count} of {len(pods)} pods that belong to {others}.",
        specificity=0.93 if homes or not own else 0.8,
        evidence=(*evidence, *edits(snapshot, "Service", service)),
        onset=_since(snapshot, service, snapshot.workload(foreign[0])),
    )


def _another_program(snapshot: Snapshot, home: Workload, other: Entity) -> bool:
    """Another image, or another command of one image (demo shops ship all services in one)."""
    theirs = snapshot.workload(other)
    if theirs is None or other == home.entity:
        return False
    ours, those = _programs(home), _programs(theirs)
    return bool(ours and those) and not ours & those


def _programs(workload: Workload) -> set[tuple[str, tuple[str, ...]]]:
    return {
        (
            text(c, "image").rpartition("@")[0] or text(c, "image").rpartition(":")[0] or text(c, "image"),
            tuple(strings(c, "command")),
        )
        for c in workload.containers
        if name_of(c) not in PROXIES
    }
