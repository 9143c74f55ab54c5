"""Argo Rollouts that were given up or cannot begin: an analysis run failed, the spec is refused.

Words: argo-rollouts utils/conditions (RolloutAborted `Rollout aborted update to revision 3: ...`, InvalidSpec),
status.abort, status.phase Degraded, status.message. A Rollout that pauses at a step waits as it was told to.
"""

from __future__ import annotations

from datetime import datetime

from skills.contract import Focus, Symptom, Window
from skills.kubernetes import cite, rollouts
from skills.kubernetes.objects import Object, condition, dig, entity, one_line, text, time_of
from skills.kubernetes.snapshot import Snapshot

NAME = "kubernetes.progressive"


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    return [s for obj in snapshot.of("Rollout") if (s := _symptom(snapshot, obj))]


def _symptom(snapshot: Snapshot, obj: Object) -> Symptom | None:
    progress, invalid = condition(obj, "Progressing"), condition(obj, "InvalidSpec")
    aborted = dig(obj, "status", "abort") is True or text(progress, "reason") == "RolloutAborted"
    target = entity("Rollout", obj)
    if invalid.get("status") == "True":
        told, faults, specificity = "InvalidSpec", ("config_value_harmful", "rollout_deadlocked"), 0.85
        why = f"its spec is refused: {text(invalid, 'message')}"
        at = time_of(invalid.get("lastUpdateTime")) or time_of(invalid.get("lastTransitionTime"))
    elif aborted:
        # The analysis measured the new version and found it wanting; the stable one serves again.
        told, faults, specificity = "Progressing", ("code_defect_in_release", "rollout_deadlocked"), 0.7
        why = f"its update was aborted: {text(progress, 'message') or text(obj, 'status', 'message')}"
        at = time_of(dig(obj, "status", "abortedAt")) or time_of(progress.get("lastTransitionTime"))
    else:
        return None
    rollout = rollouts.latest(snapshot, target)
    phase = f"Rollout {target.name} phase {text(obj, 'status', 'phase')}: {text(obj, 'status', 'message')}"
    return Symptom(
        analyzer=NAME,
        entity=target,
        faults=faults,
        summary=f"Rollout {target.name}: {one_line(why, 300)}.",
        specificity=specificity,
        evidence=(cite.stated(snapshot, "Rollout", obj, told), cite.seen(snapshot, "Rollout", obj, phase)),
        onset=rollout.after.at if aborted and rollout and rollout.after.at else at,
        victims=snapshot.victims_of(target),
        change=rollout.id if aborted and rollout else None,
    )
