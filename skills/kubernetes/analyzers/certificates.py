"""Certificates past their time (G5), as cert-manager tells: Secrets' contents are not readable, its Certificates
are."""

from __future__ import annotations

from datetime import datetime, timedelta

from skills.contract import Entity, Focus, Symptom, Window
from skills.kubernetes import cite
from skills.kubernetes.objects import Object, condition, created, dig, maps, name, namespace, text, time_of
from skills.kubernetes.snapshot import Snapshot

NAME = "kubernetes.certificates"


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    found = []
    for certificate in snapshot.of("Certificate"):
        ends, ready = time_of(dig(certificate, "status", "notAfter")), condition(certificate, "Ready")
        born = created(certificate)
        expired = ends is not None and ends <= snapshot.now
        if not expired and ready.get("status") != "False":
            continue
        told = f"expired {text(certificate, 'status', 'notAfter')}" if expired else text(ready, "message")
        young = born is not None and snapshot.clock - born < timedelta(minutes=10)
        if young and not expired:
            continue  # being issued
        used = _is_used(snapshot, certificate)
        words = f"Certificate {name(certificate)} (Secret {text(certificate, 'spec', 'secretName')}) {told}"
        found.append(
            Symptom(
                analyzer=NAME,
                entity=Entity(kind="certificate", namespace=namespace(certificate), name=name(certificate)),
                faults=("tls_certificate_invalid",),
                summary=f"{words}.",
                specificity=(0.95 if used else 0.5) if expired else 0.6 if used else 0.3,
                evidence=(cite.seen(snapshot, "Certificate", certificate, words),),
                onset=ends if expired else time_of(ready.get("lastTransitionTime")),
            )
        )
    return found


def _is_used(snapshot: Snapshot, certificate: Object) -> bool:
    """Something presents it: an Ingress, a Gateway, or a workload that mounts its Secret."""
    secret, place = text(certificate, "spec", "secretName"), namespace(certificate)
    by_ingress = any(
        text(t, "secretName") == secret
        for i in snapshot.of("Ingress")
        if namespace(i) == place
        for t in maps(i, "spec", "tls")
    )
    by_gateway = any(
        text(r, "name") == secret
        for g in snapshot.of("Gateway")
        for li in maps(g, "spec", "listeners")
        for r in maps(li, "tls", "certificateRefs")
    )
    mounted = any(
        text(v, "secret", "secretName") == secret
        or any(text(s, "secret", "name") == secret for s in maps(v, "projected", "sources"))
        for w in snapshot.workloads
        if w.entity.namespace == place
        for v in maps(w.pod_spec, "volumes")
    )
    return by_ingress or by_gateway or mounted or secret in {name(s) for s in snapshot.of("Service")} or any(
        name(s) and secret.startswith(f"{name(s)}-") for s in snapshot.of("Service") if namespace(s) == place
    )  # fmt: skip
