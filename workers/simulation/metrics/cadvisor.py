"""What the kubelet's cAdvisor shows of every container: memory, CPU, throttling, OOM events; and its volumes."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from math import inf, sin

from workers.simulation import dice
from workers.simulation.cluster import Pod, Run
from workers.simulation.company import Store
from workers.simulation.metrics.series import Series, bound, gauge
from workers.simulation.quantities import amount
from workers.simulation.scene import Scene
from workers.simulation.usage import cpu_limit, memory


def _containers(scene: Scene) -> Iterator[tuple[Pod, dict[str, str]]]:
    world = scene.world
    for workload in world.workloads.values():
        for pod in workload.pods:
            if pod.node:
                image = pod.revision.template["spec"]["containers"][0]["image"]
                node = world.nodes[pod.node]
                yield (
                    pod,
                    {
                        "container": pod.main,
                        "pod": pod.name,
                        "namespace": pod.namespace,
                        "image": image,
                        "node": pod.node,
                        "instance": f"{node.ip}:10250",
                        "job": "kubelet",
                        "metrics_path": "/metrics/cadvisor",
                    },
                )


def _spans(scene: Scene, pod: Pod) -> list[tuple[float, float]]:
    silent = scene.world.nodes[pod.node].silent
    return [(r.started + 1, min(r.ended, pod.deleted, silent)) for r in pod.runs.get(pod.main, ())]


def _each(
    name: str, value: Callable[[Scene, Pod, float], float], keep: Callable[[Pod], bool] = lambda _p: True
) -> Callable[[Scene], Iterable[Series]]:
    def family(scene: Scene) -> Iterable[Series]:
        for pod, labels in _containers(scene):
            if keep(pod):
                yield gauge(name, labels, bound(lambda p, t: value(scene, p, t), pod), _spans(scene, pod))

    return family


def _used(scene: Scene) -> Iterable[Series]:
    for pod, labels in _containers(scene):
        yield gauge("container_cpu_usage_seconds_total", labels, scene.cpu.of(pod), _spans(scene, pod))


def _working_set(_scene: Scene, pod: Pod, at: float) -> float:
    return float(int(memory(pod, at) or 0.0) // 4096 * 4096)


def _limit(pod: Pod, resource: str) -> float:
    limits = pod.revision.template["spec"]["containers"][0].get("resources", {}).get("limits", {})
    return amount(limits[resource]) if resource in limits else 0.0


def _periods(_scene: Scene, pod: Pod, at: float) -> float:
    run = pod.run_at(at)
    return float(int((at - run.started) * 9.4)) if run else 0.0


class _Throttled:
    """Periods since the start of the container, counted in steps of the effects' beginnings."""

    def __init__(self, scene: Scene, pod: Pod) -> None:
        mine = [e for e in scene.world.own if e.service == pod.workload.name]
        self._said = [e for e in mine if e.kind == "throttle" and e.revision in (0, pod.revision.number)]
        self._edges = sorted({t for e in mine for t in (e.start, e.end)})
        self._pod, self._used, self._limit = pod, scene.cpu.of(pod), cpu_limit(pod)
        self._runs: dict[float, tuple[list[float], list[float]]] = {}

    def __call__(self, at: float) -> float:
        run = self._pod.run_at(at)
        if not run:
            return 0.0
        steps, counted = self._steps(run)
        last = max(0, bisect_left(steps, at) - 1)
        since = steps[last]
        if at <= since:
            return float(int(counted[last]))
        return float(int(counted[last] + (at - since) * 9.4 * max(self._share((since + at) / 2), 0.004)))

    def _steps(self, run: Run) -> tuple[list[float], list[float]]:
        """Since when the effects are as they are, from the run's start on, and how many periods there were by then."""
        found = self._runs.get(run.started)
        if found is None:
            steps = [run.started, *(t for t in self._edges if run.started < t < inf)]
            counted = [0.0]
            for a, b in pairwise(steps):
                if a < self._pod.deleted and a < run.ended:
                    counted.append(counted[-1] + (b - a) * 9.4 * max(self._share((a + b) / 2), 0.004))
            found = self._runs[run.started] = (steps[: len(counted)], counted)
        return found

    def _share(self, at: float) -> float:
        """A busy container near its limit is throttled in more and more of its periods; effects may say more."""
        told = [e.share for e in self._said if e.start <= at < e.end] if self._said else ()
        if told:
            return max(told)
        if self._limit == inf:
            return 0.0
        return max(0.0, min(0.9, (self._used.cores(at) / self._limit - 0.45) * 1.4))


def _throttling(name: str, factor: float = 1.0) -> Callable[[Scene], Iterable[Series]]:
    def family(scene: Scene) -> Iterable[Series]:
        for pod, labels in _containers(scene):
            if cpu_limit(pod) < inf:
                value = _Throttled(scene, pod)
                read = value if factor == 1.0 else bound(lambda v, t: v(t) * factor, value)
                yield gauge(name, labels, read, _spans(scene, pod))

    return family


def _oom_events(scene: Scene, pod: Pod, at: float) -> float:
    return float(sum(1 for r in pod.runs.get(pod.main, ()) if r.reason == "OOMKilled" and r.ended <= at))


def _received(scene: Scene, pod: Pod, at: float) -> float:
    run = pod.run_at(at)
    return (at - run.started) * (scene.traffic.rate(pod.workload.name, at) * 900 + 410) if run else 0.0


def _volumes(scene: Scene) -> Iterator[tuple[str, str, float, float, dict[str, str]]]:
    world = scene.world
    for (namespace, name), claim in world.objects.get("PersistentVolumeClaim", {}).items():
        if claim["status"]["phase"] != "Bound":
            continue
        owner = next(
            (
                w
                for w in world.workloads.values()
                if w.namespace == namespace and (name.startswith(f"data-{w.name}-") or name == f"{w.name}-data")
            ),
            None,
        )
        pod = next((p for p in owner.pods if p.node), None) if owner else None
        if not owner or not pod:
            continue
        size = amount(claim["spec"]["resources"]["requests"]["storage"]) * 0.96
        share = owner.part.disk_used if isinstance(owner.part, Store) else 0.22
        node = world.nodes[pod.node]
        yield (
            namespace,
            name,
            size,
            share,
            {
                "namespace": namespace,
                "persistentvolumeclaim": name,
                "node": node.name,
                "instance": f"{node.ip}:10250",
                "job": "kubelet",
            },
        )


def volume_available(scene: Scene) -> Iterable[Series]:
    for namespace, name, size, share, labels in _volumes(scene):

        def value(at: float, key: str = f"{namespace}/{name}", size: float = size, share: float = share) -> float:
            used = share + 0.0016 * sin(at / 5000 + dice.unit(key) * 6) + (at - scene.world.now) / 86400 * 0.0011
            return float(int(size * (1 - used)))

        yield gauge("kubelet_volume_stats_available_bytes", labels, value)


def volume_capacity(scene: Scene) -> Iterable[Series]:
    for _, _, size, _, labels in _volumes(scene):
        yield gauge("kubelet_volume_stats_capacity_bytes", labels, float(int(size)))


def volume_used(scene: Scene) -> Iterable[Series]:
    for free, total in zip(
        scene.metrics.named("kubelet_volume_stats_available_bytes"), volume_capacity(scene), strict=False
    ):
        labels = {k: v for k, v in free.labels.items() if k != "__name__"}
        yield gauge(
            "kubelet_volume_stats_used_bytes",
            labels,
            bound(lambda f, c, t: c.value(t) - f.value(t), free, total),
            free.spans,
        )


FAMILIES: dict[str, Callable[[Scene], Iterable[Series]]] = {
    "container_memory_working_set_bytes": _each("container_memory_working_set_bytes", _working_set),
    "container_memory_usage_bytes": _each("container_memory_usage_bytes", lambda s, p, t: _working_set(s, p, t) * 1.09),
    "container_memory_rss": _each("container_memory_rss", lambda s, p, t: _working_set(s, p, t) * 0.91),
    "container_cpu_usage_seconds_total": _used,
    "container_cpu_cfs_periods_total": _each("container_cpu_cfs_periods_total", _periods, lambda p: cpu_limit(p) < inf),
    "container_cpu_cfs_throttled_periods_total": _throttling("container_cpu_cfs_throttled_periods_total"),
    "container_cpu_cfs_throttled_seconds_total": _throttling("container_cpu_cfs_throttled_seconds_total", 0.041),
    "container_spec_memory_limit_bytes": _each(
        "container_spec_memory_limit_bytes", lambda _s, p, _t: _limit(p, "memory")
    ),
    "container_spec_cpu_quota": _each(
        "container_spec_cpu_quota", lambda _s, p, _t: _limit(p, "cpu") * 100000, lambda p: cpu_limit(p) < inf
    ),
    "container_oom_events_total": _each("container_oom_events_total", _oom_events),
    "container_start_time_seconds": _each(
        "container_start_time_seconds", lambda _s, p, t: r.started if (r := p.run_at(t)) else 0.0
    ),
    "container_network_receive_bytes_total": _each("container_network_receive_bytes_total", _received),
    "container_network_transmit_bytes_total": _each(
        "container_network_transmit_bytes_total", lambda s, p, t: _received(s, p, t) * 1.7
    ),
    "kubelet_volume_stats_available_bytes": volume_available,
    "kubelet_volume_stats_capacity_bytes": volume_capacity,
    "kubelet_volume_stats_used_bytes": volume_used,
}
