"""The skills' tools as a model is offered them, and the way from its calls to results in the order of the calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from skills.contract import SkillContext, ToolResult
from workers.agent import render
from workers.agent.calls import tool_outcome
from workers.agent.evidence import Ledger, Mask, plain, restored_result
from workers.agent.steps import Outcome, Step, Steps
from workers.agent.systems import ConnectedSkill
from workers.llm.base import Block, ToolSpec, canonical

CALL_SECONDS = 30.0
_SAYS_NOTHING = ("title", "additionalProperties", "maxLength")


class Toolbox:
    """The tools of one investigation. Remembers what was asked, so that nothing is asked twice."""

    def __init__(self, skills: Iterable[ConnectedSkill], steps: Steps, ledger: Ledger, mask: Mask) -> None:
        self._tools = {t.name: (s.name, t) for s in skills if s.skill is not None and s.usable for t in s.skill.tools}
        self._steps = steps
        self._ledger = ledger
        self._mask = mask
        self._answered: dict[tuple[str, bytes], tuple[str, ...]] = {}

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """In the order of their names: equal for every investigation with the same skills on."""
        return tuple(
            ToolSpec(name, tool.description, schema(tool.input)) for name, (_, tool) in sorted(self._tools.items())
        )

    def __contains__(self, name: str) -> bool:
        return name in self._tools

    def call(self, blocks: Sequence[Block], context: SkillContext, seconds: float) -> list[Block]:
        """Runs the calls side by side; one tool_result block for each, in their order."""
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
            self._answered[_key(block)] = seen.evidence
            results[block["id"]] = tool_result(block["id"], render.result(seen, self._ledger), seen.status == "error")
        return [results.get(b["id"]) or self._from_memory(b) for b in blocks]

    def _from_memory(self, block: Block) -> Block:
        """A repeated call asks no system; the model is told where it has the answer."""
        numbers = self._answered[_key(block)]
        where = f"its lines are {', '.join(numbers)} above" if numbers else "it had no citable lines"
        text = f"ok: this was asked before with the same arguments and is not asked again; {where}."
        done = self._steps.take(
            Step("execute_tool", block["name"], self._state(block), block["input"],
                 lambda: Outcome({"repeated": text}, attributes={"gumshoe.repeated": True}))
        )  # fmt: skip
        return tool_result(block["id"], str(done.outcome.output["repeated"]))

    def _step(self, block: Block, context: SkillContext) -> Step:
        _, tool = self._tools[block["name"]]
        return Step(
            op="execute_tool",
            name=tool.name,
            state=self._state(block),
            given=block["input"],
            run=lambda: tool_outcome(tool, block["input"], context, self._mask),
        )

    def _state(self, block: Block) -> str:
        return f"query_{self._tools[block['name']][0]}"


def tool_result(call_id: str, text: str, is_error: bool = False) -> Block:
    return {
        "type": "tool_result",
        "tool_use_id": call_id,
        "content": [{"type": "text", "text": text}],
        "is_error": is_error,
    }


def schema(model: type[BaseModel]) -> dict[str, Any]:
    """JSON schema without what costs tokens and tells a model nothing: titles, limits that code checks anyway, null."""
    slim: dict[str, Any] = _slim(model.model_json_schema(by_alias=True), top=True)
    slim.pop("description", None)  # the class's docstring, which is for readers of the code
    return slim


def _slim(node: Any, names: bool = False, top: bool = False) -> Any:
    """`names`: the keys of this mapping are names of properties, not keywords."""
    if isinstance(node, list):
        return [_slim(item) for item in node]
    if not isinstance(node, Mapping):
        return node
    if not names and isinstance(node.get("anyOf"), list):
        options = [option for option in node["anyOf"] if option != {"type": "null"}]
        if len(options) == 1:
            node = {**{k: v for k, v in node.items() if k != "anyOf"}, **options[0]}
    if "properties" in node and not names and "$defs" not in node and not top:
        node = {k: v for k, v in node.items() if k != "type"}
    return {
        key: _slim(value, names=not names and key in ("properties", "$defs"))
        for key, value in node.items()
        if names or not (key in _SAYS_NOTHING or (key == "default" and value in (None, "", [])))
    }


def _key(block: Block) -> tuple[str, bytes]:
    return (str(block["name"]), canonical(block["input"]))


def _asked_in(blocks: Sequence[Block], block: Block) -> bool:
    return any(_key(b) == _key(block) for b in blocks)
