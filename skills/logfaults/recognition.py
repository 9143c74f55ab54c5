"""Log lines to symptoms: sightings grouped, compared with a baseline, judged against their twins, and cited.

Errors that were there at the same rate in the baseline are no evidence and give no symptom.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from skills.contract import Entity, LogLine, Symptom
from skills.logfaults.citing import Source
from skills.logfaults.crashes import crash_symptoms
from skills.logfaults.judgement import Case, Verdict, judge
from skills.logfaults.novel import novel_symptoms
from skills.logfaults.novelty import WITHOUT_BASELINE, is_over, novelty, times
from skills.logfaults.pattern import Pattern
from skills.logfaults.places import Host, Resolve
from skills.logfaults.sightings import Seen, Sighting, see

MAX_SYMPTOMS = 40
_NEVER = datetime.max.replace(tzinfo=UTC)


def recognise(
    lines: Sequence[LogLine],
    *,
    namespace: str,
    query: str,
    link: str | None,
    onset: datetime | None = None,
    baseline: Sequence[LogLine] = (),
    baseline_scale: float = 1.0,
    resolve: Resolve | None = None,
    patterns: Sequence[Pattern] | None = None,
) -> list[Symptom]:
    """Symptoms in these lines, the most specific first.

    `lines` oldest first, of one or many writers (LogLine.entity: a workload, or a pod whose owner is guessed by its
    name). `baseline` lines of a healthy window of the same writers. `onset` is when the alert says that it began: lines
    long before it are a baseline when none is given. `baseline_scale`: how many lines one of the baseline stands for,
    when both were sampled unequally (2.0: the baseline was read half as densely). `resolve` names addresses of the
    cluster. `query` and `link` are cited with each excerpt. `patterns`: another table than the common one; stack traces
    are then left to their own reader.
    """
    seen = see(lines, namespace, patterns)
    before = see(baseline, namespace, patterns)
    source = Source(query, link)
    cases = _cases(seen, before, baseline_scale)
    judged = judge(cases, seen, namespace, resolve)
    symptoms = [_symptom(seen, case, verdict, source, onset) for case, verdict in judged]
    symptoms = _merged(symptoms)
    if patterns is None:
        symptoms += crash_symptoms(seen, before, source, baseline_scale)
        symptoms += novel_symptoms(seen, before, source, baseline_scale)
    if onset is not None and not before.count:
        symptoms = [_discounted(s, seen, onset) for s in symptoms]
    return sorted(symptoms, key=lambda s: (-s.specificity, s.onset or _NEVER, str(s.entity)))[:MAX_SYMPTOMS]


def _cases(seen: Seen, before: Seen, scale: float) -> list[Case]:
    """What was sighted more than in the baseline."""
    known = _grouped(before)
    cases = []
    for key, sightings in _grouped(seen).items():
        count_before = round(len(known.get(key, ())) * scale)
        factor = novelty(len(sightings), seen, count_before, before)
        if factor is not None:
            cases.append(Case(tuple(sightings), factor, count_before))
    return cases


def _merged(symptoms: Sequence[Symptom]) -> list[Symptom]:
    """Causes that several writers tell of are one symptom, with evidence of each and all its victims."""
    causes: dict[tuple[Entity, tuple[str, ...]], list[Symptom]] = defaultdict(list)
    for symptom in symptoms:
        if symptom.role == "cause":
            causes[(symptom.entity, symptom.faults)].append(symptom)
    merged = [s for s in symptoms if s.role != "cause"]
    for same in causes.values():
        first = max(same, key=lambda s: (s.specificity, s.ongoing))
        others = len(same) - 1
        told = f"; {others} more such {'complaint' if others == 1 else 'complaints'}" if others else ""
        merged.append(
            replace(
                first,
                summary=first.summary + told,
                evidence=(*first.evidence[:2], *(s.evidence[0] for s in same if s is not first))[:5]
                if others
                else first.evidence,
                onset=min((s.onset for s in same if s.onset), default=None),
                victims=tuple(dict.fromkeys(v for s in same for v in s.victims)),
                points_at=tuple(dict.fromkeys(p for s in same for p in s.points_at)),
                ongoing=any(s.ongoing for s in same),
            )
        )
    return merged


def _grouped(seen: Seen) -> dict[tuple[str, Entity, str], list[Sighting]]:
    groups: dict[tuple[str, Entity, str], list[Sighting]] = defaultdict(list)
    for sighting in seen.sightings:
        about = "(relayed)" if sighting.relayed else _about(sighting.host)
        groups[(sighting.pattern.name, sighting.writer, about)].append(sighting)
    return groups


def _about(host: Host | None) -> str:
    """Addresses that nobody can name are one thing per port: pods behind a Service come and go."""
    if host is None:
        return ""
    return f":{host.port}" if host.is_address and not host.is_public_address else host.name


def _symptom(seen: Seen, case: Case, verdict: Verdict, source: Source, onset: datetime | None) -> Symptom:
    first, last, count = case.sightings[0], case.sightings[-1], len(case.sightings)
    over = is_over(first.writer, last.record.at, seen)
    specificity = verdict.specificity * case.novelty * (0.5 if over else 1.0)
    if first.pattern.steady:
        specificity *= _steadiness(case, onset)
    elif verdict.role == "effect" and _passed(seen, case):
        specificity *= 0.5
    when = times(count, first.record.at, last.record.at, case.known, case.novelty, over=over)
    return Symptom(
        analyzer="logs.faults",
        entity=verdict.entity,
        faults=verdict.faults,
        summary=f"{verdict.says} ({when})",
        specificity=round(min(specificity, 0.97), 3),
        evidence=source.cite([s.record for s in case.sightings], first.writer),
        onset=first.record.at,
        role=verdict.role,
        points_at=verdict.points_at,
        victims=verdict.victims,
        ongoing=not over,
    )


_ALWAYS_THERE = timedelta(minutes=20)


def _steadiness(case: Case, onset: datetime | None) -> float:
    """What healthy systems say as well, now and then: a line or two, or lines since long before, tell next to nothing
    when there is no baseline to compare with."""
    if case.novelty >= 1 and len(case.sightings) >= 3:
        return 1.0
    first = case.sightings[0].record.at
    early = onset is not None and onset - first > _ALWAYS_THERE
    return 0.4 if case.novelty == WITHOUT_BASELINE and (early or len(case.sightings) < 3) else 0.75


_MOMENT = timedelta(seconds=60)


def _passed(seen: Seen, case: Case) -> bool:
    """A line or two while something else started, and the writer went on without: a passing complaint."""
    last = case.sightings[-1].record.at
    return len(case.sightings) <= 2 and seen.last[case.writer] - last > _MOMENT


def _discounted(symptom: Symptom, seen: Seen, onset: datetime) -> Symptom:
    """Without a baseline: what the very first minute of a long window already shows may always have been there."""
    if seen.start is None or symptom.onset is None or (onset - seen.start).total_seconds() < 900:
        return symptom
    since_start = (symptom.onset - seen.start).total_seconds()
    if since_start > 60:
        return symptom
    return replace(symptom, specificity=round(symptom.specificity * 0.6, 3))
