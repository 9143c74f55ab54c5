"""Last words of containers that crash, handed to the recognition of faults in logs with their workload's name on
them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from skills import logfaults
from skills.contract import Entity, LogLine, Symptom
from skills.kubernetes.objects import dig, entity, maps, name, text, time_of
from skills.kubernetes.pods import container_statuses, last_end, name_of
from skills.kubernetes.snapshot import Snapshot


def symptoms(snapshot: Snapshot, onset: datetime | None) -> list[Symptom]:
    """What the tails say, all writers of a namespace together, since twins are told apart by who else complains."""
    lines: dict[str, list[LogLine]] = defaultdict(list)
    before: dict[str, list[LogLine]] = defaultdict(list)
    commands: dict[Entity, str] = {}
    untimed: set[Entity] = set()
    for (place, pod, container, previous), tail in snapshot.logs.items():
        owner = _owner(snapshot, place, pod)
        commands.setdefault(owner, f"kubectl -n {place} logs {owner.kind.lower()}/{owner.name} -c {container}")
        if tail and all(line.at.year == 1970 for line in tail):
            untimed.add(owner)
            tail = _dated(snapshot, place, pod, container, tail, previous=previous)
        lines[place] += [replace(line, entity=owner) for line in tail if line.at.year > 1970]
    for (place, pod, _, _), earlier in snapshot.earlier.items():
        owner = _owner(snapshot, place, pod)
        before[place] += [replace(line, entity=owner) for line in earlier]
    resolve = addresses(snapshot)
    recognised: list[Symptom] = []
    for place, told in lines.items():
        compared = {line.entity for line in before[place]}
        found = logfaults.recognise(
            sorted(told, key=lambda line: line.at),
            namespace=place,
            query=f"kubectl -n {place} logs",
            link=None,
            onset=onset,
            baseline=sorted(before[place], key=lambda line: line.at),
            resolve=resolve.get,
        )
        # What is new can only be said of those whose past was read.
        recognised += [s for s in found if s.analyzer != "logs.novel" or s.entity in compared]
    return [_of_a_run(_cited(replace(s, analyzer="kubernetes.logs"), commands, untimed)) for s in recognised]


def _owner(snapshot: Snapshot, place: str, pod: str) -> Entity:
    found = snapshot.find("Pod", place, pod)
    return snapshot.owner_of(found) if found else Entity(kind="Pod", namespace=place, name=pod)


def _dated(
    snapshot: Snapshot, place: str, pod: str, container: str, tail: Sequence[LogLine], *, previous: bool
) -> tuple[LogLine, ...]:
    """Lines that came without the kubelet's stamp: of the end of the run that they tell of, else of now."""
    statuses = container_statuses(snapshot.find("Pod", place, pod) or {})
    status = next((s for s in statuses if name_of(s) == container), {})
    ended = time_of(dig(last_end(status), "finishedAt")) if previous else None
    return tuple(replace(line, at=ended or snapshot.clock) for line in tail)


def _cited(symptom: Symptom, commands: dict[Entity, str], untimed: set[Entity]) -> Symptom:
    evidence = tuple(
        replace(e, query=commands.get(e.entity, e.query), at=None if e.entity in untimed else e.at) if e.entity else e
        for e in symptom.evidence
    )
    unknown = any(e.entity in untimed for e in symptom.evidence)
    return replace(symptom, evidence=evidence, onset=None if unknown else symptom.onset)


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
