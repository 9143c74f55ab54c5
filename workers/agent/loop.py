"""The investigation: look, then step until there is an ending; each step asks the model and acts on what it says.

The one path for production, demo, `gumshoe investigate` and evaluation. Endings are exceptions that carry what the
finding is made of, so the loop has no flags. Whatever happens, there is a finding at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, NoReturn

from pydantic import ValidationError

from skills.contract import Gap, SkillContext
from skills.redact import Redactor
from workers.agent import charts, conclude, first_look, offering, own_tools, page, render, window
from workers.agent.alerts import shown_alerts
from workers.agent.budget import Budget
from workers.agent.calls import in_words
from workers.agent.casefile import CaseFile
from workers.agent.conclude import Draft
from workers.agent.conversation import Conversation
from workers.agent.finding import Frame, assemble
from workers.agent.folding import folded_calls
from workers.agent.grounding import problems
from workers.agent.request import Journal, Request
from workers.agent.steps import Outcome, Step, Steps
from workers.agent.systems import ConnectedSkill, sources
from workers.agent.toolbox import CALL_SECONDS, Toolbox, tool_result
from workers.domain import Finding, Phase
from workers.llm.base import Block, Model
from workers.llm.offline import Offline

MAX_TURNS = 60
EDGES_SHOWN = 20
"""Of each look on the first page, the nearest first; `topology` tells the others."""
PATIENCE = 2
"""Turns in a row without a usable call that are answered by asking again."""


class Ended(Exception):
    """The investigation is over: with the model's conclusion, or cut short."""

    def __init__(self, draft: Draft | None = None, gap: Gap | None = None) -> None:
        super().__init__()
        self.draft = draft
        """None: it was cut short, and the finding is made of what is known."""
        self.gap = gap
        """What cut it short, for the reader."""


def investigate(
    request: Request,
    model: Model,
    skills: Sequence[ConnectedSkill],
    journal: Journal,
    *,
    clock: Callable[[], datetime],
    monotonic: Callable[[], float],
) -> Finding:
    """Finds the cause of the request's alerts. Raises only what the journal raises."""
    return _Run(request, model, skills, journal, clock, monotonic).run()


class _Run:
    def __init__(
        self,
        request: Request,
        model: Model,
        skills: Sequence[ConnectedSkill],
        journal: Journal,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self.request, self.model, self.skills = request, model, tuple(skills)
        self.journal, self.clock = journal, clock
        self.mask = Redactor().text
        self.budget = Budget(request.customer.budget, request.dollars_this_month, monotonic)
        self.steps = Steps(request.trace_id, journal, clock, monotonic)
        self.case = CaseFile(request, self.skills)
        self.toolbox = Toolbox(self.skills, self.steps, self.case.ledger, self.mask)
        system = page.system(self.skills)
        self.reads_everything = isinstance(model, Offline)
        """Neither tools nor lines cost the offline investigator anything, and it is not confused by many."""
        self.offer = offering.offer(self.skills, own_tools.SPECS, system, all_of_them=self.reads_everything)
        self.talk = Conversation(model, system, self.offer.specs, self.steps, self.mask)
        self.heard = 0
        """How many of the things that people said have been passed on."""
        self.last_word: str | None = None
        """The budget that is nearly used up, once the model was asked to conclude."""
        self.looked = 0
        """Requests that the first look sent to the systems."""
        self.sent_back = False
        self.idle = 0
        """Turns in a row without a usable call."""

    def run(self) -> Finding:
        self.look()
        try:
            for _ in range(MAX_TURNS):
                self.step()
            raise Ended(gap=Gap("further checks", f"{MAX_TURNS} turns did not lead to a conclusion"))
        except Ended as end:
            return self.report(end)

    def look(self) -> None:
        """The analyzers' first look, and the first message made of it."""
        self.steps.take(self._receive())
        self.progress("first_look", "reading " + ", ".join(s.name for s in self.skills if s.usable))
        context = self.context(min(first_look.SECONDS * self.request.patience, self.budget.seconds_left))
        ledger, topology = self.case.ledger, self.case.topology
        seconds = min(first_look.SECONDS * self.request.patience, self.budget.seconds_left)
        looks = first_look.look(self.skills, context, self.steps, ledger, self.mask, seconds)
        self.looked = sum(look.requests for look in looks)
        about, said = self.case.about, self.budget.said()
        edges = render.EDGES if self.reads_everything else EDGES_SHOWN
        self.talk.say(page.first(self.request, context, self.skills, looks, ledger, topology, about, said, edges))
        self.progress("investigating", "weighing what the first look showed")

    def step(self) -> None:
        self.listen()
        self.act(self.ask())

    def listen(self) -> None:
        """People may stop a run or steer it, and a budget may be used up."""
        told = self.journal.instructions()
        if told.stop_by:
            raise Ended(gap=Gap("the rest of the investigation", f"stopped by {told.stop_by}"))
        if over := self.budget.exhausted() or self.budget.month_over():
            raise Ended(gap=Gap("further checks", f"{over} was reached"))
        for text in self._new_steering(told.steering):
            self.talk.say("\n".join(render.block("steering", [{"text": text}], 1)))

    def ask(self) -> list[Block]:
        """One turn of the model: its tool calls. Raises Ended when it gives none that can be used."""
        nearly = self.budget.nearly()
        if nearly and self.last_word is None:
            self.last_word = nearly
            self.talk.say(f"{nearly} is nearly used up. Conclude now with what you have.")
        force = conclude.NAME if self.last_word or self.idle else None
        done = self.talk.ask(force, self.budget.model_seconds())
        self.budget.count(done)
        answer = done.outcome.output
        if "error" in answer:
            self._give_up("{kind}: {message}".format(**answer["error"]))
        return self._usable(answer["stop_reason"], answer["content"])

    def act(self, calls: Sequence[Block]) -> None:
        """Carries out the calls of one turn: systems side by side, then beliefs and conclusion in their order."""
        calls = [offering.opened(call) for call in calls]
        asked = [c for c in calls if c["name"] in self.toolbox]
        allowed, refused = asked[: self.budget.calls_left()], asked[self.budget.calls_left() :]
        if allowed:
            self.progress("investigating", "asking " + ", ".join(dict.fromkeys(c["name"] for c in allowed)))
        seconds = min(CALL_SECONDS * self.request.patience, self.budget.seconds_left)
        answers = self.toolbox.call(allowed, self.context(seconds), seconds, folded_calls(self.talk.messages))
        self.budget.count_calls(len(allowed))
        results = {c["id"]: answer for c, answer in zip(allowed, answers, strict=True)}
        results |= {c["id"]: tool_result(c["id"], "error: no tool calls are left in the budget", True) for c in refused}
        for call in calls:
            if call["id"] not in results:
                results[call["id"]] = self._own(call)
        if calls:
            self.talk.add([results[c["id"]] for c in calls])
            self.progress("investigating", "weighing what came back")

    def report(self, end: Ended) -> Finding:
        """The finding, from the model's conclusion or, when it was cut short, from what is known."""
        self.progress("concluding", "writing the finding")
        cut = [end.gap] if end.gap else []
        if self.last_word:
            cut.append(Gap("further checks", f"{self.last_word} was reached"))
        draft = end.draft or self._what_is_known()
        case = self.case.weighed(cut[0].why if cut else None)
        gaps = (*cut, *self.case.gaps)
        used = self.budget.used(self.model.name, self.skills, self.request.guidance, self.looked)
        finding = assemble(draft, Frame(self.case.grounds(), case, self.request.guidance, used, gaps))
        written = Outcome(finding.model_dump(mode="json", by_alias=True))
        kept = self.steps.take(Step("evaluate", "finding", "report", {}, lambda: written))
        charts.keep(self.steps, self.case.ledger.charts, finding, self.case.about)
        self.progress("done", "")
        return Finding.model_validate(kept.outcome.output)

    def progress(self, phase: Phase, doing: str) -> None:
        """What the thread shows."""
        self.journal.progress(self.case.progress(phase, doing, self.budget.tool_calls))

    def context(self, seconds: float) -> SkillContext:
        """What skills are told; `seconds` is how long their answers are waited for."""
        read = window.window(self.request)
        return SkillContext(
            focus=window.focus(self.request),
            now=self.request.now,
            window=read,
            baseline=window.baseline(read),
            sources=sources(self.skills),
            deadline=self.clock() + timedelta(seconds=seconds),
            recorded_changes=self.request.recorded_changes,
        )

    def _receive(self) -> Step:
        given = {
            "alerts": shown_alerts(self.request.alerts),
            "question": self.request.question,
            "now": self.request.now.isoformat(),
            "model": self.model.name,
        }
        output = {"window": str(window.window(self.request)), "withheld": list(self.offer.withheld)}
        return Step("invoke_agent", "invoke_agent gumshoe", "receive", given, lambda: Outcome(output))

    def _new_steering(self, said: tuple[str, ...]) -> list[str]:
        """What was said since the last step. A step of its own, so that a resumed run hears it at the same place."""
        planned, new = self.steps.planned(), list(said[self.heard :])
        if planned != "steering" and (planned is not None or not new):
            return []
        heard = Outcome({"texts": [self.mask(text) for text in new]})
        done = self.steps.take(Step("plan", "steering", "receive", {"heard": self.heard}, lambda: heard))
        texts: list[str] = done.outcome.output["texts"]
        self.heard += len(texts)
        return texts

    def _usable(self, stop_reason: str, content: Sequence[Block]) -> list[Block]:
        """The calls of a turn that can be carried out, for each of the seven reasons to stop."""
        calls = [block for block in content if block["type"] == "tool_use"]
        if stop_reason == "refusal":
            self._give_up("it refused to go on")
        if stop_reason == "model_context_window_exceeded":
            self._give_up("the conversation outgrew its context window")
        if stop_reason == "pause_turn" and not calls:
            return []  # it wants its own turn back, and goes on
        if calls and stop_reason != "max_tokens":
            self.idle = 0
            return calls
        self.idle += 1
        if self.idle > PATIENCE:
            self._give_up(f"it gave no usable answer ({stop_reason}) {self.idle} times")
        if not calls:
            self.talk.say(f"Your turn ended ({stop_reason}) without a tool call. Call `conclude`.")
            return []
        # The last call may be cut in the middle; its arguments cannot be trusted.
        return [*calls[:-1], {**calls[-1], "name": "", "input": {}}]

    def _own(self, call: Block) -> Block:
        """A call of the agent's own tools, or of none that exists."""
        if call["name"] == conclude.NAME:
            return self._conclude(call)
        state = own_tools.STATES.get(call["name"], "interpret")
        if call["name"] in own_tools.STATES:
            self.progress("challenging" if state == "challenge" else "investigating", "")
            text, is_error = self.case.own.call(call, self.clock())
        elif call["name"] == offering.FIND:
            state, (text, is_error) = "plan", self._find(call["input"])
        elif call["name"] == "":
            text, is_error = "error: your call was cut off at the token limit; make a shorter one", True
        else:
            there = f"; {offering.FIND} tells which there are" if self.offer.withheld else ""
            text, is_error = f"error: there is no tool {call['name']!r}{there}", True
        outcome = Outcome({"text": text}, "invalid_arguments" if is_error else None)
        self.steps.take(Step("execute_tool", str(call["name"]), state, call["input"], lambda: outcome))
        return tool_result(call["id"], text, is_error)

    def _find(self, given: Any) -> tuple[str, bool]:
        try:
            query = offering.FindInput.model_validate(given).query
        except ValidationError as problem:
            return f"error: {in_words(problem)}", True
        return offering.find(query, self.toolbox.tools, self.offer.withheld), False

    def _conclude(self, call: Block) -> Block:
        """Ends the investigation, or sends the conclusion back once with what is wrong with it."""
        draft, wrong = self._draft(call["input"])
        accepted = draft is not None and (not wrong or self.sent_back or self.last_word is not None)
        outcome = Outcome({"accepted": accepted, "problems": wrong}, None if accepted else "invalid_arguments")
        self.steps.take(Step("execute_tool", conclude.NAME, "conclude", call["input"], lambda: outcome))
        if accepted:
            raise Ended(draft=draft)
        if self.sent_back:
            self._give_up("its conclusion did not have the form of a finding twice")
        self.sent_back = True
        what = "\n- ".join(("error: not concluded. Correct this and call conclude again:", *wrong))
        return tool_result(call["id"], what, True)

    def _draft(self, given: Any) -> tuple[Draft | None, list[str]]:
        try:
            draft = Draft.model_validate(given)
        except ValidationError as error:
            return None, [in_words(error)]
        ungrounded = [str(problem) for problem in problems(draft, self.case.grounds())]
        return draft, [*ungrounded, *self.case.untested(draft)]

    def _give_up(self, why: str) -> NoReturn:
        raise Ended(gap=Gap(f"the model {self.model.name}", why))

    def _what_is_known(self) -> Draft:
        """Cut short: the offline investigator concludes from the same conversation."""
        reply = Offline().reply(self.talk.system, self.talk.specs, self.talk.messages, force_tool=conclude.NAME)
        return Draft.model_validate(next(b["input"] for b in reply.content if b.get("name") == conclude.NAME))
