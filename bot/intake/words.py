"""The words that monitoring systems use for status and severity, and the labels that name a service or environment."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.intake.mrkdwn import without_emoji
from workers.domain import AlertStatus, Severity


def listed(words: str) -> frozenset[str]:
    """The words of a text, as a set to look up in."""
    return frozenset(words.split())


def in_order(words: str) -> tuple[str, ...]:
    """The words of a text, as a sequence to go through."""
    return tuple(words.split())


RESOLVED = listed(
    "resolved resolve ok recovered recovery recovers recover closed close cleared clear up normal healthy inactive"
    " ended finished fixed passing deactivated autoresolved solved"
)
ACKNOWLEDGED = listed("acknowledged acknowledge acknowledgement ack acked")
FIRING = listed(
    "firing fired fire alarm alarming alert alerts alerting triggered trigger retriggered retrigger open opened active"
    " activated problem down critical crit warning warn rewarn error failed failure failing fail degraded breached"
    " breach violated anomalous unresolved unhealthy unavailable unreachable nodata escalating escalated regressed"
    " reopened unacknowledged renotify fatal emergency offline expired outage disaster"
)
_PHRASES: dict[str, AlertStatus] = {
    "no data": "firing",
    "insufficient data": "firing",
    "insufficient": "firing",
    "incident": "firing",
    "new incident": "firing",
    "incident started": "firing",
    "not ok": "firing",
    "still firing": "firing",
    "no longer firing": "resolved",
    "back to normal": "resolved",
    "manually resolved": "resolved",
}
_SEVERITIES: dict[str, Severity] = {
    **dict.fromkeys(
        listed("critical crit fatal emergency emerg disaster page p0 p1 sev0 sev1 s1 blocker urgent"), "critical"
    ),
    **dict.fromkeys(listed("high error err major p2 sev2 s2"), "high"),
    **dict.fromkeys(listed("warning warn medium moderate average ticket p3 sev3 s3"), "warning"),
    **dict.fromkeys(listed("low minor notice p4 sev4 s4"), "low"),
    **dict.fromkeys(listed("info information informational none debug p5 sev5 s5"), "info"),
}  # fmt: skip
SEVERITY_WORDS = frozenset(_SEVERITIES)
SERVICE_LABELS = ("service", "app", "job", "deployment")
_OTHER_LABELS = in_order(
    "statefulset daemonset service_name destination_service_name destination_workload destination_canonical_service"
    " destination_app k8s_deployment_name app_kubernetes_io_name"
)
"""What OpenTelemetry's span metrics, Istio and charts call it."""
_MEASURES = listed("kube-state-metrics node-exporter cadvisor kubelet blackbox-exporter prometheus alertmanager")
ENVIRONMENT_LABELS = ("environment", "env", "deployment_environment", "deployment.environment", "stage")
_ENVIRONMENTS = listed("production prod staging stage development dev test testing qa uat preprod sandbox")


def status(words: str) -> AlertStatus | None:
    """What a status field or prefix says; None when it says nothing that we know.

    A transition ("DOWN -> UP", "OK => ALARM") says its last part. Of several words the calmest counts, because
    "ALERT_RECOVERY" and "alert.resolved" are recoveries.
    """
    parts = re.split(r"\s*(?:->|=>|→)\s*", without_emoji(words).strip())
    spoken = [w for w in re.split(r"[^a-z]+", parts[-1].replace("Re-", "Re").lower()) if w]
    phrase = " ".join(spoken)
    if phrase in _PHRASES:
        return _PHRASES[phrase]
    if not spoken or len(spoken) > 6:
        return None
    if not FIRING.isdisjoint(spoken) and "not" not in spoken and RESOLVED.isdisjoint(spoken):
        return "acknowledged" if not ACKNOWLEDGED.isdisjoint(spoken) else "firing"
    if not ACKNOWLEDGED.isdisjoint(spoken):
        return "acknowledged"
    if not RESOLVED.isdisjoint(spoken):
        return "firing" if "not" in spoken else "resolved"
    return None


def severity(*candidates: object) -> Severity:
    """The first candidate that is a severity or priority word; "unknown" when none is."""
    for candidate in candidates:
        if not isinstance(candidate, str) or len(candidate) > 60:
            continue
        spoken = re.split(
            r"[^a-z0-9]+", re.sub(r"(?i)\bsev(?:erity)?[ -](\d)", r"sev\1", without_emoji(candidate)).lower()
        )
        for word in spoken:
            if word in _SEVERITIES:
                return _SEVERITIES[word]
    return "unknown"


def severity_among(values: list[str]) -> Severity:
    """The severity among unnamed values: the last that is exactly such a word ("page-cache" is none)."""
    return next((_SEVERITIES[value.lower()] for value in reversed(values) if value.lower() in _SEVERITIES), "unknown")


def service(labels: Mapping[str, str]) -> str:
    """Rules over kube-state-metrics carry its own service and job beside the deployment that they are about."""
    named = [labels[name] for name in (*SERVICE_LABELS, *_OTHER_LABELS) if labels.get(name)]
    return next((n for n in named if not any(n.endswith(m) for m in _MEASURES)), named[0] if named else "")


def environment(labels: Mapping[str, str]) -> str:
    return next((labels[name].lower() for name in ENVIRONMENT_LABELS if labels.get(name)), "")


def environment_among(values: list[str]) -> str:
    """The first of unnamed values that can hardly be anything but an environment."""
    return next((value.lower() for value in values if value.lower() in _ENVIRONMENTS), "")
