"""Probes that are wrong (E5 liveness, E7 readiness) or too hasty (E6).

Words: kubelet prober ("Liveness probe failed: ...", "Container x failed liveness probe, will be restarted"),
pkg/probe/http ("HTTP probe failed with statuscode: 404"), tcp and grpc. Defaults: timeout 1 s, period 10 s, 3 failures.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from skills.contract import Excerpt, Focus, Symptom, Window
from skills.kubernetes import cite, rollouts
from skills.kubernetes.objects import Object, condition, created, mapping, maps, name, number, text, time_of
from skills.kubernetes.pods import container_spec, container_statuses, last_end, live, name_of, pod_started
from skills.kubernetes.snapshot import Snapshot

NAME = "kubernetes.probes"
_OF_SIDECARS = (15020, 15021, 15090, 4191, 4190, 20200)
_PROXIES = ("istio-proxy", "linkerd-proxy", "consul-dataplane", "envoy-sidecar")
_WAYS = ("httpGet", "tcpSocket", "grpc", "exec")
_WRONG_PATH = re.compile(r"statuscode: (404|405|400|401|403)")
_PROTOCOL = re.compile(r"malformed HTTP|server gave HTTP response to HTTPS client|first record does not look like a "
                       r"TLS|unexpected EOF|does not implement the grpc health")  # fmt: skip
_NOBODY = re.compile(r"connection refused|no route to host|failed to connect service")
_NO_PROGRAM = re.compile(
    r'executable file not found|exec: "[^"]+": (stat .*)?no such file|: not found$|command not found|: not found \|',
    re.MULTILINE,
)
_SLOW = re.compile(r"deadline exceeded|i/o timeout|timed out|Client\.Timeout", re.IGNORECASE)


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    found = []
    for pod in live(snapshot.pods):
        for status in container_statuses(pod):
            spec = container_spec(pod, name_of(status))
            for kind in ("livenessProbe", "startupProbe", "readinessProbe"):
                if mapping(spec, kind):
                    found.append(_probe(snapshot, pod, status, spec, kind))
        found.append(_gate(snapshot, pod))
    return [s for s in found if s]


def _gate(snapshot: Snapshot, pod: Object) -> Symptom | None:
    """All containers are ready and the pod is not: a readiness gate waits for a condition (Pod conditions reference).
    One that stands at False is somebody's verdict; one that is not there at all is written by nobody."""
    ready = condition(pod, "Ready")
    born = created(pod)
    if text(ready, "reason") != "ReadinessGatesNotReady" or (born and snapshot.clock - born < timedelta(minutes=2)):
        return None
    gates = [text(g, "conditionType") for g in maps(pod, "spec", "readinessGates")]
    unwritten = [g for g in gates if not condition(pod, g)]
    owner = snapshot.owner_of(pod)
    why = (
        f"nobody writes the condition {unwritten[0]}" if unwritten else f"a readiness gate ({', '.join(gates)}) is shut"
    )
    told = f"pod {name(pod)}: ContainersReady=True, Ready=False ReadinessGatesNotReady: {text(ready, 'message')}"
    return Symptom(
        analyzer=NAME,
        entity=owner,
        faults=("readiness_probe_misconfigured",),
        summary=f"{owner.kind} {owner.name}: containers are ready and the pod is not: {why}.",
        specificity=0.9 if unwritten else 0.6,
        evidence=(cite.seen(snapshot, "Pod", pod, told, verb="get"),),
        onset=time_of(ready.get("lastTransitionTime")) or born,
        victims=snapshot.victims_of(owner),
    )


def _probe(snapshot: Snapshot, pod: Object, status: Object, spec: Object, kind: str) -> Symptom | None:
    is_readiness = kind == "readinessProbe"
    word = kind.removesuffix("Probe").capitalize()
    events = [
        e
        for e in snapshot.events_of("Pod", pod, "Unhealthy")
        if e.message.startswith(word) and e.container in ("", name_of(status))
    ]
    kills = [
        e
        for e in snapshot.events_of("Pod", pod, "Killing")
        if f"failed {word.lower()} probe" in e.message and e.container in ("", name_of(status))
    ]
    if is_readiness:
        suffers = status.get("ready") is not True and bool(mapping(status, "state", "running"))
        suffers = suffers and status.get("started") is not False and not _is_young(snapshot, status, spec)
    else:
        suffers = number(status, "restartCount") > 0 and (bool(events or kills) or _was_stopped(status))
        suffers = suffers and (status.get("ready") is not True or _ended_lately(snapshot, status))
    if not suffers or (not is_readiness and not (events or kills) and not _wrong_port(pod, spec, kind)):
        return None
    verdict = _verdict(pod, status, spec, kind, " | ".join(e.message for e in events[-3:]))
    if verdict is None:
        return None
    faults, why, specificity = verdict
    owner = snapshot.owner_of(pod)
    rollout = rollouts.latest(snapshot, owner)
    changed = rollout if rollouts.find(rollout, kind, name_of(status)) else None
    told = (
        f"pod {name(pod)} container {name_of(status)} {kind} {_shown(mapping(spec, kind))}; ports "
        f"{_ports(pod) or 'none declared'}"
    )
    evidence: list[Excerpt] = [cite.told(snapshot, e) for e in [*events[-1:], *kills[-1:]]]
    return Symptom(
        analyzer=NAME,
        entity=owner,
        faults=faults,
        summary=f"{owner.kind} {owner.name}: {word.lower()} probe fails: {why} ({number(status, 'restartCount')} "
        "restarts).",
        specificity=min(0.97, specificity + (0.03 if changed else 0)),
        evidence=(*evidence, cite.seen(snapshot, "Pod", pod, told, verb="get")),
        onset=changed.after.at if changed else (pod_started(pod) or created(pod)),
        victims=snapshot.victims_of(owner),
        change=changed.id if changed else None,
    )


def _is_young(snapshot: Snapshot, status: Object, spec: Object) -> bool:
    """Within the time that a program may take to start: probe failures of the first minute mean nothing."""
    begun = time_of(mapping(status, "state", "running").get("startedAt"))
    grace = max(60, _patience(mapping(spec, "readinessProbe")))
    return begun is not None and snapshot.clock - begun < timedelta(seconds=min(grace, 180))


def _ended_lately(snapshot: Snapshot, status: Object) -> bool:
    ended = time_of(last_end(status).get("finishedAt"))
    return ended is None or snapshot.clock - ended < timedelta(hours=1)


def _was_stopped(status: Object) -> bool:
    """Ended by a signal that the kubelet sends, or politely because of it."""
    return number(last_end(status), "exitCode") in (137, 143) and text(last_end(status), "reason") != "OOMKilled"


def _verdict(
    pod: Object, status: Object, spec: Object, kind: str, words: str
) -> tuple[tuple[str, ...], str, float] | None:
    probe = mapping(spec, kind)
    wrong = "readiness_probe_misconfigured" if kind == "readinessProbe" else "liveness_probe_misconfigured"
    rival = () if kind == "readinessProbe" else ("liveness_probe_too_aggressive",)
    off_port = _wrong_port(pod, spec, kind)
    refused = bool(re.search(r"connection refused|failed to connect service", words))
    if off_port and (refused or not re.search(r"statuscode: |deadline exceeded|i/o timeout", words)):
        sure = 0.94 if _NOBODY.search(words) else 0.85  # an answer, even a late one, would prove that somebody listens
        return (wrong, *rival), f"it asks port {off_port}, which the container does not have", sure
    if _NO_PROGRAM.search(words):
        return (wrong, *rival), "the program that it runs is not in the image", 0.94
    if _WRONG_PATH.search(words):
        path = text(probe, "httpGet", "path") or "/"
        return (wrong, *rival), (f"the application answers {_WRONG_PATH.search(words).group(0)} on {path}"), 0.93  # type: ignore[union-attr]  # searched the line above
    if _PROTOCOL.search(words):
        return (wrong, *rival), "it speaks another protocol than the application", 0.93
    if kind == "readinessProbe":
        if _NOBODY.search(words) and _other_port_works(status, spec, probe):
            return (wrong,), "nobody listens on its port while the liveness probe's port answers", 0.85
        return None
    hasty = _hasty(probe)
    crashed = number(last_end(status), "exitCode") not in (0, 137, 143) and bool(last_end(status))
    if crashed:
        return None
    if hasty and (_SLOW.search(words) or _NOBODY.search(words) or not words):
        return ("liveness_probe_too_aggressive", wrong), hasty, 0.9
    if _SLOW.search(words):
        return ("liveness_probe_too_aggressive", wrong), f"no answer within {_timeout(probe)} s", 0.7
    if _NOBODY.search(words) and _patience(probe) <= 60:
        return ("liveness_probe_too_aggressive", wrong), f"it gives up {_patience(probe)} s after the start", 0.55
    return None


def _wrong_port(pod: Object, spec: Object, kind: str) -> str:
    """The probe's port when no container declares it; empty when it is declared or nothing is."""
    probe = mapping(spec, kind)
    port = next((mapping(probe, way).get("port") for way in _WAYS[:3] if mapping(probe, way)), None)
    declared = [p for c in maps(pod, "spec", "containers") for p in maps(c, "ports")]
    own = maps(spec, "ports")
    if port is None or (not own and not isinstance(port, str)) or mapping(probe, "httpGet").get("host"):
        return ""
    if port in _OF_SIDECARS and any(name_of(c) in _PROXIES for c in _all_containers(pod)):
        return ""  # an injector has rewritten the probe to go through its proxy
    if str(port) in {str(number(p, "containerPort")) for p in declared} | {text(p, "name") for p in own}:
        return ""
    return str(port)


def _all_containers(pod: Object) -> list[Object]:
    return [*maps(pod, "spec", "containers"), *maps(pod, "spec", "initContainers")]


def _other_port_works(status: Object, spec: Object, probe: Object) -> bool:
    liveness = mapping(spec, "livenessProbe")
    return bool(liveness) and _port(liveness) != _port(probe) and number(status, "restartCount") == 0


def _port(probe: Object) -> str:
    return next((str(mapping(probe, way).get("port")) for way in _WAYS[:3] if mapping(probe, way)), "")


def _timeout(probe: Object) -> int:
    return number(probe, "timeoutSeconds") or 1


def _patience(probe: Object) -> int:
    """Seconds from the start of the container to the kill."""
    period, threshold = number(probe, "periodSeconds") or 10, number(probe, "failureThreshold") or 3
    return number(probe, "initialDelaySeconds") + period * threshold


def _hasty(probe: Object) -> str:
    period, threshold = number(probe, "periodSeconds") or 10, number(probe, "failureThreshold") or 3
    if period * threshold <= 5 or (threshold == 1 and period <= 5):
        return f"it kills after {threshold} failure(s) at {period} s, {_patience(probe)} s after the start"
    return ""


def _shown(probe: Object) -> str:
    way = next((w for w in _WAYS if w in probe), "?")
    timing = f"delay {number(probe, 'initialDelaySeconds')} s, period {number(probe, 'periodSeconds') or 10} s"
    timing += f", timeout {_timeout(probe)} s, threshold {number(probe, 'failureThreshold') or 3}"
    target = {k: v for k, v in mapping(probe, way).items() if k in ("path", "port", "scheme", "command", "service")}
    return f"{way} {target} {timing}"


def _ports(pod: Object) -> str:
    return ", ".join(str(number(p, "containerPort")) for c in maps(pod, "spec", "containers") for p in maps(c, "ports"))
