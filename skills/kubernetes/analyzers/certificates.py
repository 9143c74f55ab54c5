"""Certificates past their time (G5), as cert-manager tells: Secrets' contents are not readable, its Certificates
are."""

from __future__ import annotations

from datetime import datetime

from skills.contract import Entity, Focus, Symptom, Window
from skills.kubernetes import cite
from skills.kubernetes.objects import condition, dig, name, namespace, text, time_of
from skills.kubernetes.snapshot import Snapshot

NAME = "kubernetes.certificates"


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    found = []
    for certificate in snapshot.of("Certificate"):
        ends, ready = time_of(dig(certificate, "status", "notAfter")), condition(certificate, "Ready")
        expired = ends is not None and ends <= snapshot.now
        if not expired and ready.get("status") != "False":
            continue
        told = f"expired {text(certificate, 'status', 'notAfter')}" if expired else text(ready, "message")
        words = f"Certificate {name(certificate)} (Secret {text(certificate, 'spec', 'secretName')}) {told}"
        found.append(
            Symptom(
                analyzer=NAME,
                entity=Entity(kind="certificate", namespace=namespace(certificate), name=name(certificate)),
                faults=("tls_certificate_invalid",),
                summary=f"{words}.",
                specificity=0.95 if expired else 0.6,
                evidence=(cite.seen(snapshot, "Certificate", certificate, words),),
                onset=ends if expired else time_of(ready.get("lastTransitionTime")),
            )
        )
    return found
