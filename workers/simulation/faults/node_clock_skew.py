"""H7: the clock of a node runs behind; tokens from elsewhere seem to come from the future.

node_exporter's timex collector (offset, sync_status). golang-jwt: "token used before issued"; PyJWT:
ImmatureSignatureError "The token is not yet valid (iat)".
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

from workers.simulation.blow import Blow, Thing, node_named
from workers.simulation.company import Service
from workers.simulation.world import Gauge, OwnEffect, World

FAULT = "node_clock_skew"
OPTIONS = {"seconds": 47.3, "share": 0.83, "minutes": 40}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    node, most = node_named(world, victim), float(options["seconds"])
    began = at - float(options["minutes"]) * 60

    def behind(t: float) -> float:
        return -most * min(1.15, max(0.0, (t - began) / (at - began)))

    labels = {"node": node.name}
    world.gauges.append(Gauge("node_timex_offset_seconds", labels, behind, began))
    world.gauges.append(Gauge("node_timex_sync_status", labels, lambda _t: 0.0, began))
    world.gauges.append(Gauge("node_time_seconds", labels, lambda t: t + behind(t), began))
    for service in world.company.services:
        here = [p for p in world.workload(service.name).pods if p.node == node.name and p.deleted == inf]
        called = any(service.name in other.dependencies for other in world.company.services)
        if here and called and not service.optional and not service.worker:
            world.own.append(_rejecting(service, node.name, at, float(options["share"])))
    offset = f"metric node_timex_offset_seconds of {node.name}"
    return Blow(
        (Thing("Node", "", node.name),),
        at,
        None,
        evidence=(
            f"{offset} > 30s or {offset} < -30s",
            "log ~ token",
        ),
    )


def _rejecting(service: Service, node: str, at: float, share: float) -> OwnEffect:
    python = service.language == "python"
    pkg = service.name.replace("-", "_")
    error = (
        "jwt.exceptions.ImmatureSignatureError: The token is not yet valid (iat)"
        if python
        else "verify service token: token has invalid claims: token used before issued"
    )
    frames = f"{pkg}/auth.py|41|verify|claims = jwt.decode(token, key, algorithms=['RS256'])"
    detail = {"error": error, "frames": frames, "caller": "auth/verify.go:52"}
    return OwnEffect(service.name, "exception", at, share=share, code=500, node=node, detail=detail)
