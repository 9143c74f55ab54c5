"""What the services themselves expose: requests, durations, calls to their dependencies, their processes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
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


def _spans(pod: Pod) -> list[tuple[float, float]]:
    return [(r.started + 2, min(r.ended, pod.deleted, pod.lost)) for r in pod.runs.get(pod.main, ())]


class _Counter:
    """Requests since the container started: per segment a level, times the integral of the shape."""

    def __init__(self, scene: Scene, pod: Pod, level: Callable[[Segment], float]) -> None:
        self._traffic, self._pod = scene.traffic, pod
        total, self._sums, self._levels = 0.0, [0.0], []
        for segment, weight in zip(scene.traffic.segments, scene.traffic.weights, strict=True):
            value = level(segment)
            self._levels.append(value)
            total += value * weight
            self._sums.append(total)

    @property
    def any(self) -> bool:
        return self._sums[-1] > 0.5

    def __call__(self, at: float) -> float:
        runs = [r for r in self._pod.runs.get(self._pod.main, ()) if r.started <= at]
        return float(int(self._until(at) - self._until(runs[-1].started))) if runs else 0.0

    def _until(self, at: float) -> float:
        i = self._traffic.index(at)
        until = self._traffic.world.shape.until
        return self._sums[i] + self._levels[i] * max(0.0, until(at) - until(self._traffic.segments[i].start))


def _share(scene: Scene, service: Service, pod: Pod, segment: Segment) -> float:
    """Requests a second at this pod, before the shape."""
    pods = segment.pods.get(service.name, [])
    return segment.rates.get(service.name, 0.0) / len(pods) if pod in pods else 0.0


def _routes(scene: Scene) -> Iterator[tuple[Service, Pod, dict[str, str], Route]]:
    for pod, labels in targets(scene):
        for route in pod.workload.part.routes:
            yield pod.workload.part, pod, labels, route


def requests_total(scene: Scene) -> Iterable[Series]:
    for service, pod, labels, route in _routes(scene):
        codes: dict[int, list[Segment]] = {200: []}
        for segment in scene.traffic.segments:
            for failure in segment.mix(service.name, route.path, pod).failures:
                codes.setdefault(failure.code, [])
        codes.setdefault(404, [])
        for code in codes:

            def level(
                segment: Segment, code: int = code, s: Service = service, p: Pod = pod, r: Route = route
            ) -> float:
                share = _share(scene, s, p, segment) * r.share
                return share * _code_share(segment.mix(s.name, r.path, p), code, r) if share else 0.0

            counter = _Counter(scene, pod, level)
            if counter.any or code == 200:
                yield gauge(
                    "http_requests_total",
                    {**labels, "method": route.method, "route": route.path, "code": str(code)},
                    counter,
                    _spans(pod),
                )


def _code_share(mix: Mix, code: int, route: Route) -> float:
    missing = 0.004 * (1 - mix.failed) if "{" in route.path else 0.0
    if code == 200:
        return max(0.0, 1 - mix.failed - missing)
    return sum(f.share for f in mix.failures if f.code == code) + (missing if code == 404 else 0.0)


def parts(service: Service, route: Route, mix: Mix, scene: Scene, segment: Segment) -> Parts:
    """Durations of a route's requests: good ones by median, failed ones by how they fail."""
    good = service.median_ms / 1000
    for callee in route.calls:
        part = scene.world.company.parts[callee]
        good += (part.median_ms if isinstance(part, (Service, External)) else 1.8) / 1000 * 0.8
    good = good * mix.slow + mix.extra_seconds
    out = [(1 - mix.failed, good)]
    out += [(f.share, f.seconds or good) for f in mix.failures]
    return tuple((s, m) for s, m in out if s > 0)


def _below(durations: Parts, edge: float) -> float:
    """Share of requests that are faster than an edge: log-normal around each median."""
    return sum(
        share * 0.5 * (1 + erf((log(edge) - log(max(1e-4, median))) / (_SIGMA * sqrt(2))))
        for share, median in durations
    )


def duration_buckets(scene: Scene) -> Iterable[Series]:
    memo: dict[tuple[Parts, float], float] = {}
    for service, pod, labels, route in _routes(scene):
        for edge in (*BUCKETS, inf):

            def level(
                segment: Segment, edge: float = edge, s: Service = service, p: Pod = pod, r: Route = route
            ) -> float:
                share = _share(scene, s, p, segment) * r.share
                if not share or edge == inf:
                    return share
                durations = parts(s, r, segment.mix(s.name, r.path, p), scene, segment)
                if (durations, edge) not in memo:
                    memo[(durations, edge)] = _below(durations, edge)
                return share * memo[(durations, edge)]

            le = "+Inf" if edge == inf else f"{edge:g}"
            yield gauge(
                "http_request_duration_seconds_bucket",
                {**labels, "method": route.method, "route": route.path, "le": le},
                _Counter(scene, pod, level),
                _spans(pod),
            )


def _mean(durations: Parts) -> float:
    return sum(share * median * 1.163 for share, median in durations)


def duration_sum(scene: Scene) -> Iterable[Series]:
    for service, pod, labels, route in _routes(scene):

        def level(segment: Segment, s: Service = service, p: Pod = pod, r: Route = route) -> float:
            share = _share(scene, s, p, segment) * r.share
            return share * _mean(parts(s, r, segment.mix(s.name, r.path, p), scene, segment)) * 1000 if share else 0.0

        counter = _Counter(scene, pod, level)
        yield gauge(
            "http_request_duration_seconds_sum",
            {**labels, "method": route.method, "route": route.path},
            bound(lambda c, t: c(t) / 1000, counter),
            _spans(pod),
        )


def duration_count(scene: Scene) -> Iterable[Series]:
    for service, pod, labels, route in _routes(scene):

        def level(segment: Segment, s: Service = service, p: Pod = pod, r: Route = route) -> float:
            return _share(scene, s, p, segment) * r.share

        yield gauge(
            "http_request_duration_seconds_count",
            {**labels, "method": route.method, "route": route.path},
            _Counter(scene, pod, level),
            _spans(pod),
        )


# Calls to dependencies, as the caller's client library counts them


def _calls(scene: Scene) -> Iterator[tuple[Service, Pod, dict[str, str], str]]:
    for pod, labels in targets(scene):
        for callee in pod.workload.part.dependencies:
            yield pod.workload.part, pod, labels, callee


def _call_rate(scene: Scene, service: Service, pod: Pod, callee: str, segment: Segment) -> float:
    if service.worker:
        return 0.3 if pod in segment.pods[service.name] else 0.0
    return _share(scene, service, pod, segment) * sum(r.share for r in service.routes if callee in r.calls)


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
    for service, pod, labels, callee in _calls(scene):
        results = {r for segment in scene.traffic.segments for r in _outcomes(scene, service, pod, callee, segment)}
        for result in sorted(results):

            def level(
                segment: Segment, result: str = result, s: Service = service, p: Pod = pod, c: str = callee
            ) -> float:
                rate = _call_rate(scene, s, p, c, segment)
                return rate * _outcomes(scene, s, p, c, segment).get(result, 0.0) if rate else 0.0

            counter = _Counter(scene, pod, level)
            if counter.any:
                yield gauge(
                    "http_client_requests_total", {**labels, "peer": callee, "result": result}, counter, _spans(pod)
                )


def client_buckets(scene: Scene) -> Iterable[Series]:
    for service, pod, labels, callee in _calls(scene):
        for edge in (*BUCKETS, inf):

            def level(
                segment: Segment, edge: float = edge, s: Service = service, p: Pod = pod, c: str = callee
            ) -> float:
                rate = _call_rate(scene, s, p, c, segment)
                if not rate or edge == inf:
                    return rate
                return rate * _below(_call_parts(scene, s, p, c, segment), edge)

            le = "+Inf" if edge == inf else f"{edge:g}"
            yield gauge(
                "http_client_request_duration_seconds_bucket",
                {**labels, "peer": callee, "le": le},
                _Counter(scene, pod, level),
                _spans(pod),
            )


def _call_parts(scene: Scene, service: Service, pod: Pod, callee: str, segment: Segment) -> Parts:
    part = scene.world.company.parts[callee]
    at = (segment.start + segment.end) / 2
    usual = (part.median_ms if isinstance(part, (Service, External)) else 1.8) / 1000
    waits = sum(
        e.slow_seconds * e.share
        for e in scene.world.edges
        if e.kind == "slow"
        and e.callee == callee
        and e.caller in ("*", service.name)
        and e.start <= at < e.end
        and e.node in ("", pod.node)
    )
    if isinstance(part, Service):
        receivers = segment.pods.get(callee, [])
        mixes = [segment.mix(callee, r.path, p) for r in part.routes for p in receivers]
        if mixes:
            usual = usual * sum(m.slow for m in mixes) / len(mixes) + sum(m.extra_seconds for m in mixes) / len(mixes)
    lost = [f for f in segment.edges[(service.name, callee)] if f.get("node") in ("", pod.node)]
    share = sum(f.share for f in lost)
    return tuple([(max(0.0, 1 - share), usual + waits)] + [(f.share, f.seconds or 0.005) for f in lost])


# The process


def resident(scene: Scene) -> Iterable[Series]:
    for pod, labels in targets(scene):
        yield gauge(
            "process_resident_memory_bytes", labels, bound(lambda p, t: (memory(p, t) or 0.0) * 0.94, pod), _spans(pod)
        )


def cpu_seconds(scene: Scene) -> Iterable[Series]:
    for pod, labels in targets(scene):
        yield gauge(
            "process_cpu_seconds_total", labels, bound(lambda p, t: scene.cpu.seconds(p, t) * 0.98, pod), _spans(pod)
        )


def start_time(scene: Scene) -> Iterable[Series]:
    for pod, labels in targets(scene):
        yield gauge(
            "process_start_time_seconds",
            labels,
            bound(lambda p, t: max((r.started for r in p.runs.get(p.main, ()) if r.started <= t), default=0.0), pod),
            _spans(pod),
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
            _spans(pod),
        )


def most_files(scene: Scene) -> Iterable[Series]:
    for pod, labels in targets(scene):
        yield gauge("process_max_fds", labels, 1048576.0, _spans(pod))


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
                _spans(pod),
            )


def build_info(scene: Scene) -> Iterable[Series]:
    for pod, labels in targets(scene):
        version = pod.revision.template["spec"]["containers"][0]["image"].rpartition(":")[2]
        yield gauge(
            "app_build_info",
            {**labels, "version": version, "revision": dice.hexadecimal(12, pod.workload.name, version)},
            1.0,
            _spans(pod),
        )


FAMILIES = {
    "http_requests_total": requests_total,
    "http_request_duration_seconds_bucket": duration_buckets,
    "http_request_duration_seconds_sum": duration_sum,
    "http_request_duration_seconds_count": duration_count,
    "http_client_requests_total": client_requests,
    "http_client_request_duration_seconds_bucket": client_buckets,
    "process_resident_memory_bytes": resident,
    "process_cpu_seconds_total": cpu_seconds,
    "process_start_time_seconds": start_time,
    "process_open_fds": open_files,
    "process_max_fds": most_files,
    "go_goroutines": goroutines,
    "app_build_info": build_info,
}
