"""Whether a predicate tells its fault from others: one that the first look at other faults shows as often as not would
be satisfied by a guess, so it is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

from workers.domain import Evidence
from workers.evaluation import exhibits, predicates
from workers.evaluation.admission import Admission, Refusal

OTHERS = 40
"""Scenarios with another fault to which a predicate is put, drawn by its own text."""
FEWEST = 10
MOST_SHOWN = 0.2
TELLS_NOTHING = "tells nothing"
LOOK = re.compile(r"\bfirst_look\b")


def too_common(admissions: Sequence[Admission], folder: Path) -> Iterator[Admission]:
    """The admissions, with a refusal for each predicate that anybody's first look satisfies."""
    looks = {a.case: look for a in admissions if (look := _look(a.case, folder)) is not None}
    shares: dict[tuple[str, tuple[str, ...]], tuple[int, int]] = {}
    for each in admissions:
        refusals = [r for r in each.refusals if TELLS_NOTHING not in r.reason]  # of an earlier comparison
        for it in each.required:
            if not predicates.is_checkable(it.predicate):
                continue
            key = (it.predicate, it.faults)
            if key not in shares:
                shares[key] = _shown(it.predicate, [a for a in admissions if _is_other(a, it.faults)], looks)
            shown, asked = shares[key]
            if asked >= FEWEST and shown > MOST_SHOWN * asked:
                reason = (
                    f"{it.predicate!r} {TELLS_NOTHING}: {shown} of {asked} scenarios with another fault show it too"
                )
                refusals.append(Refusal(file=each.file, key=it.key, reason=reason))
        yield each.model_copy(update={"refusals": tuple(refusals)})


def _look(name: str, folder: Path) -> tuple[Evidence, ...] | None:
    seen = exhibits.kept(name, folder)
    return None if seen is None else tuple(e for e in seen if LOOK.search(e.tool))


def _is_other(it: Admission, faults: Sequence[str]) -> bool:
    return not set(it.leaves) & set(faults)


def _shown(predicate: str, others: Sequence[Admission], looks: dict[str, tuple[Evidence, ...]]) -> tuple[int, int]:
    """In how many of how many."""
    known = [looks[a.case] for a in others if a.case in looks]
    drawn = Random(predicate).sample(known, min(OTHERS, len(known)))
    return sum(predicates.covered(predicate, look) for look in drawn), len(drawn)
