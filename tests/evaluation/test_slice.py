"""The slice and the baseline that CI uses are of this library."""

from __future__ import annotations

from importlib.resources import files

from workers.evaluation import buckets, gate
from workers.evaluation.cases import case, chosen
from workers.simulation import names


def test_the_slice_stands_for_every_group_and_both_companies() -> None:
    cases = [case(name) for name in chosen(["@slice"])]
    assert 18 <= len(cases) <= 26
    assert {c.group for c in cases} == set("ABCDEFGHIJKL")
    assert len({c.company for c in cases}) >= 2


def test_the_baseline_knows_the_slice_and_nearly_all_of_the_library() -> None:
    from pathlib import Path

    path = Path(str(files("workers.evaluation").joinpath("baseline.json")))
    known = {key.split("|")[0] for key in gate.read_baseline(path).results}
    assert set(chosen(["@slice"])) <= known
    assert len(known & set(names())) >= 0.9 * len(names())


def test_what_is_shipped_makes_promises() -> None:
    promises = buckets.of_groups(buckets.shipped(), buckets.rule())
    assert {p.name for p in promises} == set("ABCDEFGHIJKL")
