"""Restraint where nothing is wrong any more, credit for an honest "I don't know", and the worst defect there is."""

from __future__ import annotations

from workers.domain import Finding
from workers.evaluation.grading.causes import is_right, passed
from workers.simulation import Truth

HONEST = 0.3
"""What `inconclusive` earns where telemetry was removed."""


def restraint(finding: Finding, truth: Truth, blind: bool = False) -> float | None:
    """On a false alarm any cause is 0; on a recovered case the true past cause counts and a present one is 0.

    None for an incident. `blind`: telemetry was removed, so that `inconclusive` earns part of the credit.
    """
    if truth.verdict == "incident":
        return None
    if finding.verdict == "inconclusive":
        return HONEST if blind else 0.0
    return float(passed(finding, truth))


def credit(finding: Finding, truth: Truth, blind: bool = False) -> float:
    """1 when it passed; part credit for `inconclusive` only where telemetry was removed."""
    if passed(finding, truth):
        return 1.0
    return HONEST if blind and finding.verdict == "inconclusive" else 0.0


def high_and_wrong(finding: Finding, truth: Truth) -> bool:
    """A cause said with High confidence that is not a true one: the worst defect this product can have.

    Also a present incident where there is none, said with High.
    """
    if not finding.causes or finding.causes[0].confidence.band != "high":
        return False
    if not is_right(finding.causes[0], truth):
        return True
    return finding.verdict == "incident" and truth.verdict != "incident"
