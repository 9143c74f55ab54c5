"""The skills' tools as a model is offered them, and the way from its calls to results in the order of the calls."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from skills.contract import SkillContext, Tool, ToolResult
from workers.agent import render
from workers.agent.calls import tool_outcome
from workers.agent.evidence import Ledger, Mask, Observed, plain, restored_result
from workers.agent.steps import Outcome, Step, Steps
from workers.agent.systems import ConnectedSkill
from workers.llm.base import Block, canonical

CALL_SECONDS = 30.0


class Toolbox:
    """The tools of one investigation. Remembers what was asked, so that nothing is asked twice."""

    def __init__(self, skills: Iterable[ConnectedSkill], steps: Steps, ledger: Ledger, mask: Mask) -> None:
        self._tools = {t.name: (s.name, t) for s in skills if s.skill is not None and s.usable for t in s.skill.tools}
        self._steps = steps
        self._ledger = ledger
        self._mask = mask
        self._answered: dict[tuple[str, bytes], tuple[Observed, str]] = {}

    @property
    def tools(self) -> Mapping[str, Tool]:
        return {name: tool for name, (_, tool) in self._tools.items()}

    def __contains__(self, name: str) -> bool:
        return name in self._tools

    def call(
        self, blocks: Sequence[Block], context: SkillContext, seconds: float, folded: Collection[str] = ()
    ) -> list[Block]:
        """Runs the calls side by side; one tool_result block for each, in their order. `folded`: ids of earlier calls
        whose results the model no longer has before it."""
        fresh = [b for i, b in enumerate(blocks) if _key(b) not in self._answered and not _asked_in(blocks[:i], b)]
        late = Outcome(
            plain(ToolResult("error", f"did not answer within {seconds:g} s; ask for less"), self._mask), "timeout"
        )
        steps = [self._step(block, context) for block in fresh]
        results: dict[str, Block] = {}
        for block, done in zip(fresh, self._steps.take_all(steps, seconds, late), strict=True):
            skill, _ = self._tools[block["name"]]
            result = restored_result(done.outcome.output)
            seen = self._ledger.take(skill, block["name"], result)
            self._answered[_key(block)] = (seen, block["id"])
            text = render.result(seen, self._ledger, known_is_above=not folded)
            results[block["id"]] = tool_result(block["id"], text, seen.status == "error")
        return [results.get(b["id"]) or self._from_memory(b, folded) for b in blocks]

    def _from_memory(self, block: Block, folded: Collection[str]) -> Block:
        """A repeated call asks no system; the model is told where it has the answer, or has it again if it folded."""
        seen, call_id = self._answered[_key(block)]
        text = _said_before(seen)
        if call_id in folded:
            text += "\n" + render.result(seen, self._ledger)
        done = self._steps.take(
            Step("execute_tool", block["name"], self._state(block), block["input"],
                 lambda: Outcome({"repeated": text}, attributes={"gumshoe.repeated": True}))
        )  # fmt: skip
        return tool_result(block["id"], str(done.outcome.output["repeated"]))

    def _step(self, block: Block, context: SkillContext) -> Step:
        _, tool = self._tools[block["name"]]
        through = {"gumshoe.through": block["through"]} if "through" in block else {}

        def run() -> Outcome:
            outcome = tool_outcome(tool, block["input"], context, self._mask)
            return replace(outcome, attributes={**outcome.attributes, **through})

        return Step(
            op="execute_tool",
            name=tool.name,
            state=self._state(block),
            given=block["input"],
            run=run,
        )

    def _state(self, block: Block) -> str:
        return f"query_{self._tools[block['name']][0]}"


def _said_before(seen: Observed) -> str:
    again = "this was asked before with the same arguments and is not asked again"
    if seen.status != "ok":
        return f"{seen.status}: {again}; it said: {render.quoted(seen.text, 300)}"
    return f"ok: {again}; " + (
        f"its lines are {', '.join(seen.evidence)} above." if seen.evidence else "it had no citable lines."
    )


def tool_result(call_id: str, text: str, is_error: bool = False) -> Block:
    return {
        "type": "tool_result",
        "tool_use_id": call_id,
        "content": [{"type": "text", "text": text}],
        "is_error": is_error,
    }


def _key(block: Block) -> tuple[str, bytes]:
    return (str(block["name"]), canonical(block["input"]))


def _asked_in(blocks: Sequence[Block], block: Block) -> bool:
    return any(_key(b) == _key(block) for b in blocks)
