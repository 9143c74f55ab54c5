"""C7: the disk under a data store answers in seconds instead of milliseconds, and now and then with an error.

Series of node_exporter's diskstats collector (io_time, io_time_weighted: the queue; read and write time). PostgreSQL's
log: slow checkpoints with their sync time, reads that fail with EIO; the kernel's hung task as the node problem
detector reports it (config/kernel-monitor.json of node-problem-detector, TaskHung).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workers.simulation.blow import Blow, Thing, node_named, node_note
from workers.simulation.company import SimulationError, Store
from workers.simulation.world import EdgeEffect, Gauge, LogNote, World

FAULT = "disk_io_slow_or_failing"
OPTIONS = {"seconds": 1.6, "failing": 0.09}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    store = world.company.parts.get(victim)
    if not isinstance(store, Store):
        raise SimulationError(f"{victim} is no data store")
    node, it = node_named(world, victim), world.workload(victim)
    device = {"node": node.name, "device": "nvme0n1"}

    def busy(usual: float, now: float) -> Callable[[float], float]:
        return lambda t: (t - node.booted) * usual + max(0.0, t - at) * (now - usual)

    for name, usual, now in (
        ("node_disk_io_time_seconds_total", 0.017, 0.994),
        ("node_disk_io_time_weighted_seconds_total", 0.031, 38.6),
        ("node_disk_read_time_seconds_total", 0.0043, 9.2),
        ("node_disk_write_time_seconds_total", 0.026, 27.1),
    ):
        world.gauges.append(Gauge(name, device, busy(usual, now), at))
    world.gauges.append(Gauge("node_cpu_seconds_total", {"node": node.name, "mode": "iowait"}, busy(0.011, 1.42), at))
    world.gauges.append(Gauge("node_load1", {"node": node.name}, lambda t: round(9.4 + t % 2.1, 2), at + 60))
    world.edges.append(EdgeEffect("*", victim, "slow", at, share=0.85, slow_seconds=float(options["seconds"])))
    world.edges.append(EdgeEffect("*", victim, "slow_query", at, share=float(options["failing"])))
    slow = (
        "duration: {ms}.{n} ms  execute <unnamed>: COMMIT",
        "checkpoint complete: wrote {n} buffers (3.1%); 0 WAL file(s) added, 0 removed, 1 recycled; write=61.2 s, sync=58.{n} s, total=119.{n} s",  # noqa: E501
        "using stale statistics instead of current ones because stats collector is not responding",
    )
    world.log_notes.append(LogNote(victim, at + 12, world.now, 13, "warning", slow))
    broken = (
        'could not read block 51{n} in file "base/16384/24617": Input/output error',
        "canceling statement due to statement timeout",
    )
    world.log_notes.append(LogNote(victim, at + 30, world.now, 2.6, "error", broken))
    first = at + 131
    if first < world.now:
        text = "task postgres:31877 blocked for more than 120 seconds."
        world.note(
            node_note(
                node,
                "TaskHung",
                text,
                first,
                first + (world.now - first) // 122 * 122,
                1 + int((world.now - first) // 122),
                warning=True,
                component="kernel-monitor",
            )
        )
    claim = f"PersistentVolumeClaim {it.namespace}/data-{victim}-0"
    volume = world.objects["PersistentVolumeClaim"][(it.namespace, f"data-{victim}-0")]["spec"]["volumeName"]
    thing = Thing("Node", "", node.name, (claim, f"PersistentVolume {volume}", f"StatefulSet {it.namespace}/{victim}"))
    return Blow(
        (thing,),
        at,
        None,
        evidence=(
            "metric node_disk_io_time_seconds_total > 80% or event.reason = TaskHung or log ~ Input/output error",
            "log ~ Input/output error",
        ),
    )
