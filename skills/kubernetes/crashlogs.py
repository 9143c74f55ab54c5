"""Last words of containers that crash, handed to the recognition of faults in logs with their workload's name on
them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import datetime

from skills import logfaults
from skills.contract import Entity, LogLine, Symptom
from skills.kubernetes.objects import dig, entity, maps, name, text
from skills.kubernetes.podlogs import LINES
from skills.kubernetes.snapshot import Snapshot


def symptoms(snapshot: Snapshot, onset: datetime | None) -> list[Symptom]:
    """What the tails say, one workload at a time; lines without a time (no kubelet stamp) are left out."""
    by_owner: dict[tuple[str, Entity, str], list[LogLine]] = defaultdict(list)
    for (place, pod, container, _), tail in snapshot.logs.items():
        found = snapshot.find("Pod", place, pod)
        owner = snapshot.owner_of(found) if found else Entity(kind="Pod", namespace=place, name=pod)
        by_owner[(place, owner, container)] += [replace(line, entity=owner) for line in tail if line.at.year > 1970]
    resolve = addresses(snapshot)
    recognised: list[Symptom] = []
    for (place, owner, container), lines in by_owner.items():
        query = f"kubectl -n {place} logs {owner.kind.lower()}/{owner.name} -c {container} --tail={LINES}"
        ordered = sorted(lines, key=lambda line: line.at)
        recognised += logfaults.recognise(
            ordered, namespace=place, query=query, link=None, onset=onset, resolve=resolve.get
        )
    return [_of_a_run(replace(s, analyzer="kubernetes.logs")) for s in recognised]


_OF_THE_PROGRAM = ("boot_dependency_missing", "code_defect_in_release", "container_command_invalid")


def _of_a_run(symptom: Symptom) -> Symptom:
    """What breaks a job's own program makes the job fail; a service would crash with it, a job is a failed run."""
    own = symptom.entity.kind in ("CronJob", "Job") and symptom.role == "cause"
    if own and symptom.faults[:1] and symptom.faults[0] in _OF_THE_PROGRAM:
        return replace(symptom, faults=("scheduled_job_failing", *symptom.faults))
    return symptom


def addresses(snapshot: Snapshot) -> dict[str, Entity]:
    """IP addresses of Services and pods, by what they belong to."""
    found: dict[str, Entity] = {}
    for pod in snapshot.all("Pod"):
        for each in (text(pod, "status", "podIP"), *(text(i, "ip") for i in maps(pod, "status", "podIPs"))):
            if each and dig(pod, "spec", "hostNetwork") is not True:
                found[each] = snapshot.owner_of(pod)
    for service in snapshot.all("Service"):
        address = text(service, "spec", "clusterIP")
        if address and address != "None":
            found[address] = entity("Service", service)
    for node in snapshot.all("Node"):
        for known in maps(node, "status", "addresses"):
            found.setdefault(text(known, "address"), Entity(kind="Node", name=name(node)))
    return found
