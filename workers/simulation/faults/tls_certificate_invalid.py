"""G5: the certificate of a service has expired; nothing was changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation import clock
from workers.simulation.blow import Blow, Thing
from workers.simulation.world import DAY, EdgeEffect, Gauge, World

FAULT = "tls_certificate_invalid"
OPTIONS: Mapping[str, Any] = {}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    part = world.company.parts[victim]
    it = world.workload(victim)
    name, at = f"{victim}-tls", float(int(at))
    notes = {
        "cert-manager.io/certificate-name": name,
        "cert-manager.io/common-name": f"{victim}.{it.namespace}.svc",
        "cert-manager.io/issuer-name": "internal-ca",
    }
    world.put(
        "Secret",
        it.namespace,
        name,
        at - 365 * DAY,
        {"type": "kubernetes.io/tls", "data": {"tls.crt": "", "tls.key": "", "ca.crt": ""}},
        annotations=notes,
    )
    current = clock.seconds(at + 41)
    error = f"tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time {current} is after {clock.seconds(at)}"  # noqa: E501
    world.edges.append(EdgeEffect("*", part.name, "tls", at, detail={"x509": error}))
    labels = {
        "job": "cert-exporter",
        "namespace": it.namespace,
        "name": name,
        "instance": "cert-exporter.monitoring:8080",
    }
    world.gauges.append(Gauge("certmanager_certificate_expiration_timestamp_seconds", labels, lambda _t: at))
    thing = Thing(
        "Secret",
        it.namespace,
        name,
        (
            f"certificate {name}",
            f"certificate {it.namespace}/{name}",
            f"Service {it.namespace}/{victim}",
            f"Deployment {it.namespace}/{victim}",
        ),
    )
    return Blow((thing,), at, None, evidence=("log ~ certificate has expired",))
