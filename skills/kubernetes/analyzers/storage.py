"""Claims that find no volume: class missing (C1), nothing fits (C2), held by another claim (C3), cannot attach (C4).

Events of pkg/controller/volume/persistentvolume (ProvisioningFailed, FailedBinding, ExternalProvisioning) and of
attachdetach and kubelet volumemanager (FailedAttachVolume "Multi-Attach error", FailedMount).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from skills.contract import Entity, Excerpt, Focus, Symptom, Window
from skills.kubernetes import cite
from skills.kubernetes.analyzers.quotas import storage_quota, usage
from skills.kubernetes.events import Event
from skills.kubernetes.objects import Object, created, dig, entity, holds, mapping, name, namespace, strings, text
from skills.kubernetes.objects import labels as labels_of
from skills.kubernetes.pods import container_statuses, ended_at, init_statuses, is_ready, last_end, live
from skills.kubernetes.quantities import quantity
from skills.kubernetes.selectors import describe, matches
from skills.kubernetes.snapshot import Snapshot
from skills.kubernetes.unplaced import claims_of

NAME = "kubernetes.storage"
_STALE = timedelta(days=7)
_NOISE = re.compile(r"not registered|failed to sync (secret|configmap) cache|CSINode .* does not contain driver", re.I)
"""Of kubelets and drivers that have just started."""
_DISK = re.compile(
    r"input/output error|structure needs cleaning|wrong fs type|bad superblock|fsck.*(error|found)", re.I
)
_ACCESS_MODE = re.compile(
    r"only supports? ReadWrite\w+( access mode)?|Only support ReadWriteOnce access mode|MULTI_NODE_\w+ not supported|"
    r"Volume capabilit(y|ies)[^.]* not supported|unsupported access mode",
    re.IGNORECASE,
)


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    found = [_claim(snapshot, c) for c in snapshot.of("PersistentVolumeClaim")]
    found += [_attach(snapshot, p) for p in live(snapshot.pods) if not is_ready(p)]
    found += [_emptied(snapshot, p) for p in snapshot.pods]
    return [s for s in found if s]


def _users(snapshot: Snapshot, claim: Object) -> list[Entity]:
    place, called = namespace(claim), name(claim)
    pods = [p for p in snapshot.pods if namespace(p) == place and called in claims_of(mapping(p, "spec"))]
    templates = [
        w.entity for w in snapshot.workloads if w.entity.namespace == place and called in claims_of(w.pod_spec)
    ]
    return list(dict.fromkeys([*templates, *(snapshot.owner_of(p) for p in pods)]))


def _claim(snapshot: Snapshot, claim: Object) -> Symptom | None:
    phase = text(claim, "status", "phase")
    if phase not in ("Pending", "Lost"):
        return None
    users = _users(snapshot, claim)
    events = snapshot.events_of("PersistentVolumeClaim", claim)
    if any(e.reason in _WAITS for e in events[-1:]) and not _has_failed(events) and not users:
        return None
    faults, why, specificity, evidence = _why(snapshot, claim)
    if not faults:
        return None
    state = f"PersistentVolumeClaim {name(claim)} is {phase}, class {_class(claim) or '(none)'}, {_wants(claim)}"
    born = created(claim)
    old = born is not None and snapshot.clock - born > _STALE
    return Symptom(
        analyzer=NAME,
        entity=entity("PersistentVolumeClaim", claim),
        faults=faults,
        summary=f"PersistentVolumeClaim {name(claim)} is {phase}: {why}.",
        specificity=specificity * (1 if users else 0.5) * (0.7 if old else 1),
        evidence=(
            cite.seen(snapshot, "PersistentVolumeClaim", claim, state),
            *(cite.told(snapshot, e) for e in [e for e in events if e.is_warning or "Failed" in e.reason][-2:]),
            *evidence,
        ),
        onset=born,
        victims=tuple(users),
    )


_WAITS = ("WaitForFirstConsumer", "WaitForPodScheduled")
"""The claim is bound when a pod that uses it has a node: what keeps the pod from one is another matter."""


def _has_failed(events: Sequence[Event]) -> bool:
    return any("Failed" in e.reason for e in events)


def _class(claim: Object) -> str | None:
    value = dig(claim, "spec", "storageClassName")
    return value if isinstance(value, str) else None


def _wants(claim: Object) -> str:
    selector = mapping(claim, "spec", "selector")
    told = (
        f"{text(claim, 'spec', 'resources', 'requests', 'storage')} {','.join(strings(claim, 'spec', 'accessModes'))}"
    )
    told += f" selector {describe(selector)}" if selector else ""
    return told + (f" volume {text(claim, 'spec', 'volumeName')}" if text(claim, "spec", "volumeName") else "")


def _why(snapshot: Snapshot, claim: Object) -> tuple[tuple[str, ...], str, float, list[Excerpt]]:
    events = snapshot.events_of("PersistentVolumeClaim", claim)
    words = " ".join(e.message for e in events)
    class_name, volume_name = _class(claim), text(claim, "spec", "volumeName")
    classes = [name(c) for c in snapshot.all("StorageClass")]
    volumes = list(snapshot.all("PersistentVolume"))
    if text(claim, "status", "phase") == "Lost":
        # It was bound: neither its class nor any other volume is asked for any more.
        why = f"it was bound to the volume {volume_name}, which does not exist any more"
        return ("volume_cannot_attach", "pvc_matches_no_volume"), why, 0.95, []
    fitting = [v for v in volumes if not _misfits(claim, v)]
    if class_name and class_name not in classes and (snapshot.knows("StorageClass") or "not found" in words):
        by_hand = [v for v in volumes if text(v, "spec", "storageClassName") == class_name]
        if not by_hand:
            absent = cite.absent(
                snapshot,
                "StorageClass",
                None,
                f"no StorageClass {class_name}; there are: {', '.join(classes) or 'none'}",
            )
            return ("storage_class_missing",), f"its storage class {class_name} does not exist", 0.96, [absent]
    held = [v for v in fitting if _held_by_other(claim, v)]
    if volume_name:
        volume = snapshot.find("PersistentVolume", "", volume_name)
        if volume is None and snapshot.knows("PersistentVolume"):
            return ("pvc_matches_no_volume",), f"the volume {volume_name} that it names does not exist", 0.93, []
        if volume is not None and _held_by_other(claim, volume):
            return ("volume_held_by_other_claim",), _holding(volume), 0.96, [_of_volume(snapshot, volume)]
        if volume is not None and (misfit := _misfits(claim, volume)):
            why = f"the volume {volume_name} does not fit: {misfit}"
            return ("pvc_matches_no_volume",), why, 0.93, [_of_volume(snapshot, volume)]
    if "already bound to a different claim" in words or held:
        volume = held[0] if held else None
        said = [_of_volume(snapshot, volume)] if volume else []
        why = _holding(volume) if volume else "its volume is already bound to a different claim"
        return ("volume_held_by_other_claim", "pvc_matches_no_volume"), why, 0.93, said
    free = [v for v in volumes if text(v, "status", "phase") == "Available"]
    near = [(v, _misfits(claim, v)) for v in free]
    static = (
        class_name in ("", None) or class_name not in classes or "no-provisioner" in _provisioner(snapshot, class_name)
    )
    if "no persistent volumes available" in words or (static and snapshot.knows("PersistentVolume")):
        said = [_of_volume(snapshot, v, misfit) for v, misfit in near[:3]]
        told = f"{len(free)} volumes are available and none fits" + (f" ({near[0][1]})" if near else "")
        return ("pvc_matches_no_volume",), told, 0.92, said
    if mapping(claim, "spec", "selector") and "selector" in words.lower():
        return ("pvc_matches_no_volume",), "a claim with a selector cannot be provisioned dynamically", 0.93, []
    if mode := _ACCESS_MODE.search(words):
        return ("pvc_matches_no_volume",), f"its provisioner does not offer the access mode ({mode.group(0)})", 0.93, []
    if _has_failed(events):
        why = f"its provisioner {_provisioner(snapshot, class_name) or '(unknown)'} fails: {_last_failure(events)}"
        return ("pvc_matches_no_volume", "storage_class_missing"), why, 0.6, []
    if any(e.reason in _WAITS for e in events[-1:]):
        return (), "", 0.0, []
    if "waiting for a volume to be created" in words.lower():
        why = f"its provisioner {_provisioner(snapshot, class_name) or '(unknown)'} does not deliver"
        return ("pvc_matches_no_volume", "storage_class_missing"), why, 0.5, []
    return (), "", 0.0, []


def _last_failure(events: Sequence[Event]) -> str:
    return next((e.message for e in reversed(events) if "Failed" in e.reason), "")


def _provisioner(snapshot: Snapshot, class_name: str | None) -> str:
    return text(snapshot.find("StorageClass", "", class_name or ""), "provisioner")


def _misfits(claim: Object, volume: Object) -> str:
    """Why the volume cannot serve the claim (pkg/volume persistentvolume FindMatchingVolume); empty when it can."""
    asked = quantity(dig(claim, "spec", "resources", "requests", "storage")) or 0
    has = quantity(dig(volume, "spec", "capacity", "storage")) or 0
    if has < asked:
        return f"capacity {dig(volume, 'spec', 'capacity', 'storage')}"
    if missing := set(strings(claim, "spec", "accessModes")) - set(strings(volume, "spec", "accessModes")):
        return f"access mode {', '.join(sorted(missing))} is not offered"
    if (_class(claim) or "") != text(volume, "spec", "storageClassName") and _class(claim) is not None:
        return f"class {text(volume, 'spec', 'storageClassName') or '(none)'}"
    selector = mapping(claim, "spec", "selector")
    if selector and not matches(selector, labels_of(volume)):
        return f"labels {describe(labels_of(volume))}"
    return ""


def _held_by_other(claim: Object, volume: Object) -> bool:
    ref = mapping(volume, "spec", "claimRef")
    if not ref:
        return False
    same = (text(ref, "namespace"), text(ref, "name")) == (namespace(claim), name(claim))
    uid = text(ref, "uid")
    return not same or bool(uid and uid != text(claim, "metadata", "uid"))


def _holding(volume: Object) -> str:
    ref = mapping(volume, "spec", "claimRef")
    state = text(volume, "status", "phase")
    return f"volume {name(volume)} ({state}) is reserved for claim {text(ref, 'namespace')}/{text(ref, 'name')}"


def _of_volume(snapshot: Snapshot, volume: Object, misfit: str = "") -> Excerpt:
    words = f"PersistentVolume {name(volume)} {text(volume, 'status', 'phase')}"
    words += f" claimRef {text(volume, 'spec', 'claimRef', 'namespace')}/{text(volume, 'spec', 'claimRef', 'name')}"
    return cite.seen(snapshot, "PersistentVolume", volume, words + (f", does not fit: {misfit}" if misfit else ""))


def _attach(snapshot: Snapshot, pod: Object) -> Symptom | None:
    started = any(
        mapping(s, "state", "running") or last_end(s) for s in [*container_statuses(pod), *init_statuses(pod)]
    )
    if started or text(pod, "status", "phase") == "Running":
        return None  # whatever has run had its volumes
    events = [
        e
        for e in snapshot.events_of("Pod", pod, "FailedAttachVolume", "FailedMount", "FailedMapVolume")
        if not _NOISE.search(e.message)
    ]
    mine = claims_of(mapping(pod, "spec"))
    place = namespace(pod)
    gone = [
        c
        for c in mine
        if snapshot.knows("PersistentVolumeClaim", place) and not snapshot.find("PersistentVolumeClaim", place, c)
    ]
    broken = [e for e in events if _DISK.search(e.message)]
    multi = [e for e in events if "Multi-Attach error" in e.message or "already exclusively attached" in e.message]
    lost = [e for e in events if "persistentvolumeclaim" in e.message.lower() and "not found" in e.message]
    other = [e for e in events if re.search("MountVolume|AttachVolume|MapVolume|hostPath type check", e.message)]
    other = [e for e in other if not re.search(r"configmap|secret", e.message, re.IGNORECASE)]
    faults: tuple[str, ...] = ("volume_cannot_attach",)
    points_at: tuple[Entity, ...] = ()
    if broken:
        faults = ("disk_io_slow_or_failing", "volume_cannot_attach")
        why, specificity, said = "its volume's disk is damaged or does not answer", 0.88, broken
    elif multi:
        why, specificity, said = "a single-writer volume is attached to another node", 0.95, multi
        points_at = _holders_node(snapshot, pod, mine)
        if points_at:
            why += f", which is not ready ({points_at[0].name})"
    elif gone or lost:
        why, specificity, said = f"claim {', '.join(gone) or 'it mounts'} does not exist", 0.94, lost
        if quota := storage_quota(snapshot, place):
            return _refused_claim(snapshot, pod, quota, gone)
    elif other and text(pod, "status", "phase") == "Pending":
        why, specificity, said = "a volume cannot be attached or mounted", 0.75, other
    else:
        return None
    owner = snapshot.owner_of(pod)
    there = [name(c) for c in snapshot.of("PersistentVolumeClaim") if namespace(c) == place]
    words = f"pod {name(pod)} mounts claims {', '.join(mine)}; there are: {', '.join(there[:8]) or 'none'}"
    return Symptom(
        analyzer=NAME,
        entity=owner,
        faults=faults,
        summary=f"{owner.kind} {owner.name}: {why}.",
        specificity=0.4 if points_at else specificity,
        evidence=(*(cite.told(snapshot, e) for e in said[-2:]), cite.seen(snapshot, "Pod", pod, words, verb="get")),
        onset=said[0].first if said else created(pod),
        role="effect" if points_at else "cause",
        points_at=points_at,
        victims=snapshot.victims_of(owner),
    )


def _holders_node(snapshot: Snapshot, pod: Object, claims: list[str]) -> tuple[Entity, ...]:
    """Nodes that are not ready and still hold the claim by a pod of theirs: a volume is not detached from a silent
    node."""
    held = [
        text(p, "spec", "nodeName")
        for p in snapshot.all("Pod")
        if p is not pod and namespace(p) == namespace(pod) and set(claims) & set(claims_of(mapping(p, "spec")))
    ]
    nodes = [n for n in snapshot.all("Node") if name(n) in held and not holds(n, "Ready")]
    return tuple(Entity(kind="Node", name=name(n)) for n in nodes)


def _refused_claim(snapshot: Snapshot, pod: Object, quota: Object, gone: list[str]) -> Symptom:
    """A claim that should exist, in a namespace whose storage quota has no room: a refused object leaves no event."""
    owner, place = snapshot.owner_of(pod), namespace(pod)
    words = usage(quota)
    return Symptom(
        analyzer=NAME,
        entity=Entity(kind="Namespace", name=place),
        faults=("storage_quota_exhausted", "volume_cannot_attach"),
        summary=f"Namespace {place}: {owner.kind} {owner.name} mounts claim {', '.join(gone)}, which does not exist, "
        f"and the storage quota has no room for it (inferred): {words}.",
        specificity=0.88,
        evidence=(
            cite.seen(snapshot, "ResourceQuota", quota, words),
            cite.seen(snapshot, "Pod", pod, f"pod {name(pod)} mounts claim {', '.join(gone)}", verb="get"),
        ),
        onset=created(pod),
        victims=(owner, *snapshot.victims_of(owner)),
    )


def _emptied(snapshot: Snapshot, pod: Object) -> Symptom | None:
    """Evicted for its own use of local storage (pkg/kubelet/eviction eviction_manager.go)."""
    message = text(pod, "status", "message")
    own = "exceeds the limit" in message or "exceeded its local ephemeral storage limit" in message
    if text(pod, "status", "reason") != "Evicted" or not (own or "exceeds the total limit" in message):
        return None
    owner, at = snapshot.owner_of(pod), ended_at(pod)
    fresh = at is None or snapshot.clock - at < timedelta(hours=2)
    return Symptom(
        analyzer=NAME,
        entity=owner,
        faults=("volume_full",),
        summary=f"{owner.kind} {owner.name}: evicted because it filled its own storage: {message}.",
        specificity=0.85 if fresh else 0.3,
        evidence=(cite.seen(snapshot, "Pod", pod, f"pod {name(pod)} Evicted: {message}", at=at),),
        onset=at,
        ongoing=fresh,
        victims=snapshot.victims_of(owner),
    )
