"""Calls as their callers time them: a slow way to something that is not slow itself (G1), or a slow callee (an effect).

What separates the two is who else measures: the callee's own durations stay flat when only the way is slow, and of
several callers all see it when it is the callee's way, one alone when it is its own.

Metrics: OpenTelemetry's `http.client.request.duration` (server.address) and the like of common client libraries (peer);
Tempo's service graphs, `traces_service_graph_request_{client,server}_seconds`; Istio's `istio_request_duration_
milliseconds` as the source reports it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from skills.contract import Entity, Series, Symptom
from skills.prometheus.look import Look, Question, workload
from skills.series import change_point, shown

_CALLER = "namespace, service, job, app, peer, server_address"
_GRAPH = "client, server"
_MESH = "source_workload, source_workload_namespace, destination_service_name, destination_service_namespace"


def _mean(name: str, by: str, matchers: str, scale: str = "") -> str:
    top = f"sum by ({by}) (rate({name}_sum{{{matchers}}}[5m]))"
    return f"{top} / sum by ({by}) (rate({name}_count{{{matchers}}}[5m])){scale}"


QUESTIONS = (
    Question("calls", _mean("http_client_request_duration_seconds", _CALLER, "{ns}"), "mean duration of calls", "s"),
    Question("graph_calls", _mean("traces_service_graph_request_client_seconds", _GRAPH, ""), "calls by clients", "s"),
    Question("graph_answers", _mean("traces_service_graph_request_server_seconds", _GRAPH, ""), "answers", "s"),
    Question(
        "mesh_calls",
        _mean("istio_request_duration_milliseconds", _MESH, 'reporter="source"', " / 1000"),
        "calls by sources",
        "s",
    ),
)
TIMES = 3.0
SECONDS = 0.1
"""A call counts as slower when it takes three times as long as before, and a tenth of a second more."""


@dataclass(frozen=True)
class _Level:
    before: float
    after: float
    series: Series

    @property
    def rose(self) -> bool:
        return self.after >= TIMES * self.before and self.after - self.before >= SECONDS


@dataclass(frozen=True)
class _Call:
    question: str
    caller: Entity
    callee: Entity
    level: _Level


def analyze(look: Look) -> list[Symptom]:
    calls = [*_by_clients(look), *_by_graph(look), *_by_mesh(look)]
    own = {_name(s): _level(s, look) for s in look.ask("latency")} | {
        s.labels.get("server", ""): _level(s, look) for s in look.ask("graph_answers")
    }
    to: dict[Entity, list[_Call]] = defaultdict(list)
    for call in calls:
        to[call.callee].append(call)
    found = []
    for callee, seen in to.items():
        slower = [c for c in seen if c.level.rose]
        if slower:
            found += _judged(look, callee, slower, seen, own.get(callee.name))
    return found


def _judged(look: Look, callee: Entity, slower: list[_Call], seen: list[_Call], own: _Level | None) -> list[Symptom]:
    growth = max(c.level.after - c.level.before for c in slower)
    flat = own is not None and own.after - own.before < 0.3 * growth and own.after < 1.5 * own.before
    callers = {c.caller for c in slower}
    spared = {c.caller for c in seen} - callers
    if not flat or own is None or callee.kind == "external":
        return [_effect(look, call) for call in slower]
    worst = max(slower, key=lambda c: c.level.after)
    text = (
        f"calls to {callee.name} take {shown(worst.level.after)} s, {shown(worst.level.before)} s before, as"
        f" {', '.join(sorted(c.name for c in callers))} time them; {callee.name} itself answers in"
        f" {shown(own.after)} s, {shown(own.before)} s before"
    )
    one_of_many = bool(spared) and len(callers) == 1
    entity = next(iter(callers)) if one_of_many else _workload(look, callee)
    if one_of_many:
        text += f"; {', '.join(sorted(s.name for s in spared))} see nothing of it"
    moment = change_point(worst.level.series.points)
    return [
        Symptom(
            analyzer="prometheus.edges",
            entity=entity,
            faults=("link_latency", "packet_loss"),
            summary=text,
            # Calls that nobody answers look slow as well: what bars the way is told by other signs.
            specificity=0.6 if one_of_many else 0.72,
            evidence=(look.excerpt(worst.question, text, entity, moment.at if moment else None),),
            onset=moment.at if moment else None,
            victims=tuple(sorted(callers, key=str)),
        ),
        *(_effect(look, call) for call in slower),
    ]


def _effect(look: Look, call: _Call) -> Symptom:
    level = call.level
    text = (
        f"calls of {call.caller.name} to {call.callee.name} take {shown(level.after)} s, {shown(level.before)} s before"
    )
    moment = change_point(level.series.points)
    return Symptom(
        analyzer="prometheus.edges",
        entity=call.caller,
        faults=(),
        summary=text,
        specificity=0.35,
        evidence=(look.excerpt(call.question, text, call.caller, moment.at if moment else None),),
        onset=moment.at if moment else None,
        role="effect",
        points_at=(call.callee,),
    )


def _level(series: Series, look: Look) -> _Level:
    """Two levels of a series: where it changed, if it did and stayed; else the same one twice."""
    moment = change_point(series.points)
    if moment is None or moment.explained < 0.5 or moment.at < look.baseline.start:
        known = [v for _, v in series.points if v == v]
        mean = sum(known) / len(known) if known else 0.0
        return _Level(mean, mean, series)
    return _Level(moment.before, moment.after, series)


def _by_clients(look: Look) -> list[_Call]:
    found = []
    for series in look.ask("calls"):
        place, peer = (
            series.labels.get("namespace", ""),
            series.labels.get("peer") or series.labels.get("server_address"),
        )
        if peer:
            caller = Entity(kind="Service", namespace=place or None, name=_name(series))
            found.append(_Call("calls", caller, _callee(peer, place), _level(series, look)))
    return found


def _by_graph(look: Look) -> list[_Call]:
    found = []
    for series in look.ask("graph_calls"):
        client, server = series.labels.get("client", ""), series.labels.get("server", "")
        if client and server:
            place = look.focus.namespace
            caller = Entity(kind="Service", namespace=place or None, name=client)
            found.append(_Call("graph_calls", caller, _callee(server, place), _level(series, look)))
    return found


def _by_mesh(look: Look) -> list[_Call]:
    found = []
    for series in look.ask("mesh_calls"):
        labels = series.labels
        caller = Entity(
            kind="Deployment",
            namespace=labels.get("source_workload_namespace") or None,
            name=labels.get("source_workload", "unknown"),
        )
        callee = Entity(
            kind="Service",
            namespace=labels.get("destination_service_namespace") or None,
            name=labels.get("destination_service_name", "unknown"),
        )
        found.append(_Call("mesh_calls", caller, callee, _level(series, look)))
    return found


def _callee(address: str, place: str) -> Entity:
    """A bare name or name.namespace.svc is a Service; any other dotted name is a host outside."""
    host = address.split(":")[0]
    name, _, rest = host.partition(".")
    if not rest:
        return Entity(kind="Service", namespace=place or None, name=name)
    if ".svc" in f".{rest}":
        return Entity(kind="Service", namespace=rest.split(".")[0], name=name)
    return Entity(kind="external", name=host)


def _name(series: Series) -> str:
    labels = series.labels
    return labels.get("service") or labels.get("app") or labels.get("job") or ""


def _workload(look: Look, service: Entity) -> Entity:
    """The workload of a Service's name, if pods of one were seen; the Service itself otherwise."""
    owners = {workload(namespace, pod) for namespace, pod, _ in look.by_container("cpu_usage")}
    return next((o for o in owners if (o.namespace, o.name) == (service.namespace, service.name)), service)
