"""What node_exporter tells of the machines, and CoreDNS of its queries."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import sin

from workers.simulation import dice
from workers.simulation.cluster import NodeState
from workers.simulation.metrics.series import Series, bound, gauge
from workers.simulation.scene import Scene
from workers.simulation.usage import memory

Family = Callable[[Scene], Iterable[Series]]
Value = Callable[[Scene, NodeState, float], float]


def _labels(node: NodeState) -> dict[str, str]:
    return {"instance": f"{node.ip}:9100", "job": "node-exporter", "node": node.name}


def _each(name: str, value: Value, **more: str) -> Family:
    def family(scene: Scene) -> Iterable[Series]:
        for node in scene.world.nodes.values():
            yield gauge(
                name,
                {**_labels(node), **more},
                bound(lambda n, t: value(scene, n, t), node),
                [(node.created + 60, node.silent)],
            )

    return family


def _wave(node: NodeState, at: float, period: float, size: float, key: str = "") -> float:
    return size * sin(at / period + dice.unit(node.name, key) * 6.28)


def _total(scene: Scene) -> float:
    return float(int(scene.world.company.nodes.memory_gib * 2**30 * 0.968))


def _available(scene: Scene, node: NodeState, at: float) -> float:
    pods = (p for w in scene.world.workloads.values() for p in w.pods if p.node == node.name and p.created <= at)
    used = sum(memory(p, at) or 0.0 for p in pods if at < p.deleted)
    return float(int(_total(scene) - used - 1.9 * 2**30 + _wave(node, at, 311, 6e7)))


def _busy(scene: Scene, node: NodeState, at: float) -> float:
    """Cores in use by pods, and by the system."""
    return (
        sum(scene.cpu.cores(p, at) for w in scene.world.workloads.values() for p in w.pods if p.node == node.name)
        + 0.19
        + _wave(node, at, 71, 0.02)
    )


def _cpu_seconds(scene: Scene) -> Iterable[Series]:
    cores = scene.world.company.nodes.cpu
    for node in scene.world.nodes.values():

        def busy(at: float, n: NodeState = node) -> float:
            pods = sum(
                scene.cpu.seconds(p, at) for w in scene.world.workloads.values() for p in w.pods if p.node == n.name
            )
            return pods + 0.19 * (at - n.booted)

        for mode, share in (("user", 0.72), ("system", 0.25), ("iowait", 0.03)):
            yield gauge(
                "node_cpu_seconds_total",
                {**_labels(node), "cpu": "0", "mode": mode},
                bound(lambda b, s, t: b(t) * s, busy, share),
                [(node.created + 60, node.silent)],
            )
        yield gauge(
            "node_cpu_seconds_total",
            {**_labels(node), "cpu": "0", "mode": "idle"},
            bound(lambda b, n, t: cores * (t - n.booted) - b(t), busy, node),
            [(node.created + 60, node.silent)],
        )


def _filesystem(share: float) -> Value:
    return lambda s, n, t: float(int(85.9e9 * (share - 0.02 * dice.unit(n.name) + (s.world.now - t) / 86400 * 0.0009)))


def _coredns(name: str, share: float, **more: str) -> Family:
    def family(scene: Scene) -> Iterable[Series]:
        for pod in scene.world.workload("coredns").pods:
            since = pod.created
            yield gauge(
                name,
                {"job": "coredns", "namespace": "kube-system", "pod": pod.name, "instance": f"{pod.ip}:9153", **more},
                bound(
                    lambda s, t: float(int((scene.world.shape.until(t) - scene.world.shape.until(s)) * 46 * share)),
                    since,
                ),
                [(pod.created, pod.deleted)],
            )

    return family


def _dns_responses(scene: Scene) -> Iterable[Series]:
    for code, share in (("NOERROR", 0.71), ("NXDOMAIN", 0.288), ("SERVFAIL", 0.0004)):
        yield from _coredns("coredns_dns_responses_total", share, rcode=code)(scene)


def _kube_proxy(scene: Scene) -> Iterable[Series]:
    """When each kube-proxy last wrote its rules: every half minute, or when endpoints changed."""
    for pod in scene.world.workload("kube-proxy").pods:
        yield gauge(
            "kubeproxy_sync_proxy_rules_last_timestamp_seconds",
            {
                "job": "kube-proxy",
                "namespace": "kube-system",
                "pod": pod.name,
                "node": pod.node,
                "instance": f"{pod.ip}:10249",
            },
            bound(lambda p, t: t - (t + dice.unit(p.name) * 30) % 30, pod),
            [(r.started + 3, min(r.ended, pod.deleted, pod.lost)) for r in pod.runs.get(pod.main, ())],
        )


FAMILIES: dict[str, Family] = {
    "node_memory_MemTotal_bytes": _each("node_memory_MemTotal_bytes", lambda s, _n, _t: _total(s)),
    "node_memory_MemAvailable_bytes": _each("node_memory_MemAvailable_bytes", _available),
    "node_load1": _each("node_load1", lambda s, n, t: round(_busy(s, n, t) * 1.25 + 0.2 + _wave(n, t, 43, 0.12), 2)),
    "node_load5": _each("node_load5", lambda s, n, t: round(_busy(s, n, t) * 1.2 + 0.2 + _wave(n, t, 143, 0.06), 2)),
    "node_cpu_seconds_total": _cpu_seconds,
    "node_filesystem_avail_bytes": _each(
        "node_filesystem_avail_bytes", _filesystem(0.61), device="/dev/nvme0n1p1", fstype="xfs", mountpoint="/"
    ),
    "node_filesystem_size_bytes": _each(
        "node_filesystem_size_bytes",
        lambda _s, _n, _t: 85886742528.0,
        device="/dev/nvme0n1p1",
        fstype="xfs",
        mountpoint="/",
    ),
    "node_network_receive_errs_total": _each("node_network_receive_errs_total", lambda _s, _n, _t: 0.0, device="eth0"),
    "node_network_transmit_errs_total": _each(
        "node_network_transmit_errs_total", lambda _s, _n, _t: 0.0, device="eth0"
    ),
    "node_netstat_Tcp_RetransSegs": _each(
        "node_netstat_Tcp_RetransSegs", lambda s, n, t: float(int((t - n.booted) * 0.41))
    ),
    "node_netstat_Tcp_OutSegs": _each("node_netstat_Tcp_OutSegs", lambda s, n, t: float(int((t - n.booted) * 2120))),
    "node_nf_conntrack_entries": _each(
        "node_nf_conntrack_entries", lambda s, n, t: float(int(3100 + _wave(n, t, 211, 240) + 40 * s.world.shape.at(t)))
    ),
    "node_nf_conntrack_entries_limit": _each("node_nf_conntrack_entries_limit", lambda _s, _n, _t: 131072.0),
    "node_timex_sync_status": _each("node_timex_sync_status", lambda _s, _n, _t: 1.0),
    "node_time_seconds": _each("node_time_seconds", lambda _s, n, t: t + _wave(n, t, 900, 0.00012)),
    "node_disk_io_time_weighted_seconds_total": _each(
        "node_disk_io_time_weighted_seconds_total", lambda s, n, t: (t - n.booted) * 0.031, device="nvme0n1"
    ),
    "node_disk_read_time_seconds_total": _each(
        "node_disk_read_time_seconds_total", lambda s, n, t: (t - n.booted) * 0.0043, device="nvme0n1"
    ),
    "node_disk_reads_completed_total": _each(
        "node_disk_reads_completed_total", lambda s, n, t: float(int((t - n.booted) * 7.1)), device="nvme0n1"
    ),
    "node_disk_write_time_seconds_total": _each(
        "node_disk_write_time_seconds_total", lambda s, n, t: (t - n.booted) * 0.026, device="nvme0n1"
    ),
    "node_disk_writes_completed_total": _each(
        "node_disk_writes_completed_total", lambda s, n, t: float(int((t - n.booted) * 22.4)), device="nvme0n1"
    ),
    "kubeproxy_sync_proxy_rules_last_timestamp_seconds": _kube_proxy,
    "node_timex_offset_seconds": _each("node_timex_offset_seconds", lambda _s, n, t: _wave(n, t, 900, 0.00012)),
    "node_disk_io_time_seconds_total": _each(
        "node_disk_io_time_seconds_total", lambda s, n, t: (t - n.booted) * 0.017, device="nvme0n1"
    ),
    "node_boot_time_seconds": _each("node_boot_time_seconds", lambda _s, n, _t: float(int(n.booted))),
    "coredns_dns_requests_total": _coredns("coredns_dns_requests_total", 1.0, type="A"),
    "coredns_dns_responses_total": _dns_responses,
}
