"""The investigation: look, then step until there is an ending; each step asks the model and acts on what it says.

The one path for production, demo, `gumshoe investigate` and evaluation. Endings are exceptions that carry what the
finding is made of, so the loop has no flags. Whatever happens, there is a finding at the end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from skills.contract import Entity, Gap, SkillContext
from skills.redact import Redactor
from workers.agent import conclude, own_tools, page, render, window
from workers.agent.budget import Budget
from workers.agent.calls import in_words
from workers.agent.conclude import Draft
from workers.agent.confidence import Case
from workers.agent.evidence import Ledger
from workers.agent.finding import Frame, assemble
from workers.agent.first_look import SECONDS as FIRST_LOOK_SECONDS
from workers.agent.first_look import Look, look
from workers.agent.grounding import Grounds, problems
from workers.agent.own_tools import OwnTools
from workers.agent.request import Journal, Request
from workers.agent.steps import Outcome, Step, Steps
from workers.agent.systems import ConnectedSkill, sources
from workers.agent.toolbox import CALL_SECONDS, Toolbox, tool_result
from workers.agent.topology import Topology
from workers.domain import Finding, GapRecord, GuidanceUse, Progress, Used
from workers.llm.base import Block, Message, Model, ModelError, canonical
from workers.llm.entities import alerted, settled
from workers.llm.offline import Offline

MODEL_SECONDS = 90.0
MAX_TOKENS = 6000
MAX_TURNS = 60


class Ended(Exception):
    """The investigation is over."""

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
        self.request, self.model, self.skills, self.journal, self.clock = request, model, tuple(skills), journal, clock
        self.mask = Redactor().text
        self.budget = Budget(request.customer.budget, request.dollars_this_month, monotonic)
        self.steps = Steps(request.trace_id, journal, clock, monotonic)
        self.ledger = Ledger(request.previous.evidence if request.previous else ())
        self.topology = Topology(self.ledger, request.guidance)
        self.toolbox = Toolbox(self.skills, self.steps, self.ledger, self.mask)
        self.own = OwnTools(self.ledger, self.topology)
        self.focus = window.focus(request)
        self.window = window.window(request)
        self.system = page.system(self.skills)
        self.specs = (*own_tools.SPECS, *self.toolbox.specs)
        self.messages: list[Message] = []
        self.told = 0
        """How many messages the record has already."""
        self.heard = 0
        """How many of the things that people said have been passed on."""
        self.last_word: str | None = None
        """The budget that is nearly used up, once the model was asked to conclude."""
        self.rejected = False
        self.idle = 0
        """Turns in a row that called no tool or a broken one."""

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
        context = self.context()
        seconds = min(FIRST_LOOK_SECONDS, self.budget.seconds_left)
        looks = look(self.skills, context, self.steps, self.ledger, self.mask, seconds)
        self.messages = [_said(self._first_page(context, looks))]
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
            self.add([{"type": "text", "text": "\n".join(render.block("steering", [{"text": text}], 1))}])

    def ask(self) -> list[Block]:
        """One turn of the model: its tool calls. Raises Ended when it gives none that can be used."""
        nearly = self.budget.nearly()
        if nearly and self.last_word is None:
            self.last_word = nearly
            self.add([{"type": "text", "text": f"{nearly} is nearly used up. Conclude now with what you have."}])
        force = conclude.NAME if self.last_word or self.idle else None
        done = self.steps.take(self._chat(force))
        self.budget.count(done)
        if "error" in done.outcome.output:
            error = done.outcome.output["error"]
            raise Ended(gap=Gap(f"the model {self.model.name}", f"{error['kind']}: {error['message']}"))
        self.messages.append({"role": "assistant", "content": done.outcome.output["content"]})
        return self._calls(done.outcome.output["stop_reason"], done.outcome.output["content"])

    def act(self, calls: Sequence[Block]) -> None:
        """Carries out the calls of one turn: systems side by side, then beliefs and conclusion in their order."""
        asked = [c for c in calls if c["name"] in self.toolbox]
        allowed, refused = asked[: self.budget.calls_left()], asked[self.budget.calls_left() :]
        if allowed:
            self.progress("investigating", "asking " + ", ".join(dict.fromkeys(c["name"] for c in allowed)))
        seconds = min(CALL_SECONDS, self.budget.seconds_left)
        answers = self.toolbox.call(allowed, self.context(seconds), seconds)
        self.budget.count_calls(len(allowed))
        results = {c["id"]: answer for c, answer in zip(allowed, answers, strict=True)}
        results |= {c["id"]: tool_result(c["id"], "error: no tool calls are left in the budget", True) for c in refused}
        for call in calls:
            if call["id"] not in results:
                results[call["id"]] = self._own(call)
        self.add([results[c["id"]] for c in calls])
        self.progress("investigating", "weighing what came back")

    def report(self, end: Ended) -> Finding:
        """The finding, from the model's conclusion or, when it was cut short, from what is known."""
        self.progress("concluding", "writing the finding")
        gaps = [g for g in (end.gap, self._last_word_gap()) if g is not None]
        draft = end.draft or self._what_is_known()
        frame = Frame(
            self._grounds(), self._case(gaps, end), self.request.guidance, self._used(), (*gaps, *self._gaps())
        )
        finding = assemble(draft, frame)
        step = Step(
            "evaluate", "finding", "report", {}, lambda: Outcome(finding.model_dump(mode="json", by_alias=True))
        )
        kept = Finding.model_validate(self.steps.take(step).outcome.output)
        self.progress("done", "")
        return kept

    # --- the words of the sentences above

    def add(self, content: list[Block]) -> None:
        """To the user's turn; two in a row are one."""
        if self.messages and self.messages[-1]["role"] == "user":
            last = self.messages[-1]
            self.messages[-1] = {"role": "user", "content": [*last["content"], *content]}
        else:
            self.messages.append({"role": "user", "content": content})

    def context(self, seconds: float | None = None) -> SkillContext:
        left = timedelta(seconds=self.budget.seconds_left if seconds is None else seconds)
        return SkillContext(
            focus=self.focus,
            now=self.request.now,
            window=self.window,
            baseline=window.baseline(self.window),
            sources=sources(self.skills),
            deadline=self.clock() + left,
        )

    def progress(self, phase: Any, doing: str) -> None:
        strongest = sorted(self.ledger.symptoms, key=lambda n: -n.symptom.specificity)
        self.journal.progress(
            Progress(
                phase=phase,
                skills_on=tuple(s.name for s in self.skills if s.usable),
                unreachable=tuple(GapRecord(what=s.name, why=s.unreachable) for s in self.skills if s.unreachable),
                symptoms=tuple(n.symptom.summary for n in strongest if n.symptom.role != "healthy")[:5],
                beliefs=tuple(self.own.beliefs.changes),
                doing=doing,
                tool_calls=self.budget.tool_calls,
            )
        )

    def _receive(self) -> Step:
        given = {
            "alerts": [a.model_dump(mode="json") for a in self.request.alerts],
            "question": self.request.question,
            "now": self.request.now.isoformat(),
            "model": self.model.name,
        }
        return Step(
            "invoke_agent", "invoke_agent gumshoe", "receive", given, lambda: Outcome({"window": str(self.window)})
        )

    def _first_page(self, context: SkillContext, looks: Sequence[Look]) -> str:
        return page.first(
            self.request, context, self.skills, looks, self.ledger, self.topology, self._alerted(), self.budget.said()
        )

    def _new_steering(self, said: tuple[str, ...]) -> list[str]:
        """What was said since the last step. A step of its own, so that a resumed run hears it at the same place."""
        earlier = self.steps.planned()
        if earlier is not None and earlier != "steering":
            return []
        new = list(said[self.heard :])
        if earlier is None and not new:
            return []
        step = Step(
            "plan",
            "steering",
            "receive",
            {"heard": self.heard},
            lambda: Outcome({"texts": [self.mask(t) for t in new]}),
        )
        texts: list[str] = self.steps.take(step).outcome.output["texts"]
        self.heard += len(texts)
        return texts

    def _chat(self, force: str | None) -> Step:
        """The call as it is recorded: what is new in the conversation, and a digest of all of it."""
        conversation = [
            self.system,
            [[s.name, s.description, s.input_schema] for s in self.specs],
            self.messages,
            force,
        ]
        given: dict[str, Any] = {
            "digest": hashlib.sha256(canonical(conversation)).hexdigest(),
            "from": self.told,
            "messages": self.messages[self.told :],
        }
        if self.told == 0:
            given |= {"system": self.system, "tools": [s.name for s in self.specs]}
        state = "plan" if self.told == 0 else "interpret"
        self.told = len(self.messages) + 1
        return Step("chat", f"chat {self.model.name}", state, given, lambda: self._reply(force))

    def _reply(self, force: str | None) -> Outcome:
        try:
            reply = self.model.reply(
                self.system,
                self.specs,
                self.messages,
                max_tokens=MAX_TOKENS,
                timeout_seconds=min(MODEL_SECONDS, self.budget.seconds_left),
                force_tool=force,
            )
        except ModelError as error:
            output = {"error": {"kind": error.kind, "message": self.mask(str(error))}}
            return Outcome(output, "timeout" if error.kind == "timeout" else "model_error", keep=False)
        usage = reply.usage
        return Outcome(
            {"content": reply.content, "stop_reason": reply.stop_reason, "model": reply.model},
            tokens_in=usage.input_tokens + usage.cache_write_tokens,
            tokens_out=usage.output_tokens,
            tokens_cached=usage.cache_read_tokens,
            tokens_estimated=usage.estimated,
            dollars=usage.dollars,
            attributes={
                "gen_ai.request.model": self.model.name,
                "gen_ai.response.model": reply.model,
                "gumshoe.cache_write_tokens": usage.cache_write_tokens,
                "gumshoe.attempts": reply.attempts,
                "gumshoe.request_id": reply.request_id,
            },
        )

    def _calls(self, stop_reason: str, content: Sequence[Block]) -> list[Block]:
        """The usable tool calls of a turn, for each of the seven reasons to stop."""
        calls = [block for block in content if block["type"] == "tool_use"]
        if stop_reason == "refusal":
            raise Ended(gap=Gap(f"the model {self.model.name}", "it refused to go on"))
        if stop_reason == "model_context_window_exceeded":
            raise Ended(gap=Gap(f"the model {self.model.name}", "the conversation outgrew its context window"))
        if stop_reason == "pause_turn" and not calls:
            return []
        if stop_reason == "max_tokens" and calls:
            # The last call may be cut in the middle; its arguments cannot be trusted.
            calls[-1] = {**calls[-1], "name": "", "input": {}}
        if calls and stop_reason != "max_tokens":
            self.idle = 0
            return calls
        self.idle += 1
        if self.idle > 2:
            raise Ended(
                gap=Gap(f"the model {self.model.name}", f"it gave no usable answer ({stop_reason}) three times")
            )
        if not calls:
            self.add(
                [{"type": "text", "text": f"Your turn ended ({stop_reason}) without a tool call. Call `conclude`."}]
            )
        return calls

    def _own(self, call: Block) -> Block:
        """A call of the agent's own tools, or of none that exists."""
        if call["name"] == conclude.NAME:
            return self._conclude(call)
        if call["name"] == "":
            return tool_result(call["id"], "error: your call was cut off at the token limit; make a shorter one", True)
        if call["name"] not in own_tools.STATES:
            text, is_error = f"error: there is no tool {call['name']!r}", True
            state = "interpret"
        else:
            self.progress("challenging" if call["name"] == "challenge" else "investigating", "")
            text, is_error = self.own.call(call, self.clock())
            state = own_tools.STATES[call["name"]]
        outcome = Outcome({"text": text}, "invalid_arguments" if is_error else None)
        self.steps.take(Step("execute_tool", str(call["name"]), state, call["input"], lambda: outcome))
        return tool_result(call["id"], text, is_error)

    def _conclude(self, call: Block) -> Block:
        """Ends the investigation, or sends the conclusion back once with what is wrong with it."""
        draft, wrong = self._draft(call["input"])
        last = self.rejected or self.last_word is not None
        accepted = draft is not None and (not wrong or last)
        outcome = Outcome({"accepted": accepted, "problems": wrong}, None if accepted else "invalid_arguments")
        self.steps.take(Step("execute_tool", conclude.NAME, "conclude", call["input"], lambda: outcome))
        if accepted:
            raise Ended(draft=draft)
        if self.rejected:
            raise Ended(
                gap=Gap(f"the model {self.model.name}", "its conclusion did not have the form of a finding twice")
            )
        self.rejected = True
        return tool_result(
            call["id"], "error: not concluded. Correct this and call conclude again:\n- " + "\n- ".join(wrong), True
        )

    def _draft(self, given: Any) -> tuple[Draft | None, list[str]]:
        try:
            draft = Draft.model_validate(given)
        except ValidationError as error:
            return None, [in_words(error)]
        return draft, [str(problem) for problem in problems(draft, self._grounds())]

    def _what_is_known(self) -> Draft:
        """Cut short: the offline investigator concludes from the same conversation."""
        reply = Offline().reply(self.system, self.specs, self.messages, force_tool=conclude.NAME)
        call = next(b for b in reply.content if b["type"] == "tool_use" and b["name"] == conclude.NAME)
        return Draft.model_validate(call["input"])

    def _grounds(self) -> Grounds:
        return Grounds(self.ledger, self.request.alerts)

    def _alerted(self) -> tuple[Entity, ...]:
        about = (e for a in self.request.alerts for e in alerted(a.service, window.namespace(a), a.labels))
        return settled(dict.fromkeys(about), self.ledger.entities())

    def _case(self, cut: Sequence[Gap], end: Ended) -> Case:
        return Case(
            ledger=self.ledger,
            graph=self.topology.graph(),
            alerted=self._alerted(),
            onset=window.onset(self.request),
            hypotheses=self.own.beliefs.all,
            challenges=tuple(self.own.challenges.made.values()),
            gaps=self._gaps(),
            cut_short=cut[0].why if cut else None,
        )

    def _gaps(self) -> tuple[Gap, ...]:
        unreachable = (Gap(s.name, s.unreachable) for s in self.skills if s.unreachable)
        return (*unreachable, *self.ledger.gaps)

    def _last_word_gap(self) -> Gap | None:
        return Gap("further checks", f"{self.last_word} was reached") if self.last_word else None

    def _used(self) -> Used:
        return Used(
            model=self.model.name,
            skills=tuple(s.name for s in self.skills if s.usable),
            guidance=tuple(GuidanceUse(id=g.id, name=g.name, version=g.version) for g in self.request.guidance),
            seconds=round(self.budget.seconds, 2),
            tokens=self.budget.tokens,
            tokens_estimated=self.budget.estimated,
            dollars=round(self.budget.dollars, 6),
            tool_calls=self.budget.tool_calls,
        )


def _said(text: str) -> Message:
    return {"role": "user", "content": [{"type": "text", "text": text}]}
