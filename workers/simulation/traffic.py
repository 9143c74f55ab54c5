"""Who calls whom, how often, and how it fails: faults and the state of pods and Services, carried along the calls.

Time is cut at every moment at which something changed; within a segment shares are constant, and the rate is the
segment's level times the company's shape. So every counter has a closed form, and logs and metrics agree.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from math import inf

from workers.simulation.api.network import matching, target_port
from workers.simulation.cluster import Pod, ServiceObject
from workers.simulation.company import External, Route, Service
from workers.simulation.world import EdgeEffect, OwnEffect, World


@dataclass(frozen=True)
class Failure:
    """How a share of a route's requests fails, as the answering service sees it."""

    kind: str
    code: int
    share: float
    peer: str = ""
    """The dependency that failed; empty: the service itself."""
    seconds: float = 0.0
    """How long such a request takes; 0: as long as a good one."""
    detail: tuple[tuple[str, str], ...] = ()

    def get(self, key: str) -> str:
        return dict(self.detail).get(key, "")


@dataclass(frozen=True)
class Mix:
    """What becomes of the requests of one route at pods of one kind."""

    failures: tuple[Failure, ...] = ()
    slow: float = 1.0
    """Factor of the latency of good requests."""
    extra_seconds: float = 0.0

    @property
    def failed(self) -> float:
        return sum(f.share for f in self.failures)


State = list[tuple[str, float, dict[str, str]]]
"""What a call meets at a Service: (kind of failure, share, detail)."""


@dataclass
class Segment:
    start: float
    end: float
    rates: dict[str, float] = field(default_factory=dict)
    """Requests a second by service, before the shape."""
    ready: dict[str, list[Pod]] = field(default_factory=dict)
    mixes: dict[tuple[str, str, int, str], Mix] = field(default_factory=dict)
    """By service, path, revision, node ("" where it does not matter)."""
    edges: dict[tuple[str, str], tuple[Failure, ...]] = field(default_factory=dict)
    """How calls from a service to a dependency fail before they reach it."""
    pods: dict[str, list[Pod]] = field(default_factory=dict)
    """Who gets the requests, by service: what its Service selects and is ready."""
    states: dict[str, State] = field(default_factory=dict)
    """What calls meet at the Service of a callee."""
    own: list[OwnEffect] = field(default_factory=list)
    """Effects of that time on services, and on the ways between them."""
    paths: list[EdgeEffect] = field(default_factory=list)
    overloads: list[tuple[float, float]] = field(default_factory=list)
    """By service, callees first: the share that cannot be served, and the factor of latency."""

    def calls_as(self, last: Segment) -> bool:
        """Whether calls fail on their way as in the last one, and the same services are there to be called."""
        there = all(bool(pods) == bool(last.pods[name]) for name, pods in self.pods.items())
        return there and self.states == last.states and self.paths == last.paths

    def answers_as(self, last: Segment) -> bool:
        """Of segments with the same calls: which pods answer does not matter while nothing is wrong."""
        if self.overloads != last.overloads or self.own != last.own:
            return False
        quiet = not (self.own or self.paths or any(self.edges.values()))
        return self.pods == last.pods or (quiet and all(each == (0.0, 1.0) for each in self.overloads))

    def mix(self, service: str, path: str, pod: Pod) -> Mix:
        number = pod.revision.number
        for key in ((number, pod.node), (0, pod.node), (number, ""), (0, "")):
            found = self.mixes.get((service, path, *key))
            if found is not None:
                return found
        return _GOOD


_GOOD = Mix()
_CODES = {
    "timeout": 504,
    "refused": 503,
    "no_such_host": 503,
    "upstream": 502,
    "http_404": 502,
    "http_403": 502,
    "tls": 502,
    "reset": 502,
    "overload": 503,
}


class Traffic:
    """Everything about requests in one world. Build it when the world has settled."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.order = _callees_first(world)
        self._positions: dict[float, tuple[int, float]] = {}
        self._many: dict[tuple[float, ...], list[tuple[int, float]]] = {}
        self._shares: dict[str, list[float]] = {}
        self._mixed: dict[tuple[str, str], list[Mix]] = {}
        self._callees = tuple(dict.fromkeys(c for service in self.order for c in service.dependencies))
        self._chosen: dict[int, list[Pod]] = {}
        self._spans: dict[str, tuple[tuple[float, float], ...]] = {}
        self._paces: dict[tuple[str, int], tuple[float, float]] = {}

    @cached_property
    def segments(self) -> list[Segment]:
        found: list[Segment] = []
        for a, b in pairwise(_cuts(self.world)):
            found.append(self._segment(a, b, found[-1] if found else None))
        return found

    @cached_property
    def kinds(self) -> list[int]:
        """For each segment the first one since which all calls have failed alike."""
        found: list[int] = []
        for i, segment in enumerate(self.segments):
            found.append(found[-1] if i and segment.mixes is self.segments[i - 1].mixes else i)
        return found

    @cached_property
    def starts(self) -> list[float]:
        return [s.start for s in self.segments]

    @cached_property
    def weights(self) -> list[float]:
        """The integral of the shape over each segment."""
        until = self.world.shape.until
        return [until(s.end) - before for s, before in zip(self.segments, self._before, strict=True)]

    @cached_property
    def _before(self) -> list[float]:
        """The integral of the shape until each segment."""
        return [self.world.shape.until(start) for start in self.starts]

    @cached_property
    def _served(self) -> dict[str, range]:
        found: dict[str, range] = {}
        for i, segment in enumerate(self.segments):
            for pods in segment.pods.values():
                for pod in pods:
                    found[pod.uid] = range(found[pod.uid].start if pod.uid in found else i, i + 1)
        return found

    def served(self, pod: Pod) -> range:
        """From the first segment in which a pod gets requests to the last: a world has many more than a pod's life."""
        return self._served.get(pod.uid, range(0))

    def index(self, at: float) -> int:
        return max(0, bisect_right(self.starts, at) - 1)

    def position(self, at: float) -> tuple[int, float]:
        """The segment of a moment, and the integral of the shape since its start."""
        found = self._positions.get(at)
        if found is None:
            index = self.index(at)
            found = self._positions[at] = (index, max(0.0, self.world.shape.until(at) - self._before[index]))
        return found

    def positions(self, moments: tuple[float, ...]) -> list[tuple[int, float]]:
        """Of many moments: all series of a target are scraped at the same ones."""
        found = self._many.get(moments)
        if found is None:
            found = self._many[moments] = [self.position(at) for at in moments]
        return found

    def shares(self, pod: Pod) -> list[float]:
        """Requests a second at a pod, before the shape, in each segment in which it is served."""
        found = self._shares.get(pod.uid)
        if found is None:
            name = pod.workload.part.name
            found = []
            for i in self.served(pod):
                pods = self.segments[i].pods.get(name, [])
                found.append(self.segments[i].rates.get(name, 0.0) / len(pods) if pod in pods else 0.0)
            self._shares[pod.uid] = found
        return found

    def mixed(self, pod: Pod, path: str) -> list[Mix]:
        """What becomes of a route's requests at a pod, in each segment in which it is served."""
        found = self._mixed.get((pod.uid, path))
        if found is None:
            name = pod.workload.part.name
            found = [self.segments[i].mix(name, path, pod) for i in self.served(pod)]
            self._mixed[pod.uid, path] = found
        return found

    def pace(self, callee: Service, index: int) -> tuple[float, float]:
        """How much slower than usual a service answers in a segment, and after how many seconds more: the mean over
        its routes and receivers."""
        key = (callee.name, index)
        if key not in self._paces:
            segment = self.segments[index]
            receivers = segment.pods.get(callee.name, [])
            mixes = [segment.mix(callee.name, r.path, p) for r in callee.routes for p in receivers]
            count = len(mixes)
            self._paces[key] = (
                (sum(m.slow for m in mixes) / count, sum(m.extra_seconds for m in mixes) / count)
                if count
                else (1.0, 0.0)
            )
        return self._paces[key]

    def at(self, at: float) -> Segment:
        return self.segments[self.index(at)]

    def rate(self, service: str, at: float) -> float:
        """Requests a second."""
        return self.at(at).rates.get(service, 0.0) * self.world.shape.at(at)

    def _segment(self, start: float, end: float, last: Segment | None) -> Segment:
        """Failures from the callees up, then rates from the callers down; as in the last one, where all is as it was
        then: most cuts are of pods that came and went long ago."""
        segment = Segment(start, end)
        at = (start + end) / 2 if start > -inf else end - 1
        for service in self.order:
            workload = self.world.workload(service.name, service.namespace)
            segment.ready[service.name] = [p for p in workload.pods if self._is_ready(p, at)]
            segment.pods[service.name] = segment.ready[service.name] if service.worker else self._receivers(service, at)
        segment.states = {callee: list(self._service_state(callee, at)) for callee in self._callees}
        segment.own = [e for e in self.world.own if e.start <= at < e.end]
        segment.paths = [e for e in self.world.edges if e.start <= at < e.end]
        alike = last is not None and segment.calls_as(last) and not self.world.surges
        if last is not None and alike:
            segment.edges, segment.rates = last.edges, last.rates
        else:
            for service in self.order:
                for callee in service.dependencies:
                    failing = tuple(self._edge(service, callee, segment, segment.states[callee]))
                    segment.edges[(service.name, callee)] = failing
            self._rates(segment, at)
        shape = self.world.shape.at(at)
        segment.overloads = [_overload(s, segment, shape) for s in self.order]
        if last is not None and alike and segment.answers_as(last):
            segment.mixes = last.mixes
        else:
            for service, overload in zip(self.order, segment.overloads, strict=True):
                self._mixes(service, segment, overload)
        return segment

    def _receivers(self, service: Service, at: float) -> list[Pod]:
        try:
            it = self.world.service(service.name)
        except KeyError:
            return []
        return [p for p in self._behind(it, at) if p.workload.name == service.name]

    def _behind(self, it: ServiceObject, at: float) -> list[Pod]:
        """Pods that a Service reaches at a moment. Labels do not change, so a spec's choice is made once."""
        spec = it.spec(at)
        if spec is None:
            return []
        if id(spec) not in self._chosen:
            self._chosen[id(spec)] = matching(self.world, it.namespace, spec)
        return [p for p in self._chosen[id(spec)] if self._is_ready(p, at)]

    def _is_ready(self, pod: Pod, at: float) -> bool:
        """As the pod says; the world has settled, so each is asked once."""
        spans = self._spans.get(pod.uid)
        if spans is None:
            spans = self._spans[pod.uid] = (*pod.ready_spans(),)
        return any(start <= at < end for start, end in spans)

    # The way to a callee

    def _edge(self, caller: Service, callee: str, segment: Segment, state: State) -> Iterable[Failure]:
        part = self.world.company.parts[callee]
        left = 1.0
        for effect in segment.paths:
            if effect.callee == callee and effect.caller in ("*", caller.name) and effect.kind != "slow":
                share = effect.share * left
                left -= share
                yield _failure(effect.kind, share, callee, effect, caller)
        if isinstance(part, External) or left <= 0:
            return
        for kind, share, detail in state:
            yield Failure(
                kind,
                _CODES.get(kind, 503),
                share * left,
                callee,
                caller.timeout_seconds if kind == "timeout" else 0.004,
                tuple(detail.items()),
            )

    def _service_state(self, callee: str, at: float) -> Iterable[tuple[str, float, dict[str, str]]]:
        """What a call meets at the Service in front of the callee's pods."""
        part = self.world.company.parts[callee]
        host = callee
        if isinstance(part, External):
            return
        try:
            it = self.world.service(callee)
        except KeyError:
            yield "no_such_host", 1.0, {"host": host}
            return
        spec = it.spec(at)
        if spec is None:
            yield "no_such_host", 1.0, {"host": host}
            return
        port = spec["ports"][0]
        address = f"{it.cluster_ip}:{port['port']}"
        pods = self._behind(it, at)
        if not pods:
            yield "refused", 1.0, {"address": address}
            return
        if port.get("protocol", "TCP") != "TCP":
            yield "timeout", 1.0, {"address": address}
            return
        listening = getattr(part, "port", 0)
        if target_port(pods[0], port) != listening:
            yield "refused", 1.0, {"address": f"{pods[0].ip}:{target_port(pods[0], port)}"}
            return
        foreign = [p for p in pods if p.workload.name != callee]
        if foreign:
            yield "http_404", len(foreign) / len(pods), {"address": f"{foreign[0].ip}:{listening}"}

    # What the callee answers

    def _mixes(self, service: Service, segment: Segment, overload: tuple[float, float]) -> None:
        routes = service.work
        own = [e for e in segment.own if e.service == service.name]
        revisions = {e.revision for e in own} | {0}
        nodes = (
            {e.node for e in own} | {e.node for e in segment.paths if e.node and e.caller in ("*", service.name)} | {""}
        )
        for route in routes:
            for revision in revisions:
                for node in nodes:
                    mine = [
                        e
                        for e in own
                        if e.revision in (0, revision) and e.route in ("", route.path) and e.node in ("", node)
                    ]
                    segment.mixes[(service.name, route.path, revision, node)] = self._mix(
                        service, route, mine, segment, node, overload
                    )

    def _mix(
        self,
        service: Service,
        route: Route,
        own: list[OwnEffect],
        segment: Segment,
        node: str,
        overload: tuple[float, float],
    ) -> Mix:
        failures: list[Failure] = []
        left, extra, slow = 1.0, 0.0, overload[1]
        if overload[0] > 0:
            failures.append(Failure("overload", 503, overload[0], "", service.timeout_seconds))
            left -= overload[0]
        for callee in route.calls:
            part = self.world.company.parts[callee]
            optional = isinstance(part, Service) and part.optional
            for failure in segment.edges[(service.name, callee)]:
                share = failure.share * left
                if (failure.get("writes_only") and route.method == "GET") or failure.get("node") not in ("", node):
                    continue
                if optional:
                    extra += failure.seconds * failure.share
                    continue
                left -= share
                failures.append(
                    Failure(
                        failure.kind,
                        500 if service.language == "python" else failure.code,
                        share,
                        callee,
                        failure.seconds,
                        failure.detail,
                    )
                )
            waits = sum(
                e.slow_seconds * e.share
                for e in segment.paths
                if e.kind == "slow" and e.callee == callee and e.caller in ("*", service.name) and e.node in ("", node)
            )
            if isinstance(part, Service) and not optional:
                bad, inner = self._inner(part, segment)
                waits += inner
                if bad > 0:
                    failures.append(Failure("upstream", 502 if service.language == "go" else 500, bad * left, callee))
                    left *= 1 - bad
            if waits > service.timeout_seconds * 0.6 and not optional:
                late = min(0.95, (waits / service.timeout_seconds - 0.5) * 0.7)
                failures.append(Failure("timeout", 504, late * left, callee, service.timeout_seconds))
                left *= 1 - late
            extra += waits
        for effect in own:
            if effect.kind == "slow":
                slow *= effect.factor
            elif effect.kind in ("exception", "shed", "auth", "refuse"):
                share = effect.share * left
                failures.append(
                    Failure(
                        effect.kind, effect.code, share, effect.detail.get("peer", ""), 0, tuple(effect.detail.items())
                    )
                )
                left -= share
        return Mix(tuple(f for f in failures if f.share > 1e-6), slow, extra)

    def _inner(self, callee: Service, segment: Segment) -> tuple[float, float]:
        """The callee's own share of failures, and its extra seconds, as its callers meet them on the average."""
        pods = segment.pods[callee.name]
        if not pods or not callee.routes:
            return 0.0, 0.0
        bad = extra = 0.0
        for route in callee.routes:
            for pod in pods:
                mix = segment.mix(callee.name, route.path, pod)
                share = route.share / len(pods)
                bad += share * mix.failed
                extra += share * (mix.extra_seconds + (mix.slow - 1) * callee.median_ms / 1000)
        return bad, extra

    # How many requests come

    def _rates(self, segment: Segment, at: float) -> None:
        rates: dict[str, float] = defaultdict(float)
        parts, edges = self.world.company.parts, segment.edges
        again = {
            s.service: s.factor for s in reversed(self.world.surges) if s.start <= at < s.end and "->" in s.service
        }
        for service in reversed(self.order):
            rates[service.name] += service.entry_rate * _surge(self.world, service.name, at)
            if not segment.pods[service.name]:
                rates[service.name] = 0.0
            if service.worker and segment.pods[service.name]:
                rates[service.name] = 0.6
            for route in service.work:
                going = rates[service.name] * route.share
                for callee in route.calls:  # in order: what fails before is not asked for after
                    lost = edges[(service.name, callee)]
                    reached = max(0.0, 1 - sum(f.share for f in lost)) if lost else 1.0
                    rates[callee] += going * reached * (again.get(f"{service.name}->{callee}", 1.0) if again else 1.0)
                    if not getattr(parts[callee], "optional", False):
                        going *= reached
        segment.rates = dict(rates)


def _failure(kind: str, share: float, callee: str, effect: EdgeEffect, caller: Service) -> Failure:
    detail = dict(effect.detail)
    if effect.node:
        detail["node"] = effect.node
    if effect.writes_only:
        detail["writes_only"] = "yes"
    seconds = (effect.slow_seconds or caller.timeout_seconds) if kind == "timeout" else 0.006
    return Failure(kind, _CODES.get(kind, 500), share, callee, seconds, tuple(detail.items()))


def _overload(service: Service, segment: Segment, shape: float) -> tuple[float, float]:
    """Share that cannot be served, and the factor of latency, by how busy the ready pods are."""
    pods = len(segment.pods[service.name])
    if not pods or service.worker:
        return 0.0, 1.0
    factor = 1.0
    for effect in segment.own:
        if effect.kind == "capacity" and effect.service == service.name:
            factor *= effect.factor
    busy = segment.rates.get(service.name, 0.0) * shape / (service.capacity * pods * factor)
    if busy <= 0.7:
        return 0.0, 1.0
    return (max(0.0, 1 - 0.97 / busy), min(14.0, 1 / (1.02 - min(busy, 0.95)) * 0.33 + 0.05))


def _surge(world: World, service: str, at: float) -> float:
    factor = 1.0
    for surge in world.surges:
        if surge.service in ("", service) and surge.start <= at < surge.end:
            grown = min(1.0, (at - surge.start) / surge.ramp_seconds) if surge.ramp_seconds else 1.0
            factor *= 1 + (surge.factor - 1) * grown
    return factor


def _cuts(world: World) -> list[float]:
    """Every moment at which something about requests changed, and the beginning."""
    cuts: set[float] = {world.founded - 1, world.now}
    for service in world.company.services:
        for pod in world.workload(service.name, service.namespace).pods:
            for span in pod.ready_spans():
                cuts.update(span)
    for store in world.company.stores:
        for pod in world.workload(store.name, store.namespace).pods:
            for span in pod.ready_spans():
                cuts.update(span)
    for it in world.services.values():
        cuts.update(since for since, _ in it.specs)
    cuts.update(since for since, _ in world.business_drops)
    spans = [(e.start, e.end) for e in world.edges] + [(e.start, e.end) for e in world.own]
    spans += [(s.start, s.end) for s in world.surges]
    for start, end in spans:
        cuts.update((start, end))
    for surge in world.surges:
        if surge.ramp_seconds:
            cuts.update(surge.start + surge.ramp_seconds * k / 10 for k in range(1, 11))
    quarter = 900.0
    first = min((start for start, _ in spans), default=world.now)
    if first < world.now:  # load varies within a long effect, and saturation with it
        cuts.update(first + quarter * k for k in range(1, int((world.now - first) // quarter) + 1))
    return sorted(t for t in cuts if world.founded - 2 < t <= world.now)


def _callees_first(world: World) -> list[Service]:
    done: dict[str, Service] = {}

    def visit(service: Service) -> None:
        for name in service.dependencies:
            part = world.company.parts[name]
            if isinstance(part, Service) and name not in done:
                visit(part)
        done[service.name] = service

    for service in world.company.services:
        if service.name not in done:
            visit(service)
    return list(done.values())
