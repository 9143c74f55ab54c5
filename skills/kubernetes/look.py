"""The first look at a cluster: where to look, one snapshot, last words of what crashes, and all analyzers over it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from skills.contract import Focus, Symptom, ToolError, Window
from skills.kubernetes import (
    analyzers,
    asmeant,
    crashlogs,
    kinds,
    needs,
    overview,
    podlogs,
    references,
    scope,
    witnesses,
)
from skills.kubernetes.client import Client
from skills.kubernetes.objects import name
from skills.kubernetes.reader import Reading, first_wave, optional_kinds, whole_namespace
from skills.kubernetes.reads import Read
from skills.kubernetes.settings import Settings
from skills.kubernetes.snapshot import Snapshot

_EARLIER = 3600.0
_FIRST_SHARE, _SECOND_SHARE = 0.65, 0.6
"""Of the time: for the first lists, and of what is left then for those that they make worth reading."""


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
    listens: bool = False,
) -> Look:
    """Within the seconds. `listens`: whether to hear what runs well besides what crashes, since nobody else does.

    Raises ToolError when nothing could be read."""
    whole = seconds or settings.first_look_seconds
    ends = time.monotonic() + whole
    places = tuple(namespaces) or scope.choose(client, settings.namespaces, focus, whole / 3)
    if not places:
        raise ToolError(
            "kubernetes: no namespace to look into: the alert names none and the cluster shows no application"
        )
    named = scope.of_focus(focus)
    primary = (named,) if named in places else places[:1]
    reading = Reading(client, places, window.end, settings.link_base)
    reading.read(first_wave(places, primary), _left(ends) * _FIRST_SHARE, discover=True)
    reading.raise_if_nothing()
    snapshot = _further(client, settings, reading, focus, primary, ends)
    snapshot = _heard(client, reading, snapshot, focus, window, primary, ends, listens=listens)
    return Look(snapshot, tuple(_symptoms(snapshot, focus, window)))


def _left(ends: float) -> float:
    return max(0.05, ends - time.monotonic())


def _further(
    client: Client, settings: Settings, reading: Reading, focus: Focus, primary: Sequence[str], ends: float
) -> Snapshot:
    """What the first lists make worth reading, namespaces that addresses lead to, logs, and roles where a log speaks of
    forbidden calls."""
    snapshot = reading.snapshot()
    wanted = [*needs.of(snapshot, focus), *optional_kinds(reading, primary, mesh=needs.has_mesh(snapshot))]
    called = _called(snapshot)
    elsewhere = [] if settings.namespaces else _elsewhere(snapshot, called)
    wanted += [Read(kind, place) for place in elsewhere for kind in _ELSEWHERE]
    wanted += _promoted(snapshot, [p for p in reading.namespaces if p not in primary], called, focus)
    # Short of the logs, which tell more than most lists.
    reading.read(wanted, _left(ends) * _SECOND_SHARE)
    if elsewhere:
        reading.add_namespaces(elsewhere)
        again = reading.snapshot()
        third = [*_promoted(again, elsewhere, called, focus), *needs.of(again, focus)]
        reading.read(third, _left(ends) * 0.5)
    return reading.snapshot()


def _heard(
    client: Client,
    reading: Reading,
    snapshot: Snapshot,
    focus: Focus,
    window: Window,
    primary: Sequence[str],
    ends: float,
    *,
    listens: bool,
) -> Snapshot:
    """With the last words of what crashes; with those of the alert's surroundings where nobody else reads logs, and
    what they said before the onset where they complain."""
    tails = podlogs.wanted(snapshot, focus)
    if listens:
        calm = {t.key: t for t in witnesses.witnesses(snapshot, focus)}
        tails = [*(t for t in tails if t.key not in calm), *calm.values()]
    found, gaps = podlogs.tails(client, tails, _left(ends))
    if any("is forbidden: User" in line.text for lines in found.values() for line in lines):
        roles = [Read(kind, place) for place in primary for kind in (kinds.ROLE, kinds.ROLE_BINDING)]
        reading.read([*roles, Read(kinds.CLUSTER_ROLE), Read(kinds.CLUSTER_ROLE_BINDING)], max(0.3, _left(ends)))
        snapshot = reading.snapshot()
    heard = snapshot.hearing(found, gaps)
    if not listens:
        return heard
    complain = {e.entity for s in crashlogs.symptoms(heard, focus.started_at) for e in s.evidence}
    compared = [t for t in witnesses.of_before(heard, window.start, found) if witnesses.writer(heard, t) in complain]
    earlier = podlogs.heads(client, compared, window.before(_EARLIER), _left(ends))
    return snapshot.hearing(found, gaps, earlier)


_ELSEWHERE = (kinds.SERVICE, kinds.ENDPOINT_SLICE, kinds.NETWORK_POLICY)


def _called(snapshot: Snapshot) -> frozenset[tuple[str, str]]:
    """(namespace, name) of every Service that some address means."""
    targets = [references.understand(snapshot, r.host, r.workload.namespace or "") for r in references.every(snapshot)]
    return frozenset((t.namespace, t.service) for t in targets if t)


def _elsewhere(snapshot: Snapshot, called: frozenset[tuple[str, str]]) -> list[str]:
    """At most two application namespaces that exist and that workloads have addresses in."""
    existing = {name(n) for n in snapshot.all("Namespace")} - set(snapshot.namespaces) - kinds.SYSTEM_NAMESPACES
    return sorted({place for place, _ in called} & existing)[:2]


def _promoted(
    snapshot: Snapshot, places: Sequence[str], called: frozenset[tuple[str, str]], focus: Focus
) -> list[Read]:
    """All of the namespaces around the alert's in which something deviates."""
    unwell = [place for place in places if needs.deviates(snapshot, place, called, focus)]
    return [read for place in unwell for read in whole_namespace(place)]


def _symptoms(snapshot: Snapshot, focus: Focus, window: Window) -> list[Symptom]:
    found = analyzers.run(snapshot, focus, window, window.end)
    found += crashlogs.symptoms(snapshot, focus.started_at)
    found += overview.healthy(snapshot, focus, window)
    found += asmeant.as_meant(snapshot, focus)
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
