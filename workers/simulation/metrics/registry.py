"""All families by name, each built when it is first asked for; and the alerts, which are rules evaluated over them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from math import inf

from workers.simulation.metrics import app, cadvisor, cluster_state, control_plane, host, pod_state, runtime, stores
from workers.simulation.metrics.series import Series, bound, gauge
from workers.simulation.scene import Scene

Family = Callable[[Scene], Iterable[Series]]


class Metrics:
    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._built: dict[str, list[Series]] = {}

    @cached_property
    def families(self) -> dict[str, Family]:
        found: dict[str, Family] = {
            **app.FAMILIES,
            **cadvisor.FAMILIES,
            **cluster_state.FAMILIES,
            **control_plane.FAMILIES,
            **pod_state.FAMILIES,
            **host.FAMILIES,
            **stores.FAMILIES,
            **runtime.FAMILIES,
            "up": _up,
        }
        hidden = self._scene.world.hidden
        for each in self._scene.world.gauges:
            found.setdefault(each.name, _only_gauges)
        return {n: f for n, f in sorted(found.items()) if n not in hidden}

    def named(self, name: str) -> list[Series]:
        """Every series of a family; none when there is no such family."""
        if name not in self._built:
            family = self.families.get(name)
            self._built[name] = [*self._effective(name, family)] if family else []
        return self._built[name]

    def _effective(self, name: str, family: Family) -> Iterable[Series]:
        """What the exporters show, with the series that a fault added or replaces."""
        world = self._scene.world
        own = [g for g in world.gauges if g.name == name]
        for series in family(self._scene):
            replaced = [g for g in own if g.labels.items() <= series.labels.items()]
            if replaced:
                series.value = _replaced(series.value, replaced[0].value, replaced[0].start, replaced[0].end)
                own.remove(replaced[0])
            lost = world.hidden & {
                f"metrics:{series.labels.get('job', '')}",
                f"metrics:{series.labels.get('pod', '-')}",
            }
            dark = world.unscraped.get(series.labels.get("job", ""))
            if dark is not None and name != "up":
                series.spans = tuple((a, min(b, dark)) for a, b in series.spans if a < dark)
            if not lost:
                yield series
        for each in own:
            yield gauge(name, each.labels, each.value, [(each.start, each.end)])


def _replaced(
    usual: Callable[[float], float], other: Callable[[float], float], start: float, end: float
) -> Callable[[float], float]:
    return lambda at: other(at) if start <= at < end else usual(at)


def _only_gauges(_scene: Scene) -> Iterable[Series]:
    return ()


def _up(scene: Scene) -> Iterable[Series]:
    """One for each target: 1 while it answers its scrapes, 0 while it is a target that does not."""
    world = scene.world
    for pod, labels in app.targets(scene):
        yield gauge(
            "up",
            labels,
            bound(
                lambda p, u, t: 1.0 if p.run_at(t) and t < p.lost and t < u else 0.0,
                pod,
                world.unscraped.get(labels["job"], inf),
            ),
            [(pod.scheduled + 4, pod.deleted)],
        )
    for node in world.nodes.values():
        for job, port in (("kubelet", 10250), ("node-exporter", 9100)):
            labels = {"job": job, "instance": f"{node.ip}:{port}", "node": node.name}
            yield gauge(
                "up", labels, bound(lambda n, t: 1.0 if t < n.silent else 0.0, node), [(node.created + 60, inf)]
            )
    for job in ("kube-state-metrics", "apiserver", "coredns", "alertmanager"):
        yield gauge(
            "up",
            {
                "job": job,
                "instance": pod_state.instance(scene) if job == "kube-state-metrics" else f"{job}.monitoring:443",
            },
            1.0,
        )
