"""Namespace quotas that refuse what should exist: CPU (A1), memory (A2), pods (A3), Services (A4), storage (A5).

Words: plugin/pkg/admission/resourcequota controller.go, "exceeded quota: NAME, requested: ..., used: ..., limited: ..."
and "failed quota: NAME: must specify ..."; limitranger admission.go, "maximum memory usage per Container is ...".
They reach the cluster as FailedCreate events of the owner and as the Deployment's ReplicaFailure condition.
"""

from __future__ import annotations

import re
from datetime import datetime

from skills.contract import Entity, Excerpt, Focus, Symptom, Window
from skills.kubernetes import cite, deadlock, refusals
from skills.kubernetes.objects import Object, created, dig, mapping, name, namespace, strings
from skills.kubernetes.quantities import quantity
from skills.kubernetes.refusals import Refusal
from skills.kubernetes.snapshot import Snapshot

NAME = "kubernetes.quotas"
_EXCEEDED = re.compile(
    r"exceeded quota: (?P<quota>\S+), requested: (?P<requested>.+?), used: (?P<used>.+?), limited: (?P<limited>.+)$"
)
_UNSPECIFIED = re.compile(r"failed quota: (?P<quota>[^:\s]+): must specify (?P<resources>.+)$")
_LIMIT_RANGE = re.compile(
    r"(?P<bound>maximum|minimum) (?P<resource>\S+) usage per (?P<per>\w+) is (?P<limit>\S+?),? but"
)
_RATIO = re.compile(r"(?P<resource>\S+) max limit to request ratio per (?P<per>\w+) is (?P<limit>\S+?), but")


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    found = []
    for refusal in refusals.of(snapshot):
        symptom = _refused(snapshot, refusal)
        if symptom:
            found.append(symptom)
    told = {(s.entity, s.faults[0]) for s in found}
    return _merged(found) + [s for s in _full(snapshot) if (s.entity, s.faults[0]) not in told]


def fault_of(resource: str) -> str | None:
    """The leaf for a resource name of a quota, such as `requests.cpu`, `count/services` or `pods`."""
    plain = resource.removeprefix("count/").partition(".storageclass.storage.k8s.io/")[2] or resource.removeprefix(
        "count/"
    )
    if plain in ("cpu", "requests.cpu", "limits.cpu"):
        return "cpu_quota_exhausted"
    if plain in ("memory", "requests.memory", "limits.memory"):
        return "memory_quota_exhausted"
    if plain == "pods":
        return "pod_count_quota_exhausted"
    if plain.startswith("services"):
        return "service_object_quota_exhausted"
    if "storage" in plain or plain.startswith("persistentvolumeclaims"):
        return "storage_quota_exhausted"
    return None


def _refused(snapshot: Snapshot, refusal: Refusal) -> Symptom | None:
    exceeded = _EXCEEDED.search(refusal.message)
    unspecified = _UNSPECIFIED.search(refusal.message)
    bounded = _LIMIT_RANGE.search(refusal.message) or _RATIO.search(refusal.message)
    if exceeded:
        faults = _faults([r.partition("=")[0] for r in exceeded["requested"].split(",")])
        why = (
            f"quota {exceeded['quota']}: requested {exceeded['requested']}, used {exceeded['used']}, limited "
            f"{exceeded['limited']}"
        )
        specificity, quota = 0.96, exceeded["quota"]
    elif unspecified:
        faults = _faults(re.split(r"[,;]\s*", re.sub(r" for: [^;]*", "", unspecified["resources"])))
        why = f"quota {unspecified['quota']} demands {unspecified['resources']}, which the pods do not declare"
        specificity, quota = 0.93, unspecified["quota"]
    elif bounded:
        faults = _faults([bounded["resource"].lstrip("[")])
        bound = bounded.groupdict().get("bound", "ratio of limit to request of")
        why = f"a LimitRange sets the {bound} {bounded['resource']} per {bounded['per']} to {bounded['limit']}"
        specificity, quota = 0.85, ""
    else:
        return None
    if not faults:
        return None
    if deadlock.stands_still(snapshot, refusal.owner):
        faults = (*faults, "rollout_deadlocked")
        why += "; no old pod may go before the new one is there"
    place = refusal.owner.namespace or ""
    return Symptom(
        analyzer=NAME,
        entity=Entity(kind="Namespace", name=place),
        faults=faults,
        summary=f"Namespace {place}: new pods of {refusal.owner.kind} {refusal.owner.name} are refused: {why}.",
        specificity=specificity if refusal.stands else 0.4,
        evidence=(refusal.excerpt, *_status(snapshot, place, quota)),
        onset=refusal.first,
        victims=(refusal.owner, *snapshot.victims_of(refusal.owner)),
        ongoing=refusal.stands,
    )


def _faults(resources: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(f for r in resources if (f := fault_of(r.strip()))))


def _status(snapshot: Snapshot, place: str, quota: str) -> list[Excerpt]:
    obj = snapshot.find("ResourceQuota", place, quota) if quota else None
    return [cite.seen(snapshot, "ResourceQuota", obj, usage(obj))] if obj else []


def usage(quota: Object) -> str:
    hard, used = mapping(quota, "status", "hard") or mapping(quota, "spec", "hard"), mapping(quota, "status", "used")
    return f"ResourceQuota {name(quota)}: " + ", ".join(f"{r} used {used.get(r, '?')} of {h}" for r, h in hard.items())


def _full(snapshot: Snapshot) -> list[Symptom]:
    """Quotas without room for what is missing, where no event tells of the refusal any more."""
    found = []
    for quota in snapshot.of("ResourceQuota"):
        place = namespace(quota)
        short = refusals.without_pods(snapshot, place)
        if not short or mapping(quota, "spec", "scopeSelector") or strings(quota, "spec", "scopes"):
            continue  # a quota with scopes counts some pods only
        hard, used = mapping(quota, "status", "hard"), mapping(quota, "status", "used")
        full = [
            f
            for r in hard
            if (f := fault_of(r)) in _OF_PODS
            and (u := quantity(used.get(r))) is not None
            and (limit := quantity(hard[r])) is not None
            and u + max(_need(snapshot, w, r) for w in short) > limit
        ]
        if full:
            found.append(_full_symptom(snapshot, quota, tuple(f for f in dict.fromkeys(full) if f), short, 0.7))
    return found


_OF_PODS = ("cpu_quota_exhausted", "memory_quota_exhausted", "pod_count_quota_exhausted")


def _need(snapshot: Snapshot, target: Entity, resource: str) -> float:
    """What one more pod of the workload takes of a quota's resource; at least something."""
    workload = snapshot.workload(target)
    if workload is None or resource.endswith("pods"):
        return 1.0
    kind, _, what = resource.rpartition(".")
    part = "limits" if kind == "limits" else "requests"
    return sum(quantity(dig(c, "resources", part, what)) or 0.0 for c in workload.containers) or 1e-9


def storage_quota(snapshot: Snapshot, place: str) -> Object | None:
    """A quota of the namespace that leaves less than a tenth of its storage, or no further claim."""
    for quota in snapshot.of("ResourceQuota"):
        hard, used = mapping(quota, "status", "hard"), mapping(quota, "status", "used")
        for resource in hard:
            limit, taken = quantity(hard[resource]), quantity(used.get(resource))
            if namespace(quota) != place or fault_of(resource) != "storage_quota_exhausted" or not limit:
                continue
            if taken is not None and taken >= limit * (1.0 if "claims" in resource else 0.9):
                return quota
    return None


def _full_symptom(
    snapshot: Snapshot, quota: Object, faults: tuple[str, ...], short: list[Entity], specificity: float
) -> Symptom:
    place = namespace(quota)
    names = ", ".join(e.name for e in short[:5])
    return Symptom(
        analyzer=NAME,
        entity=Entity(kind="Namespace", name=place),
        faults=faults,
        summary=f"Namespace {place}: quota {name(quota)} has no room left while {names} lack(s) pods (inferred, no "
        "event).",
        specificity=specificity,
        evidence=(cite.seen(snapshot, "ResourceQuota", quota, usage(quota)),),
        onset=created(quota),
        victims=tuple(short),
    )


def _merged(found: list[Symptom]) -> list[Symptom]:
    """One symptom for each namespace and leading fault, with all that is refused as victims."""
    by_key: dict[tuple[Entity, str], list[Symptom]] = {}
    for symptom in found:
        by_key.setdefault((symptom.entity, symptom.faults[0]), []).append(symptom)
    merged = []
    for these in by_key.values():
        best = max(these, key=lambda s: s.specificity)
        merged.append(
            Symptom(
                analyzer=NAME,
                entity=best.entity,
                faults=tuple(dict.fromkeys(f for s in these for f in s.faults)),
                summary=best.summary,
                specificity=best.specificity,
                evidence=tuple({e.text: e for s in these for e in s.evidence}.values())[:5],
                onset=min((s.onset for s in these if s.onset), default=None),
                victims=tuple(dict.fromkeys(v for s in these for v in s.victims)),
                ongoing=any(s.ongoing for s in these),
            )
        )
    return merged
