"""Settings of runtimes and clients that are known to hurt: a garbage collector that never rests (K4), a client that
gives up at once and tries again many times (K2). Go: GOGC is the growth in percent between collections, 100 by default.
"""

from __future__ import annotations

import re
from datetime import datetime

from skills.contract import Focus, Symptom, Window
from skills.kubernetes import cite, references, rollouts
from skills.kubernetes.objects import Object, entity, mapping, name
from skills.kubernetes.snapshot import Snapshot

NAME = "kubernetes.tuning"
_RETRIES = re.compile(r"retr(y|ies)", re.IGNORECASE)
_TIMEOUT = re.compile(r"timeout", re.IGNORECASE)


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    found = _collectors(snapshot)
    found += [s for c in snapshot.of("ConfigMap") if (s := _retries(snapshot, c))]
    return found


def _collectors(snapshot: Snapshot) -> list[Symptom]:
    found = []
    for workload in snapshot.workloads:
        values = [references.environment(c).get("GOGC", "") for c in workload.containers]
        low = [v for v in values if v.isdigit() and int(v) <= 25]
        if not low:
            continue
        words = f"{workload.entity.kind} {workload.entity.name} env GOGC={low[0]} (default 100)"
        rollout = rollouts.latest(snapshot, workload.entity)
        changed = rollout if rollouts.find(rollout, "env.GOGC") else None
        found.append(
            Symptom(
                analyzer=NAME,
                entity=workload.entity,
                faults=("garbage_collection_stalls", "config_value_harmful"),
                summary=f"{words}: it collects garbage almost without pause.",
                specificity=0.85,
                evidence=(cite.about(snapshot, workload.entity, words, verb="get"),),
                onset=changed.after.at if changed else None,
                change=changed.id if changed else None,
            )
        )
    return found


def _retries(snapshot: Snapshot, config: Object) -> Symptom | None:
    """Ten retries and more with a timeout of a tenth of a second or less."""
    data = {k: v for k, v in mapping(config, "data").items() if isinstance(v, str)}
    many = [f"{k}={v}" for k, v in data.items() if _RETRIES.search(k) and v.isdigit() and int(v) >= 10]
    short = [
        f"{k}={v}" for k, v in data.items() if _TIMEOUT.search(k) and (ms := _milliseconds(v)) is not None and ms <= 100
    ]
    if not many or not short:
        return None
    users = references.users_of_config_map(snapshot, config)
    words = f"ConfigMap {name(config)} {many[0]}, {short[0]}"
    return Symptom(
        analyzer=NAME,
        entity=next(iter(users), entity("ConfigMap", config)),
        faults=("retry_storm", "config_value_harmful"),
        summary=f"{words}: calls are given up early and repeated often; used by {len(users)} workload(s).",
        specificity=0.85,
        evidence=(cite.seen(snapshot, "ConfigMap", config, words, verb="get"),),
        victims=tuple(users),
    )


def _milliseconds(value: str) -> float | None:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s)", value.strip())
    return float(match.group(1)) * (1 if match.group(2) == "ms" else 1000) if match else None
