"""Errors that no pattern knows, that never were before, and that name nobody else: a program that fails by itself.

A stack trace says more (crashes.py), but many programs, Go ones above all, log an error in one line and answer 500.
Only against a baseline, and only in numbers: every program has errors that no table knows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from skills.contract import Entity, LogLine, Symptom
from skills.logfaults.citing import Source
from skills.logfaults.novelty import is_over, novelty, times
from skills.logfaults.places import hosts_in, is_store
from skills.logfaults.sightings import Seen
from skills.loglines import message_of

LEAST = 15
"""Lines from which an unknown error is no odd one out."""
_OF_OTHERS = re.compile(
    r"upstream|downstream|\bcall(?:ing|ed|s)?\b|client|connect|dependenc|\bpeer\b|time(?:d )?[- ]?out|unavailable|fetch"
    r"|remote|retr(?:y|ies)|refused|\bdns\b|resolve|socket|network|broker|queue|database|\bdb\b|sql|cache|denied|forbidden"
    r"|unauthori[sz]ed|not found|declined|rejected|cancel|shutting down|rate limit",
    re.IGNORECASE,
)
"""Words of errors that somebody else caused, or that are answers to what was asked."""
_FAULTS = ("code_defect_in_release", "contract_broken_between_services", "feature_flag_harmful", "config_value_harmful")


def novel_symptoms(seen: Seen, before: Seen, source: Source, scale: float = 1.0) -> list[Symptom]:
    """One a writer: its most frequent unknown error that the baseline lacks. `scale`: see recognise."""
    if not before.count:
        return []
    best: dict[Entity, list[LogLine]] = {}
    for (writer, key), records in seen.unknown.items():
        known = round(len(before.unknown.get((writer, key), ())) * scale)
        if len(records) < LEAST or known or novelty(len(records), seen, known, before) is None:
            continue
        text = message_of(records[0].text)
        if _OF_OTHERS.search(text) or hosts_in(text) or is_store(writer, records[0].text):
            continue
        if len(records) > len(best.get(writer, ())):
            best[writer] = records
    return [_symptom(writer, records, seen, source) for writer, records in best.items()]


def _symptom(writer: Entity, records: Sequence[LogLine], seen: Seen, source: Source) -> Symptom:
    over = is_over(writer, records[-1].at, seen)
    when = times(len(records), records[0].at, records[-1].at, 0, 1.0, over=over)
    said = " ".join(message_of(records[0].text).split())
    said = said if len(said) <= 120 else said[:119] + "…"
    return Symptom(
        analyzer="logs.novel",
        entity=writer,
        faults=_FAULTS,
        summary=f"{writer.name} fails with an error of its own that it never had: {said} ({when})",
        specificity=0.28 if over else 0.55,
        evidence=source.cite(records, writer),
        onset=records[0].at,
        ongoing=not over,
    )
