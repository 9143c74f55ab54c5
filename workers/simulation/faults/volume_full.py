"""C6: the volume of a data store has filled up; writes fail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, Thing
from workers.simulation.company import Store
from workers.simulation.world import EdgeEffect, Gauge, LogNote, World

FAULT = "volume_full"
OPTIONS = {"hours": 5}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    assert isinstance(it.part, Store)
    size = it.part.disk_gib * 2**30 * 0.96
    began, share = at - float(options["hours"]) * 3600, 1 - it.part.disk_used

    def available(t: float) -> float:
        return float(int(max(0.0, size * share * (at - t) / (at - began)) // 4096 * 4096))

    claim = f"data-{victim}-0"
    world.gauges.append(
        Gauge("kubelet_volume_stats_available_bytes", {"persistentvolumeclaim": claim}, available, began)
    )
    world.edges.append(EdgeEffect("*", victim, "disk_full", at, writes_only=True))
    texts = (
        'could not extend file "base/16384/24617": No space left on device',
        'could not write to file "pg_wal/xlogtemp.{n}": No space left on device',
        "could not write temporary statistics file: No space left on device",
    )
    world.log_notes.append(LogNote(victim, at, world.now, 14, "error", texts))
    thing = Thing(
        "PersistentVolumeClaim",
        it.namespace,
        claim,
        (f"StatefulSet {it.namespace}/{victim}", f"Pod {it.namespace}/{victim}-0", f"Service {it.namespace}/{victim}"),
    )
    return Blow(
        (thing,),
        at,
        None,
        evidence=(
            f"metric kubelet_volume_stats_available_bytes of {claim} < 100Mi",
            "log ~ No space left on device",
        ),
    )
