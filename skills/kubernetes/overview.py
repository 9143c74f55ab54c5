"""A namespace at a glance: only what deviates, so that forty healthy deployments cost one line."""

from __future__ import annotations

from datetime import timedelta

from skills.contract import Excerpt, Focus, Symptom, Window
from skills.kubernetes import cite
from skills.kubernetes.events import Event
from skills.kubernetes.objects import Object, dig, holds, latest, mapping, maps, name, number, text, time_of
from skills.kubernetes.pods import container_statuses, init_statuses, is_ready, last_end, live, restarts, waiting
from skills.kubernetes.snapshot import Snapshot

MOST = 40


def figures(snapshot: Snapshot) -> str:
    """`shop: 12 workloads, 14 of 15 pods ready, 9 Services; 3 nodes ready`"""
    pods = [p for p in live(snapshot.pods) if text(p, "status", "phase") != "Succeeded"]
    ready = sum(1 for p in pods if is_ready(p))
    nodes = snapshot.all("Node")
    up = sum(1 for n in nodes if holds(n, "Ready"))
    read = "" if all(snapshot.knows("Pod", place) for place in snapshot.namespaces) else " that were looked at"
    told = f"{', '.join(snapshot.namespaces)}: {len(snapshot.workloads)} workloads, "
    told += f"{ready} of {len(pods)} pods{read} ready, "
    told += f"{len(snapshot.of('Service'))} Services"
    whole = "" if snapshot.knows("Node") else " that were looked at"
    return told + (f"; {up} of {len(nodes)} nodes{whole} ready" if nodes else "")


def at_a_glance(snapshot: Snapshot) -> Excerpt:
    """The figures as something that can be cited: what a claim of health rests on."""
    places = " ".join(f"-n {place}" for place in snapshot.namespaces) or "-A"
    return Excerpt(text=figures(snapshot), query=f"kubectl {places} get deploy,sts,ds,pods,svc; kubectl get nodes")


def deviations(snapshot: Snapshot) -> list[Excerpt]:
    """Pods not ready or restarted, workloads short of replicas, Services without endpoints, claims not bound, nodes
    unwell, and the warnings of the last hour."""
    found = [*_pods(snapshot), *_workloads(snapshot), *_services(snapshot), *_claims(snapshot), *_nodes(snapshot)]
    return found + [cite.told(snapshot, e) for e in recent_warnings(snapshot)[-12:]]


def _pods(snapshot: Snapshot) -> list[Excerpt]:
    found = []
    for pod in snapshot.pods:
        if text(pod, "status", "phase") == "Succeeded" or (is_ready(pod) and not _restarted(snapshot, pod)):
            continue
        reasons = [waiting(s)[0] for s in [*init_statuses(pod), *container_statuses(pod)] if waiting(s)[0]]
        state = ", ".join(dict.fromkeys(reasons)) or text(pod, "status", "reason") or text(pod, "status", "phase")
        ready = sum(1 for s in maps(pod, "status", "containerStatuses") if s.get("ready") is True)
        total = len(maps(pod, "spec", "containers"))
        last = next((r for s in container_statuses(pod) if (r := text(s, "lastState", "terminated", "reason"))), "")
        words = f"pod {name(pod)} {ready}/{total} {state}, {restarts(pod)} restarts" + (
            f", last ended {last}" if last else ""
        )
        found.append(cite.seen(snapshot, "Pod", pod, words))
    return found


def _restarted(snapshot: Snapshot, pod: Object) -> bool:
    """Within a day: older restarts of a pod that is ready are history."""
    ended = latest(time_of(dig(last_end(s), "finishedAt")) for s in container_statuses(pod))
    return restarts(pod) > 0 and (ended is None or snapshot.clock - ended < timedelta(days=1))


def _workloads(snapshot: Snapshot) -> list[Excerpt]:
    found = []
    for workload in snapshot.workloads:
        status = mapping(workload.obj, "status")
        if workload.entity.kind in ("Deployment", "StatefulSet"):
            ready = number(status, "readyReplicas")
            if ready != workload.replicas or workload.replicas == 0:
                words = f"{workload.entity.kind} {workload.entity.name} {ready} of {workload.replicas} replicas ready"
                found.append(cite.about(snapshot, workload.entity, words))
        elif workload.entity.kind == "DaemonSet":
            ready, wanted = number(status, "numberReady"), number(status, "desiredNumberScheduled")
            if ready != wanted:
                words = f"DaemonSet {workload.entity.name} {ready} of {wanted} ready"
                found.append(cite.about(snapshot, workload.entity, words))
        elif workload.entity.kind == "Job" and number(status, "failed") and not number(status, "succeeded"):
            found.append(
                cite.about(
                    snapshot, workload.entity, f"Job {workload.entity.name} failed {number(status, 'failed')} times"
                )
            )
    return found


def _services(snapshot: Snapshot) -> list[Excerpt]:
    return [
        cite.seen(snapshot, "Service", s, f"Service {name(s)} has no ready endpoints")
        for s in snapshot.of("Service")
        if text(s, "spec", "type") != "ExternalName" and snapshot.ready_addresses(s) == 0
    ]


def _claims(snapshot: Snapshot) -> list[Excerpt]:
    return [
        cite.seen(
            snapshot, "PersistentVolumeClaim", c, f"PersistentVolumeClaim {name(c)} is {text(c, 'status', 'phase')}"
        )
        for c in snapshot.of("PersistentVolumeClaim")
        if text(c, "status", "phase") not in ("Bound", "")
    ]


def _nodes(snapshot: Snapshot) -> list[Excerpt]:
    found = []
    for node in snapshot.all("Node"):
        trouble = [] if holds(node, "Ready") else ["NotReady"]
        trouble += [
            c for c in ("MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable") if holds(node, c)
        ]
        trouble += ["SchedulingDisabled"] if dig(node, "spec", "unschedulable") is True else []
        if trouble:
            found.append(cite.seen(snapshot, "Node", node, f"node {name(node)}: {', '.join(trouble)}"))
    return found


def recent_warnings(snapshot: Snapshot, within: timedelta = timedelta(hours=1)) -> list[Event]:
    """Warnings of the last hour about objects that still exist, newest last."""
    places = set(snapshot.namespaces)
    return [
        e
        for e in snapshot.events
        if e.is_warning
        and (e.namespace in places or e.kind == "Node")
        and e.last is not None
        and snapshot.clock - e.last <= within
        and (e.kind != "Pod" or snapshot.find("Pod", e.namespace, e.name) is not None)
    ]


_NAMED = ("deployment", "statefulset", "daemonset", "workload", "app", "exported_service", "service")


def healthy(snapshot: Snapshot, focus: Focus, window: Window) -> list[Symptom]:
    """The workload that the alert names, by its words or its labels, looked at and found well: this weakens what would
    have made it suffer. A restart that was over before the window is no illness."""
    named = {focus.service, f"{focus.service}-service", *(focus.labels.get(label, "") for label in _NAMED)} - {
        "",
        "-service",
    }
    pod = focus.labels.get("pod", "") or focus.labels.get("exported_pod", "")
    owners = {snapshot.owner_of(p) for p in snapshot.pods if pod and name(p) == pod}
    found = []
    for workload in snapshot.workloads:
        pods = live(snapshot.pods_of(workload.entity))
        asked = workload.entity.name in named or workload.entity in owners
        if not asked or not pods or not all(is_ready(p) for p in pods):
            continue
        ends = [end for p in pods for s in container_statuses(p) if (end := time_of(dig(last_end(s), "finishedAt")))]
        if any(restarts(p) for p in pods) and (not ends or max(ends) >= window.start):
            continue
        told = f"last restart {max(ends):%Y-%m-%dT%H:%M:%SZ}" if ends else "0 restarts"
        words = f"{workload.entity.kind} {workload.entity.name}: {len(pods)} of {len(pods)} pods ready, {told}"
        found.append(
            Symptom(
                analyzer="kubernetes.overview",
                entity=workload.entity,
                faults=(),
                summary=f"{words}.",
                specificity=0.3,
                evidence=(cite.about(snapshot, workload.entity, words),),
                role="healthy",
            )
        )
    return found
