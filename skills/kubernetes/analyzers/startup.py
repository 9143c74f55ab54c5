"""Containers that cannot be started: reference missing (D5), command (D6), security context (D8), architecture (D4).

Words: kubelet kuberuntime (CreateContainerConfigError, CreateContainerError, RunContainerError), security_context.go
("container has runAsNonRoot and image will run as root"), volume plugins ("configmap "x" not found", "references
non-existent config key"), runc and containerd ("exec: ...: executable file not found in $PATH").
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from datetime import datetime, timedelta

from skills.contract import Entity, Excerpt, Focus, Symptom, Window
from skills.kubernetes import cite, rollouts
from skills.kubernetes.objects import Object, created, dig, mapping, maps, name, namespace, number, strings, text
from skills.kubernetes.pods import (
    container_statuses,
    init_statuses,
    is_ready,
    last_end,
    live,
    name_of,
    unready_since,
    waiting,
)
from skills.kubernetes.snapshot import Snapshot

NAME = "kubernetes.startup"
_PATIENCE = timedelta(seconds=60)
_NOISE = re.compile(r"not registered|failed to sync (secret|configmap) cache", re.IGNORECASE)
"""The kubelet's own caches, behind for seconds after a start."""
_MISSING = re.compile(
    r"(?P<kind>secrets?|configmaps?) [\"'](?P<name>[\w./-]+)[\"'] not found|"
    r"couldn't find key (?P<key>\S+) in (?P<kind2>Secret|ConfigMap) (?P<name2>[\w./-]+)|"
    r"references non-existent (?P<kind3>config|secret) key: ?(?P<key3>\S+)",
    re.IGNORECASE,
)
_SECURITY = re.compile(
    r"runAsNonRoot|non-root policy|cannot verify user is non-root|unable to apply caps|capabilit|apparmor|seccomp|"
    r"selinux|no new privileges|setgid|setuid|unsafe sysctl|forbidden sysctl",
    re.IGNORECASE,
)
_COMMAND = re.compile(
    r'executable file not found|exec: ?"[^"]*"|no command specified|starting container process caused|'
    r"is a directory: unknown|cannot run executable|container_linux.go.*(no such file|permission denied)",
    re.IGNORECASE,
)
_MOUNTING = re.compile(
    r"error mounting|failed to (stat|mkdir|create subPath)|not a shared mount|mount .* onto a file|"
    r"hostPath type check failed",
    re.IGNORECASE,
)
_SECRETS_STORE = re.compile(r"secretproviderclass|secrets.store|mount secrets? store", re.IGNORECASE)
_RUNTIME = re.compile(r"context deadline exceeded|failed to reserve container name|containerd\.sock|crio\.sock", re.I)


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    found = [_pod(snapshot, pod) for pod in live(snapshot.pods) if not is_ready(pod)]
    found += _wrong_binaries(snapshot)
    return [s for s in found if s]


def _pod(snapshot: Snapshot, pod: Object) -> Symptom | None:
    for words, excerpt, code in _said(snapshot, pod):
        found = _understood(words, excerpt.text, code)
        if found:
            faults, why, specificity, path = found
            return _symptom(snapshot, pod, faults, why, specificity, [excerpt], path)
    return _volume_reference(snapshot, pod)


def _understood(words: str, shown: str, code: int) -> tuple[tuple[str, ...], str, float, str] | None:
    """(faults, why, specificity, path in the template) of what the kubelet or the runtime said."""
    missing = _MISSING.search(words)
    if missing:
        return ("secret_or_configmap_missing",), _lacks(missing), 0.95, ""
    if "exec format error" in words:
        return ("image_wrong_architecture",), "exec format error", 0.95, ""
    if "OOM-killed" in words:
        return None
    if _SECRETS_STORE.search(words):
        return ("secret_or_configmap_missing",), f"its secrets store does not give what it names: {words}", 0.85, ""
    if _MOUNTING.search(words):
        # A subPath to a key that is not there becomes a directory, which cannot be mounted onto a file.
        sub_path = "subpath" in words.lower() or "not a directory" in words
        faults = ("secret_or_configmap_missing", "volume_cannot_attach") if sub_path else ("volume_cannot_attach",)
        return faults, words, 0.7 if sub_path else 0.85, "spec.volumes"
    if _SECURITY.search(words):
        return ("security_context_rejected",), words, 0.95, "securityContext"
    if _COMMAND.search(words) and "MountVolume" not in words:
        return ("container_command_invalid",), words, 0.95, "command"
    if "operation not permitted" in words and ("Config" in shown or "StartError" in shown):
        return ("security_context_rejected",), words, 0.85, "securityContext"
    if re.search(r"unable to start container process|no such file or directory", words) and "Volume" not in words:
        return ("container_command_invalid",), words, 0.85, "command"
    if code in (126, 127):
        return ("container_command_invalid",), f"exit code {code}: the command cannot be run", 0.85, "command"
    if "CreateContainerError" in shown and _RUNTIME.search(words):
        return ("container_runtime_stopped",), f"the node's runtime does not answer: {words}", 0.5, ""
    return None


def _lacks(missing: re.Match[str]) -> str:
    if missing["name"]:
        return f"it needs {missing['kind'].lower()} {missing['name']}, which does not exist"
    holder = f"{missing['kind2']} {missing['name2']}" if missing["name2"] else f"its {missing['kind3'].lower()}"
    return f"it needs key {missing['key'] or missing['key3']}, which {holder} does not have"


def _said(snapshot: Snapshot, pod: Object) -> list[tuple[str, Excerpt, int]]:
    """(words, excerpt, exit code): container states first, then warnings about the pod.

    Warnings about mounts count only while nothing has started: whatever has run had its volumes."""
    found = []
    statuses = [*init_statuses(pod), *container_statuses(pod)]
    for status in statuses:
        reason, message = waiting(status)
        end = last_end(status)
        if status.get("ready") is True:
            continue
        told = f"pod {name(pod)} container {name_of(status)}"
        if message:
            found.append((message, cite.seen(snapshot, "Pod", pod, f"{told} waiting {reason}: {message}"), 0))
        if end:
            code, words = number(end, "exitCode"), text(end, "message")
            state = f"{told} ended {text(end, 'reason')} exit {code}: {words}"
            found.append((words, cite.seen(snapshot, "Pod", pod, state), code))
    started = any(mapping(s, "state", "running") or last_end(s) for s in statuses)
    reasons = (
        ("Failed", "FailedCreatePodContainer") if started else ("FailedMount", "Failed", "FailedCreatePodContainer")
    )
    events = [e for e in snapshot.events_of("Pod", pod, *reasons) if "pull" not in e.message.lower()]
    return found + [(e.message, cite.told(snapshot, e), 0) for e in reversed(events) if not _NOISE.search(e.message)]


def _symptom(
    snapshot: Snapshot,
    pod: Object,
    faults: tuple[str, ...],
    why: str,
    specificity: float,
    evidence: list[Excerpt],
    path: str = "",
) -> Symptom:
    owner = snapshot.owner_of(pod)
    rollout = rollouts.latest(snapshot, owner)
    changed = rollout if rollout and rollout.differences and rollouts.find(rollout, path) else None
    return Symptom(
        analyzer=NAME,
        entity=owner,
        faults=faults,
        summary=f"{owner.kind} {owner.name}: a container cannot start: {why[:300]}.",
        specificity=specificity,
        evidence=tuple(evidence),
        # A container that ran for days and cannot start again did not fail when its pod was made.
        onset=changed.after.at if changed else unready_since(pod),
        victims=snapshot.victims_of(owner),
        change=changed.id if changed else None,
    )


def _volume_reference(snapshot: Snapshot, pod: Object) -> Symptom | None:
    """A volume, envFrom or env that names a ConfigMap or Secret which is not there, when no event is left to say so."""
    born = created(pod)
    young = born is not None and snapshot.clock - born < _PATIENCE
    # A sibling that has run with the same references is proof that they were there.
    siblings = [p for p in snapshot.pods_of(snapshot.owner_of(pod)) if p is not pod]
    ran = any(
        mapping(s, "state", "terminated") or s.get("ready") is True for p in siblings for s in container_statuses(p)
    )
    if text(pod, "status", "phase") != "Pending" or not text(pod, "spec", "nodeName") or young or ran:
        return None
    for kind, called in references_of(pod):
        if snapshot.knows(kind, namespace(pod)) and snapshot.find(kind, namespace(pod), called) is None:
            there = [name(o) for o in snapshot.of(kind) if namespace(o) == namespace(pod)]
            words = f"no {kind} {called}; there are: {', '.join(there[:10]) or 'none'}"
            absent = cite.absent(snapshot, kind, namespace(pod), words)
            return _symptom(
                snapshot, pod, ("secret_or_configmap_missing",), f"{kind} {called} does not exist", 0.93, [absent]
            )
    return None


def references_of(pod_or_template: Object) -> list[tuple[str, str]]:
    """(kind, name) of each ConfigMap and Secret that must exist before a container starts."""
    found = []
    for volume in maps(pod_or_template, "spec", "volumes"):
        for kind, field, key in (("ConfigMap", "configMap", "name"), ("Secret", "secret", "secretName")):
            source = volume.get(field)
            if isinstance(source, dict) and text(source, key) and source.get("optional") is not True:
                found.append((kind, text(source, key)))
    for group in ("initContainers", "containers"):
        for container in maps(pod_or_template, "spec", group):
            sources = [
                *((s.get("configMapRef"), s.get("secretRef")) for s in maps(container, "envFrom")),
                *(
                    (dig(e, "valueFrom", "configMapKeyRef"), dig(e, "valueFrom", "secretKeyRef"))
                    for e in maps(container, "env")
                ),
            ]
            for config_map, secret in sources:
                for kind, ref in (("ConfigMap", config_map), ("Secret", secret)):
                    if isinstance(ref, dict) and text(ref, "name") and ref.get("optional") is not True:
                        found.append((kind, text(ref, "name")))
    return list(dict.fromkeys(found))


def _wrong_binaries(snapshot: Snapshot) -> list[Symptom]:
    """Shops that ship all services in one image run each by a command of its own name; one that runs a sibling's."""
    found = []
    rows = [
        (w, c, text(c, "image"), strings(c, "command")[0].rpartition("/")[2])
        for w in snapshot.workloads
        for c in w.containers
        if strings(c, "command")
    ]
    usual = Counter(image for w, _, image, command in rows if command in w.entity.name)
    namesakes: dict[tuple[str, str], set[str]] = defaultdict(set)
    for workload, _, image, command in rows:
        if command in workload.entity.name:
            namesakes[(image, command)].add(workload.entity.name)
    for workload, container, image, command in rows:
        others = namesakes[(image, command)]
        if usual[image] < 3 or command in workload.entity.name or workload.entity.name in others or not others:
            continue
        words = f"{workload.entity.kind} {workload.entity.name} container {name_of(container)} runs command {command}"
        found.append(
            Symptom(
                analyzer=NAME,
                entity=workload.entity,
                faults=("container_command_invalid",),
                summary=f"{words}, the program of {', '.join(sorted(others))}; its siblings run their own name.",
                specificity=0.92,
                evidence=(cite.about(snapshot, workload.entity, words, verb="get"),),
                onset=created(workload.obj),
                victims=_services(snapshot, workload.entity),
            )
        )
    return found


def _services(snapshot: Snapshot, owner: Entity) -> tuple[Entity, ...]:
    place = owner.namespace
    return tuple(Entity(kind="Service", namespace=place, name=name(s)) for s in snapshot.services_of(owner))
