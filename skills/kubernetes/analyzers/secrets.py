"""Secrets that were rotated under running pods (I1): env is read once, at the start of the container."""

from __future__ import annotations

from datetime import datetime, timedelta

from skills.contract import Focus, Symptom, Window
from skills.kubernetes import cite
from skills.kubernetes.differences import owner_of_field
from skills.kubernetes.objects import created, latest, maps, name, text, time_of
from skills.kubernetes.pods import live, pod_started
from skills.kubernetes.snapshot import Snapshot
from skills.kubernetes.stores import is_store

NAME = "kubernetes.secrets"


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    found = []
    for workload in snapshot.workloads:
        used = {
            called: key
            for c in workload.containers
            for called, key in [
                *((text(e, "valueFrom", "secretKeyRef", "name"), text(e, "name")) for e in maps(c, "env")),
                *((text(s, "secretRef", "name"), "envFrom") for s in maps(c, "envFrom")),
            ]
            if called
        }
        for called, key in used.items():
            secret = snapshot.find("Secret", workload.entity.namespace, called)
            written = latest([created(secret), time_of(owner_of_field(secret, "data")[1])]) if secret else None
            stale = [
                p
                for p in live(snapshot.pods_of(workload.entity))
                if written and (begun := pod_started(p)) and written - begun > timedelta(minutes=1)
            ]
            if not stale or written is None or secret is None:
                continue
            recent = window.start - timedelta(hours=6) <= written
            words = f"Secret {called} was written {written:%Y-%m-%dT%H:%M:%SZ}"
            pod = stale[0]
            found.append(
                Symptom(
                    analyzer=NAME,
                    entity=workload.entity,
                    faults=("datastore_credentials_rejected",),
                    summary=f"{workload.entity.kind} {workload.entity.name}: {words}, after its pod started; env "
                    f"{key} still holds the old value.",
                    # Nothing breaks until the old value is refused: the log or the store must say so.
                    specificity=(0.7 if is_store(f"{called} {key}") else 0.55) if recent else 0.25,
                    evidence=(
                        cite.seen(snapshot, "Secret", secret, words, at=written),
                        cite.seen(snapshot, "Pod", pod, f"pod {name(pod)} started {text(pod, 'status', 'startTime')}"),
                    ),
                    onset=written,
                )
            )
    return found
