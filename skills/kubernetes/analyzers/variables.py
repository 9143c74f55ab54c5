"""Variables that lead a program astray (F7): one that is given twice, one that points to the pod itself while there is
a Service of that name, an address that a release removed.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from skills.contract import Entity, Focus, Symptom, Window
from skills.kubernetes import cite, references, rollouts
from skills.kubernetes.analyzers.dependencies import change_of_env, env_changed_at
from skills.kubernetes.objects import maps, number, text
from skills.kubernetes.pods import name_of
from skills.kubernetes.snapshot import Snapshot, Workload

NAME = "kubernetes.variables"


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    return [s for w in snapshot.workloads for s in _variables(snapshot, w)] if snapshot.knows("Service") else []


def _variables(snapshot: Snapshot, workload: Workload) -> list[Symptom]:
    """A variable given twice with different values; an address that was removed or points to the pod itself."""
    found = []
    target = workload.entity
    place = target.namespace or ""
    for container in workload.containers:
        values: dict[str, list[str]] = defaultdict(list)
        for each in maps(container, "env"):
            values[text(each, "name")].append(text(each, "value"))
        for key, given in values.items():
            where = f"env {key} of container {name_of(container)}"
            if len(set(given)) > 1:
                words = (
                    f"{where} is given {len(given)} times; the last one wins: {' | '.join(_plain(v) for v in given)}"
                )
                leads = any(references.addresses(v, key) or references.is_local(v.partition(":")[0]) for v in given)
                found.append(_variable(snapshot, target, words, 0.88 if leads else 0.45))
            meant = key.lower().rsplit("_", 1)[0].replace("_", "-")
            local = given[-1].partition(":")[0] in ("localhost", "127.0.0.1")
            service = snapshot.find("Service", place, meant)
            if local and service is not None and meant != target.name and not _is_sidecar(workload, given[-1]):
                found.append(
                    _variable(snapshot, target, f"{where} is {given[-1]}, while there is a Service {meant}", 0.88)
                )
    rollout = rollouts.latest(snapshot, target)
    if rollout is None or rollout.after.at is None:
        return found
    age = snapshot.clock - rollout.after.at
    recent = age < timedelta(days=1)
    for step in rollout.differences if age < timedelta(days=14) else ():
        if step.path.startswith("env.") and not step.after and references.addresses(step.before, step.path):
            variable = step.path.removeprefix("env.")
            words = f"env {variable} = {step.before} was removed in revision {rollout.after.number}"
            found.append(_variable(snapshot, target, words, 0.88 if recent else 0.3))
    return found


def _is_sidecar(workload: Workload, value: str) -> bool:
    port = value.partition(":")[2]
    if not port:
        return len(workload.containers) > 1
    return port in {str(number(p, "containerPort")) for p in references.container_ports(workload.pod_spec)}


def _plain(value: str) -> str:
    """The value, if it is an address; others may be secret."""
    found = references.addresses(value, "HOST")
    return found[0][2] if found else value if references.is_local(value) else "…"


def _variable(snapshot: Snapshot, target: Entity, words: str, specificity: float) -> Symptom:
    return Symptom(
        analyzer=NAME,
        entity=target,
        faults=("dependency_address_wrong", "config_value_harmful"),
        summary=f"{target.kind} {target.name}: {words}.",
        specificity=specificity,
        evidence=(cite.about(snapshot, target, f"{target.kind} {target.name}: {words}", verb="get"),),
        onset=env_changed_at(snapshot, target),
        change=change_of_env(snapshot, target),
    )
