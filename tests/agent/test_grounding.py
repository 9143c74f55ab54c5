"""What a finding may say, and how sure it may be."""

import copy
from datetime import timedelta

import pytest

from skills.contract import Gap
from tests.agent.company import ONSET, FakeSkill, MemoryJournal, alert, edge, looks, request, run, symptom
from tests.agent.test_first_slice import OOM, ROLLOUT
from tests.agent.test_loop import GUESS, settled
from tests.llm.messages_api import call
from workers.agent.figures import figures, pool, stands_in
from workers.llm.scripted import Scripted


def concludes(*drafts, sees=None, asked=None):
    journal = MemoryJournal()
    skill = FakeSkill(sees=sees or looks(OOM, changes=[ROLLOUT]))
    finding = run(asked or request(), skill, model=Scripted([settled(d) for d in drafts]), journal=journal)
    return finding, journal


def guess(**changes):
    draft = copy.deepcopy(GUESS)
    for path, value in changes.items():
        target = draft
        *way, last = path.split("__")
        for part in way:
            target = target[int(part)] if part.isdigit() else target[part]
        target[last] = value
    return draft


def refusals(journal):
    return [p for s in journal.spans if s.name == "conclude" for p in s.output["problems"]]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (guess(headline__text="cart is OOMKilled after 9 restarts"), "figure '9 restarts'"),
        (guess(headline__evidence=["E99"]), "no evidence E99"),
        (guess(headline__evidence=[]), "cites no evidence"),
        (guess(headline__text='cart says "heap is full"'), "heap is full"),
        (guess(headline__text="cart fails since 11:47"), "11:47"),
        (guess(causes__0__fault="already_recovered"), "verdict"),
        (guess(causes__0__fault="gremlins"), "no fault 'gremlins'"),
        (guess(causes__0__entity={"kind": "Node", "name": "worker-9"}), "never seen"),
        (guess(causes__0__fault="node_rebooted"), "culprit of node_rebooted is a node"),
        (guess(impact={"text": "4,000 orders lost", "evidence": ["E1"]}), "4,000"),
    ],
)
def test_what_is_not_grounded_is_sent_back_once_with_what_is_wrong(wrong, words):
    finding, journal = concludes(wrong, GUESS)
    assert any(words in problem for problem in refusals(journal)), refusals(journal)
    assert finding.verdict == "incident"


def test_who_cites_the_wrong_line_is_told_the_right_one():
    other = symptom("Deployment shop/search", "", "search answers 37 errors/s", 0.2)
    wrong = guess(headline__text="cart makes search answer 37 errors/s")
    finding, journal = concludes(wrong, GUESS, sees=looks(OOM, other))
    (problem,) = refusals(journal)
    assert problem.startswith("headline: the figure '37 errors")
    assert problem.endswith("does not stand in E1; it stands in E2")
    assert finding.verdict == "incident"


def test_a_claim_that_stays_wrong_is_dropped_and_the_rest_is_kept():
    wrong = guess(impact={"text": "4,000 orders lost", "evidence": ["E1"]})
    finding, _ = concludes(wrong, wrong)
    assert finding.impact is None
    assert finding.causes[0].fault_id == "E1"


def test_a_finding_without_a_grounded_cause_is_inconclusive():
    wrong = guess(causes__0__summary="its heap of 7 GiB is full")
    other = symptom("Deployment shop/cart", "liveness_probe_too_aggressive", "cart is restarted by its probe", 0.6)
    finding, _ = concludes(wrong, wrong, sees=looks(other))
    assert finding.verdict == "inconclusive"
    assert all(c.confidence.band == "low" for c in finding.causes)


def test_a_cause_that_analyzers_saw_is_kept_in_their_words_when_its_own_do_not_stand():
    wrong = guess(causes__0__summary="its heap of 7 GiB is full", headline__text="cart lost 4,000 orders")
    finding, _ = concludes(wrong, wrong)
    assert finding.verdict == "incident"
    assert finding.causes[0].summary == OOM.summary == finding.headline.text
    assert finding.causes[0].confidence.band == "high"


def test_a_cause_in_invented_words_is_not_kept_at_an_object_where_nobody_saw_it():
    elsewhere = symptom("Deployment shop/web", "memory_limit_too_low", "web is OOMKilled", 0.95)
    near = symptom("Deployment shop/cart", "", "cart restarts", 0.3, role="effect")
    wrong = guess(causes__0__summary="its heap of 7 GiB is full", causes__0__evidence=["E2"])
    finding, _ = concludes(wrong, wrong, sees=looks(elsewhere, near))
    assert finding.verdict == "inconclusive"
    assert not finding.causes


def test_a_pod_is_replaced_by_its_workload():
    finding, _ = concludes(
        guess(causes__0__entity={"kind": "Pod", "namespace": "shop", "name": "cart-7d9f8c6b5-x2lqp"})
    )
    assert (finding.causes[0].entity.kind, finding.causes[0].entity.name) == ("Deployment", "cart")


def test_a_change_after_the_onset_is_not_blamed():
    late = ROLLOUT.__class__(**{**ROLLOUT.__dict__, "id": "r9", "at": ONSET + timedelta(minutes=3)})
    finding, _ = concludes(guess(causes__0__change="r9"), sees=looks(OOM, changes=[late]))
    assert finding.causes[0].change == "unknown"


def test_a_single_source_caps_at_medium_unless_it_is_decisive():
    weak = symptom("Deployment shop/cart", "memory_limit_too_low", OOM.summary, 0.85)
    finding, _ = concludes(GUESS, sees=looks(weak))
    assert finding.causes[0].confidence.band == "medium"
    assert finding.causes[0].confidence.capped_by
    decisive, _ = concludes(GUESS)
    assert (decisive.causes[0].confidence.band, decisive.causes[0].confidence.capped_by) == ("high", None)


def test_a_surviving_rival_caps_and_is_named():
    rival = symptom(
        "Deployment shop/cart", "dependency_address_wrong", "cart refers to a Service that is not there", 0.93
    )
    finding, _ = concludes(GUESS, sees=looks(OOM, rival))
    assert finding.causes[0].confidence.band == "medium"
    assert "rival" in (finding.causes[0].confidence.capped_by or "")


def test_a_cause_that_is_first_seen_after_the_alert_is_never_high():
    late = symptom("Deployment shop/cart", "memory_limit_too_low", OOM.summary, 0.95, at=ONSET + timedelta(minutes=20))
    finding, _ = concludes(GUESS, sees=looks(late))
    assert finding.causes[0].confidence.band == "medium"
    assert "after the alert" in (finding.causes[0].confidence.capped_by or "")


def test_nothing_that_leads_to_the_alert_is_never_high():
    far = symptom("Deployment shop/cart", "memory_limit_too_low", OOM.summary, 0.95)
    finding, _ = concludes(GUESS, sees=looks(far), asked=request(alert("billing")))
    assert finding.causes[0].confidence.band != "high"
    near, _ = concludes(
        GUESS,
        sees=looks(far, edges=[edge("Deployment shop/billing", "Service shop/cart")]),
        asked=request(alert("billing")),
    )
    assert near.causes[0].confidence.band == "high"


def test_missing_telemetry_that_would_show_it_caps():
    leak = symptom("Deployment shop/cart", "memory_leak", OOM.summary, 0.8)
    other = symptom("Deployment shop/cart", "memory_leak", "cart restarts", 0.8, query="kubectl get events")
    blind = looks(leak, other, gaps=[Gap("prometheus", "connection refused")])
    finding, _ = concludes(guess(causes__0__fault="memory_leak"), sees=blind)
    assert finding.causes[0].confidence.band != "high"


@pytest.mark.parametrize(
    ("claim", "evidence", "stands"),
    [
        ("0.5 GiB", "limit 512Mi", True),
        ("1,900 requests", "1900 requests", True),
        ("about 1,900 requests", "1897 requests", True),
        ("1,900 requests", "1897 requests", False),
        ("31 %", "ratio 0.3124", True),
        ("33 %", "ratio 0.3124", False),
        ("p99 of 2.3 s", "2314ms", True),
        ("250m", "0.25 cores", True),
        ("6 restarts", "restartCount: 6", True),
        ("7 restarts", "restartCount: 6, image 1.7", False),
    ],
)
def test_figures_stand_in_evidence_by_quantity_not_by_spelling(claim, evidence, stands):
    assert all(stands_in(f, pool([evidence])) for f in figures(claim)) is stands


def test_names_versions_and_words_that_begin_with_a_digit_are_no_figures():
    assert figures("cart-7d9f answers 5xx since `limit 3`, image v1.4.2, at 14:03") == ()


def test_entities_and_answers_may_be_written_as_words():
    lead = {"action": "open", "entity": "Deployment shop/cart", "fault": "memory_limit_too_low", "predicts": ["137"]}
    attack = {
        "hypothesis": "H1",
        "victim": "No, the limit is its own [E1].",
        "rival": "No rival was seen.",
        "timing": "It began before the alert (E1).",
        "peer": "No peer was seen.",
        "holds": True,
    }
    script = [[call("hypothesis", lead), call("challenge", attack), call("conclude", guess(causes__0__entity="cart"))]]
    journal = MemoryJournal()
    finding = run(request(), FakeSkill(sees=looks(OOM)), model=Scripted(script), journal=journal)
    assert (finding.causes[0].entity.kind, finding.causes[0].confidence.band) == ("Deployment", "high")
    assert "2 of 4 questions" in next(s for s in journal.spans if s.name == "challenge").output["text"]
    assert journal.shown[-1].beliefs[0].change == "new"


def test_a_cause_that_explains_nobody_who_suffers_is_never_high_though_the_alert_names_nothing():
    suffering = symptom("Deployment shop/web", "", "web answers with errors", 0.3, role="effect")
    unnamed = request(alert(service="", labels={"namespace": "shop"}, title="errors"))
    finding, _ = concludes(GUESS, sees=looks(OOM, suffering), asked=unnamed)
    assert finding.causes[0].confidence.band == "medium"
    assert "no known way" in (finding.causes[0].confidence.capped_by or "")
