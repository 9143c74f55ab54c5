"""One timeline: what several systems tell of the same change becomes one entry, with its relation and its time.

A rollout, its deployment, its sync, its release and its pull request share a service, and a version or a moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from skills.changes.happening import Happening, revisions_in
from skills.changes.relation import Relation, Surroundings, base
from skills.contract import Change, Entity

_STAGES = ("deployment", "sync", "release", "merge")
"""In the order in which they are joined: what is closest in time to a rollout first."""
_BEFORE = {
    "deployment": timedelta(minutes=20),
    "sync": timedelta(minutes=10),
    "release": timedelta(minutes=60),
    "merge": timedelta(minutes=45),
}
"""How long before the rollout each usually stands when nothing but time joins them."""
_VERSIONED = timedelta(hours=24)
"""A version in common joins over a day: trains and approvals take their time."""
_AFTER = timedelta(minutes=3)
"""Clocks differ, and a release is often published when the rollout has begun."""


@dataclass(frozen=True)
class Entry:
    change: Change
    """What a finding would name: the rollout's id where a rollout is known."""
    parts: tuple[Happening, ...]
    """What other systems tell of it, oldest first."""
    relation: Relation
    before_onset: timedelta
    """Negative: it came after the onset."""

    @property
    def told(self) -> str:
        """One line: when, how it relates, what, who."""
        at = f"{self.change.at:%Y-%m-%dT%H:%M:%SZ}, {span(self.before_onset)}, {self.relation}"
        thing = f"{self.change.entity.kind} {self.change.entity.name}"
        parts = [p.summary for p in self.parts]
        what = "; ".join(dict.fromkeys((self.change.summary, *parts)))
        author = f" (by {self.change.author})" if self.change.author and self.change.author not in what else ""
        return f"{at}: {thing}: {what}{author} [{self.change.id}]"


def span(before: timedelta) -> str:
    seconds = before.total_seconds()
    minutes = abs(seconds) / 60
    amount = (
        f"{minutes:.0f} min"
        if minutes < 120
        else f"{minutes / 60:.1f} h"
        if minutes < 2880
        else f"{minutes / 1440:.1f} d"
    )
    return f"{amount} before the onset" if seconds >= 0 else f"{amount} after the onset"


@dataclass
class _Group:
    at: datetime
    names: frozenset[str]
    namespaces: frozenset[str]
    revisions: frozenset[str]
    repositories: frozenset[str]
    change: Change | None = None
    parts: list[Happening] = field(default_factory=list)

    def take(self, happening: Happening) -> None:
        self.parts.append(happening)
        self.names |= {base(n) for n in happening.names}
        self.revisions |= happening.revisions
        self.repositories |= {happening.repository} - {""}


def timeline(
    changes: Iterable[Change],
    happenings: Iterable[Happening],
    around: Surroundings,
    onset: datetime,
    resolve: Callable[[str], Entity | None],
) -> list[Entry]:
    """Oldest first. `changes`: what skills and Gumshoe's own record tell; `resolve`: the workload of a name."""
    plain = list(changes)
    groups = [_of_rollout(c) for c in plain if c.kind == "rollout"]
    groups += [_Group(c.at, frozenset(), frozenset(), frozenset(), frozenset(), c) for c in plain if c.kind == "config"]
    for happening in sorted(happenings, key=lambda h: (_stage(h), h.at, h.id)):
        home = _home(happening, groups)
        if home is None:
            groups.append(_of_happening(happening))
        else:
            home.take(happening)
    entries = [_entry(g, around, onset, resolve) for g in groups]
    whole = [c for c in plain if c.kind not in ("rollout", "config")]
    entries += [Entry(c, (), around.nearest(_touched(c))[0], onset - c.at) for c in whole]
    return sorted(entries, key=lambda e: (e.change.at, e.change.id))


def _stage(happening: Happening) -> int:
    return _STAGES.index(happening.kind) if happening.kind in _STAGES else len(_STAGES)


def _of_rollout(change: Change) -> _Group:
    # Of `image shop/cart:1.4.1 -> 1.4.2` only what it became can be in a release or a deployment.
    after = " ".join(part.rsplit("->", 1)[-1] for part in change.summary.split(";") if "image" in part)
    place = frozenset({change.entity.namespace or ""} - {""})
    return _Group(change.at, frozenset({base(change.entity.name)}), place, revisions_in(after), frozenset(), change)


def _of_happening(happening: Happening) -> _Group:
    names = frozenset(base(n) for n in happening.names)
    places = frozenset(e.namespace for e in happening.touches if e.namespace)
    home = frozenset({happening.repository} - {""})
    return _Group(happening.at, names, places, happening.revisions, home, None, [happening])


def _home(happening: Happening, groups: Sequence[_Group]) -> _Group | None:
    """The change that this is a part of: a version in common first, else the nearest in time if nothing contradicts."""
    if happening.kind not in _STAGES:
        return None
    names = {base(n) for n in happening.names}
    best: tuple[tuple[int, float], _Group] | None = None
    for group in groups:
        common = bool(happening.revisions & group.revisions)
        beside = happening.repository and happening.repository in group.repositories
        wrote = group.change is not None and group.change.entity in happening.manages
        if not (names & group.names or wrote or (beside and (common or not names or not group.names))):
            continue
        if any(p.kind == happening.kind for p in group.parts) and happening.kind != "merge":
            continue
        before = group.at - happening.at
        # An object that GitOps manages is written within the sync; before it, somebody else did.
        longest = (
            _VERSIONED
            if common
            else timedelta(minutes=2)
            if wrote and not names & group.names
            else _BEFORE[happening.kind]
        )
        if not -_AFTER <= before <= longest or (not common and _contradicts(happening, group)):
            continue
        key = (0 if common else 1 if names & group.names else 2, abs(before.total_seconds()))
        if best is None or key < best[0]:
            best = (key, group)
    return best[1] if best else None


def _contradicts(happening: Happening, group: _Group) -> bool:
    """Both name a version number, and not the same one."""
    mine, theirs = ({r for r in found if "." in r} for found in (happening.revisions, group.revisions))
    return bool(mine and theirs)


def _entry(group: _Group, around: Surroundings, onset: datetime, resolve: Callable[[str], Entity | None]) -> Entry:
    parts = tuple(sorted(group.parts, key=lambda p: (p.at, p.id)))
    author = next((p.author for p in parts if p.author and p.kind == "merge"), None) or next(
        (p.author for p in parts if p.author), None
    )
    if group.change is not None:
        change = replace(group.change, author=author or group.change.author)
        touched: tuple[Entity, ...] = (group.change.entity,)
    else:
        # What took effect last is the change; how it came about are its parts.
        lead = min(parts, key=lambda p: (_stage(p), p.at))
        touched = tuple(dict.fromkeys(_things(parts, resolve))) or (
            Entity(kind="external", name=lead.repository or lead.id),
        )
        change = Change(lead.id, lead.at, touched[0], lead.summary, lead.kind, author)
        parts = (lead, *(p for p in parts if p is not lead))
    relation, nearest = around.nearest(touched)
    if nearest is not None and group.change is None:
        change = replace(change, entity=nearest)
    evidence = tuple(dict.fromkeys((*change.evidence, *(e for p in parts for e in p.evidence))))
    return Entry(replace(change, evidence=evidence), parts, relation, onset - change.at)


def _things(parts: Iterable[Happening], resolve: Callable[[str], Entity | None]) -> Iterable[Entity]:
    for part in parts:
        if part.touches:
            yield from part.touches
        else:
            yield from (resolve(s) or Entity(kind="Service", name=s) for s in part.services)


def _touched(change: Change) -> tuple[Entity, ...]:
    told = tuple(e.entity for e in change.evidence if e.entity is not None and e.entity.kind == "Service")
    if change.kind == "flag" and told:
        return told  # the flag itself says less than whoever said what it touches
    return (change.entity, *(e.entity for e in change.evidence if e.entity is not None and e.entity != change.entity))
