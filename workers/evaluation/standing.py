"""Where it is good, where it is learning, where it is out of reach: one verdict a group, a leaf and an alert type, by
the rule of the buckets. Of what has too few cases nothing is promised, and that is said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from skills.faults import all_faults
from workers.evaluation.buckets import Judged, Promise, Rule, bucket
from workers.evaluation.results import Result

ORDER = ("can solve", "learning", "out of reach")


@dataclass(frozen=True)
class Standing:
    rule: Rule
    groups: tuple[Promise, ...]
    """By letter and title; L: what is no incident, or is over."""
    leaves: tuple[Promise, ...]
    alert_types: tuple[Promise, ...]


def standing(results: Sequence[Result], by: Rule) -> Standing:
    titles = {f.group[:1]: f.group for f in all_faults() if f.is_cause}
    return Standing(
        by,
        tuple(_promises(results, lambda r: titles.get(r.group, f"{r.group} No incident, or over"), by)),
        tuple(_promises(results, lambda r: r.leaf, by)),
        tuple(_promises(results, lambda r: r.alert_type, by)),
    )


def is_judged(it: Promise, by: Rule) -> bool:
    """Whether there are enough cases to say more than what came of them."""
    return it.right.n >= by.cases or it.bucket == "out of reach"


def verdict(it: Promise, by: Rule) -> str:
    """`can solve`, `learning`, `out of reach`, or what is known of too few."""
    return it.bucket if is_judged(it, by) else f"too few: {round(it.right.value * it.right.n)} of {it.right.n} right"


def verdicts(title: str, it: Standing) -> dict[str, str]:
    """By the name of a line in the table of this title."""
    those = {"group": it.groups, "leaf": it.leaves, "alert type": it.alert_types}.get(title, ())
    return {p.name[:1] if title == "group" else p.name: verdict(p, it.rule) for p in those}


def lines(it: Standing) -> Iterator[str]:
    """The first screen."""
    yield f"where it stands ({it.rule.words()})"
    wide = max((len(p.name) for p in it.groups), default=0)
    for kind in ORDER:
        those = [p for p in it.groups if p.bucket == kind]
        for p in sorted(those, key=lambda p: (-p.right.low, p.name)):
            yield f"  {kind:13} {p.name:{wide}}  {p.reason}"
        if not those:
            yield f"  {kind:13} no group"
    weak = sorted((p for p in it.leaves if p.right.value < 1), key=lambda p: (p.right.value, p.name))
    said = ", ".join(f"{p.name} {round(p.right.value * p.right.n)}/{p.right.n}" for p in weak)
    yield f"  leaves: all right in {len(it.leaves) - len(weak)} of {len(it.leaves)}; not in {said or 'none'}"
    enough = [p for p in it.alert_types if is_judged(p, it.rule)]
    yield f"  alert types: {_counted(enough)}; {len(it.alert_types) - len(enough)} have too few cases to say"


def _counted(promises: Sequence[Promise]) -> str:
    found = [(kind, [p.name for p in promises if p.bucket == kind]) for kind in ORDER]
    return "; ".join(f"{kind}: {', '.join(names)}" for kind, names in found if names) or "none is judged"


def _promises(results: Iterable[Result], label: Callable[[Result], str], by: Rule) -> Iterator[Promise]:
    """A case counts once, and is right when all its repeats are."""
    found: dict[str, dict[str, list[Result]]] = {}
    for result in results:
        found.setdefault(label(result), {}).setdefault(result.case, []).append(result)
    for name, cases in sorted(found.items()):
        judged = [Judged(all(r.passed == 1 for r in tries), tries[0].blind) for tries in cases.values()]
        if (promise := bucket(name, judged, by)) is not None:
            yield promise
