"""When it began, and what was changed: onset, attribution, and innocent changes convicted."""

from __future__ import annotations

from datetime import datetime

from workers.domain import Finding
from workers.evaluation.sameness import SAYS_NO_CHANGE, Changes, is_any_change, is_change, true_causes_of
from workers.simulation import Truth

EXACT_SECONDS = 60.0
"""Or one scrape interval, where that is longer."""
NEAR_SECONDS = 300.0


def onset(finding: Finding, truth: Truth, scrape_seconds: float = 30.0) -> float | None:
    """1 within a minute or a scrape interval of the true onset, 0.5 within five minutes; None: wrong entity."""
    if not finding.causes or not (known := true_causes_of(finding.causes[0].entity, truth)):
        return None
    said = finding.causes[0].onset
    if said is None:
        return 0.0
    away = min(abs((said - datetime.fromisoformat(true.onset)).total_seconds()) for true in known)
    if away <= max(EXACT_SECONDS, scrape_seconds):
        return 1.0
    return 0.5 if away <= NEAR_SECONDS else 0.0


def change(finding: Finding, truth: Truth, reported: Changes) -> float | None:
    """1 when the first cause names the true change, or `none` where nothing was changed; None: wrong entity."""
    if not finding.causes or not (known := true_causes_of(finding.causes[0].entity, truth)):
        return None
    said = finding.causes[0].change
    return float(
        any(said == "none" if true.change is None else is_change(said, true.change, reported) for true in known)
    )


def convicted(finding: Finding, truth: Truth, reported: Changes) -> float | None:
    """1 when any cause names a change that is not a true one. None when no change is named at all: nobody accused."""
    said = [cause.change for cause in finding.causes if cause.change not in SAYS_NO_CHANGE]
    if not said:
        return None
    guilty = [true.change for true in truth.causes if true.change is not None]
    return float(any(not is_any_change(one, guilty, reported) for one in said))


def convicted_a_decoy(finding: Finding, truth: Truth, reported: Changes) -> float | None:
    """1 when a change that the scenario planted as innocent is named as a cause; None without one."""
    if not truth.innocent:
        return None
    return float(any(is_any_change(cause.change, truth.innocent, reported) for cause in finding.causes))
