"""The gate of CI: a regression beyond noise fails, and so does any new cause that is High and wrong.

A baseline keeps what a gate and the promises (buckets.py) need and no more: for each case its scores, so that it can
live in the repository.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workers.evaluation import statistics as st
from workers.evaluation.pairs import ALPHA, is_worse
from workers.evaluation.results import Result, ResultsError, Run, read, write_whole

GATED = ("passed", "precision", "evidence", "change", "onset", "grounding", "restraint", "convicted")


class Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")
    scores: dict[str, float] = Field(default_factory=dict)
    high_and_wrong: bool = False
    alert_type: str = ""
    group: str = ""
    blind: bool = False


class Baseline(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, serialize_by_alias=True)
    schema_: int = Field(default=1, alias="schema")
    baseline: bool = True
    digest: str
    results: dict[str, Kept]
    """By key."""


@dataclass(frozen=True)
class Verdict:
    reasons: tuple[str, ...]
    """Why it fails; empty: it passes."""
    cases: tuple[str, ...]
    """Keys of the cases that got worse."""
    better: tuple[str, ...]
    compared: int
    unknown: tuple[str, ...]
    """Keys that the baseline does not know."""

    @property
    def passes(self) -> bool:
        return not self.reasons


def baseline(run: Run) -> Baseline:
    return Baseline(digest=run.digest, results={r.key: kept(r) for r in run.results})


def kept(result: Result) -> Kept:
    scores = {name: round(v, 4) for name in GATED if (v := result.score(name)) is not None}
    return Kept(
        scores=scores,
        high_and_wrong=bool(result.marks and result.marks.high_and_wrong),
        alert_type=result.alert_type,
        group=result.group,
        blind=result.blind,
    )


def write_baseline(run: Run, path: Path) -> None:
    """One line a case, so that a change of it reads well in a diff."""
    whole = baseline(run).model_dump(mode="json", by_alias=True)
    rows = (f"  {json.dumps(key)}: {json.dumps(row, sort_keys=True)}" for key, row in sorted(whole["results"].items()))
    head = {k: v for k, v in whole.items() if k != "results"}
    write_whole(path, json.dumps(head)[:-1] + ', "results": {\n' + ",\n".join(rows) + "\n}}\n")


def read_baseline(path: Path) -> Baseline:
    """A baseline, or a whole run taken as one. Raises ResultsError."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ResultsError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ResultsError(f"{path}: not JSON: {error}") from None
    if not isinstance(raw, dict) or not raw.get("baseline"):
        return baseline(read(path))
    try:
        return Baseline.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise ResultsError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def judge(run: Run, against: Baseline, *, strict: bool = False) -> Verdict:
    """`strict`: any case that passed and no longer does fails, as befits a model that says the same every time."""
    pairs = [(against.results[r.key], r) for r in run.results if r.key in against.results]
    worse = [r.key for old, r in pairs if r.passed < old.scores.get("passed", 0.0)]
    better = [r.key for old, r in pairs if r.passed > old.scores.get("passed", 0.0)]
    return Verdict(
        reasons=tuple(_reasons(run.results, pairs, worse, better, strict)),
        cases=tuple(worse),
        better=tuple(better),
        compared=len(pairs),
        unknown=tuple(r.key for r in run.results if r.key not in against.results),
    )


def _reasons(
    results: Sequence[Result],
    pairs: Sequence[tuple[Kept, Result]],
    worse: Sequence[str],
    better: Sequence[str],
    strict: bool,
) -> Iterable[str]:
    if not pairs:
        yield "no case is both in the run and in the baseline"
    known = {r.key: old for old, r in pairs}
    for result in results:
        if result.marks and result.marks.high_and_wrong and not known.get(result.key, Kept()).high_and_wrong:
            yield f"new High and wrong: {result.key}"
        if result.error:
            yield f"broken: {result.key}: {result.error}"
    p = st.worse_by_chance(len(better), len(worse))
    if worse and p < ALPHA:
        yield f"{len(worse)} cases got worse and {len(better)} better (McNemar, one-sided p {p:.3f})"
    elif worse and strict:
        yield f"{len(worse)} cases no longer pass"
    for name in GATED[1:]:
        both = [(old.scores[name], v) for old, r in pairs if name in old.scores and (v := r.score(name)) is not None]
        difference = st.paired_difference(both, seed=f"gate:{name}") if both else None
        if difference is not None and is_worse(name, difference):
            yield f"{name} fell by {abs(difference.value) * 100:.1f} points over {len(both)} cases"
