"""How much CPU and memory a container uses at a moment, and CPU seconds since it started."""

from __future__ import annotations

from itertools import accumulate
from math import exp, inf, sin

from workers.simulation import dice
from workers.simulation.cluster import Pod, Run
from workers.simulation.company import Running, Service, Store
from workers.simulation.quantities import amount
from workers.simulation.traffic import Traffic


def memory(pod: Pod, at: float) -> float | None:
    """Working set in bytes; None when nothing runs."""
    run = pod.run_at(at)
    if run is None or pod.memory is None:
        return None
    it = pod.memory
    age = at - run.started
    wobble = 1 + 0.012 * sin(at / 173 + dice.unit(pod.name) * 6) + 0.006 * sin(at / 41 + dice.unit(pod.name, 2) * 6)
    level = it.level * dice.between(0.95, 1.06, "level", pod.name)
    value = level * (1 - (1 - it.start_share) * exp(-age / it.warm_seconds)) * wobble
    if it.slope:
        value += it.slope * max(0.0, at - max(it.slope_since, run.started))
    return min(value, it.cap * 0.999)


class Cpu:
    """CPU of the company's containers, from its traffic."""

    def __init__(self, traffic: Traffic) -> None:
        self.traffic = traffic
        self._levels: dict[str, list[float]] = {}
        self._sums: dict[str, list[float]] = {}

    def cores(self, pod: Pod, at: float) -> float:
        if pod.run_at(at) is None:
            return 0.0
        return self._by_segment(pod)[self.traffic.index(at)] * self.traffic.world.shape.at(at) + _idle(pod)

    def _by_segment(self, pod: Pod) -> list[float]:
        levels = self._levels.get(pod.uid)
        if levels is None:
            levels = self._levels[pod.uid] = [self._level(pod, i) for i in range(len(self.traffic.segments))]
        return levels

    def _level(self, pod: Pod, index: int) -> float:
        """Cores for requests, before the shape, in a segment."""
        part: Running = pod.workload.part
        segment = self.traffic.segments[index]
        at = (segment.start + segment.end) / 2
        burn = 0.0
        for effect in self.traffic.world.own:
            if (
                effect.kind == "cpu"
                and effect.service == part.name
                and effect.start <= at < effect.end
                and effect.revision in (0, pod.revision.number)
                and effect.node in ("", pod.node)
            ):
                burn += effect.factor
        shape = self.traffic.world.shape.at(at)
        cores = burn / shape  # a loop burns the same at any hour; what is returned is taken times the shape
        if isinstance(part, Service):
            pods = segment.pods.get(part.name, [])
            if pod in pods:
                cores += segment.rates.get(part.name, 0.0) / len(pods) * part.cpu_ms / 1000
        elif isinstance(part, Store):
            cores += (
                segment.rates.get(part.name, 0.0)
                * (0.9 if part.engine == "redis" else 4.2)
                / 1000
                / max(1, part.replicas)
            )
        return min(cores, max(0.0, cpu_limit(pod) * 0.988 - _idle(pod)) / shape)

    def seconds(self, pod: Pod, at: float) -> float:
        """A counter that starts anew with each container."""
        run = _last_run(pod, at)
        if run is None:
            return 0.0
        end = min(at, run.ended)
        return self._busy(pod, end) - self._busy(pod, run.started) + _idle(pod) * (end - run.started)

    def _busy(self, pod: Pod, at: float) -> float:
        levels, sums = self._by_segment(pod), self._sums.get(pod.uid)
        if sums is None:
            steps = (level * weight for level, weight in zip(levels, self.traffic.weights, strict=True))
            sums = self._sums[pod.uid] = [*accumulate(steps, initial=0.0)]
        index, since = self.traffic.position(at)
        return sums[index] + levels[index] * since


def _idle(pod: Pod) -> float:
    part: Running = pod.workload.part
    return part.base_cpu * dice.between(0.8, 1.25, "idle", pod.name)


def _last_run(pod: Pod, at: float) -> Run | None:
    runs = [r for r in pod.runs.get(pod.main, ()) if r.started <= at]
    return runs[-1] if runs else None


def cpu_limit(pod: Pod) -> float:
    limits = pod.revision.template["spec"]["containers"][0].get("resources", {}).get("limits", {})
    return amount(limits["cpu"]) if "cpu" in limits else inf
