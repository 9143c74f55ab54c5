"""How much CPU and memory a container uses at a moment, and CPU seconds since it started."""

from __future__ import annotations

from functools import cached_property
from itertools import accumulate
from math import exp, inf, sin

from workers.simulation import dice
from workers.simulation.cluster import Pod
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
        self._used: dict[str, Used] = {}

    def of(self, pod: Pod) -> Used:
        found = self._used.get(pod.uid)
        if found is None:
            found = self._used[pod.uid] = Used(self, pod)
        return found

    def cores(self, pod: Pod, at: float) -> float:
        return self.of(pod).cores(at)

    def seconds(self, pod: Pod, at: float) -> float:
        return self.of(pod)(at)

    @cached_property
    def middles(self) -> list[tuple[float, float]]:
        """(middle of a segment, shape there)"""
        middles = ((s.start + s.end) / 2 for s in self.traffic.segments)
        return [(at, self.traffic.world.shape.at(at)) for at in middles]


class Used:
    """A pod's CPU: seconds, as a counter that starts anew with each container."""

    def __init__(self, cpu: Cpu, pod: Pod) -> None:
        self._cpu, self._pod, self._traffic = cpu, pod, cpu.traffic
        part: Running = pod.workload.part
        self._idle = part.base_cpu * dice.between(0.8, 1.25, "idle", pod.name)
        self._runs = pod.runs.get(pod.main, ())

    def cores(self, at: float) -> float:
        if self._pod.run_at(at) is None:
            return 0.0
        return self._levels[self._traffic.index(at)] * self._traffic.world.shape.at(at) + self._idle

    def __call__(self, at: float) -> float:
        return self.many((at,))[0]

    def many(self, moments: tuple[float, ...]) -> list[float]:
        runs = self._runs
        if len(runs) != 1 or not runs[0].started <= moments[0] or moments[-1] > runs[0].ended:
            return [self._since(at) for at in moments]
        levels, sums, idle, started = self._levels, self._sums, self._idle, runs[0].started
        before = self._busy(started)
        places = zip(moments, self._traffic.positions(moments), strict=True)
        return [sums[i] + levels[i] * since - before + idle * (at - started) for at, (i, since) in places]

    def _since(self, at: float) -> float:
        run = next((r for r in reversed(self._runs) if r.started <= at), None)
        if run is None:
            return 0.0
        end = min(at, run.ended)
        return self._busy(end) - self._busy(run.started) + self._idle * (end - run.started)

    def _busy(self, at: float) -> float:
        index, since = self._traffic.position(at)
        return self._sums[index] + self._levels[index] * since

    @cached_property
    def _sums(self) -> list[float]:
        return [*accumulate((a * b for a, b in zip(self._levels, self._traffic.weights, strict=True)), initial=0.0)]

    @cached_property
    def _levels(self) -> list[float]:
        """Cores for requests, before the shape, in each segment."""
        pod, traffic = self._pod, self._traffic
        part: Running = pod.workload.part
        burning = [
            e
            for e in traffic.world.own
            if e.kind == "cpu"
            and e.service == part.name
            and e.revision in (0, pod.revision.number)
            and e.node in ("", pod.node)
        ]
        most = max(0.0, cpu_limit(pod) * 0.988 - self._idle)
        found = []
        for segment, (at, shape) in zip(traffic.segments, self._cpu.middles, strict=True):
            burn = 0.0
            for effect in burning:
                if effect.start <= at < effect.end:
                    burn += effect.factor
            cores = burn / shape  # a loop burns the same at any hour; what is returned is taken times the shape
            if isinstance(part, Service):
                pods = segment.pods.get(part.name, [])
                if pod in pods:
                    cores += segment.rates.get(part.name, 0.0) / len(pods) * part.cpu_ms / 1000
            elif isinstance(part, Store):
                cost = 0.9 if part.engine == "redis" else 4.2
                cores += segment.rates.get(part.name, 0.0) * cost / 1000 / max(1, part.replicas)
            found.append(min(cores, most / shape))
        return found


def cpu_limit(pod: Pod) -> float:
    limits = pod.revision.template["spec"]["containers"][0].get("resources", {}).get("limits", {})
    return amount(limits["cpu"]) if "cpu" in limits else inf
