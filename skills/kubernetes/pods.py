"""Words about pods, containers and their states: what is ready, finished, waiting, and since when. Pure, one object at
a time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from skills.kubernetes.objects import (
    Object,
    condition,
    created,
    dig,
    holds,
    is_terminating,
    latest,
    mapping,
    maps,
    number,
    text,
    time_of,
)


def is_ready(pod: Object) -> bool:
    return holds(pod, "Ready") and not is_terminating(pod)


def is_finished(pod: Object) -> bool:
    """Ran to its end, well or badly; its containers will not run again."""
    return text(pod, "status", "phase") in ("Succeeded", "Failed")


def is_pending(pod: Object) -> bool:
    return text(pod, "status", "phase") == "Pending" and not is_terminating(pod)


def container_statuses(pod: Object) -> list[Object]:
    """Of the ordinary containers and of sidecars (init containers that restart), which run as long as the pod."""
    sidecars = {name_of(c) for c in maps(pod, "spec", "initContainers") if text(c, "restartPolicy") == "Always"}
    inits = [s for s in maps(pod, "status", "initContainerStatuses") if name_of(s) in sidecars]
    return [*maps(pod, "status", "containerStatuses"), *inits]


def init_statuses(pod: Object) -> list[Object]:
    """Of init containers that must end before the pod starts."""
    sidecars = {name_of(c) for c in maps(pod, "spec", "initContainers") if text(c, "restartPolicy") == "Always"}
    return [s for s in maps(pod, "status", "initContainerStatuses") if name_of(s) not in sidecars]


def name_of(container: Object) -> str:
    return text(container, "name")


def container_spec(pod_or_template: Object, called: str) -> Object:
    for group in ("containers", "initContainers", "ephemeralContainers"):
        for each in maps(pod_or_template, "spec", group):
            if name_of(each) == called:
                return each
    return {}


def waiting(status: Object) -> tuple[str, str]:
    """(reason, message) of a waiting container; empty strings otherwise."""
    state = mapping(status, "state", "waiting")
    return text(state, "reason"), text(state, "message")


def last_end(status: Object) -> Object:
    """The latest termination that is known: the present one, else the last."""
    return mapping(status, "state", "terminated") or mapping(status, "lastState", "terminated")


def uptime(termination: Object) -> timedelta | None:
    """How long the container ran; None when it never started (the kubelet dates that 1970)."""
    begun, ended = time_of(dig(termination, "startedAt")), time_of(dig(termination, "finishedAt"))
    return ended - begun if begun and ended and ended >= begun else None


def restarts(pod: Object) -> int:
    return sum(number(s, "restartCount") for s in container_statuses(pod))


def pod_started(pod: Object) -> datetime | None:
    return time_of(dig(pod, "status", "startTime")) or created(pod)


def ended_at(pod: Object) -> datetime | None:
    """When a pod that is over ended: the disruption (1.26 and later), its last container, else its last condition."""
    disrupted = time_of(dig(condition(pod, "DisruptionTarget"), "lastTransitionTime"))
    ends = latest(
        time_of(dig(s, "state", "terminated", "finishedAt")) for s in maps(pod, "status", "containerStatuses")
    )
    changed = latest(time_of(c.get("lastTransitionTime")) for c in maps(pod, "status", "conditions"))
    return disrupted or ends or changed or pod_started(pod)


def unready_since(pod: Object) -> datetime | None:
    return time_of(dig(condition(pod, "Ready"), "lastTransitionTime")) or created(pod)


def live(pods: Iterable[Object]) -> list[Object]:
    """Those that should be serving: neither finished nor on their way out."""
    return [p for p in pods if not is_finished(p) and not is_terminating(p)]
