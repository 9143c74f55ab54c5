"""Which tools a model is offered, how it comes to the others, and that an alert changes nothing of it."""

import pytest

from skills.contract import Excerpt, Tool, ToolInput, ToolResult
from tests.agent.company import FakeSkill, MemoryJournal, connected, looks, request, run
from tests.agent.test_first_slice import OOM, ROLLOUT
from tests.agent.test_loop import GUESS, settled
from tests.llm.messages_api import call
from workers.agent import offering, own_tools
from workers.llm.base import estimate_tokens
from workers.llm.scripted import Scripted


class Asked(ToolInput):
    namespace: str
    service: str = ""
    """service, workload or pod prefix"""


def answer(given, context):
    text = f"{given.service or given.namespace} is quiet"
    return ToolResult("ok", "1 line", (Excerpt(text=text, query=f"ask {text}"),))


class Many(FakeSkill):
    """A skill with as many tools as a test wants, its core question first."""

    def __init__(self, name, verbs, deferred=False):
        super().__init__(name, sees=looks(OOM, changes=[ROLLOUT]))
        self.many = tuple(
            Tool(f"{name}_{verb}", f"Tells the {verb} of a service.", Asked, answer, (verb,), deferred)
            for verb in verbs
        )

    @property
    def tools(self):
        return self.many


class Listening(Scripted):
    """Keeps what it was offered and told."""

    def __init__(self, replies):
        super().__init__(replies)
        self.offered, self.told = [], []

    def reply(self, system, tools, messages, **more):
        self.offered.append((system, tuple(tools)))
        self.told.append(str(messages[-1]["content"]))
        return super().reply(system, tools, messages, **more)


NINE = [
    Many(name, [f"{verb}_{name}" for verb in ("core", "errors", "latency", "owners", "quota")]) for name in "abcdefghi"
]


def offered(*skills, system="Be brief.", all_of_them=False):
    return offering.offer(connected(*skills), own_tools.SPECS, system, all_of_them=all_of_them)


def test_at_most_twenty_tools_are_offered_and_each_skill_keeps_its_core_question():
    made = offered(*NINE)
    names = [s.name for s in made.specs]
    assert len(names) <= 20
    assert {f"{n}_core_{n}" for n in "abcdefghi"} <= set(names)
    assert {"find_tool", "use_tool"} <= set(names)
    assert len(made.withheld) == 45 - (len(names) - 6)


def test_the_prefix_keeps_to_its_tokens_however_long_the_advice_of_skills_is():
    long = "Look at the logs first. " * 600
    made = offered(*NINE, system=long)
    assert estimate_tokens([long, [vars(s) for s in made.specs]]) <= offering.TOKENS + 9 * offering.TOKENS_A_SKILL
    assert "find_tool" in [s.name for s in made.specs]


def test_few_tools_are_all_offered_without_a_door_to_more():
    names = [s.name for s in offered(Many("kubernetes", ["logs", "events"])).specs]
    assert names == ["hypothesis", "challenge", "topology", "conclude", "kubernetes_events", "kubernetes_logs"]


def test_a_hundred_tools_of_one_system_change_the_prefix_by_a_word():
    few = offered(*NINE)
    many = offered(*NINE, Many("mcp", [f"verb{i}" for i in range(100)], deferred=True))
    assert len(many.withheld) == len(few.withheld) + 100
    grown = estimate_tokens([vars(s) for s in many.specs]) - estimate_tokens([vars(s) for s in few.specs])
    assert grown <= 5
    assert not any("verb7" in str(vars(s)) for s in many.specs)


def test_what_is_offered_does_not_depend_on_the_alert():
    model = Listening([settled(GUESS)] * 4)
    run(request(), *NINE, model=model)
    run(request(now=request().now.replace(hour=20), question="why is the db slow?"), *NINE, model=model)
    assert model.offered[0] == model.offered[-1]


def test_a_withheld_tool_is_found_by_what_it_answers_and_called_through_one_door():
    skills = [*NINE[:8], Many("loki", ["core", "errors", "pauses", "deadlocks"])]
    script = [
        [call("find_tool", {"query": "deadlocks that a service logged"})],
        [call("use_tool", {"name": "loki_deadlocks", "input": {"namespace": "shop", "service": "cart"}})],
        settled(GUESS),
    ]
    journal, model = MemoryJournal(), Listening(script)
    finding = run(request(), *skills, model=model, journal=journal)
    assert "loki_deadlocks" not in [s.name for s in model.offered[0][1]]
    assert len({str(offer) for offer in model.offered}) == 1
    assert '"name": "loki_deadlocks"' in model.told[1]
    assert '"required": ["namespace"]' in model.told[1]
    assert "cart is quiet" in model.told[2]
    span = next(s for s in journal.spans if s.name == "loki_deadlocks")
    assert (span.step_state, span.input) == ("query_loki", {"namespace": "shop", "service": "cart"})
    assert span.attributes["gumshoe.through"] == "use_tool"
    assert "loki_deadlocks" in journal.spans[0].output["withheld"]
    assert finding.used.tool_calls == 1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"name": "a_core_a", "input": {"service": "cart"}}, "namespace: Field required"),
        ({"name": "a_core_a", "input": '{"namespace": "shop"}'}, "shop is quiet"),
        ({"name": "a_core_a", "input": "{"}, "wrong arguments"),
        ({"name": "kubectl_delete", "input": {}}, "there is no tool 'kubectl_delete'; find_tool tells"),
        ({}, "there is no tool 'use_tool'"),
    ],
)
def test_what_is_wrong_with_a_call_through_the_door_is_said_like_any_other(given, words):
    model = Listening([[call("use_tool", given)], settled(GUESS)])
    run(request(), *NINE, model=model)
    assert words in model.told[1]


def test_a_repeated_call_is_known_through_either_way():
    given = {"namespace": "shop"}
    script = [
        [call("a_core_a", given)],
        [call("use_tool", {"name": "a_core_a", "input": given})],
        settled(GUESS),
    ]
    model = Listening(script)
    run(request(), *NINE, model=model)
    assert "asked before with the same arguments" in model.told[2]


def test_words_that_no_tool_answers_get_the_names_that_there_are():
    model = Listening([[call("find_tool", {"query": "zzz"})], settled(GUESS)])
    run(request(), *NINE, model=model)
    assert "no_data: no tool matches" in model.told[1]
    assert "i_quota_i" in model.told[1]


def test_the_offline_investigator_is_not_confused_by_many_tools_and_gets_them_all():
    everything = offered(*NINE, Many("mcp", ["search"], deferred=True), all_of_them=True)
    assert len(everything.specs) == 4 + 45
    assert everything.withheld == ("mcp_search",)
