"""Namespace quotas that refuse what should exist: CPU (A1), memory (A2), pods (A3), Services (A4), storage (A5).

Words: plugin/pkg/admission/resourcequota controller.go, "exceeded quota: NAME, requested: ..., used: ..., limited: ..."
and "failed quota: NAME: must specify ..."; limitranger admission.go, "maximum memory usage per Container is ...".
They reach the cluster as FailedCreate events of the owner and as the Deployment's ReplicaFailure condition.
"""

from __future__ import annotations

import re
from datetime import datetime

from skills.contract import Entity, Excerpt, Focus, Symptom, Window
from skills.kubernetes import cite, refusals
from skills.kubernetes.objects import Object, created, mapping, name, namespace
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
    bounded = _LIMIT_RANGE.search(refusal.message)
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
        faults = _faults([bounded["resource"]])
        why = (
            f"a LimitRange sets the {bounded['bound']} {bounded['resource']} per {bounded['per']} to {bounded['limit']}"
        )
        specificity, quota = 0.85, ""
    else:
        return None
    if not faults:
        return None
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
    return [cite.seen(snapshot, "ResourceQuota", obj, _usage(obj))] if obj else []


def _usage(quota: Object) -> str:
    hard, used = mapping(quota, "status", "hard") or mapping(quota, "spec", "hard"), mapping(quota, "status", "used")
    return f"ResourceQuota {name(quota)}: " + ", ".join(f"{r} used {used.get(r, '?')} of {h}" for r, h in hard.items())


def _full(snapshot: Snapshot) -> list[Symptom]:
    """Quotas without room while something is missing, where no event tells of the refusal any more."""
    found = []
    for quota in snapshot.of("ResourceQuota"):
        place = namespace(quota)
        hard, used = mapping(quota, "status", "hard"), mapping(quota, "status", "used")
        full = [r for r in hard if (u := quantity(used.get(r))) is not None and u >= (quantity(hard[r]) or 0)]
        short = refusals.without_pods(snapshot, place)
        pods_full = [f for r in full if (f := fault_of(r)) and not f.startswith(("service", "storage"))]
        if pods_full and short:
            found.append(_full_symptom(snapshot, quota, tuple(dict.fromkeys(pods_full)), short, 0.7))
    return found


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
        evidence=(cite.seen(snapshot, "ResourceQuota", quota, _usage(quota)),),
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
