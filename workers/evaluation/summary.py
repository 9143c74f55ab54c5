"""What a run says: averages with intervals, against the guessers, by group, leaf and alert type. Pure.

Repeats of one case are averaged before anything else, so that a case weighs once however often it ran.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, median, quantiles

from workers.evaluation import buckets
from workers.evaluation import statistics as st
from workers.evaluation.grading.marks import SCORES
from workers.evaluation.guessers import GUESSERS
from workers.evaluation.results import Result, Run
from workers.evaluation.sameness import spelt
from workers.evaluation.standing import Standing, standing
from workers.evaluation.statistics import Interval

SEED = "gumshoe"
BANDS = ("high", "medium", "low")


@dataclass(frozen=True)
class Line:
    """One row of a table: a group, a leaf or an alert type."""

    name: str
    passed: Interval
    scores: dict[str, float | None]
    cases: tuple[str, ...]


@dataclass(frozen=True)
class Rival:
    """A guesser over the same cases."""

    name: str
    entity: Interval
    """How often it names a true entity."""
    joint: float
    """How often it would pass, if it always said the commonest leaf as well."""
    lift: Interval
    """How much more often the first cause's entity is right than its guess, over the same cases."""


@dataclass(frozen=True)
class Bad:
    """A cause said with High confidence that is wrong."""

    key: str
    said: str
    truth: str
    value: float
    trace: str


@dataclass(frozen=True)
class Cost:
    seconds: float
    seconds_p95: float
    tokens: float
    dollars: float
    total_dollars: float
    tool_calls: float
    tool_errors: int
    invalid_calls: int
    repeated_calls: int
    bytes_read: float


@dataclass(frozen=True)
class Summary:
    """One variant."""

    variant: str
    cases: int
    investigations: int
    leaves: int
    passed: Interval
    standing: Standing
    pass_power_k: float | None
    """The share of cases that passed in every one of their repeats; None below three."""
    repeats: int
    scores: dict[str, Interval]
    macro_leaf: dict[str, Interval]
    macro_group: dict[str, Interval]
    groups: tuple[Line, ...]
    leaf_lines: tuple[Line, ...]
    alert_types: tuple[Line, ...]
    kinds: tuple[Line, ...]
    rivals: tuple[Rival, ...]
    chance_entity: float | None
    chance_joint: float | None
    high_and_wrong: tuple[Bad, ...]
    brier: float | None
    reliability: tuple[st.Bin, ...]
    brier_by_alert_type: dict[str, float]
    cost: Cost
    broken: tuple[tuple[str, str], ...]
    repeated_tries: int
    """Investigations that were tried again because the machine was too busy."""
    disturbed: tuple[str, ...]
    """Keys of those whose last try was disturbed as well."""
    suspected: tuple[tuple[str, str], ...]
    """(key, sentence): signs that the model suspects a simulation."""
    missed: tuple[tuple[str, str, str], ...]
    """(key, truth, said) of everything that did not pass."""


def summaries(run: Run, by: buckets.Rule) -> tuple[Summary, ...]:
    """One for each variant, in the order of the run; `by`: the rule of what is promised."""
    found = (summary(name, [r for r in run.results if r.variant == name], by) for name in run.variants)
    return tuple(one for one in found if one is not None)


def summary(variant: str, results: Sequence[Result], by: buckets.Rule) -> Summary | None:
    by_case = _by(results, lambda r: r.case)
    if not by_case:
        return None
    repeats = max(len(tries) for tries in by_case.values())
    passed = _interval([[r.passed for r in tries] for tries in by_case.values()])
    chance, joint = _chance(results)
    forecasts = [(r, r.marks) for r in results if r.marks and r.marks.band]
    stated = [(str(m.band), m.value or 0.0, bool(m.passed)) for _, m in forecasts]
    return Summary(
        variant=variant,
        cases=len(by_case),
        investigations=len(results),
        leaves=len({t.fault for r in results for t in r.truth.causes}),
        passed=passed,
        standing=standing(results, by),
        pass_power_k=fmean(all(r.passed for r in tries) for tries in by_case.values()) if repeats >= 3 else None,
        repeats=repeats,
        scores={name: interval for name in SCORES if (interval := score(results, name)) is not None},
        macro_leaf=_macro(results, lambda r: r.leaf),
        macro_group=_macro(results, lambda r: r.group),
        groups=_lines(results, lambda r: (r.group,)),
        leaf_lines=_lines(results, lambda r: (r.leaf,)),
        alert_types=_lines(results, lambda r: (r.alert_type,)),
        kinds=_lines(results, lambda r: r.kinds),
        rivals=_rivals(results),
        chance_entity=chance,
        chance_joint=joint,
        high_and_wrong=tuple(_bad(r) for r in results if r.marks and r.marks.high_and_wrong),
        brier=st.brier((value, right) for _, value, right in stated),
        reliability=tuple(
            sorted(st.reliability(stated), key=lambda b: BANDS.index(b.label) if b.label in BANDS else 9)
        ),
        brier_by_alert_type={
            kind: value
            for kind, those in _by([r for r, _ in forecasts], lambda r: r.alert_type).items()
            if (value := st.brier((r.marks.value or 0.0, bool(r.passed)) for r in those if r.marks)) is not None
        },
        cost=_cost(results),
        broken=tuple((r.key, r.error) for r in results if r.error),
        repeated_tries=sum(r.tries > 1 for r in results),
        disturbed=tuple(r.key for r in results if r.disturbed),
        suspected=tuple((r.key, sentence) for r in results for sentence in r.suspicions),
        missed=tuple((r.key, truth_in_words(r), said_in_words(r)) for r in results if not r.passed),
    )


def score(results: Iterable[Result], name: str) -> Interval | None:
    """Mean of a score over cases, where it applies."""
    per_case = _per_case(results, name)
    return st.bootstrap_mean(list(per_case.values()), seed=f"{SEED}:{name}") if per_case else None


def truth_in_words(result: Result) -> str:
    blamed = ", ".join(f"{t.fault} of {spelt(t.entity)}" for t in result.truth.causes)
    return blamed if result.truth.verdict == "incident" else f"{result.truth.verdict} {blamed}".rstrip()


def said_in_words(result: Result) -> str:
    finding = result.finding
    if finding is None:
        return result.error or "nothing"
    if not finding.causes:
        return finding.verdict
    first = finding.causes[0]
    said = f"{first.fault} of {first.entity} ({first.confidence.band})"
    return said if finding.verdict == "incident" else f"{finding.verdict}: {said}"


def _by(results: Iterable[Result], label: Callable[[Result], str]) -> dict[str, list[Result]]:
    found: dict[str, list[Result]] = {}
    for result in results:
        found.setdefault(label(result), []).append(result)
    return dict(sorted(found.items()))


def _per_case(results: Iterable[Result], name: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for case, tries in _by(results, lambda r: r.case).items():
        values = [v for r in tries if (v := r.score(name)) is not None]
        if values:
            found[case] = fmean(values)
    return found


def _interval(tries: Sequence[Sequence[float]]) -> Interval:
    """Wilson's for one try a case; with repeats a bootstrap over cases, since tries of one case are not independent."""
    if all(len(t) == 1 for t in tries):
        interval = st.wilson(sum(t[0] for t in tries), len(tries))
    else:
        interval = st.bootstrap_mean([fmean(t) for t in tries], seed=SEED)
    assert interval is not None
    return interval


def _macro(results: Sequence[Result], label: Callable[[Result], str]) -> dict[str, Interval]:
    labels = {r.case: label(r) for r in results}
    found = {}
    for name in ("passed", "precision", "entity", "leaf", "evidence", "credit"):
        pairs = [(labels[case], value) for case, value in _per_case(results, name).items()]
        if (interval := st.bootstrap_macro(pairs, seed=f"{SEED}:{name}")) is not None:
            found[name] = interval
    return found


def _lines(results: Sequence[Result], labels: Callable[[Result], Iterable[str]]) -> tuple[Line, ...]:
    found: dict[str, list[Result]] = {}
    for result in results:
        for label in labels(result):
            found.setdefault(label, []).append(result)
    lines = []
    for name, those in sorted(found.items()):
        per_case = _by(those, lambda r: r.case)
        scores = {s: fmean(v) if (v := list(_per_case(those, s).values())) else None for s in SCORES}
        passed = _interval([[r.passed for r in tries] for tries in per_case.values()])
        lines.append(Line(name, passed, scores, tuple(per_case)))
    return tuple(lines)


def _rivals(results: Sequence[Result]) -> tuple[Rival, ...]:
    asked = [r for r in results if r.guesses and r.truth.causes and r.truth.verdict == "incident"]
    if not asked:
        return ()
    leaves = [t.fault for r in asked for t in r.truth.causes]
    commonest = max(sorted(set(leaves)), key=leaves.count)
    found = []
    for name in GUESSERS:
        those = [r for r in asked if name in r.guesses]
        entity = st.wilson(sum(r.guesses[name].right for r in those), len(those))
        lift = st.paired_difference(
            [(float(r.guesses[name].right), r.score("entity") or 0.0) for r in those], seed=f"{SEED}:{name}"
        )
        if entity is None or lift is None:
            continue
        joint = fmean(r.guesses[name].right and any(t.fault == commonest for t in r.truth.causes) for r in those)
        found.append(Rival(name, entity, joint, lift))
    return tuple(found)


def _chance(results: Sequence[Result]) -> tuple[float | None, float | None]:
    """Blind chance over what was met: an entity, and an entity with a leaf of those in the library."""
    met = [r for r in results if r.candidates and r.truth.causes]
    if not met:
        return None, None
    leaves = {t.fault for r in met for t in r.truth.causes}
    entity = fmean(len(r.truth.causes) / max(r.candidates, len(r.truth.causes)) for r in met)
    return entity, entity / len(leaves)


def _bad(result: Result) -> Bad:
    assert result.marks is not None
    return Bad(result.key, said_in_words(result), truth_in_words(result), result.marks.value or 0, result.trace)


def _cost(results: Sequence[Result]) -> Cost:
    ways = [r.marks.process for r in results if r.marks]
    if not ways:
        return Cost(0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    seconds = sorted(w.seconds for w in ways)
    return Cost(
        seconds=median(seconds),
        seconds_p95=quantiles(seconds, n=20)[-1] if len(seconds) > 1 else seconds[0],
        tokens=fmean(w.tokens for w in ways),
        dollars=fmean(w.dollars for w in ways),
        total_dollars=sum(w.dollars for w in ways),
        tool_calls=fmean(w.tool_calls for w in ways),
        tool_errors=sum(w.tool_errors for w in ways),
        invalid_calls=sum(w.invalid_calls for w in ways),
        repeated_calls=sum(w.repeated_calls for w in ways),
        bytes_read=fmean(w.bytes_read for w in ways),
    )
