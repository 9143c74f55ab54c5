"""Things that are or are not: nodes not ready, stores down, nothing scaled, jobs failing, certificates expired, DNS.

kube-state-metrics, exporters' `*_up`, CoreDNS, blackbox_exporter and cert-manager metrics.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime

from skills.contract import Entity, Symptom
from skills.prometheus.endings import gone_since, told
from skills.prometheus.look import Look, Question
from skills.series import change_point, compare, last, shown, values

QUESTIONS = (
    Question("node_not_ready", 'kube_node_status_condition{condition="Ready",status=~"false|unknown"} == 1'),
    Question(
        "node_pressure",
        'kube_node_status_condition{condition=~"MemoryPressure|DiskPressure|PIDPressure",status="true"} == 1',
    ),
    Question("wanted", "kube_deployment_spec_replicas{{ns}}", shows="replicas wanted"),
    Question("available", "kube_deployment_status_replicas_available{{ns}}", shows="replicas available"),
    Question("wanted_stateful", "kube_statefulset_replicas{{ns}}", shows="replicas wanted"),
    Question("ready_stateful", "kube_statefulset_status_replicas_ready{{ns}}", shows="replicas ready"),
    Question(
        "store_up",
        'min by (__name__, namespace, pod, service, job, instance) ({__name__=~"redis_up|pg_up|mysql_up|mongodb_up"})',
    ),
    Question("job_failed", "kube_job_status_failed{{ns}} > 0"),
    Question(
        "certificate_until",
        'min by (name, namespace, exported_namespace, instance) ({__name__=~"probe_ssl_earliest_cert_expiry'
        '|certmanager_certificate_expiration_timestamp_seconds"})',
    ),
    Question(
        "dns_failures",
        'sum(rate(coredns_dns_responses_total{rcode=~"SERVFAIL|REFUSED"}[5m]))'
        " / sum(rate(coredns_dns_responses_total[5m]))",
        shows="share of failed DNS answers",
        unit="ratio",
        level=0.05,
    ),
    Question(
        "clock_offset",
        "max by (instance, node) (abs(node_timex_offset_seconds))",
        shows="clock offset",
        unit="seconds",
        level=1.0,
    ),
    Question("scheduler_up", 'sum(up{job=~".*kube-scheduler.*"})'),
)
PRESSURE = {
    "MemoryPressure": "node_cpu_or_memory_pressure",
    "PIDPressure": "node_cpu_or_memory_pressure",
    "DiskPressure": "node_disk_pressure",
}


def analyze(look: Look) -> list[Symptom]:
    return [
        *_nodes(look),
        *_replicas(look),
        *_stores(look),
        *_jobs(look),
        *_certificates(look),
        *_cluster(look),
    ]


def _nodes(look: Look) -> list[Symptom]:
    found = []
    for series in look.ask("node_not_ready"):
        if not values(series, look.window):
            continue
        node = Entity(kind="Node", name=series.labels.get("node", ""))
        end = gone_since(series, look)
        state = "was" if end else "is"
        text = f"node {node.name} {state} not ready (status {series.labels.get('status', '?')}){told(end)}"
        faults = ("kubelet_stopped", "container_runtime_stopped", "network_partition")
        found.append(_state(look, "node_not_ready", node, faults, text, 0.7, series.points[0][0], end=end))
    for series in look.ask("node_pressure"):
        if not values(series, look.window):
            continue
        node = Entity(kind="Node", name=series.labels.get("node", ""))
        condition = series.labels.get("condition", "")
        end = gone_since(series, look)
        text = f"node {node.name} reports {condition}{told(end)}"
        pressed = (PRESSURE[condition],)
        found.append(_state(look, "node_pressure", node, pressed, text, 0.8, series.points[0][0], end=end))
    for series in look.ask("clock_offset"):
        off = last(series)
        if off is not None and off > 1.0:
            node = Entity(
                kind="Node", name=series.labels.get("node") or series.labels.get("instance", "").split(":")[0]
            )
            text = f"the clock of node {node.name} is off by {shown(off)} s"
            found.append(_state(look, "clock_offset", node, ("node_clock_skew",), text, 0.85, None))
    return found


def _replicas(look: Look) -> list[Symptom]:
    return [
        *_short_of(look, "Deployment", "wanted", "available", "available"),
        *_short_of(look, "StatefulSet", "wanted_stateful", "ready_stateful", "ready"),
    ]


def _short_of(look: Look, kind: str, wanting: str, having: str, word: str) -> list[Symptom]:
    label = kind.lower()
    there = {(s.labels.get("namespace"), s.labels.get(label)): s for s in look.ask(having)}
    found = []
    for series in look.ask(wanting):
        key = (series.labels.get("namespace"), series.labels.get(label))
        entity = Entity(kind=kind, namespace=key[0], name=key[1] or "")
        wanted = compare(series, look.window, look.baseline)
        if last(series) == 0 and wanted.before:
            moment = change_point(series.points, least=1)
            text = f"{label} {entity.name} wants 0 replicas, {shown(wanted.before)} in the baseline"
            found.append(_state(look, wanting, entity, ("scaled_to_zero",), text, 0.9, moment.at if moment else None))
            continue
        have = there.get(key)
        if have is None or last(series) is None or last(have) is None:
            continue
        if (last(have) or 0) < (last(series) or 0):
            moment = change_point(have.points, least=1)
            text = f"{label} {entity.name} has {shown(last(have))} of {shown(last(series))} replicas {word}"
            since = moment.at if moment and moment.after < moment.before else None
            found.append(_state(look, having, entity, (), text, 0.3, since, role="effect"))
    return found


def _stores(look: Look) -> list[Symptom]:
    found = []
    for series in look.ask("store_up"):
        if last(series) != 0:
            continue
        name = series.labels.get("service") or series.labels.get("job") or series.labels.get("instance", "")
        entity = Entity(kind="Service", namespace=series.labels.get("namespace"), name=name)
        moment = change_point(series.points, least=1)
        text = f"{series.labels.get('__name__', 'up')} of {series.labels.get('instance', name)} is 0"
        faults = ("cache_unavailable",) if series.labels.get("__name__") == "redis_up" else ()
        role = "cause" if faults else "effect"
        found.append(_state(look, "store_up", entity, faults, text, 0.6, moment.at if moment else None, role=role))
    return found


def _jobs(look: Look) -> list[Symptom]:
    found = []
    for series in look.ask("job_failed"):
        inside = values(series, look.window)
        if not inside or values(series, look.baseline):
            continue  # a job that failed before the window tells nothing about now
        entity = Entity(kind="Job", namespace=series.labels.get("namespace"), name=series.labels.get("job_name", ""))
        # With a reason (kube-state-metrics 2) the value says that the Job failed for it, not how many pods did.
        reason = series.labels.get("reason", "")
        text = f"job {entity.name} " + (f"failed: {reason}" if reason else f"has {shown(max(inside))} failed pods")
        found.append(_state(look, "job_failed", entity, ("scheduled_job_failing",), text, 0.6, series.points[0][0]))
    return found


def _certificates(look: Look) -> list[Symptom]:
    found = []
    for series in look.ask("certificate_until"):
        until = last(series)
        if until is None or math.isinf(until) or until <= 0 or until > look.now.timestamp():
            continue
        labels = series.labels
        name = labels.get("name") or labels.get("instance", "")
        namespace = labels.get("exported_namespace") or labels.get("namespace")
        expired = datetime.fromtimestamp(until, UTC)
        entity = Entity(kind="Certificate", namespace=namespace, name=name)
        text = f"certificate of {name} expired at {expired:%Y-%m-%d %H:%M:%S}Z"
        found.append(_state(look, "certificate_until", entity, ("tls_certificate_invalid",), text, 0.9, expired))
    return found


def _cluster(look: Look) -> list[Symptom]:
    found = []
    for series in look.ask("dns_failures"):
        share = compare(series, look.window, look.baseline)
        if share.now is not None and share.now > 0.05 and share.now > 3 * (share.before or 0.0):
            moment = change_point(series.points)
            entity = Entity(kind="Deployment", namespace="kube-system", name="coredns")
            text = (
                f"CoreDNS fails {shown(100 * share.now)} % of its answers ({shown(100 * (share.before or 0))} % before)"
            )
            since = moment.at if moment else None
            found.append(_state(look, "dns_failures", entity, ("dns_resolution_failing",), text, 0.75, since))
    for series in look.ask("scheduler_up"):
        if last(series) == 0 and any(values(series, look.baseline)):
            moment = change_point(series.points, least=1)
            entity = Entity(kind="Pod", namespace="kube-system", name="kube-scheduler")
            text = "no kube-scheduler is up, there was one in the baseline"
            since = moment.at if moment else None
            found.append(_state(look, "scheduler_up", entity, ("scheduler_not_running",), text, 0.8, since))
    return found


def _state(
    look: Look,
    question: str,
    entity: Entity,
    faults: tuple[str, ...],
    text: str,
    specificity: float,
    onset: datetime | None,
    role: str = "cause",
    end: datetime | None = None,
) -> Symptom:
    return Symptom(
        analyzer="prometheus.state",
        entity=entity,
        faults=faults,
        summary=text,
        specificity=specificity,
        evidence=(look.excerpt(question, text, entity, onset),),
        onset=onset,
        role="effect" if role == "effect" else "cause",
        ongoing=end is None,
    )
