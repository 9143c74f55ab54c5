"""G5: the certificate of a service has expired (nothing was changed), or was signed anew by another authority."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation import clock
from workers.simulation.blow import Altered, Blow, Thing
from workers.simulation.cluster import Json
from workers.simulation.world import DAY, EdgeEffect, Gauge, World

FAULT = "tls_certificate_invalid"
OPTIONS: Mapping[str, Any] = {"authority": False}


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
    if options["authority"]:
        return _signed_anew(world, part.name, it.namespace, name, at)
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
            f"Certificate {it.namespace}/{name}",
            f"Service {it.namespace}/{victim}",
            f"Deployment {it.namespace}/{victim}",
        ),
    )
    return Blow((thing,), at, None, evidence=("log ~ certificate has expired",))


def _signed_anew(world: World, victim: str, namespace: str, name: str, at: float) -> Blow:
    """Its issuer was exchanged; those who call trust the old authority."""

    def renew(body: Json) -> None:
        body["metadata"]["annotations"]["cert-manager.io/issuer-name"] = "internal-ca-2027"

    world.edit("Secret", namespace, name, at, renew, "cert-manager-certificates-issuing", {"f:data": {"f:tls.crt": {}}})
    error = "tls: failed to verify certificate: x509: certificate signed by unknown authority"
    python = (
        "ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
        "unable to get local issuer certificate (_ssl.c:1010)"
    )
    began = at + world.between(20, 50, "mounted", victim)
    for service in world.company.services:
        if victim in service.dependencies:
            said = python if service.language == "python" else error
            world.edges.append(EdgeEffect(service.name, victim, "tls", began, detail={"x509": error, "error": said}))
    names = (f"certificate {name}", f"certificate {namespace}/{name}", f"Certificate {namespace}/{name}")
    thing = Thing(
        "Secret", namespace, name, (*names, f"Service {namespace}/{victim}", f"Deployment {namespace}/{victim}")
    )
    secret = Thing("Secret", namespace, name)
    return Blow(
        (thing,),
        began,
        Altered("secret", secret, at, (str(secret),)),
        evidence=("log ~ signed by unknown authority|unable to get local issuer certificate",),
    )
