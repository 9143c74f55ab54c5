"""Beliefs are tested before they are concluded, and a long investigation stays readable and affordable."""

import pytest

from config.customers import Budget
from skills.contract import Excerpt, QueryMeter, ToolResult
from tests.agent.company import FakeSkill, LogsInput, MemoryJournal, looks, request, run, symptom
from tests.agent.test_first_slice import OOM, ROLLOUT
from tests.agent.test_grounding import guess, refusals
from tests.agent.test_loop import CART, GUESS, settled
from tests.llm.messages_api import call
from workers.agent import ConnectedSkill, vocabulary
from workers.agent.folding import FOLD_AT
from workers.llm.base import estimate_tokens
from workers.llm.scripted import Scripted

LEAD = {"action": "open", "entity": CART, "fault": "memory_limit_too_low", "predicts": ["restarts with 137"]}
RIVAL = symptom("Deployment shop/web", "code_defect_in_release", "web panics since its release", 0.8)


PLENTY = Budget(tokens=2_000_000)


def attack(hypothesis="H1"):
    said = "Seen in E1."
    return {"hypothesis": hypothesis, "victim": said, "rival": said, "timing": said, "peer": said, "holds": True}


def play(*turns, sees=None, skill=None):
    journal = MemoryJournal()
    skill = skill or FakeSkill(sees=sees or looks(OOM, changes=[ROLLOUT]))
    return run(request(), skill, model=Scripted(turns), journal=journal), journal


def test_what_was_not_opened_and_challenged_is_not_concluded_at_the_first_try():
    finding, journal = play([call("conclude", GUESS)], settled(GUESS))
    assert refusals(journal) == [
        "causes[0]: first open memory_limit_too_low as a hypothesis with what it predicts, and challenge it"
    ]
    assert finding.verdict == "incident"


def test_what_was_opened_is_challenged_before_it_is_concluded():
    _, journal = play([call("hypothesis", LEAD), call("conclude", GUESS)], settled(GUESS))
    assert refusals(journal) == ["causes[0]: first challenge H1"]


def test_who_insists_is_heard_and_pays_with_confidence():
    weak = symptom("Deployment shop/cart", "memory_limit_too_low", OOM.summary, 0.8)
    finding, _ = play([call("conclude", GUESS)], [call("conclude", GUESS)], sees=looks(weak))
    assert finding.verdict == "incident"
    assert finding.causes[0].confidence.band == "medium"


@pytest.mark.parametrize(
    "way",
    [
        [call("hypothesis", {**LEAD, "entity": "Deployment shop/web", "fault": "code_defect_in_release"}, 7)],
        [],
    ],
)
def test_the_strongest_rival_is_considered_before_a_conclusion(way):
    sees = looks(OOM, RIVAL)
    first = [call("hypothesis", LEAD), *way, call("challenge", attack()), call("conclude", GUESS)]
    out = {"fault": "code_defect_in_release", "why": "web only calls cart", "evidence": ["E1"]}
    finding, journal = play(first, [call("conclude", guess(ruled_out=[out]))], sees=sees)
    (problem, *more) = refusals(journal) or [""]
    assert not more
    assert ("code_defect_in_release of Deployment shop/web [E2], was not tested" in problem) is (not way)
    assert finding.verdict == "incident"


def test_a_hypothesis_that_predicts_nothing_is_not_opened():
    _, journal = play([call("hypothesis", {**LEAD, "predicts": []})], settled(GUESS))
    assert "say what it predicts" in next(s for s in journal.spans if s.name == "hypothesis").output["text"]


def test_a_fault_that_does_not_exist_is_answered_with_the_nearest_names():
    told = vocabulary.unknown("memory_limit_to_low")
    assert "memory_limit_too_low" in told
    assert len(told) < 300
    assert "dns_resolution_failing" in vocabulary.unknown("dns_failure")


def test_the_same_suspect_is_ruled_out_once():
    out = {"fault": "memory_leak", "why": "6 restarts say nothing of it", "evidence": ["E1"]}
    again = {**out, "why": "6 restarts say  NOTHING of it"}
    other = {**out, "why": "6 restarts are no slow growth"}
    finding, _ = play(settled(guess(ruled_out=[out, again, other])))
    assert [r.why for r in finding.ruled_out] == ["6 restarts say nothing of it"]


def test_a_first_look_that_sufficed_is_not_told_as_nothing_asked():
    class Asking(FakeSkill):
        def first_look(self, context):
            for _ in range(7):
                self.meter.request()
            return super().first_look(context)

    skill, meter = Asking(sees=looks(OOM)), QueryMeter("kubernetes")
    skill.meter = meter
    journal = MemoryJournal()
    finding = run(
        request(), ConnectedSkill("kubernetes", skill, meter), model=Scripted([settled(GUESS)]), journal=journal
    )
    assert (finding.used.tool_calls, finding.used.first_look_queries) == (0, 7)
    resumed = MemoryJournal(journal.spans)
    again = run(
        request(), ConnectedSkill("kubernetes", skill, QueryMeter("kubernetes")), model=Scripted([]), journal=resumed
    )
    assert again.used.first_look_queries == 7


def sixty_lines(given, context):
    lines = [f"{given.service} line {i}: " + "something happened at the upstream " * 5 for i in range(60)]
    return ToolResult("ok", "60 lines", tuple(Excerpt(text=t, query=f"logs {given.service}") for t in lines))


class Measuring(Scripted):
    """Notes how much it was told at each step."""

    def __init__(self, replies):
        super().__init__(replies)
        self.sizes, self.told = [], []

    def reply(self, system, tools, messages, **more):
        self.sizes.append(estimate_tokens(messages))
        self.told.append(list(messages))
        return super().reply(system, tools, messages, **more)


def long_run(*last):
    skill = FakeSkill(sees=looks(OOM), answers={"kubernetes_logs": (LogsInput, sixty_lines)})
    turns = [[call("kubernetes_logs", {"namespace": "shop", "service": f"s{n}"}, n)] for n in range(25)]
    model = Measuring([*turns, *last, settled(GUESS)])
    finding = run(request(budget=PLENTY), skill, model=model)
    return model, finding


def test_the_context_of_twenty_five_steps_grows_by_evidence_lines_not_by_results():
    model, finding = long_run()
    assert len(model.sizes) == 26
    whole = model.sizes[1] - model.sizes[0]
    assert max(model.sizes) < FOLD_AT + whole
    assert sum(model.sizes) < 25 * (FOLD_AT + whole)
    assert finding.verdict == "incident"


def test_what_is_folded_is_shown_again_by_the_same_call_without_asking_the_system():
    again = [call("kubernetes_logs", {"namespace": "shop", "service": "s3"}, 99)]
    model, _ = long_run(again)
    first = next(m for m in model.told[-1] if "s3 line 0" in str(m) and m["role"] == "user")
    assert "(folded)" in str(first)
    assert "s3 line 40" not in str(first)
    assert "s3 line 40" in str(model.told[-1][-1])
    assert "asked before" in str(model.told[-1][-1])


def test_a_line_that_was_cited_stays_when_its_result_folds():
    skill = FakeSkill(sees=looks(OOM), answers={"kubernetes_logs": (LogsInput, sixty_lines)})
    cites = {"action": "strengthen", "id": "H1", "evidence": "E42", "reason": "its upstream fails"}
    turns = [[call("kubernetes_logs", {"namespace": "shop", "service": f"s{n}"}, n)] for n in range(25)]
    turns[1] = [*turns[1], call("hypothesis", LEAD), call("hypothesis", cites, 2)]
    model = Measuring([*turns, settled(GUESS)])
    run(request(budget=PLENTY), skill, model=model)
    old = str(model.told[-1][2])
    assert "[E42] s0 line 40" in old
    assert "[E41] s0 line 39" not in old


def test_a_result_that_changed_nothing_says_so():
    def same(given, context):
        return ToolResult("ok", "1 line", (Excerpt(text="cart is fine", query="q"),))

    skill = FakeSkill(sees=looks(OOM), answers={"kubernetes_logs": (LogsInput, same)})
    turns = [[call("kubernetes_logs", {"namespace": "shop", "service": s})] for s in ("cart", "db")]
    model = Measuring([*turns, settled(GUESS)])
    run(request(), skill, model=model)
    assert "Nothing new" not in str(model.told[1][-1])
    assert "Nothing new" in str(model.told[2][-1])


def test_the_next_check_names_the_revision_that_is_known():
    finding, _ = play(settled(guess(causes__0__change="rollout-42")))
    assert "--revision=N" in finding.next[0]
    known = ROLLOUT.__class__(**{**ROLLOUT.__dict__, "id": "rollout/shop/cart/42"})
    finding, _ = play(settled(guess(causes__0__change="rollout/shop/cart/42")), sees=looks(OOM, changes=[known]))
    assert "rollout history deploy/cart --revision=42` against the one before" in finding.next[0]
