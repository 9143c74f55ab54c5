"""What a change of guidance would have done to past cases: replayed before and after, nothing else different.

For learning, which proposes a change and must not measure it itself: a job hands this function to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from workers.evaluation import pairs, staging
from workers.evaluation.pairs import Comparison
from workers.evaluation.recorded import Recorded
from workers.evaluation.results import Result
from workers.evaluation.staging import Job, Stage
from workers.evaluation.variants import Notebook, Variant
from workers.llm.base import Model

Said = Literal["better", "worse", "no change", "unknown"]


@dataclass(frozen=True)
class Effect:
    said: Said
    why: str
    comparison: Comparison


def of_guidance(
    cases: Sequence[Recorded], before: Notebook, after: Notebook, model: Callable[[str], Model], name: str
) -> Effect:
    """`name`: the model's, for `model`. No system and no store is touched."""
    stage = Stage(model, lambda _: (), guess=False, recorded={case.name: case for case in cases})

    def replayed(book: Notebook) -> list[Result]:
        return [staging.run(Job(case.name, Variant(name, notebook=book)), stage) for case in cases]

    return of(pairs.compare(replayed(before), replayed(after)))


def of(comparison: Comparison) -> Effect:
    """Unknown when any case that would speak for the change is too far off the tape; a loss is never traded for wins
    in silence."""
    fixed, broken, unknown = comparison.fixed, comparison.broken, comparison.unknown
    counts = f"{fixed} fixed, {broken} broken, {unknown} unknown of {comparison.pairs}"
    if comparison.new_high_and_wrong:
        return Effect("worse", f"new High and wrong: {', '.join(comparison.new_high_and_wrong)}", comparison)
    if broken:
        return Effect("worse", counts, comparison)
    if unknown:
        return Effect("unknown", f"{counts}: the recordings could not answer more than a fifth", comparison)
    return Effect("better" if fixed else "no change", counts, comparison)
