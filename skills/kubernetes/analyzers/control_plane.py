"""An API server that cannot keep up (A10): clients are told to wait, leaders lose their leases, nodes flap together.

Words: apiserver maxinflight and priority-and-fairness filters (429 "The server has received too many requests and has
asked us to try again later"), client-go rate limiter and leaderelection, etcd client errors, node lifecycle controller.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from skills.contract import Entity, Excerpt, Focus, Symptom, Window
from skills.kubernetes import cite
from skills.kubernetes.differences import owner_of_field
from skills.kubernetes.objects import dig, earliest, entity, holds, name, namespace, number, text, time_of
from skills.kubernetes.podlogs import Tail
from skills.kubernetes.pods import container_statuses, is_ready, last_end
from skills.kubernetes.snapshot import Snapshot

NAME = "kubernetes.control_plane"
_LATELY = timedelta(hours=1)
_LEADERS = ("kube-controller-manager", "kube-scheduler", "kube-apiserver")
_THROTTLED = re.compile(
    r"server has received too many requests|client rate limiter Wait returned an error|etcdserver: (request timed out|"
    r"leader changed|too many requests)|priority and fairness|Too many requests, please try again later",
    re.IGNORECASE,
)
_FLAPPING = 3
"""Nodes that fell silent and came back within the hour, and a fifth of all at least."""


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    lost, flaps = _lost_leases(snapshot), _flaps(snapshot)
    throttled = _throttled(snapshot)
    signs = [*lost, *flaps, *(e for _, e in throttled)]
    kinds = sum(map(bool, (lost, flaps, throttled)))
    if kinds == 0 or (kinds == 1 and not throttled and len(lost) < 2):
        return []
    clients = list(dict.fromkeys(owner for owner, _ in throttled))
    server = next((p for p in snapshot.system("Pod") if name(p).startswith("kube-apiserver")), None)
    fallback = entity("Pod", server) if server else Entity(kind="Pod", namespace="kube-system", name="kube-apiserver")
    began = earliest(e.at for e in signs)
    released = _released(snapshot, began)
    target = clients[0] if len(clients) == 1 else released[0][0] if len(released) == 1 else fallback
    signs = [*signs[:5], *(e for _, e in released[:2])]
    words = {"clients are throttled": throttled, "leaders lost their lease": lost, "nodes flap": flaps}
    told = ", ".join(word for word, there in words.items() if there)
    return [
        Symptom(
            analyzer=NAME,
            entity=target,
            faults=("api_server_overload",),
            summary=f"The Kubernetes API does not keep up: {told}"
            + (f"; {target.kind} {target.name} is the one that is throttled." if clients[:1] == [target] else "")
            + (f"; {released[0][0]} was changed just before." if len(released) == 1 else "."),
            specificity={1: 0.5, 2: 0.75, 3: 0.9}[kinds] + (0.1 if len(released) == 1 and kinds < 3 else 0),
            evidence=tuple(signs[:6]),
            onset=began,
            victims=tuple(clients),
        )
    ]


def _released(snapshot: Snapshot, onset: datetime | None) -> list[tuple[Entity, Excerpt]]:
    """Workloads of any namespace whose template was written within a quarter of an hour before: one of them may be the
    client that asks too much."""
    found = []
    for kind in ("DaemonSet", "Deployment"):
        for obj in snapshot.all(kind):
            at = time_of(owner_of_field(obj, "spec", "template")[1])
            if at is not None and onset is not None and timedelta(0) <= onset - at <= timedelta(minutes=15):
                words = f"{kind} {namespace(obj)}/{name(obj)} was changed at {at:%Y-%m-%dT%H:%M:%SZ}"
                found.append((entity(kind, obj), cite.seen(snapshot, kind, obj, words, verb="get", at=at)))
    return found


def _lost_leases(snapshot: Snapshot) -> list[Excerpt]:
    """Leases of the control plane that were taken anew, and restarts of its leaders, within the hour: one that cannot
    renew its lease exits."""
    found = []
    for lease in snapshot.system("Lease"):
        taken = time_of(dig(lease, "spec", "acquireTime"))
        lately = taken is not None and timedelta(0) <= snapshot.clock - taken < _LATELY
        if lately and name(lease).startswith(_LEADERS) and number(lease, "spec", "leaseTransitions"):
            words = f"Lease {name(lease)} was taken by {text(lease, 'spec', 'holderIdentity')} at "
            words += f"{text(lease, 'spec', 'acquireTime')}, {number(lease, 'spec', 'leaseTransitions')} transitions"
            found.append(cite.seen(snapshot, "Lease", lease, words, verb="get", at=taken))
    for pod in snapshot.system("Pod"):
        if not name(pod).startswith(_LEADERS):
            continue
        for status in container_statuses(pod):
            ended = time_of(dig(last_end(status), "finishedAt"))
            if number(status, "restartCount") and ended and snapshot.clock - ended < _LATELY:
                words = f"pod {name(pod)} restarted at {text(last_end(status), 'finishedAt')}, exit "
                words += f"{number(last_end(status), 'exitCode')}, {number(status, 'restartCount')} restarts"
                found.append(cite.seen(snapshot, "Pod", pod, words, at=ended))
    return found


def _flaps(snapshot: Snapshot) -> list[Excerpt]:
    nodes = {name(n) for n in snapshot.all("Node") if holds(n, "Ready")}
    events = [
        e
        for e in snapshot.events
        if e.kind == "Node" and e.reason == "NodeNotReady" and e.last and snapshot.clock - e.last < _LATELY
    ]
    back = {e.name: e for e in events if e.name in nodes}
    many = len(back) >= max(_FLAPPING, len(nodes) // 5)
    return [cite.told(snapshot, e) for e in list(back.values())[:3]] if many else []


def _throttled(snapshot: Snapshot) -> list[tuple[Entity, Excerpt]]:
    found = []
    for key, lines in snapshot.logs.items():
        pod = snapshot.find("Pod", key[0], key[1])
        said = [line for line in lines if _THROTTLED.search(line.text)]
        if not said or (pod is not None and is_ready(pod) and len(said) < 3):
            continue  # one refusal that was tried again is everyday
        owner = snapshot.owner_of(pod) if pod else Entity(kind="Pod", namespace=key[0], name=key[1])
        line = said[-1]
        at = line.at if line.at.year > 1970 else None
        found.append((owner, Excerpt(line.text[:400], Tail(*key).command, entity=owner, at=at)))
    return found
