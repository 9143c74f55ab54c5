"""E9: a service leaks file descriptors until it has no more; nothing was changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, workload_thing
from workers.simulation.cluster import Pod
from workers.simulation.world import Gauge, LogNote, OwnEffect, World

FAULT = "process_limit_exhausted"
OPTIONS = {"limit": 1024, "hours": 9, "share": 0.57}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it, limit = world.workload(victim), float(options["limit"])
    began = at - float(options["hours"]) * 3600
    for pod in it.present(at):

        def opened(t: float, pod: Pod = pod) -> float:
            return float(int(min(limit - 1, 48 + (limit - 48) * (t - began) / (at - began))))

        world.gauges.append(Gauge("process_open_fds", {"pod": pod.name}, opened, began))
        world.gauges.append(Gauge("process_max_fds", {"pod": pod.name}, lambda _t: limit))
    python = it.part.language == "python"
    error = (
        "OSError: [Errno 24] Too many open files" if python else "accept tcp [::]:8080: accept4: too many open files"
    )
    frames = f"{victim}/clients/base.py|40|connect|sock = socket.create_connection(address)"
    world.own.append(
        OwnEffect(
            victim,
            "exception",
            at,
            share=float(options["share"]),
            detail={"error": error, "frames": frames, "caller": "net/server.go:133"},
        )
    )
    world.log_notes.append(LogNote(victim, at, world.now, 6, "error", (error,)))
    return Blow(
        (workload_thing(it),), at, None, evidence=("log ~ too many open files", "metric process_open_fds >= 90%")
    )
