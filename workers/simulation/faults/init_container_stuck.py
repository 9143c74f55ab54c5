"""D7: a release waits, in an init container, for a name that does not exist."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

from workers.simulation.blow import Blow, next_version, rollout_of, workload_thing
from workers.simulation.cluster import Json
from workers.simulation.fates import init_loop
from workers.simulation.rollout import roll_out
from workers.simulation.world import LogNote, World

FAULT = "init_container_stuck"
OPTIONS = {"host": "ledger", "container": "wait-for-ledger"}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    host = f"{options['host']}.{it.namespace}.svc.cluster.local"

    def edit(template: Json) -> None:
        next_version(template)
        script = f"until nslookup {host}; do echo waiting for {host}; sleep 2; done"
        template["spec"]["initContainers"] = [
            {
                "name": options["container"],
                "image": f"{world.company.registry}/busybox:1.36.1",
                "command": ["sh", "-c", script],
                "imagePullPolicy": "IfNotPresent",
                "resources": {},
                "volumeMounts": [],
                "terminationMessagePath": "/dev/termination-log",
                "terminationMessagePolicy": "File",
            }
        ]

    revision = roll_out(world, it, at, edit, fate=init_loop(lambda _n: inf))
    lines = (
        f"waiting for {host}",
        f"** server can't find {host}: NXDOMAIN",
        f"Server:\t\t{world.company.services_network}.0.10",
    )
    world.log_notes.append(
        LogNote(victim, at, world.now, 24, "info", lines, revision.number, container=options["container"])
    )
    return Blow(
        (workload_thing(it),),
        at,
        rollout_of(it, revision),
        evidence=(f"log ~ {host}",),
    )
