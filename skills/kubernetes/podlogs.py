"""Logs of pods through the API: tails for the first look, and a LogSource for skills that analyze logs.

Timestamps are the kubelet's (`timestamps=true` prefixes each line with RFC 3339 nanoseconds); what the line says of its
own time stays in its text.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from skills.contract import Entity, Focus, Gap, LogBatch, LogLine, LogQuery, ToolError, Window
from skills.kubernetes.client import MAX_LOG_BYTES, Client, Refused
from skills.kubernetes.kinds import POD
from skills.kubernetes.objects import Object, dig, labels, maps, name, namespace, number, text, time_of
from skills.kubernetes.pods import container_statuses, init_statuses, is_finished, is_ready, last_end, name_of, waiting
from skills.kubernetes.snapshot import Snapshot
from skills.loglines import opened

LINES = 80
MORE_LINES = 300
"""Of what runs on: the last minutes of a program that serves, not the last words of one that died."""
MOST_TAILS = 24
_FRESH = timedelta(hours=3)
PROXIES = ("istio-proxy", "linkerd-proxy", "envoy-sidecar", "consul-dataplane")
_MOST_FIRST = 8
"""Tails of a first look: each is a request."""
ERROR_WORDS = ("error", "fatal", "panic", "exception", "traceback", "fail", "refused", "denied", "timeout", "timed out",
               "unable", "cannot", "could not", "critical")  # fmt: skip


@dataclass(frozen=True)
class Tail:
    namespace: str
    pod: str
    container: str
    previous: bool
    lines: int = LINES

    @property
    def key(self) -> tuple[str, str, str, bool]:
        return (self.namespace, self.pod, self.container, self.previous)

    @property
    def command(self) -> str:
        previous = " --previous" if self.previous else ""
        return f"kubectl -n {self.namespace} logs {self.pod} -c {self.container}{previous} --tail={self.lines}"


def wanted(snapshot: Snapshot, focus: Focus | None = None) -> list[Tail]:
    """Containers whose last words matter: those that crash, that are not ready, and init containers that do not end.
    One pod of a workload speaks for its siblings; two tails (now and before) of each container at most. What the alert
    names comes first, then what is not ready, then what restarted last."""
    found: list[Tail] = []
    spoken: set[tuple[Entity, str]] = set()
    for pod in sorted(snapshot.pods, key=lambda p: _urgency(snapshot, p, focus)):
        if text(pod, "status", "phase") == "Succeeded" or (is_ready(pod) and not _restarted(snapshot, pod)):
            continue
        owner = snapshot.owner_of(pod)
        for status in [*init_statuses(pod), *container_statuses(pod)]:
            who = (owner, name_of(status))
            if who in spoken or not _speaks(status):
                continue
            spoken.add(who)
            place = (namespace(pod), name(pod), name_of(status))
            if number(status, "restartCount") > 0:
                found.append(Tail(*place, previous=True))
            if not waiting(status)[0] or number(status, "restartCount") == 0:
                found.append(Tail(*place, previous=False))
    found += [t for t in _of_the_alert(snapshot, focus) if t not in found]
    return found[:_MOST_FIRST]


def _of_the_alert(snapshot: Snapshot, focus: Focus | None) -> list[Tail]:
    """What the alert names may run well and complain: one of its pods is heard in any case."""
    if focus is None or not focus.service:
        return []
    for pod in snapshot.pods:
        if is_ready(pod) and snapshot.owner_of(pod).name == focus.service:
            return [
                Tail(namespace(pod), name(pod), name_of(c), previous=False, lines=MORE_LINES)
                for c in maps(pod, "spec", "containers")
                if name_of(c) not in PROXIES
            ][:2]
    return []


def _urgency(snapshot: Snapshot, pod: Object, focus: Focus | None) -> tuple[bool, bool, float]:
    named = focus is not None and focus.service != "" and snapshot.owner_of(pod).name == focus.service
    ends = [time_of(dig(last_end(s), "finishedAt")) for s in container_statuses(pod)]
    last = max((e.timestamp() for e in ends if e), default=0.0)
    return not named, is_ready(pod), -last


def _restarted(snapshot: Snapshot, pod: Object) -> bool:
    """Within the last hours: what a container said before it was restarted last week explains nothing today."""
    ends = [time_of(dig(last_end(s), "finishedAt")) for s in container_statuses(pod) if number(s, "restartCount")]
    return any(e is None or snapshot.clock - e < _FRESH for e in ends)


def _speaks(status: Object) -> bool:
    """Has run at least once, and does not simply run well."""
    reason, _ = waiting(status)
    never = number(status, "restartCount") == 0 and reason in (
        "ContainerCreating", "PodInitializing", "ErrImagePull", "ImagePullBackOff", "CreateContainerConfigError",
        "CreateContainerError", "InvalidImageName",
    )  # fmt: skip
    done = text(status, "state", "terminated", "reason") == "Completed"
    return not never and not done and not (status.get("ready") is True and number(status, "restartCount") == 0)


def tails(
    client: Client, asked: Sequence[Tail], seconds: float
) -> tuple[dict[tuple[str, str, str, bool], tuple[LogLine, ...]], list[Gap]]:
    """What each of the containers said last. A container that has no log (yet, or any more) is simply left out."""
    ends = time.monotonic() + seconds
    found: dict[tuple[str, str, str, bool], tuple[LogLine, ...]] = {}
    missed: dict[object, list[tuple[Tail, ToolError]]] = {}
    if not asked:
        return found, []
    with ThreadPoolExecutor(min(8, len(asked)), thread_name_prefix="kubernetes-logs") as pool:
        for tail, outcome in zip(asked, pool.map(lambda t: _tail(client, t, ends), asked), strict=True):
            if isinstance(outcome, ToolError):
                status = outcome.status if isinstance(outcome, Refused) else None
                if status not in (400, 404):
                    missed.setdefault(status or type(outcome), []).append((tail, outcome))
            elif outcome:
                found[tail.key] = outcome
    return found, [_gap(alike) for alike in missed.values()]


def _gap(alike: Sequence[tuple[Tail, ToolError]]) -> Gap:
    """One for all that failed alike, in the words of the first."""
    tail, error = alike[0]
    more = f" and {len(alike) - 1} more" if len(alike) > 1 else ""
    return Gap(f"log of pod {tail.pod} container {tail.container}{more}", str(error))


def _tail(client: Client, tail: Tail, ends: float) -> tuple[LogLine, ...] | ToolError:
    most = min(MAX_LOG_BYTES, tail.lines * 820)
    params = {"container": tail.container, "tailLines": tail.lines, "timestamps": "true", "limitBytes": most}
    try:
        # Recorded clusters answer with all that they have, whatever was asked for.
        return read(client, tail, params, ends - time.monotonic())[-tail.lines :]
    except ToolError as error:
        return error


def heads(
    client: Client, asked: Sequence[Tail], past: Window, seconds: float
) -> dict[tuple[str, str, str, bool], tuple[LogLine, ...]]:
    """What each of the containers said in the past, as far as 64 KiB go, to compare a tail with. The kubelet cuts a log
    that was asked for without `tailLines` at its end. What cannot be read is left out: a baseline is no must."""
    ends = time.monotonic() + seconds

    def head(tail: Tail) -> tuple[LogLine, ...]:
        params = {"container": tail.container, "timestamps": "true", "limitBytes": 65536}
        params["sinceTime"] = f"{past.start:%Y-%m-%dT%H:%M:%SZ}"
        try:
            lines = read(client, tail, params, ends - time.monotonic())
        except ToolError:
            return ()
        return tuple(line for line in lines if past.start <= line.at < past.end)

    if not asked:
        return {}
    with ThreadPoolExecutor(min(8, len(asked)), thread_name_prefix="kubernetes-logs") as pool:
        found = zip(asked, pool.map(head, asked), strict=True)
        return {tail.key: lines for tail, lines in found if lines}


def read(client: Client, tail: Tail, params: dict[str, Any], within: float | None = None) -> tuple[LogLine, ...]:
    """Raises ToolError."""
    asked = {**params, "previous": "true"} if tail.previous else params
    body = client.text(f"{POD.path(tail.namespace, tail.pod)}/log", asked, within=within)
    who = Entity(kind="Pod", namespace=tail.namespace, name=tail.pod)
    return tuple(line for raw in body.splitlines() if (line := _line(raw, who, tail.container)))


def _line(raw: str, who: Entity, container: str) -> LogLine | None:
    stamp, _, said = raw.partition(" ")
    at = _stamp(stamp)
    if at is None:
        at, said = datetime.fromtimestamp(0, UTC), raw
    said = opened(said)
    return LogLine(at=at, text=said, entity=who, container=container, level=_level(said)) if said.strip() else None


def _stamp(value: str) -> datetime | None:
    if len(value) < 20 or "T" not in value:
        return None
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except ValueError:
        return None


def _level(said: str) -> str:
    head = said[:160].lower()
    for level, words in (
        ("fatal", ("fatal", "panic")),
        ("error", ("error", " err ", "exception", "traceback")),
        ("warning", ("warn",)),
    ):
        if any(w in head for w in words):
            return level
    return ""


class PodLogs:
    """A LogSource over the API server: no index, so it reads tails of the pods that a service's name covers."""

    def __init__(self, client: Client, pods: Callable[[str, str], Sequence[Object]]) -> None:
        """`pods(namespace, name)`: those that the name may mean, from what has been read already if possible."""
        self._client, self._pods = client, pods

    def read(self, query: LogQuery) -> LogBatch:
        """Raises ToolError."""
        if not query.namespace:
            raise ToolError("kubernetes: pod logs are read by namespace; the query names none")
        pods = [p for p in self._pods(query.namespace, query.service) if covers(p, query.service)]
        asked = [
            Tail(namespace(p), name(p), name_of(c), previous=False)
            for p in sorted(pods, key=lambda p: (is_ready(p), name(p)))
            if not (is_finished(p) and is_ready(p))
            for c in maps(p, "spec", "containers")
        ][:MOST_TAILS]
        params = {
            "timestamps": "true",
            "sinceTime": f"{query.window.start:%Y-%m-%dT%H:%M:%SZ}",
            "tailLines": 2000,
            "limitBytes": 524288,
        }
        lines = self._tails(asked, params)
        kept = sorted((line for line in lines if _fits(line, query)), key=lambda line: line.at)
        command = f"kubectl -n {query.namespace} logs -l … --since-time={params['sinceTime']}"
        if query.service:
            command = (
                f"kubectl -n {query.namespace} logs deploy/{query.service} --all-containers "
                f"--since-time={params['sinceTime']}"
            )
        return LogBatch(tuple(kept[-query.limit :]), len(kept), command)

    def _tails(self, asked: Sequence[Tail], params: dict[str, Any]) -> list[LogLine]:
        """Raises the first ToolError other than that a container has no log (yet, or any more)."""
        if not asked:
            return []
        with ThreadPoolExecutor(min(8, len(asked)), thread_name_prefix="kubernetes-logs") as pool:
            return [line for lines in pool.map(lambda t: self._tail(t, params), asked) for line in lines]

    def _tail(self, tail: Tail, params: dict[str, Any]) -> tuple[LogLine, ...]:
        try:
            return read(self._client, tail, {**params, "container": tail.container})
        except Refused as error:
            if error.status not in (400, 404):
                raise
            return ()


def covers(pod: Object, service: str) -> bool:
    return not service or name(pod).startswith(service) or service in labels(pod).values()


def _fits(line: LogLine, query: LogQuery) -> bool:
    said = line.text.lower()
    if query.text and query.text.lower() not in said:
        return False
    if query.errors_only and not (line.level in ("error", "fatal") or any(w in said for w in ERROR_WORDS)):
        return False
    return line.at <= query.window.end
