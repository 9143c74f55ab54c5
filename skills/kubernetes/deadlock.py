"""Whether a rollout waits for its own old pods: it may not take one away, and the new one finds no room beside them.

Numbers as pkg/controller/deployment/util ResolveFenceposts: a percentage of maxUnavailable is rounded down, one of
maxSurge up, and where both come to nothing one pod may be unavailable. Both are 25 % by default.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from skills.contract import Entity
from skills.kubernetes.objects import Object, controller, dig, mapping, number, text
from skills.kubernetes.pods import is_ready, live
from skills.kubernetes.snapshot import Snapshot, Workload


def may_be_unavailable(workload: Workload) -> int:
    strategy = mapping(workload.obj, "spec", "strategy")
    if text(strategy, "type") == "Recreate":
        return workload.replicas
    rolling = mapping(strategy, "rollingUpdate")
    surge = _share(rolling.get("maxSurge", "25%"), workload.replicas, math.ceil)
    unavailable = _share(rolling.get("maxUnavailable", "25%"), workload.replicas, math.floor)
    return unavailable if surge or unavailable else 1


def _share(value: Any, whole: int, rounded: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.endswith("%") and value[:-1].isdigit():
        return int(rounded(int(value[:-1]) * whole / 100))
    return int(value) if isinstance(value, str) and value.isdigit() else 0


def waits_for_itself(snapshot: Snapshot, owner: Entity, stuck: Sequence[Object]) -> bool:
    """All pods that the strategy demands are old and ready, and the stuck ones belong to another revision."""
    workload = snapshot.workload(owner)
    if workload is None or owner.kind != "Deployment" or dig(workload.obj, "spec", "paused") is True:
        return False
    new = {text(controller(p), "name") for p in stuck}
    old = [p for p in live(snapshot.pods_of(owner)) if is_ready(p) and text(controller(p), "name") not in new]
    least = workload.replicas - may_be_unavailable(workload)
    return bool(old) and len(old) <= least


def stands_still(snapshot: Snapshot, owner: Entity) -> bool:
    """A rollout whose new pods are not even created, while all that the strategy demands run in the old revision."""
    workload = snapshot.workload(owner)
    if workload is None or owner.kind != "Deployment":
        return False
    behind = number(workload.obj, "status", "updatedReplicas") < workload.replicas
    ready = [p for p in live(snapshot.pods_of(owner)) if is_ready(p)]
    return behind and bool(ready) and len(ready) <= workload.replicas - may_be_unavailable(workload)
