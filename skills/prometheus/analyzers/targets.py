"""Targets that are down because nothing lives at their address any more: an alert about a machine that was retired.

Metrics: `up`, and kube-state-metrics' kube_node_info (internal_ip) and kube_pod_info (pod_ip, host_ip). Static scrape
configurations outlive what they point to; the alert is true by its letter, and nothing is wrong.
"""

from __future__ import annotations

import re

from skills.contract import Entity, Symptom
from skills.prometheus.look import Look, Question
from skills.series import last

_BY_ADDRESS = 'label_replace({metric}, "address", "$1", "{label}", "(.+)")'
_TARGETS = 'label_replace(up == 0, "address", "$1", "instance", "([^:]+)(?::[0-9]+)?")'
QUESTIONS = (
    Question(
        "retired",
        f"{_TARGETS} unless on (address) "
        + _BY_ADDRESS.format(metric="kube_node_info", label="internal_ip")
        + " unless on (address) "
        + _BY_ADDRESS.format(metric="kube_pod_info", label="pod_ip"),
        "targets that are down and have no node or pod",
    ),
    Question("addresses", "count(kube_node_info) + count(kube_pod_info)", "nodes and pods"),
)
_ADDRESS = re.compile(r"^\d+\.\d+\.\d+\.\d+(?::\d+)?$")


def analyze(look: Look) -> list[Symptom]:
    """Only for an alert about such a target: a target that is down is otherwise a gap of the telemetry."""
    instance, job = look.focus.labels.get("instance", ""), look.focus.labels.get("job", "")
    known = [n for s in look.ask("addresses") if (n := last(s))]
    if not _ADDRESS.match(instance) or not known:
        return []
    for series in look.ask("retired"):
        labels = series.labels
        if labels.get("instance") != instance or (job and labels.get("job") != job) or last(series) is None:
            continue
        target = Entity(kind="Service", namespace=look.focus.namespace or None, name=look.focus.service or job)
        text = (
            f"target {instance} of {labels.get('job', job)} is down because no node and no pod has that address"
            f" ({known[0]:.0f} nodes and pods were compared)"
        )
        return [
            Symptom(
                analyzer="prometheus.alert",
                entity=target,
                faults=(),
                summary=text,
                specificity=0.9,
                evidence=(look.excerpt("retired", text, target),),
                role="healthy",
            )
        ]
    return []
