"""What the services themselves expose: requests, durations, calls to their dependencies, their processes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import accumulate
from math import erf, inf, log, sin, sqrt

from workers.simulation import dice
from workers.simulation.cluster import Pod
from workers.simulation.company import External, Route, Service, Store
from workers.simulation.metrics.series import Series, bound, gauge
from workers.simulation.scene import Scene
from workers.simulation.traffic import Mix, Segment
from workers.simulation.usage import memory

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SIGMA = 0.55
"""Of the logarithm of a request's duration."""
Parts = tuple[tuple[float, float], ...]
"""(share, median seconds) of a mixture of durations."""


def targets(scene: Scene) -> Iterator[tuple[Pod, dict[str, str]]]:
    """Every pod that Prometheus scrapes for its own metrics, with the labels of the target."""
    for service in scene.world.company.services:
        for pod in scene.world.workload(service.name, service.namespace).pods:
            if pod.ip:
                port = 9102 if service.worker else service.port
                yield (
                    pod,
                    {
                        "namespace": pod.namespace,
                        "pod": pod.name,
                        "container": pod.main,
                        "job": service.name,
                        "service": service.name,
                        "instance": f"{pod.ip}:{port}",
                    },
                )


def spans_of(pod: Pod) -> list[tuple[float, float]]:
    """When it could be scraped."""
    return [(r.started + 2, min(r.ended, pod.deleted, pod.lost)) for r in pod.runs.get(pod.main, ())]


class _Counter:
    """Requests since the container started: per segment a level, times the integral of the shape.

    `levels`: of the segments in which the pod is served; there are none before and after. `parts`: how many of what is
    counted make one of what is shown.
    """

    def __init__(self, scene: Scene, pod: Pod, levels: list[float], parts: int = 1) -> None:
        self._traffic, self._levels, self._parts = scene.traffic, levels, parts
        served = scene.traffic.served(pod)
        self._first = served.start
        weights = scene.traffic.weights[served.start : served.stop]
        self._sums = [0.0, *accumulate(level * w for level, w in zip(levels, weights, strict=True))]
        self._starts = [
            (r.started, self._until(*scene.traffic.position(r.started))) for r in pod.runs.get(pod.main, ())
        ]

    @property
    def any(self) -> bool:
        return self._sums[-1] > 0.5

    def __call__(self, at: float) -> float:
        return self.many((at,))[0]

    def many(self, moments: tuple[float, ...]) -> list[float]:
        places = self._traffic.positions(moments)
        if len(self._starts) == 1 and self._starts[0][0] <= moments[0] and self._holds(places):
            sums, levels, first, counted = self._sums, self._levels, self._first, self._starts[0][1]
            whole = [int(sums[i - first] + levels[i - first] * since - counted) for i, since in places]
        else:
            whole = [int(self._since(at, *place)) for at, place in zip(moments, places, strict=True)]
        return [float(n) for n in whole] if self._parts == 1 else [float(n) / self._parts for n in whole]

    def _holds(self, places: list[tuple[int, float]]) -> bool:
        """Whether the pod is served at all of them."""
        return self._first <= places[0][0] and places[-1][0] < self._first + len(self._levels)

    def _since(self, at: float, index: int, since: float) -> float:
        for started, counted in reversed(self._starts):
            if started <= at:
                return self._until(index, since) - counted
        return 0.0

    def _until(self, index: int, since: float) -> float:
        index -= self._first
        if index < 0:
            return 0.0
        return self._sums[index] + self._levels[index] * since if index < len(self._levels) else self._sums[-1]


def _served(scene: Scene, pod: Pod) -> list[tuple[int, Segment]]:
    return [(i, scene.traffic.segments[i]) for i in scene.traffic.served(pod)]


def _routes(scene: Scene) -> Iterator[tuple[Service, Pod, dict[str, str], Route]]:
    for pod, labels in targets(scene):
        for route in pod.workload.part.routes:
            yield pod.workload.part, pod, labels, route


def _asked(scene: Scene, pod: Pod, route: Route) -> list[tuple[float, Mix]]:
    """Per segment: requests a second of a route at a pod, and what becomes of them."""
    shares, mixes = scene.traffic.shares(pod), scene.traffic.mixed(pod, route.path)
    return [(share * route.share, mix) for share, mix in zip(shares, mixes, strict=True)]


def requests_total(scene: Scene) -> Iterable[Series]:
    for _, pod, labels, route in _routes(scene):
        rows = _asked(scene, pod, route)
        codes = {200, 404, *(f.code for _, mix in rows for f in mix.failures)}
        for code in sorted(codes):
            counter = _Counter(scene, pod, [share * _code_share(mix, code, route) for share, mix in rows])
            if counter.any or code == 200:
                named = {**labels, "method": route.method, "route": route.path, "code": str(code)}
                yield gauge("http_requests_total", named, counter, spans_of(pod))


def _code_share(mix: Mix, code: int, route: Route) -> float:
    missing = 0.004 * (1 - mix.failed) if "{" in route.path else 0.0
    if code == 200:
        return max(0.0, 1 - mix.failed - missing)
    return sum(f.share for f in mix.failures if f.code == code) + (missing if code == 404 else 0.0)


def _parts(service: Service, route: Route, mix: Mix, scene: Scene) -> Parts:
    """Durations of a route's requests: good ones by median, failed ones by how they fail."""
    good = service.median_ms / 1000
    for callee in route.calls:
        part = scene.world.company.parts[callee]
        good += (part.median_ms if isinstance(part, (Service, External)) else 1.8) / 1000 * 0.8
    good = good * mix.slow + mix.extra_seconds
    out = [(1 - mix.failed, good)]
    out += [(f.share, f.seconds or good) for f in mix.failures]
    return tuple((s, m) for s, m in out if s > 0)


@lru_cache(maxsize=65536)
def _below(durations: Parts, edge: float) -> float:
    """Share of requests that are faster than an edge: log-normal around each median."""
    if edge == inf:
        return 1.0
    return sum(
        share * 0.5 * (1 + erf((log(edge) - log(max(1e-4, median))) / (_SIGMA * sqrt(2))))
        for share, median in durations
    )


def _durations(scene: Scene, service: Service, pod: Pod, route: Route) -> list[tuple[float, Parts]]:
    rows = _asked(scene, pod, route)
    return [(share, _parts(service, route, mix, scene) if share else ()) for share, mix in rows]


def _buckets(
    scene: Scene, name: str, pod: Pod, labels: dict[str, str], rows: list[tuple[float, Parts]]
) -> Iterator[Series]:
    for edge in (*BUCKETS, inf):
        counter = _Counter(scene, pod, [share * _below(durations, edge) if share else 0.0 for share, durations in rows])
        yield gauge(name, {**labels, "le": "+Inf" if edge == inf else f"{edge:g}"}, counter, spans_of(pod))


def duration_buckets(scene: Scene) -> Iterable[Series]:
    for service, pod, labels, route in _routes(scene):
        named = {**labels, "method": route.method, "route": route.path}
        rows = _durations(scene, service, pod, route)
        yield from _buckets(scene, "http_request_duration_seconds_bucket", pod, named, rows)


def duration_sum(scene: Scene) -> Iterable[Series]:
    """Counted in thousandths, so that the sum has them."""
    for service, pod, labels, route in _routes(scene):
        rows = _durations(scene, service, pod, route)
        counter = _Counter(scene, pod, [share * _mean(durations) * 1000 for share, durations in rows], 1000)
        named = {**labels, "method": route.method, "route": route.path}
        yield gauge("http_request_duration_seconds_sum", named, counter, spans_of(pod))


def _mean(durations: Parts) -> float:
    return sum(share * median * 1.163 for share, median in durations)


def duration_count(scene: Scene) -> Iterable[Series]:
    for _, pod, labels, route in _routes(scene):
        counter = _Counter(scene, pod, [share for share, _ in _asked(scene, pod, route)])
        named = {**labels, "method": route.method, "route": route.path}
        yield gauge("http_request_duration_seconds_count", named, counter, spans_of(pod))


# Calls to dependencies, as the caller's client library counts them


def _calls(scene: Scene) -> Iterator[tuple[Service, Pod, dict[str, str], str]]:
    for pod, labels in targets(scene):
        for callee in pod.workload.part.dependencies:
            yield pod.workload.part, pod, labels, callee


def _call_rates(scene: Scene, service: Service, pod: Pod, callee: str) -> list[float]:
    """Calls a second, in each segment in which the pod is served."""
    if service.worker:
        return [0.3 if pod in segment.pods[service.name] else 0.0 for _, segment in _served(scene, pod)]
    calls = sum(r.share for r in service.routes if callee in r.calls)
    return [share * calls for share in scene.traffic.shares(pod)]


def _outcomes(scene: Scene, service: Service, pod: Pod, callee: str, segment: Segment) -> dict[str, float]:
    """Result of a call -> share: a status code, or the client's error."""
    lost: dict[str, float] = {}
    for failure in segment.edges[(service.name, callee)]:
        if failure.get("node") in ("", pod.node):
            name = failure.kind.removeprefix("http_")
            lost[name] = lost.get(name, 0.0) + failure.share
    part = scene.world.company.parts[callee]
    if isinstance(part, Service):
        receivers = segment.pods.get(callee, [])
        for route in part.routes:
            for each in receivers:
                for failure in segment.mix(callee, route.path, each).failures:
                    lost[str(failure.code)] = lost.get(str(failure.code), 0.0) + failure.share * route.share / len(
                        receivers
                    ) * (1 - min(1.0, sum(lost.values())))
    return {**lost, "200" if not isinstance(part, Store) else "ok": max(0.0, 1 - sum(lost.values()))}


def client_requests(scene: Scene) -> Iterable[Series]:
    known: dict[tuple[str, str, str, int], dict[str, float]] = {}
    for service, pod, labels, callee in _calls(scene):
        rows: list[tuple[float, dict[str, float]]] = []
        rates = _call_rates(scene, service, pod, callee)
        for i, rate in zip(scene.traffic.served(pod), rates, strict=True):
            kind = scene.traffic.kinds[i]
            key = (service.name, callee, pod.node, kind)
            if key not in known:
                known[key] = _outcomes(scene, service, pod, callee, scene.traffic.segments[kind])
            rows.append((rate, known[key]))
        for result in sorted({r for _, outcomes in rows for r in outcomes}):
            counter = _Counter(scene, pod, [rate * outcomes.get(result, 0.0) for rate, outcomes in rows])
            if counter.any:
                named = {**labels, "peer": callee, "result": result}
                yield gauge("http_client_requests_total", named, counter, spans_of(pod))


def _timed_calls(scene: Scene) -> Iterator[tuple[Pod, dict[str, str], list[tuple[float, Parts]]]]:
    known: dict[tuple[str, str, str, int], Parts] = {}
    for service, pod, labels, callee in _calls(scene):
        rows: list[tuple[float, Parts]] = []
        for i, rate in zip(scene.traffic.served(pod), _call_rates(scene, service, pod, callee), strict=True):
            kind = scene.traffic.kinds[i]
            key = (service.name, callee, pod.node, kind)
            if rate and key not in known:
                known[key] = _call_parts(scene, service, pod, callee, kind)
            rows.append((rate, known[key] if rate else ()))
        yield pod, {**labels, "peer": callee}, rows


def client_buckets(scene: Scene) -> Iterable[Series]:
    for pod, named, rows in _timed_calls(scene):
        yield from _buckets(scene, "http_client_request_duration_seconds_bucket", pod, named, rows)


def client_sum(scene: Scene) -> Iterable[Series]:
    for pod, named, rows in _timed_calls(scene):
        counter = _Counter(scene, pod, [rate * _mean(parts) * 1000 for rate, parts in rows], 1000)
        yield gauge("http_client_request_duration_seconds_sum", named, counter, spans_of(pod))


def client_count(scene: Scene) -> Iterable[Series]:
    for pod, named, rows in _timed_calls(scene):
        counter = _Counter(scene, pod, [rate for rate, _ in rows])
        yield gauge("http_client_request_duration_seconds_count", named, counter, spans_of(pod))


def _call_parts(scene: Scene, service: Service, pod: Pod, callee: str, index: int) -> Parts:
    part, segment = scene.world.company.parts[callee], scene.traffic.segments[index]
    usual = (part.median_ms if isinstance(part, (Service, External)) else 1.8) / 1000
    waits = sum(
        e.slow_seconds * e.share
        for e in segment.paths
        if e.kind == "slow" and e.callee == callee and e.caller in ("*", service.name) and e.node in ("", pod.node)
    )
    if isinstance(part, Service):
        slow, extra = scene.traffic.pace(part, index)
        usual = usual * slow + extra
    edge = segment.edges[(service.name, callee)]
    if not edge:
        return ((1.0, usual + waits),)
    lost = [f for f in edge if f.get("node") in ("", pod.node)]
    share = sum(f.share for f in lost)
    return tuple([(max(0.0, 1 - share), usual + waits)] + [(f.share, f.seconds or 0.005) for f in lost])


# The process


def resident(scene: Scene) -> Iterable[Series]:
    for pod, labels in targets(scene):
        yield gauge(
            "process_resident_memory_bytes",
            labels,
            bound(lambda p, t: (memory(p, t) or 0.0) * 0.94, pod),
            spans_of(pod),
        )


def cpu_seconds(scene: Scene) -> Iterable[Series]:
    for pod, labels in targets(scene):
        yield gauge(
            "process_cpu_seconds_total", labels, bound(lambda p, t: scene.cpu.seconds(p, t) * 0.98, pod), spans_of(pod)
        )


def start_time(scene: Scene) -> Iterable[Series]:
    for pod, labels in targets(scene):
        yield gauge(
            "process_start_time_seconds",
            labels,
            bound(lambda p, t: max((r.started for r in p.runs.get(p.main, ()) if r.started <= t), default=0.0), pod),
            spans_of(pod),
        )


def open_files(scene: Scene) -> Iterable[Series]:
    for pod, labels in targets(scene):
        base = dice.between(24, 61, "fds", pod.workload.name)
        yield gauge(
            "process_open_fds",
            labels,
            bound(
                lambda p, b, t: float(
                    int(b + 6 * sin(t / 97 + dice.unit(p.name) * 6) + scene.traffic.rate(p.workload.name, t))
                ),
                pod,
                base,
            ),
            spans_of(pod),
        )


def most_files(scene: Scene) -> Iterable[Series]:
    for pod, labels in targets(scene):
        yield gauge("process_max_fds", labels, 1048576.0, spans_of(pod))


def goroutines(scene: Scene) -> Iterable[Series]:
    for pod, labels in targets(scene):
        if pod.workload.part.language == "go":
            yield gauge(
                "go_goroutines",
                labels,
                bound(
                    lambda p, t: float(
                        int(31 + 4 * sin(t / 61 + dice.unit(p.name) * 6) + 2 * scene.traffic.rate(p.workload.name, t))
                    ),
                    pod,
                ),
                spans_of(pod),
            )


def build_info(scene: Scene) -> Iterable[Series]:
    for pod, labels in targets(scene):
        version = pod.revision.template["spec"]["containers"][0]["image"].rpartition(":")[2]
        yield gauge(
            "app_build_info",
            {**labels, "version": version, "revision": dice.hexadecimal(12, pod.workload.name, version)},
            1.0,
            spans_of(pod),
        )


def orders_placed(scene: Scene) -> Iterable[Series]:
    """What the company lives from: the requests of its entries that end in a sale, if they are served well."""
    world = scene.world
    for pod, labels in targets(scene):
        for route in pod.workload.part.routes:
            if route.path == "/orders" and route.method == "POST":
                rows = _asked(scene, pod, route)
                levels = []
                for (_, segment), (share, mix) in zip(_served(scene, pod), rows, strict=True):
                    left = min([1.0, *(left for since, left in world.business_drops if since <= segment.start)])
                    levels.append(share * (1 - mix.failed) * left)
                yield gauge("shop_orders_placed_total", labels, _Counter(scene, pod, levels), spans_of(pod))


FAMILIES = {
    "http_requests_total": requests_total,
    "http_request_duration_seconds_bucket": duration_buckets,
    "http_request_duration_seconds_sum": duration_sum,
    "http_request_duration_seconds_count": duration_count,
    "http_client_requests_total": client_requests,
    "http_client_request_duration_seconds_bucket": client_buckets,
    "http_client_request_duration_seconds_sum": client_sum,
    "http_client_request_duration_seconds_count": client_count,
    "process_resident_memory_bytes": resident,
    "process_cpu_seconds_total": cpu_seconds,
    "process_start_time_seconds": start_time,
    "process_open_fds": open_files,
    "process_max_fds": most_files,
    "go_goroutines": goroutines,
    "app_build_info": build_info,
    "shop_orders_placed_total": orders_placed,
}
