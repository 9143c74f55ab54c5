"""Can solve, learning, out of reach: what is promised of an alert type or a group of faults, by a rule that is said.

From the evaluation until a customer's own record is long enough; then from that record, by the same rule. The numbers
are in config/buckets.yaml.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, Protocol

import yaml
from pydantic import BaseModel, ConfigDict, Field

from workers.evaluation import statistics as st
from workers.evaluation.statistics import Interval

Bucket = Literal["can solve", "learning", "out of reach"]


class Rule(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    cases: int = Field(ge=1)
    right: float = Field(ge=0, le=1)
    blind_cases: int = Field(ge=1)
    blind: float = Field(ge=0, le=1)

    def words(self) -> str:
        return (
            f"can solve: at least {self.cases} judged and right in {self.right:.0%} or more by the interval's lower "
            f"end; out of reach: data or permission absent in {self.blind:.0%} or more; else learning"
        )


@dataclass(frozen=True)
class Judged:
    """One investigation with its verdict, from a case or from a person."""

    right: bool
    blind: bool = False
    """Needed data or a permission was absent."""


@dataclass(frozen=True)
class Promise:
    name: str
    bucket: Bucket
    right: Interval
    blind: int
    reason: str
    """The rule as it applied, for the line beside the label."""


@cache
def rule() -> Rule:
    return Rule.model_validate(yaml.safe_load(files("config").joinpath("buckets.yaml").read_text(encoding="utf-8")))


def bucket(name: str, judged: Sequence[Judged], by: Rule) -> Promise | None:
    """None when nothing was judged: of what nobody has seen, nothing is promised."""
    right = st.wilson(sum(j.right for j in judged), len(judged))
    if right is None:
        return None
    blind = sum(j.blind and not j.right for j in judged)
    if right.n >= by.cases and right.low >= by.right:
        return Promise(name, "can solve", right, blind, f"right {right.value:.0%} of {right.n}, surely {right.low:.0%}")
    if right.n >= by.blind_cases and blind >= by.blind * right.n:
        return Promise(name, "out of reach", right, blind, f"data or a permission is absent in {blind} of {right.n}")
    why = f"only {right.n} judged"
    if right.n >= by.cases:
        why = f"right {right.value:.0%} of {right.n}, surely only {right.low:.0%}"
    return Promise(name, "learning", right, blind, why)


class Graded(Protocol):
    """A result, or a row of a baseline."""

    @property
    def alert_type(self) -> str: ...
    @property
    def group(self) -> str: ...
    @property
    def blind(self) -> bool: ...
    @property
    def passed(self) -> float: ...


def of_alert_types(results: Iterable[Graded], by: Rule) -> tuple[Promise, ...]:
    return _promises(((r.alert_type, r) for r in results), by)


def of_groups(results: Iterable[Graded], by: Rule) -> tuple[Promise, ...]:
    """By letter of the fault group; L: what is no incident, or over."""
    return _promises(((r.group, r) for r in results), by)


def shipped() -> tuple[Row, ...]:
    """What the baseline of this version says: what is promised while a customer's own record is short."""
    raw = json.loads(files("workers.evaluation").joinpath("baseline.json").read_text(encoding="utf-8"))
    return tuple(
        Row(row["alert_type"], row["group"], row["blind"], row["scores"].get("passed", 0.0))
        for row in raw["results"].values()
    )


@dataclass(frozen=True)
class Row:
    alert_type: str
    group: str
    blind: bool
    passed: float


def _promises(labelled: Iterable[tuple[str, Graded]], by: Rule) -> tuple[Promise, ...]:
    found: dict[str, list[Judged]] = {}
    for name, result in labelled:
        found.setdefault(name, []).append(Judged(result.passed == 1, result.blind))
    promises = (bucket(name, judged, by) for name, judged in sorted(found.items()))
    return tuple(p for p in promises if p is not None)
