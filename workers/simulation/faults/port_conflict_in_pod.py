"""E8: a release adds a sidecar that listens on the service's own port; one of the two cannot start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, next_version, rollout_of, workload_thing
from workers.simulation.cluster import Json
from workers.simulation.fates import crash_loop
from workers.simulation.rollout import roll_out
from workers.simulation.world import World

FAULT = "port_conflict_in_pod"
OPTIONS = {"sidecar": "metrics-proxy"}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it, sidecar = world.workload(victim), str(options["sidecar"])
    port = it.part.port

    def edit(template: Json) -> None:
        next_version(template)
        made = {
            "name": sidecar,
            "image": f"{world.company.registry}/{sidecar}:0.9.4",
            "imagePullPolicy": "IfNotPresent",
            "args": [f"--listen=:{port}"],
            "ports": [{"name": "proxy", "containerPort": port, "protocol": "TCP"}],
            "resources": {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"cpu": "100m", "memory": "64Mi"}},
            "volumeMounts": [],
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
        }
        template["spec"]["containers"].append(made)

    message = f"listen tcp :{port}: bind: address already in use"
    revision = roll_out(
        world, it, at, edit, fate=crash_loop(lambda _n: 0.8, exit_code=1, message=message, container=sidecar)
    )
    return Blow((workload_thing(it),), at, rollout_of(it, revision), evidence=("log ~ address already in use",))
