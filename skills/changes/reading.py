"""Reads every system that tells of changes, side by side and in time. One that fails is a gap and hides no other."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from skills.changes import argocd, github
from skills.changes.happening import Happening
from skills.changes.relation import Surroundings, base
from skills.changes.settings import Settings
from skills.contract import Access, Change, Edge, Entity, Gap, SkillContext, SkillError, ToolError, Window
from skills.rest import Rest

OWN = "changes"
MOST_REPOSITORIES = 16
"""Asked in one go, three requests each; where there are more, only the alert's own and its dependencies' are."""
MOST_BELOW = 10
_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Rollout")
_WAIT_SHARE = 0.75
"""Of the time there is: how long another skill's first look is waited for."""


@dataclass(frozen=True)
class Systems:
    """What this skill itself can ask."""

    settings: Settings
    github: Rest | None
    argocd: Rest | None

    @staticmethod
    def of(access: Access) -> Systems:
        settings: Settings = access.settings
        return Systems(
            settings,
            github.door(settings.github, access) if settings.github else None,
            argocd.door(settings.argocd, access) if settings.argocd else None,
        )


@dataclass(frozen=True)
class Told:
    """What the other skills offer."""

    changes: tuple[Change, ...]
    edges: tuple[Edge, ...]
    names: tuple[str, ...]
    """Of the skills that answered."""
    gaps: tuple[Gap, ...] = ()

    def is_workload(self, entity: Entity) -> bool:
        """Whether it runs where rollouts can be seen."""
        return bool(self.names) and (entity.kind in _WORKLOADS or self.workload(entity.name) is not None)

    def workload(self, name: str) -> Entity | None:
        """The workload of that name, if there is one and no second."""
        ends = [e for edge in self.edges for e in (edge.source, edge.target)]
        found = {e for e in (*ends, *(c.entity for c in self.changes)) if e.kind in _WORKLOADS}
        same = {e for e in found if base(e.name) == base(name)}
        return next(iter(same)) if len(same) == 1 else None


@dataclass(frozen=True)
class Reading:
    told: Told
    happenings: tuple[Happening, ...]
    gaps: tuple[Gap, ...]
    systems: tuple[str, ...]
    """In words, for the first line: kubernetes, GitHub (3 repositories), Argo CD, flag events."""


def read(systems: Systems, context: SkillContext, since: datetime, seconds: float) -> Reading:
    """Everything since a time. Ends within `seconds`, whatever the systems do."""
    end = time.monotonic() + seconds
    with ThreadPoolExecutor(3) as pool:
        others = pool.submit(_others, context, since, time.monotonic() + seconds * _WAIT_SHARE)
        synced = pool.submit(_argocd, systems, since, end)
        merged = _github(systems, context, others.result, since, end)
        told = others.result()
        parts = [merged, synced.result()]
    words = [*told.names, *(w for _, _, w in parts if w)]
    if context.recorded_changes:
        words.append("flag events")
    return Reading(
        told,
        tuple(h for found, _, _ in parts for h in found),
        (*told.gaps, *(g for _, gaps, _ in parts for g in gaps)),
        tuple(words),
    )


_Part = tuple[Sequence[Happening], Sequence[Gap], str]


def must_choose(systems: Systems) -> bool:
    """Whether the dependencies decide which repositories are asked."""
    named = systems.settings.github.repositories if systems.settings.github else {}
    return len(named) > MOST_REPOSITORIES or any(c in service for service in named for c in "*?[")


def _github(systems: Systems, context: SkillContext, others: Callable[[], Told], since: datetime, end: float) -> _Part:
    """Of few repositories all; of many the alert's own at once, then those of what it depends on."""
    settings, rest = systems.settings.github, systems.github
    if settings is None or rest is None:
        return (), (), ""
    around = Surroundings(context.focus)
    own = github.repositories(settings, sorted(around.names), context.focus.labels)
    asked = own[:MOST_REPOSITORIES]
    if must_choose(systems):
        asked = [r for r in asked if around.names & set(r.services) or not r.services]
    found, gaps = github.happenings(rest, settings, asked, since, end)
    left: list[str] = []
    if must_choose(systems):
        around = Surroundings(context.focus, others().edges)
        below = [
            r
            for r in github.repositories(settings, around.dependencies, {})
            if r.name not in {a.name for a in asked} and set(r.services) & set(around.dependencies)
        ]
        more, blanks = github.happenings(rest, settings, below[:MOST_BELOW], since, end)
        found, gaps, asked = [*found, *more], [*gaps, *blanks], [*asked, *below[:MOST_BELOW]]
        left = [s for r in below[MOST_BELOW:] for s in r.services]
    if not asked:
        return (), (), f"GitHub (which has no repository of {around.about} by the settings)"
    if left:
        why = f"{len(left)} services that {around.about} depends on were not asked for: {', '.join(left[:5])}"
        gaps.append(Gap("GitHub: other repositories", why))
    counted = f"{len(asked)} {'repository' if len(asked) == 1 else 'repositories'}"
    return found, gaps, f"GitHub ({counted})" if len(gaps) == 0 or found else ""


def _argocd(systems: Systems, since: datetime, end: float) -> _Part:
    settings = systems.settings.argocd
    if settings is None or systems.argocd is None:
        return (), (), ""
    try:
        apps = argocd.applications(systems.argocd, settings, end)
    except ToolError as error:
        return (), (Gap("Argo CD", str(error)),), ""
    return argocd.happenings(apps, settings.url, since), (), f"Argo CD ({len(apps)} applications)"


def _others(context: SkillContext, since: datetime, end: float) -> Told:
    """By their first look while that goes on, else by their sources."""
    changes: list[Change] = []
    edges: list[Edge] = []
    names: list[str] = []
    gaps: list[Gap] = []
    window = Window(since, context.now)
    for name, source in sorted(context.sources.items()):
        if name == OWN or (source.changes is None and source.edges is None):
            continue
        seen = context.look_of(name, end - time.monotonic()) if context.look_of else None
        try:
            if seen is not None:
                changes += [c for c in seen.changes if c.at >= since]
                edges += seen.edges
            else:
                changes += source.changes.changes(window, context.focus.namespace) if source.changes else ()
                edges += source.edges.edges(context.focus.namespace) if source.edges else ()
        except (ToolError, SkillError) as error:
            gaps.append(Gap(f"changes of {name}", str(error)))
            continue
        if source.changes is not None:
            names.append(name)
    return Told(tuple(changes), tuple(edges), tuple(names), tuple(gaps))


def nodes_of(context: SkillContext, names: Sequence[str]) -> tuple[str, ...]:
    """The nodes that carry the pods of these workloads, where a metrics skill can tell: kube_pod_info of
    kube-state-metrics. Nothing is known, and nothing missed, where it cannot."""
    wanted = "|".join(n.replace(".", "\\.") for n in names if n)
    place = f'namespace="{context.focus.namespace}",' if context.focus.namespace else ""
    for source in context.sources.values():
        if source.series is None or not wanted:
            continue
        window = Window(context.now - timedelta(minutes=10), context.now)
        try:
            found = source.series.range(f'kube_pod_info{{{place}pod=~"({wanted})-.*"}}', window, 300)
        except ToolError:
            continue
        return tuple(sorted({s.labels["node"] for s in found if s.labels.get("node")}))
    return ()
