"""The first look at a cluster: where to look, one snapshot, last words of what crashes, and all analyzers over it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from skills.contract import Focus, Symptom, ToolError, Window
from skills.kubernetes import analyzers, crashlogs, kinds, overview, podlogs, reader, references, scope
from skills.kubernetes.client import Client
from skills.kubernetes.objects import name
from skills.kubernetes.settings import Settings
from skills.kubernetes.snapshot import Snapshot

_FOR_LOGS = 0.3
"""Share of the time that is kept for logs and for what the first lists point to."""


@dataclass(frozen=True)
class Look:
    snapshot: Snapshot
    symptoms: tuple[Symptom, ...]


def look(
    client: Client,
    settings: Settings,
    focus: Focus,
    window: Window,
    *,
    namespaces: Sequence[str] = (),
    seconds: float | None = None,
) -> Look:
    """Within the seconds. Raises ToolError when nothing could be read."""
    whole = seconds or settings.first_look_seconds
    ends = time.monotonic() + whole
    places = tuple(namespaces) or scope.choose(client, settings.namespaces, focus, whole / 3)
    if not places:
        raise ToolError(
            "kubernetes: no namespace to look into: the alert names none and the cluster shows no application"
        )
    left = ends - time.monotonic()
    snapshot = reader.read(client, places, window.end, left * (1 - _FOR_LOGS), settings.link_base)
    snapshot = _further(client, settings, snapshot, ends)
    return Look(snapshot, tuple(_symptoms(snapshot, focus, window)))


def _further(client: Client, settings: Settings, snapshot: Snapshot, ends: float) -> Snapshot:
    """Namespaces that addresses lead to, logs, and the cluster's roles where a log speaks of forbidden calls."""
    elsewhere = _elsewhere(snapshot) if not settings.namespaces else []
    if elsewhere:
        wanted = [(k, place) for place in elsewhere for k in kinds.IN_NAMESPACE[:7]]
        snapshot = replace(
            reader.extend(snapshot, client, wanted, max(0.1, (ends - time.monotonic()) / 2)),
            namespaces=(*snapshot.namespaces, *elsewhere),
        )
    found, gaps = podlogs.tails(client, podlogs.wanted(snapshot), max(0.1, ends - time.monotonic()))
    snapshot = replace(snapshot, logs=found, gaps=(*snapshot.gaps, *gaps))
    if any("is forbidden: User" in line.text for lines in found.values() for line in lines):
        roles = [(kinds.CLUSTER_ROLE, ""), (kinds.CLUSTER_ROLE_BINDING, "")]
        snapshot = reader.extend(snapshot, client, roles, max(0.2, ends - time.monotonic()))
    return snapshot


def _elsewhere(snapshot: Snapshot) -> list[str]:
    """At most two application namespaces that exist and that workloads have addresses in."""
    existing = {name(n) for n in snapshot.all("Namespace")} - set(snapshot.namespaces) - kinds.SYSTEM_NAMESPACES
    if not existing:
        return []
    targets = [references.understand(snapshot, r.host, r.workload.namespace or "") for r in references.every(snapshot)]
    return list(dict.fromkeys(t.namespace for t in targets if t and t.namespace in existing))[:2]


def _symptoms(snapshot: Snapshot, focus: Focus, window: Window) -> list[Symptom]:
    found = analyzers.run(snapshot, focus, window, window.end)
    found += crashlogs.symptoms(snapshot, focus.started_at)
    found += overview.healthy(snapshot, focus)
    return analyzers.ordered(found)


def told(look: Look) -> str:
    """A few lines for the model's first page."""
    causes = [s for s in look.symptoms if s.role == "cause"]
    effects = [s for s in look.symptoms if s.role == "effect"]
    lines = [overview.figures(look.snapshot)]
    if not causes and not effects:
        lines.append("Nothing deviates in the objects that were read.")
    else:
        lines.append(f"{len(causes)} candidate cause(s), {len(effects)} effect(s).")
    lines += [f"{s.role} {s.specificity:.2f}: {s.summary}" for s in [*causes[:4], *effects[:4]]]
    return "\n".join(lines)
