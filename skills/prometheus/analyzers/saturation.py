"""Things with a maximum that are full: volumes, quotas, descriptors, connections, node tables, caches, HPA.

One row a rule: a ratio, where it is full, the faults it speaks for, and whose fault it is. The ratios are those of
the kubernetes-mixin, node-mixin, postgres_exporter, mysqld_exporter and redis_exporter alerts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from skills.contract import Entity, Series, Symptom
from skills.prometheus.endings import back_since, told
from skills.prometheus.look import Look, Question, workload
from skills.series import change_point, compare, shown

Labels = Mapping[str, str]


@dataclass(frozen=True)
class Rule:
    name: str
    expression: str
    full_at: float
    faults: tuple[str, ...]
    whose: Callable[[Labels], Entity]
    says: str
    """Format over the labels and {percent}."""
    specificity: float


def _claim(labels: Labels) -> Entity:
    return Entity(
        kind="PersistentVolumeClaim",
        namespace=labels.get("namespace"),
        name=labels.get("persistentvolumeclaim", ""),
    )


def _namespace(labels: Labels) -> Entity:
    return Entity(kind="Namespace", name=labels.get("namespace", ""))


def _owner(labels: Labels) -> Entity:
    return workload(labels.get("namespace", ""), labels.get("pod") or labels.get("instance", ""))


def _datastore(labels: Labels) -> Entity:
    if labels.get("pod"):
        return _owner(labels)
    name = labels.get("service") or labels.get("job") or labels.get("instance", "")
    return Entity(kind="Service", namespace=labels.get("namespace"), name=name)


def _node(labels: Labels) -> Entity:
    name = labels.get("node") or labels.get("nodename") or labels.get("instance", "").split(":")[0]
    return Entity(kind="Node", name=name)


def _autoscaler(labels: Labels) -> Entity:
    name = labels.get("horizontalpodautoscaler", "")
    return Entity(kind="HorizontalPodAutoscaler", namespace=labels.get("namespace"), name=name)


def _quota(resources: str) -> str:
    by = "max by (namespace, resource, resourcequota)"
    row = 'kube_resourcequota{{ns},resource=~"' + resources + '"'
    return f'{by} ({row},type="used"}}) / {by} ({row},type="hard"}} > 0)'


RULES = (
    Rule(
        "volume_used",
        "1 - kubelet_volume_stats_available_bytes{{ns}} / kubelet_volume_stats_capacity_bytes{{ns}}",
        0.97,
        ("volume_full",),
        _claim,
        "volume claim {persistentvolumeclaim} is {percent} % full",
        0.85,
    ),
    Rule(
        "quota_cpu",
        _quota("(requests|limits)?.?cpu"),
        0.95,
        ("cpu_quota_exhausted",),
        _namespace,
        "quota {resourcequota} of {namespace}: {resource} is {percent} % used",
        0.5,
    ),
    Rule(
        "quota_memory",
        _quota("(requests|limits)?.?memory"),
        0.95,
        ("memory_quota_exhausted",),
        _namespace,
        "quota {resourcequota} of {namespace}: {resource} is {percent} % used",
        0.5,
    ),
    Rule(
        "quota_pods",
        _quota("pods|count/pods"),
        1.0,
        ("pod_count_quota_exhausted",),
        _namespace,
        "quota {resourcequota} of {namespace}: {resource} is {percent} % used",
        0.5,
    ),
    Rule(
        "quota_services",
        _quota("services|count/services"),
        1.0,
        ("service_object_quota_exhausted",),
        _namespace,
        "quota {resourcequota} of {namespace}: {resource} is {percent} % used",
        0.5,
    ),
    Rule(
        "open_files",
        "process_open_fds{{ns}} / process_max_fds{{ns}}",
        0.9,
        ("process_limit_exhausted",),
        _owner,
        "{pod} has {percent} % of its file descriptors open",
        0.8,
    ),
    Rule(
        "postgres_connections",
        "sum by (namespace, pod, service, job, instance) (pg_stat_activity_count)"
        " / on (instance) group_left () max by (instance) (pg_settings_max_connections)",
        0.9,
        ("connection_pool_exhausted",),
        _datastore,
        "PostgreSQL {instance} uses {percent} % of its connections",
        0.8,
    ),
    Rule(
        "mysql_connections",
        "mysql_global_status_threads_connected / mysql_global_variables_max_connections",
        0.9,
        ("connection_pool_exhausted",),
        _datastore,
        "MySQL {instance} uses {percent} % of its connections",
        0.8,
    ),
    Rule(
        "redis_memory",
        "redis_memory_used_bytes / (redis_memory_max_bytes > 0)",
        0.98,
        ("cache_unavailable",),
        _datastore,
        "Redis {instance} uses {percent} % of maxmemory",
        0.6,
    ),
    Rule(
        "connection_tracking",
        "node_nf_conntrack_entries / node_nf_conntrack_entries_limit",
        0.95,
        ("connection_tracking_full",),
        _node,
        "connection table of node {instance} is {percent} % full",
        0.85,
    ),
    Rule(
        "node_disk",
        '1 - node_filesystem_avail_bytes{fstype!~"tmpfs|overlay|squashfs|ramfs",mountpoint="/"}'
        ' / node_filesystem_size_bytes{fstype!~"tmpfs|overlay|squashfs|ramfs",mountpoint="/"}',
        0.95,
        ("node_disk_pressure",),
        _node,
        "root file system of node {instance} is {percent} % full",
        0.6,
    ),
    Rule(
        "node_memory",
        "1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes",
        0.97,
        ("node_cpu_or_memory_pressure", "unlimited_neighbour"),
        _node,
        "memory of node {instance} is {percent} % used",
        0.6,
    ),
    Rule(
        "at_maximum",
        "kube_horizontalpodautoscaler_status_current_replicas{{ns}}"
        " / kube_horizontalpodautoscaler_spec_max_replicas{{ns}}",
        1.0,
        ("autoscaler_misconfigured", "traffic_surge"),
        _autoscaler,
        "autoscaler {horizontalpodautoscaler} is at {percent} % of its maximum",
        0.4,
    ),
)
_FULL = "node_nf_conntrack_entries / node_nf_conntrack_entries_limit >= 0.95"
_ON_FULL = (
    'kube_pod_info{{{{ns}}}} * on ({label}) group_left () (max by ({label}) (label_replace({full}, "{label}", "$1",'
    ' "instance", "([^:]+)(?::.*)?")))'
)
"""Scrape targets of a node go by its address or by its name."""
QUESTIONS = (
    *(
        Question(
            rule.name,
            rule.expression,
            shows=f"{rule.name.replace('_', ' ')}, share of the most",
            unit="ratio",
            level=1.0,
        )
        for rule in RULES
    ),
    Question(
        "pods_on_full_nodes",
        f"{_ON_FULL.format(label='host_ip', full=_FULL)} or {_ON_FULL.format(label='node', full=_FULL)}",
    ),
)
MOST_VICTIMS = 16


def analyze(look: Look) -> list[Symptom]:
    return [s for rule in RULES for series in look.ask(rule.name) if (s := _symptom(look, rule, series)) is not None]


def _carried(look: Look, node: str) -> tuple[Entity, ...]:
    """The workloads on a node whose connection table is full: none of them gets a new connection. Whom the alert names
    comes first."""
    pods = [s.labels for s in look.ask("pods_on_full_nodes") if node in (s.labels.get("node"), s.labels.get("host_ip"))]
    found = {
        workload(p.get("namespace", ""), p.get("pod", "")) for p in pods if p.get("created_by_kind") != "DaemonSet"
    }
    return tuple(sorted(found, key=lambda e: (e.name != look.focus.service, str(e)))[:MOST_VICTIMS])


def _symptom(look: Look, rule: Rule, series: Series) -> Symptom | None:
    ratio = compare(series, look.window, look.baseline)
    if ratio.peak is None or ratio.peak < rule.full_at:
        return None
    entity = rule.whose(series.labels)
    moment = change_point(series.points)
    always = ratio.before is not None and ratio.before >= rule.full_at
    filled = _Filled(series.labels, percent=shown(100 * ratio.peak))
    before = f"baseline {shown(100 * ratio.before)} %" if ratio.before is not None else "no baseline"
    text = f"{rule.says.format_map(filled)} ({before})"
    end = back_since(series, math.nextafter(rule.full_at, 0.0))
    text += told(end)
    return Symptom(
        analyzer="prometheus.saturation",
        entity=entity,
        faults=rule.faults,
        summary=text,
        # What was just as full while all was well explains nothing by itself.
        specificity=rule.specificity * (0.5 if always else 1.0),
        evidence=(look.excerpt(rule.name, text, entity, moment.at if moment and not always else None),),
        onset=moment.at if moment and moment.after > moment.before and not always else None,
        ongoing=end is None,
        victims=_carried(look, entity.name) if rule.name == "connection_tracking" else (),
    )


class _Filled(dict[str, str]):
    def __init__(self, labels: Labels, **more: str) -> None:
        super().__init__({**labels, **more})

    def __missing__(self, key: str) -> str:
        return "?"
