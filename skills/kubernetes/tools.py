"""What the model may ask of a cluster, and what is asked before it speaks."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from skills import logfaults
from skills.contract import (
    Access,
    Change,
    Check,
    Entity,
    Excerpt,
    FirstLook,
    Focus,
    LogLine,
    Skill,
    SkillContext,
    Sources,
    Tool,
    ToolError,
    ToolInput,
    ToolResult,
    Window,
)
from skills.kubernetes import cite, kinds, permissions, podlogs, rollouts, scope, topology, writes
from skills.kubernetes import look as looking
from skills.kubernetes.client import Client, NotServed
from skills.kubernetes.describe import describe, whole
from skills.kubernetes.look import Look
from skills.kubernetes.objects import Object, name, namespace
from skills.kubernetes.overview import at_a_glance, deviations, figures
from skills.kubernetes.podlogs import PodLogs, Tail
from skills.kubernetes.pods import container_statuses, is_ready, name_of
from skills.kubernetes.questions import InNamespace, LogsOf, Named, OneObject
from skills.kubernetes.reader import Reading
from skills.kubernetes.reads import Read, fetch
from skills.kubernetes.settings import Settings
from skills.kubernetes.sources import Changes, Edges

FRESH_SECONDS = 60.0
MOST_LINES = 60
MOST_CHANGES = 30


def connect(access: Access) -> Skill:
    return Kubernetes(access)


class Kubernetes:
    """One cluster, for one investigation. A snapshot is reused for a minute, so that tools do not read twice."""

    name = "kubernetes"

    def __init__(self, access: Access) -> None:
        self._settings: Settings = access.settings
        self._client = Client(access)
        self._looks: dict[str, tuple[float, Look]] = {}

    @property
    def tools(self) -> Sequence[Tool]:
        return (
            Tool(
                "kubernetes_analyze",
                "Runs all analyzers on a namespace: who is at fault, with evidence. Ask this first.",
                Named,
                self._analyze,
                ("pods", "services", "events", "nodes"),
            ),
            Tool(
                "kubernetes_overview",
                "What deviates in a namespace.",
                InNamespace,
                self._overview,
                ("pods", "services"),
            ),
            Tool(
                "kubernetes_describe",
                "One object: spec (affinity, probes, env, selectors), status, its events.",
                OneObject,
                self._describe,
                ("objects", "events"),
            ),
            Tool("kubernetes_logs", "Log lines of a pod or workload, newest last.", LogsOf, self._logs, ("pods/log",)),
            Tool("kubernetes_events", "Events of a namespace or one object.", Named, self._events, ("events",)),
            Tool(
                "kubernetes_rollouts",
                "What changed, when, by whom: revisions and their diffs, scaling, configuration, roles, quotas, nodes.",
                Named,
                self._rollouts,
                ("replicasets", "controllerrevisions"),
            ),
            Tool(
                "kubernetes_nodes", "Nodes: conditions, taints, capacity, events.", ToolInput, self._nodes, ("nodes",)
            ),
        )

    @property
    def sources(self) -> Sources:
        return Sources(logs=PodLogs(self._client, self.pods), changes=Changes(self.look_at), edges=Edges(self.look_at))

    def reach(self) -> None:
        """Raises ToolError. `/version` answers without permissions; what may be read shows in the first look's gaps."""
        self._client.get("/version")

    def first_look(self, context: SkillContext) -> FirstLook:
        found = self._look(context, "", seconds=self._seconds(context))
        window = Window(context.window.start - timedelta(hours=24), context.window.end)
        return FirstLook(
            text=looking.told(found),
            symptoms=found.symptoms,
            changes=tuple(rollouts.changes(found.snapshot, window)),
            edges=tuple(topology.edges(found.snapshot)),
            gaps=found.snapshot.gaps,
            evidence=(at_a_glance(found.snapshot), *deviations(found.snapshot)[:MOST_LINES]),
        )

    def checks(self) -> Sequence[Check]:
        return permissions.checks(self._client, self._settings)

    # --- reading ---------------------------------------------------------------------------------------------------

    def _seconds(self, context: SkillContext) -> float:
        if context.deadline is None:
            return self._settings.first_look_seconds
        left = (context.deadline - datetime.now(UTC)).total_seconds()
        return max(0.2, min(self._settings.first_look_seconds, left))

    def _look(self, context: SkillContext, place: str, *, seconds: float | None = None) -> Look:
        """Raises ToolError."""
        kept = self._fresh(place)
        if kept:
            return kept
        namespaces = (place,) if place else ()
        found = looking.look(
            self._client,
            self._settings,
            context.focus,
            context.window,
            namespaces=namespaces,
            seconds=seconds,
            listens=not any(s.logs for skill, s in context.sources.items() if skill != "kubernetes"),
        )
        self._looks[place] = (time.monotonic(), found)
        return found

    def _fresh(self, place: str) -> Look | None:
        """A look of the last minute at the namespace, or one at several that read this one wholly."""
        recent = {where: look for where, (at, look) in self._looks.items() if time.monotonic() - at < FRESH_SECONDS}
        if place in recent:
            return recent[place]
        return next((look for look in recent.values() if place and _holds_wholly(look, place)), None)

    def pods(self, place: str, called: str) -> Sequence[Object]:
        """Pods of a namespace that a name may mean, without listing a crowd. Raises ToolError."""
        kept = self._fresh(place)
        if kept and kept.snapshot.knows("Pod", place):
            return [p for p in kept.snapshot.all("Pod") if namespace(p) == place]
        path, within = kinds.POD.path(place), self._client.timeout_seconds
        found = fetch(self._client, Read(kinds.POD, place), time.monotonic() + within).items
        if not called or any(podlogs.covers(p, called) for p in found):
            return found
        for label in _NAME_LABELS:
            named = self._client.list(path, {"labelSelector": f"{label}={called}"}, pages=1).items
            if named:
                return named
        return self._client.list(path, {"fieldSelector": f"metadata.name={called}"}, pages=1).items

    def look_at(self, place: str, window: Window | None) -> Look:
        """For the sources that other skills use: whatever was read last, else a look of its own. Raises ToolError."""
        kept = self._looks.get(place) or (None if place else next(iter(self._looks.values()), None))
        if kept:
            return kept[1]
        now = window.end if window else datetime.now(UTC)
        focus = Focus(namespace=place)
        asked = window or Window(now - timedelta(hours=1), now)
        found = looking.look(self._client, self._settings, focus, asked, namespaces=(place,) if place else ())
        self._looks[place] = (time.monotonic(), found)
        return found

    def _place(self, context: SkillContext, asked: str) -> str:
        """The namespace that a question means. Raises ToolError when nothing says which."""
        place = asked or scope.of_focus(context.focus) or next(iter(self._settings.namespaces), "")
        if not place:
            place = next(iter(self._look(context, "").snapshot.namespaces), "")
        if not place:
            raise ToolError("kubernetes: name a namespace; neither the alert nor the settings name one")
        return place

    # --- tools -----------------------------------------------------------------------------------------------------

    def _analyze(self, asked: Named, context: SkillContext) -> ToolResult:
        found = self._look(context, asked.namespace)
        symptoms = found.symptoms
        if asked.name:
            symptoms = tuple(
                s
                for s in symptoms
                if _concerns(s.entity, asked.name) or any(_concerns(v, asked.name) for v in s.victims)
            )
        where = ", ".join(found.snapshot.namespaces)
        if not symptoms:
            return ToolResult(
                "no_data",
                f"No analyzer sees anything wrong in {where}.",
                (at_a_glance(found.snapshot),),
                gaps=found.snapshot.gaps,
            )
        causes = sum(1 for s in symptoms if s.role == "cause")
        return ToolResult(
            "ok",
            f"{causes} candidate cause(s) and {len(symptoms) - causes} effect(s) in {where}",
            symptoms=symptoms[:20],
            gaps=found.snapshot.gaps,
            full="\n".join(
                f"{s.specificity:.2f} {s.role} {s.entity} {','.join(s.faults)}: {s.summary}" for s in symptoms
            ),
        )

    def _overview(self, asked: InNamespace, context: SkillContext) -> ToolResult:
        found = self._look(context, asked.namespace)
        lines = deviations(found.snapshot)
        head = figures(found.snapshot)
        if not lines:
            return ToolResult(
                "no_data", f"{head}. Nothing deviates.", (at_a_glance(found.snapshot),), gaps=found.snapshot.gaps
            )
        return ToolResult(
            "ok", _counted(head, lines), tuple(lines[:MOST_LINES]), gaps=found.snapshot.gaps, full=_joined(lines)
        )

    def _describe(self, asked: OneObject, context: SkillContext) -> ToolResult:
        kind = kinds.by_name(asked.kind)
        place = self._place(context, asked.namespace) if kind is None or kind.namespaced else ""
        if kind is None:
            known = ", ".join(dict.fromkeys(k.name for k in (*kinds.IN_NAMESPACE, *kinds.OF_CLUSTER, *kinds.OPTIONAL)))
            raise ToolError(f"kubernetes: kind {asked.kind!r} is not read; known: {known}")
        look = self._look(context, place)
        obj = look.snapshot.find(kind.name, place, asked.name)
        if obj is None:
            if kind is kinds.SECRET:
                return ToolResult("no_data", f"no Secret {asked.name} in {place}, or its metadata may not be listed")
            try:
                obj = self._client.get(kind.path(place, asked.name))
            except NotServed as error:
                there = self._names(look, kind, place)
                return ToolResult(
                    "no_data",
                    f"no {kind.name} {asked.name}{f' in {place}' if place else ''} ({error.words}); there are: "
                    f"{', '.join(there[:40]) or 'none'}",
                )
        lines = describe(look.snapshot, kind.name, obj)
        return ToolResult(
            "ok", _counted(f"{kind.name} {asked.name}", lines), tuple(lines[:MOST_LINES]), full=whole(obj)
        )

    def _names(self, look: Look, kind: kinds.Kind, place: str) -> list[str]:
        """What there is of a kind, asked for where the look had no reason to read it."""
        if not look.snapshot.knows(kind.name, place):
            try:
                return [name(o) for o in self._client.list(kind.path(place), pages=1).items]
            except ToolError:
                return []
        return [name(o) for o in look.snapshot.of(kind.name) if not place or namespace(o) == place]

    def _logs(self, asked: LogsOf, context: SkillContext) -> ToolResult:
        place = self._place(context, asked.namespace)
        asked_tails = self._tails(asked, place)
        since = f"{context.now - timedelta(minutes=asked.minutes):%Y-%m-%dT%H:%M:%SZ}"
        lines: list[Excerpt] = []
        said: list[LogLine] = []
        words: list[str] = []
        for tail in asked_tails:
            params = {
                "container": tail.container,
                "timestamps": "true",
                "tailLines": 2000,
                "limitBytes": podlogs.LINES * 4096,
            }
            params |= {} if asked.previous else {"sinceTime": since}
            try:
                read = podlogs.read(self._client, tail, params)
            except ToolError as error:
                words.append(str(error))
                continue
            kept = [line for line in read if not asked.contains or asked.contains.lower() in line.text.lower()]
            words.append(f"{tail.pod}/{tail.container}: {len(kept)} of {len(read)} lines")
            writer = self._writer(place, tail.pod)
            said += [replace(line, entity=writer) for line in kept if line.at.year > 1970]
            lines += [Excerpt(line.text[:600], tail.command, entity=line.entity, at=line.at) for line in kept]
        if not lines:
            return ToolResult(
                "no_data" if asked_tails else "error", "; ".join(words) or f"no pod of {asked.name} in {place}"
            )
        told = logfaults.recognise(
            sorted(said, key=lambda line: line.at),
            namespace=place,
            query=asked_tails[0].command,
            link=None,
            onset=context.focus.started_at,
        )
        symptoms = tuple(replace(s, analyzer="kubernetes.logs") for s in told)
        return ToolResult(
            "ok", "; ".join(words), tuple(lines[-MOST_LINES:]), symptoms=symptoms[:10], full=_joined(lines)
        )

    def _writer(self, place: str, pod: str) -> Entity:
        """The workload of a pod, where a look knows it."""
        kept = self._fresh(place) or self._fresh("")
        known = kept.snapshot.find("Pod", place, pod) if kept else None
        return kept.snapshot.owner_of(known) if kept and known else Entity(kind="Pod", namespace=place, name=pod)

    def _tails(self, asked: LogsOf, place: str) -> list[Tail]:
        """Of the pod with that name, else of the workload's pods, unwell ones first; at most four."""
        pods = self.pods(place, asked.name)
        chosen = [p for p in pods if name(p) == asked.name] or [p for p in pods if name(p).startswith(f"{asked.name}-")]
        chosen.sort(key=lambda p: (is_ready(p), name(p)))
        tails = [
            Tail(place, name(p), name_of(s), asked.previous)
            for p in chosen
            for s in container_statuses(p)
            if asked.container in ("", name_of(s))
        ]
        if asked.container and not tails:
            tails = [Tail(place, name(p), asked.container, asked.previous) for p in chosen]
        return tails[:4]

    def _events(self, asked: Named, context: SkillContext) -> ToolResult:
        look = self._look(context, asked.namespace)
        events = [e for e in look.snapshot.events if e.name.startswith(asked.name)]
        lines = [cite.told(look.snapshot, e) for e in events]
        if not lines:
            return ToolResult(
                "no_data",
                f"no events about {asked.name or 'anything'} in {', '.join(look.snapshot.namespaces)} (kept for an "
                "hour by default)",
            )
        return ToolResult(
            "ok", _counted(f"{len(lines)} events, newest last", lines), tuple(lines[-MOST_LINES:]), full=_joined(lines)
        )

    def _rollouts(self, asked: Named, context: SkillContext) -> ToolResult:
        look = self._look(context, asked.namespace)
        window = Window(context.now - timedelta(days=7), context.now)
        found = [
            c for c in rollouts.changes(look.snapshot, window) if not asked.name or _concerns(c.entity, asked.name)
        ]
        if asked.namespace and not asked.name:
            known = {c.id for c in found}
            found += [c for c in self._rights(asked.namespace, window) if c.id not in known]
            found.sort(key=lambda c: (c.at, c.id))
        if not found:
            return ToolResult(
                "no_data",
                f"nothing changed within 7 days{f' about {asked.name}' if asked.name else ''}, as far as objects tell",
            )
        lines = [e for c in found for e in c.evidence]
        return ToolResult(
            "ok",
            _counted(f"{len(found)} changes in 7 days, newest last", lines),
            tuple(lines[-MOST_LINES:]),
            full=_joined(lines),
            changes=tuple(found[-MOST_CHANGES:]),
        )

    def _rights(self, place: str, window: Window) -> list[Change]:
        """Changes of roles and bindings, which a look reads only where a log speaks of forbidden calls."""
        reading = Reading(self._client, (place,), window.end, self._settings.link_base)
        reading.read([Read(kind, place) for kind in (kinds.ROLE, kinds.ROLE_BINDING)], self._client.timeout_seconds)
        return [c for c in writes.of(reading.snapshot()) if window.start <= c.at <= window.end]

    def _nodes(self, asked: ToolInput, context: SkillContext) -> ToolResult:
        look = self._look(context, "")
        nodes = look.snapshot.all("Node")
        if not nodes:
            raise ToolError(
                "; ".join(g.why for g in look.snapshot.gaps if "nodes" in g.what) or "GET /api/v1/nodes: no nodes"
            )
        lines = [e for node in nodes[:30] for e in _node(look, node)]
        read = "" if look.snapshot.knows("Node") else " read whole; the others are ready, by the server's table"
        return ToolResult("ok", f"{len(nodes)} nodes{read}", tuple(lines[:MOST_LINES]), full=_joined(lines))


_NAME_LABELS = ("app", "app.kubernetes.io/name", "app.kubernetes.io/instance", "k8s-app")


def _holds_wholly(look: Look, place: str) -> bool:
    """Every kind of the first wave was read of the namespace, not only enough of it."""
    return all(look.snapshot.knows(kind.name, place) for kind in (kinds.EVENT, kinds.CONFIG_MAP, kinds.POD))


def _node(look: Look, node: Object) -> list[Excerpt]:
    wanted = ("taints", "unschedulable", "allocatable", "condition")
    lines = describe(look.snapshot, "Node", node)
    return [e for e in lines if (any(w in e.text for w in wanted) and "=False" not in e.text) or "Ready=" in e.text][:8]


def _concerns(entity: Entity, asked: str) -> bool:
    return entity.name == asked or entity.name.startswith(f"{asked}-")


def _counted(head: str, lines: Sequence[Excerpt]) -> str:
    return head + (f" ({len(lines) - MOST_LINES} more lines on the trace page)" if len(lines) > MOST_LINES else "")


def _joined(lines: Sequence[Excerpt]) -> str:
    return "\n".join(f"{e.at or ''} {e.text}".strip() for e in lines)
