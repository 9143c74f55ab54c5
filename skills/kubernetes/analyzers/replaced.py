"""Containers that run another image than their controller asked for, or one that does nothing: not ready, and silent.

The image is the one field of a container that may be changed in a living pod (API reference, Pod updates); the kubelet
then says "Container x definition changed, will be restarted" (kuberuntime_manager). The pause image (kubernetes
build/pause) sleeps until a signal: fault injectors and half-made manifests put it where a program belongs.
"""

from __future__ import annotations

import re
from datetime import datetime

from skills.contract import Focus, Symptom, Window
from skills.kubernetes import cite
from skills.kubernetes.objects import Object, condition, controller, dig, earliest, mapping, maps, name, text, time_of
from skills.kubernetes.objects import namespace as place_of
from skills.kubernetes.pods import container_spec, container_statuses, is_ready, live, name_of
from skills.kubernetes.snapshot import Snapshot

NAME = "kubernetes.replaced"
_PAUSE = re.compile(r"(?:^|/)(?:mirrored-)?pause(?:-\w+)?(?:[:@].*)?$")


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    unwell = [p for p in live(snapshot.pods) if not is_ready(p)]
    found = [_symptom(snapshot, pod, status) for pod in unwell for status in container_statuses(pod)]
    return [s for s in found if s]


def _symptom(snapshot: Snapshot, pod: Object, status: Object) -> Symptom | None:
    spec = container_spec(pod, name_of(status))
    image = text(spec, "image")
    if status.get("ready") is True or not mapping(status, "state", "running") or not image:
        return None
    meant = _meant(snapshot, pod, name_of(status))
    idle = bool(_PAUSE.search(image)) and not spec.get("command")
    swapped = bool(meant) and _product(meant) != _product(image)
    if not idle and not swapped:
        return None
    owner = snapshot.owner_of(pod)
    changed = [e for e in snapshot.events_of("Pod", pod, "Killing") if "definition changed" in e.message]
    words = f"pod {name(pod)} container {name_of(status)} runs {image}"
    words += f"; its controller's template says {meant}" if swapped else ""
    why = "which only sleeps" if idle else "which is not what its template says"
    return Symptom(
        analyzer=NAME,
        entity=owner,
        faults=("container_command_invalid", "image_not_found"),
        summary=f"{owner.kind} {owner.name}: container {name_of(status)} runs {image}, {why}, and is not ready.",
        specificity=0.92 if idle else 0.75,
        evidence=(
            cite.seen(snapshot, "Pod", pod, words, verb="get"),
            *(cite.told(snapshot, e) for e in changed[-1:]),
        ),
        onset=earliest(e.first or e.last for e in changed)
        or time_of(dig(status, "state", "running", "startedAt"))
        or time_of(condition(pod, "Ready").get("lastTransitionTime")),
        victims=snapshot.victims_of(owner),
    )


def _meant(snapshot: Snapshot, pod: Object, container: str) -> str:
    """The image in the template that the pod was made from; empty where that was not read."""
    owner = controller(pod)
    if text(owner, "kind") != "ReplicaSet":
        return ""
    made_by = snapshot.find("ReplicaSet", place_of(pod), text(owner, "name"))
    containers = maps(made_by, "spec", "template", "spec", "containers")
    return next((text(c, "image") for c in containers if name_of(c) == container), "")


def _product(image: str) -> str:
    """Without registry and digest: an admission webhook may send the same image to a mirror, or pin it."""
    return image.partition("@")[0].rpartition("/")[2]
