"""Where a scenario contradicts itself: its verdict, its kinds and its times say different things."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from workers.simulation.promql.syntax import duration

if TYPE_CHECKING:
    from workers.simulation.scenario import Fault, Scenario


def contradictions(it: Scenario) -> Iterator[str]:
    """`key: reason`. The durations are known to be durations."""
    for i, fault in enumerate(it.faults):
        onset, begins = duration(fault.onset), duration(fault.delay or "0s")
        if begins >= onset:
            yield f"faults.{i}.delay: {fault.delay} after an onset {fault.onset} ago nothing has happened yet"
        if it.verdict == "recovered" and fault.lasts and not _is_over(fault):
            yield f"faults.{i}.lasts: it lasts {fault.lasts} and is not over by now, so the verdict is not recovered"
    if it.verdict == "incident" and it.faults and all(_is_over(fault) for fault in it.faults):
        yield "verdict: incident, but every fault is over by now: that is recovered"
    for kind, holds, reason in (
        ("false_alarm", it.verdict == "false_alarm", f"the verdict is {it.verdict}"),
        ("already_recovered", it.verdict == "recovered", f"the verdict is {it.verdict}"),
        ("two_independent_faults", len(it.faults) > 1, f"there are {len(it.faults)} faults"),
        (
            "telemetry_gap",
            bool(it.missing or it.forbidden or it.harmless),
            "nothing is missing, forbidden or otherwise unseen",
        ),
    ):
        if kind in it.kinds and not holds:
            yield f"kinds: {kind}, but {reason}"


def _is_over(fault: Fault) -> bool:
    return bool(fault.lasts) and duration(fault.delay or "0s") + duration(fault.lasts) <= duration(fault.onset)
