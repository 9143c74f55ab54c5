"""Nothing fails, and yet people do less: answers are wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta

from skills.contract import Entity
from workers.llm.offline.culprits import Scene
from workers.llm.offline.leads.reading import is_release, is_suffering, lead
from workers.llm.offline.notes import Notes, Sign
from workers.llm.offline.starved import is_less, is_starved, titles

_BUSINESS = re.compile(
    r"orders?\b|payments?\b|purchas|checkouts?\b|revenue|sales?\b|sign-?ups?|conversion|booking|basket|customers?\b",
    re.I,
)
"""What people do for which a company lives; requests may also fail to arrive."""
_MACHINERY = re.compile(
    r"replica|disk|memory|free|space|pods?\b|instances?\b|certificate|quota|hit ra|availab|success|slo\b|budget", re.I
)


def silent(notes: Notes, about: Sequence[Entity], signs: Sequence[Sign], seen: Scene) -> Iterator[Sign]:
    """What people do became less, and nothing fails or is slow: answers are wrong since the last release (J5)."""
    said = titles(notes)
    of_people = _BUSINESS.search(said) and not _MACHINERY.search(said) and not is_starved(notes)
    if notes.onset is None or not is_less(notes) or not of_people:
        return
    failing = [s for s in signs if is_suffering(s) and s.analyzer != "prometheus.alert"]
    if failing:
        return
    reach = timedelta(minutes=45)
    recent = [c for c in notes.changes if is_release(c) and timedelta() <= notes.onset - c.at <= reach]
    for place, change in enumerate(sorted(recent, key=lambda c: c.at, reverse=True)[:3]):
        title = notes.alerts[0].get("title")
        says = f"{title}, without errors, after the release of {change.entity.name}: {change.what}"
        weight = (0.75, 0.5, 0.4)[place]
        yield lead(change.entity, ("silent_wrong_result",), says, weight, change, role="cause", victims=tuple(about))
