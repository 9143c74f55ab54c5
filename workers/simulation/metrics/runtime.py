"""What the runtimes of the services tell, as their Prometheus clients expose it; and what the business counts.

client_golang's Go collector (go_gc_duration_seconds is a summary), prometheus_client's GCCollector for Python.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from math import sin

from workers.simulation import dice
from workers.simulation.cluster import Pod
from workers.simulation.metrics.app import spans_of, targets
from workers.simulation.metrics.series import Series, bound, gauge
from workers.simulation.scene import Scene
from workers.simulation.usage import memory

Family = Callable[[Scene], Iterable[Series]]
QUANTILES = (("0", 0.21), ("0.25", 0.34), ("0.5", 0.48), ("0.75", 0.8), ("1", 3.4))
"""Of pauses, with their usual length in thousandths of a second, relative to the service."""


def _pauses(scene: Scene, pod: Pod, at: float) -> tuple[float, float]:
    """The longest pause of late, and the share of time in pauses; zeros without a fault."""
    found = [
        (e.factor, e.share)
        for e in scene.world.own
        if e.kind == "gc"
        and e.service == pod.workload.name
        and e.start <= at < e.end
        and e.revision in (0, pod.revision.number)
    ]
    return found[0] if found else (0.0, 0.0)


def _collecting(scene: Scene, pod: Pod, at: float) -> float:
    """Seconds spent in pauses since the container started."""
    run = pod.run_at(at)
    if run is None:
        return 0.0
    total = (at - run.started) * 0.00031 * dice.between(0.6, 1.7, "gc", pod.workload.name)
    for effect in scene.world.own:
        if (
            effect.kind == "gc"
            and effect.service == pod.workload.name
            and effect.revision in (0, pod.revision.number)
            and effect.start < at
        ):
            total += max(0.0, min(at, effect.end) - max(effect.start, run.started)) * effect.share
    return total


def _of(scene: Scene, language: str) -> Iterator[tuple[Pod, dict[str, str]]]:
    return ((pod, labels) for pod, labels in targets(scene) if pod.workload.part.language == language)


def gc_quantiles(scene: Scene) -> Iterable[Series]:
    for pod, labels in _of(scene, "go"):
        usual = dice.between(0.5, 1.4, "pause", pod.name) / 1000
        for quantile, share in QUANTILES:

            def value(at: float, pod: Pod = pod, share: float = share, usual: float = usual) -> float:
                longest, _ = _pauses(scene, pod, at)
                return longest * (share / 3.4) ** 0.5 if longest else usual * share * (1 + 0.1 * sin(at / 71))

            yield gauge("go_gc_duration_seconds", {**labels, "quantile": quantile}, value, spans_of(pod))


def gc_sum(scene: Scene) -> Iterable[Series]:
    for pod, labels in _of(scene, "go"):
        yield gauge("go_gc_duration_seconds_sum", labels, bound(_collecting, scene, pod), spans_of(pod))


def gc_count(scene: Scene) -> Iterable[Series]:
    for pod, labels in _of(scene, "go"):

        def value(at: float, pod: Pod = pod) -> float:
            run = pod.run_at(at)
            longest, share = _pauses(scene, pod, at)
            often = 0.4 + (share / longest if longest else 0.0)
            return float(int((at - run.started) * often)) if run else 0.0

        yield gauge("go_gc_duration_seconds_count", labels, value, spans_of(pod))


def heap(scene: Scene) -> Iterable[Series]:
    for pod, labels in _of(scene, "go"):
        yield gauge(
            "go_memstats_heap_inuse_bytes",
            labels,
            bound(lambda p, t: float(int((memory(p, t) or 0.0) * (0.58 + 0.06 * sin(t / 19)))), pod),
            spans_of(pod),
        )


def python_collections(scene: Scene) -> Iterable[Series]:
    for pod, labels in _of(scene, "python"):
        for generation, often in (("0", 0.9), ("1", 0.08), ("2", 0.006)):

            def value(at: float, pod: Pod = pod, often: float = often, generation: str = generation) -> float:
                run = pod.run_at(at)
                if run is None:
                    return 0.0
                longest, share = _pauses(scene, pod, at)
                more = share / longest if longest and generation == "2" else 0.0
                began = max((e.start for e in scene.world.own if e.kind == "gc" and e.start < at), default=at)
                return float(int((at - run.started) * often + max(0.0, at - max(began, run.started)) * more))

            yield gauge("python_gc_collections_total", {**labels, "generation": generation}, value, spans_of(pod))


def _business(scene: Scene, service: str, name: str, typical: float, factor: float) -> Iterable[Series]:
    """Sum and count of what a service answers; a release that answers wrongly shows in the mean alone."""
    for pod, labels in targets(scene):
        if pod.workload.name != service:
            continue
        wrong = [e for e in scene.world.own if e.kind == "wrong" and e.service == service]

        def counted(at: float, pod: Pod = pod) -> float:
            run = pod.run_at(at)
            shape = scene.world.shape
            return (shape.until(at) - shape.until(run.started)) * 0.9 if run else 0.0

        if name.endswith("_count"):
            yield gauge(name, labels, bound(lambda c, t: float(int(c(t))), counted), spans_of(pod))
            continue

        def summed(at: float, pod: Pod = pod, count: Callable[[float], float] = counted, bad: list = wrong) -> float:  # type: ignore[type-arg]
            total = count(at) * typical
            for effect in bad:
                if effect.start < at and effect.revision in (0, pod.revision.number):
                    total += (count(at) - count(max(effect.start, pod.created))) * typical * (factor - 1)
            return round(total, 2)

        yield gauge(name, labels, summed, spans_of(pod))


def _quotes(name: str) -> Family:
    return lambda scene: _business(scene, "pricing", name, 38.71, 7.9)


def _items(name: str) -> Family:
    return lambda scene: _business(scene, "cart", name, 2.63, 0.24)


FAMILIES: dict[str, Family] = {
    "go_gc_duration_seconds": gc_quantiles,
    "go_gc_duration_seconds_sum": gc_sum,
    "go_gc_duration_seconds_count": gc_count,
    "go_memstats_heap_inuse_bytes": heap,
    "python_gc_collections_total": python_collections,
    "shop_quote_amount_sum": _quotes("shop_quote_amount_sum"),
    "shop_quote_amount_count": _quotes("shop_quote_amount_count"),
    "shop_cart_items_sum": _items("shop_cart_items_sum"),
    "shop_cart_items_count": _items("shop_cart_items_count"),
}
