"""From a timeline to what may be said of it: which changes could explain the alert, which cannot, or that none does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from skills.changes.relation import Surroundings
from skills.changes.timeline import Entry, span
from skills.contract import Change, Entity, Excerpt, Symptom, Window

CLOSE = timedelta(hours=2)
"""Before the onset: later than this a change of the failing thing itself is suspected at once."""
CLOSE_BELOW = timedelta(hours=1)
"""The same for what it depends on, and what it shares with others."""
SHORTLY = timedelta(minutes=30)
MOST_LINES = 6
MOST_CHANGES = 15
MANY = 5
"""Workloads that one sync touched; above this it says little about any of them."""


@dataclass(frozen=True)
class Verdict:
    lines: tuple[str, ...]
    evidence: tuple[Excerpt, ...]
    symptoms: tuple[Symptom, ...]
    changes: tuple[Change, ...]


Known = Callable[[Entity], bool]
"""Whether a thing is a workload whose rollouts can be seen."""


def candidates(entries: Sequence[Entry], known: Known) -> list[Entry]:
    """What came shortly before the onset and touched what fails or what it depends on; the latest first."""
    found = [e for e in entries if _could_explain(e) and not never_ran(e, known)]
    return sorted(found, key=lambda e: (e.before_onset, e.relation.rank))


def _could_explain(entry: Entry) -> bool:
    own = entry.relation.words in ("same workload", "named after it", "its node")
    limit = CLOSE if own else CLOSE_BELOW
    if entry.change.kind == "scale" and not own and entry.change.summary.startswith("Scaled up"):
        return False  # an autoscaler that follows the load of a dependency takes nothing away from anybody
    return entry.relation.can_explain and timedelta() <= entry.before_onset <= limit


def never_ran(entry: Entry, known: Known) -> bool:
    """Merged, released or synced, but where rollouts can be seen nothing was written at that time. A sync that failed
    or still runs is told all the same: that nothing was written may be the trouble."""
    if not known(entry.change.entity):
        return False
    if entry.change.kind == "sync":
        return not entry.change.id.endswith("/operation")
    return entry.change.kind in ("merge", "release")


def verdict(
    entries: Sequence[Entry], around: Surroundings, systems: Sequence[str], known: Known, span_: Window
) -> Verdict:
    """`known`: what did not roll out, though its rollouts can be seen, did not change production."""
    if not systems:
        return Verdict(("Nothing that is on tells of changes, so nothing is known of them.",), (), (), ())
    close = candidates(entries, known)
    hours = span_.seconds / 3600
    head = f"{len(entries)} changes in {hours:.0f} h, told by {', '.join(systems)}"
    asked = f"changes_timeline {span_}"
    if close:
        lines = [f"{e.change.id}: {e.relation}, {span(e.before_onset)}" for e in close[:MOST_LINES]]
        more = f" ({len(close) - MOST_LINES} more)" if len(close) > MOST_LINES else ""
        first = f"{head}. Before the onset, of {around.about} or what it depends on{more}:"
        evidence: tuple[Excerpt, ...] = ()
    else:
        lines, words = [], _none(entries, around)
        first = f"{head}. {words}"
        last = _last_own(entries)
        evidence = (Excerpt(words, asked, span_), *(e for e in [last] if e is not None))
    return Verdict(
        (first, *lines),
        evidence,
        tuple(s for e in close if (s := _symptom(e, around)) is not None),
        _worth(entries, close),
    )


def _none(entries: Sequence[Entry], around: Surroundings) -> str:
    near = [e for e in entries if timedelta() <= e.before_onset <= CLOSE]
    words = f"No change explains this: nothing touched {around.about} or what it depends on in the 2 h before the onset"
    if not near:
        return words + ", and nothing else changed then"
    kinds = ", ".join(dict.fromkeys(f"{e.change.kind} of {e.change.entity.name}" for e in reversed(near[-3:])))
    return f"{words}; {len(near)} changes of other things do not relate to it (latest: {kinds})"


def _last_own(entries: Sequence[Entry]) -> Excerpt | None:
    """The last change of the failing thing itself, however old: a leak may be days older than its alert."""
    own = [e for e in entries if e.relation.words == "same workload" and e.before_onset > CLOSE]
    return Excerpt(f"last change of it: {own[-1].told}", "changes_timeline", at=own[-1].change.at) if own else None


def _worth(entries: Sequence[Entry], close: Sequence[Entry]) -> tuple[Change, ...]:
    """What other skills did not tell already, as far as a reader would ask about it: what could explain the alert, the
    last day of the failing thing itself, and what anybody would suspect who looked at the clock alone."""
    own = [e for e in entries if (e.parts or e.change.kind == "flag") and e.before_onset >= -timedelta(minutes=5)]
    kept = [e for e in own if e in close or e.relation.words == "same workload" or e.before_onset <= CLOSE]
    wanted = sorted(kept, key=lambda e: (e not in close, not e.relation.can_explain, abs(e.before_onset)))
    return tuple(_described(e) for e in sorted(wanted[:MOST_CHANGES], key=lambda e: (e.change.at, e.change.id)))


def _described(entry: Entry) -> Change:
    """The change in the words of everybody who told of it. What its first teller brings as evidence himself is left to
    him; what the others say is one line."""
    change = entry.change
    told = "; ".join(dict.fromkeys((change.summary, *(p.summary for p in entry.parts))))
    own = _together([e for p in entry.parts for e in p.evidence]) or change.evidence
    return Change(change.id, change.at, change.entity, told[:400], change.kind, change.author, own)


def _together(seen: Sequence[Excerpt]) -> tuple[Excerpt, ...]:
    """Several tellers of one change, as one observation; its link is that of the pull request, if there is one."""
    unique = list(dict.fromkeys(seen))
    if len(unique) < 2:
        return tuple(unique)
    links = [e.link for e in unique if e.link]
    return (
        Excerpt(
            "; ".join(e.text for e in unique),
            ", ".join(dict.fromkeys(e.query for e in unique)),
            link=next((link for link in links if "/pull/" in link), next(iter(links), None)),
            entity=unique[-1].entity,
            at=unique[-1].at,
        ),
    )


def _symptom(entry: Entry, around: Surroundings) -> Symptom | None:
    """A lead, never a conviction: what changed, shortly before, on the alert's path. Plain rollouts, scaling and
    configuration are told by the skill that reads the objects, and weighed there."""
    change = entry.change
    if change.kind == "flag":
        faults: tuple[str, ...] = ("feature_flag_harmful",)
    elif entry.parts and change.kind != "config" and not (change.kind == "sync" and _touches_many(entry)):
        faults = ("code_defect_in_release",)
    else:
        return None
    shortly = entry.before_onset <= SHORTLY
    own = entry.relation.words in ("same workload", "named after it")
    specificity = (0.45 if shortly else 0.3) if own else (0.3 if shortly else 0.2)
    thing = f"{change.entity.kind} {change.entity.name}"
    said = [p.summary for p in entry.parts if p.kind != "sync"] or [change.summary]
    what = "; ".join(dict.fromkeys(said))[:240]
    return Symptom(
        analyzer="changes.timeline",
        entity=change.entity,
        faults=faults,
        summary=f"{thing} ({entry.relation}) changed {span(entry.before_onset)}: {what}",
        specificity=specificity,
        evidence=_together([e for p in entry.parts for e in p.evidence]) or change.evidence,
        onset=change.at,
        role="change",
        victims=_victims(entry, around),
        change=change.id,
    )


def _touches_many(entry: Entry) -> bool:
    return any(len(p.touches) > MANY for p in entry.parts)


def _victims(entry: Entry, around: Surroundings) -> tuple[Entity, ...]:
    if entry.change.kind != "flag":
        return ()
    return tuple(e.entity for e in entry.change.evidence if e.entity is not None and e.entity != entry.change.entity)
