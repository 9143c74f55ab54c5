"""A scenario enters the library only if its truth can be found through the skills, and not by guessing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.cli.eval._intake import alerts
from skills.contract import Excerpt
from tests.evaluation.made import LIMIT, OOM, shown, true_cause, truth
from tests.evaluation.test_run_command import gumshoe
from workers.evaluation import exhibits, register, telling
from workers.evaluation.admission import Admission, Refusal, Required, _refusals, admit, library, refused, required
from workers.evaluation.oracle import Found
from workers.evaluation.results import Guess
from workers.simulation import Truth, scenario


def found(*texts: str) -> Found:
    it = Found()
    it.take("first_look", "kubernetes", [Excerpt(text, "kubectl get") for text in texts], ())
    return it


def refusals(true: Truth, *texts: str) -> list[str]:
    wanted = tuple(required(scenario.load("oom-after-deploy"), true))
    return [str(it) for it in _refusals("x", true, wanted, found(*texts))]


def admission(name: str, leaf: str, *predicates: str) -> Admission:
    wanted = tuple(Required(key="faults.0.evidence.0", predicate=p, faults=(leaf,)) for p in predicates)
    return Admission(case=name, group="E", leaves=(leaf,), required=wanted)


def test_what_the_skills_show_is_admitted() -> None:
    assert refusals(truth(), OOM, LIMIT + " of cart") == []


def test_evidence_that_no_skill_shows_is_refused_with_file_key_and_reason() -> None:
    assert refusals(truth(), OOM, "container cart") == [
        "scenarios/x.yaml: faults.0.evidence (faults/memory_limit_too_low.py): "
        "'limits.memory of cart is 128Mi' is shown by no skill"
    ]


def test_evidence_of_the_scenario_itself_is_named_by_its_place_in_the_file() -> None:
    it = scenario.load("port-put-right")
    true = truth(true_cause(fault=it.faults[0].fault, evidence=it.faults[0].evidence))
    assert [r.key for r in required(it, true)] == ["faults.0.evidence.0"]


def test_a_culprit_that_no_skill_names_is_refused() -> None:
    (refusal,) = refusals(truth(true_cause(evidence=("OOMKilled",))), "pod cartographer-1 OOMKilled")
    assert "faults.0.victim: no skill shows the culprit Deployment cart" in refusal


def test_a_culprit_that_only_the_question_names_is_refused() -> None:
    asked = Found()
    asked.take("kubernetes_describe", "kubernetes", [Excerpt("OOMKilled", "kubectl describe deployment cart")], ())
    true = truth(true_cause(evidence=("OOMKilled",)))
    (refusal,) = _refusals("x", true, tuple(required(scenario.load("oom-after-deploy"), true)), asked)
    assert "no skill shows the culprit Deployment cart" in refusal.reason


def test_prose_and_no_evidence_at_all_are_refused() -> None:
    (prose,) = refusals(truth(true_cause(evidence=("requests grow while they fall",))), "cart")
    assert "names nothing that could be found" in prose
    (nothing,) = refusals(truth(true_cause(evidence=())), "cart")
    assert nothing.endswith("memory_limit_too_low names no evidence")


def test_a_scenario_that_does_not_exist_is_refused_by_name() -> None:
    it, seen = admit("no-such-scenario", alerts)
    assert "no scenario called 'no-such-scenario'" in it.refusals[0].reason
    assert seen == ()


def test_what_the_simulation_refuses_keeps_its_file_key_and_reason() -> None:
    it = refused("x", "scenarios/x.yaml: faults.0.victim: shop has nothing called 'carts'")
    assert it.refusals == (
        Refusal(file="scenarios/x.yaml", key="faults.0.victim", reason="shop has nothing called 'carts'"),
    )


def test_a_guesser_that_is_right_too_often_is_named() -> None:
    def one(name: str, deploy: bool, *refused: Refusal) -> Admission:
        guesses = {
            "last deploy": Guess(entity="x", right=deploy),
            "alerting service": Guess(entity="x", right=False),
            "most restarts": Guess(entity="", right=False),
            "loudest logs": Guess(entity="", right=False),
        }
        return Admission(case=name, refusals=refused, group="E", leaves=("f",), guesses=guesses, candidates=10)

    why = Refusal(file="scenarios/d.yaml", key="", reason="no")
    broken = Admission(case="d", group="A", leaves=("g",), refusals=(why,))
    whole = library([one("a", True), one("b", True), one("c", False), broken])
    assert whole.too_easy == ("last deploy",)
    assert whole.chance == pytest.approx(0.1)
    assert (len(whole.admitted), len(whole.refused), whole.leaves) == (3, 1, ("f",))
    assert whole.groups == {"A": (0, 1), "E": (3, 3)}


def test_the_oracle_asks_only_for_what_the_first_look_did_not_show() -> None:
    it, seen = admit("oom-after-deploy", alerts)
    assert (it.refusals, it.calls) == ((), 0)
    assert it.guesses["most restarts"].right
    assert it.candidates > 10
    assert {e.tool for e in seen} == {"first_look"}


def test_a_predicate_that_the_first_look_at_other_faults_shows_as_well_tells_nothing(tmp_path: Path) -> None:
    mine = admission("mine", "memory_leak", "restarts", "OOMKilled and pod ~ cart-*")
    others = [admission(f"other-{i}", "volume_full") for i in range(12)]
    exhibits.keep("mine", [shown("", f"{OOM} restarts 6")], tmp_path)
    for it in others:
        exhibits.keep(it.case, [shown("", "pod api-1 restarts 2")], tmp_path)
    judged = next(iter(telling.too_common([mine, *others], tmp_path)))
    assert [r.reason for r in judged.refusals] == [
        "'restarts' tells nothing: 12 of 12 scenarios with another fault show it too"
    ]


def test_an_earlier_comparison_is_forgotten_when_it_is_made_anew(tmp_path: Path) -> None:
    old = Refusal(file="scenarios/mine.yaml", key="k", reason="'OOMKilled' tells nothing: 12 of 12 scenarios")
    mine = admission("mine", "memory_leak", "OOMKilled").model_copy(update={"refusals": (old,)})
    others = [admission(f"other-{i}", "volume_full") for i in range(12)]
    for it in (mine, *others):
        exhibits.keep(it.case, [shown("", "pod api-1 restarts 2")], tmp_path)
    assert not next(iter(telling.too_common([mine, *others], tmp_path))).refusals


def test_scenarios_of_the_same_fault_may_show_the_same(tmp_path: Path) -> None:
    alike = [admission(f"a{i}", "memory_leak", "restarts") for i in range(15)]
    for it in alike:
        exhibits.keep(it.case, [shown("", "pod api-1 restarts 2")], tmp_path)
    assert all(not it.refusals for it in telling.too_common(alike, tmp_path))


def test_the_register_goes_on_where_it_was_and_keeps_what_is_not_judged_now(tmp_path: Path) -> None:
    out = tmp_path / "admission.json"
    first = gumshoe("admit", "secret-missing", "--out", str(out), "--quiet")
    assert first.returncode == 0, first.stderr
    # What a killed run leaves: its plan and one of two scenarios.
    lines = [
        {"kind": "plan", "plan": {"cases": ["root-not-allowed", "selector-mismatch"]}},
        {"kind": "result", "result": {"case": "root-not-allowed", "group": "D", "leaves": ["from the ledger"]}},
    ]
    (tmp_path / "admission.json.ledger").write_text("".join(json.dumps(line) + "\n" for line in lines))
    other = gumshoe("admit", "secret-missing", "--out", str(out))
    assert other.returncode == 2
    assert "was broken off here" in other.stderr
    assert "--fresh" in other.stderr
    went_on = gumshoe("admit", "root-not-allowed", "selector-mismatch", "--out", str(out), "--jobs", "1")
    assert went_on.returncode == 0, went_on.stderr
    assert "1/2, admitted 1" in went_on.stderr.splitlines()[0]
    assert "3 of 3 in" in went_on.stdout
    made = {it.case: it for it in register.entries(out).cases}
    assert list(made) == ["root-not-allowed", "secret-missing", "selector-mismatch"]
    assert made["root-not-allowed"].leaves == ("from the ledger",)
    assert exhibits.kept("selector-mismatch", exhibits.folder_of(out))
