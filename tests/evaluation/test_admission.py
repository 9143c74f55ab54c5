"""A scenario enters the library only if its truth can be found through the skills, and not by guessing."""

from __future__ import annotations

import pytest

from skills.contract import Excerpt
from tests.evaluation.made import LIMIT, OOM, true_cause, truth
from workers.evaluation.admission import Admission, _refusals, admit, library
from workers.evaluation.oracle import Found
from workers.evaluation.results import Guess


def found(*texts: str) -> Found:
    it = Found()
    it.take("first_look", "kubernetes", [Excerpt(text, "kubectl get") for text in texts], ())
    return it


def test_what_the_skills_show_is_admitted() -> None:
    assert list(_refusals("x", truth(), found(OOM, LIMIT + " of cart"))) == []


def test_evidence_that_no_skill_shows_is_refused_with_file_key_and_reason() -> None:
    (refusal,) = _refusals("x", truth(), found(OOM, "container cart"))
    assert refusal == (
        "scenarios/x.yaml: faults.0 (memory_limit_too_low): evidence 'limits.memory of cart is 128Mi' "
        "is shown by no skill"
    )


def test_a_culprit_that_no_skill_names_is_refused() -> None:
    hidden = truth(true_cause(evidence=("OOMKilled",)))
    (refusal,) = _refusals("x", hidden, found("pod cartographer-1 OOMKilled"))
    assert "no skill shows the culprit Deployment cart" in refusal


def test_prose_and_no_evidence_at_all_are_refused() -> None:
    (prose,) = _refusals("x", truth(true_cause(evidence=("requests grow while they fall",))), found("cart"))
    assert "names nothing that could be found" in prose
    (nothing,) = _refusals("x", truth(true_cause(evidence=())), found("cart"))
    assert "names no evidence" in nothing


def test_a_scenario_that_does_not_exist_is_refused_by_name() -> None:
    it = admit("no-such-scenario", lambda _: ())
    assert "no scenario called 'no-such-scenario'" in it.refusals[0]


def test_a_guesser_that_is_right_too_often_is_named() -> None:
    def one(name: str, deploy: bool) -> Admission:
        guesses = {
            "last deploy": Guess(entity="x", right=deploy),
            "alerting service": Guess(entity="x", right=False),
            "most restarts": Guess(entity="", right=False),
            "loudest logs": Guess(entity="", right=False),
        }
        return Admission(name, (), guesses, 10, 0, True)

    whole = library([one("a", True), one("b", True), one("c", False), Admission("d", ("no",), {}, 0, 0, False)])
    assert whole.too_easy == ("last deploy",)
    assert whole.chance == pytest.approx(0.1)
    assert (len(whole.admitted), len(whole.refused)) == (3, 1)


def test_the_oracle_asks_only_for_what_the_first_look_did_not_show() -> None:
    from bot.cli.eval._intake import alerts

    it = admit("oom-after-deploy", alerts)
    assert (it.refusals, it.calls) == ((), 0)
    assert it.guesses["most restarts"].right
    assert it.candidates > 10
