"""A model that says what it was told to say: replays replies from a list or a transcript file. Checks nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from workers.llm.base import Block, Message, ModelError, Reply, StopReason, ToolSpec, Usage, estimate_tokens


class Scripted:
    """Each call takes the next reply: a list of content blocks, {"content", "stop_reason"}, or {"error": {...}}.

    A transcript's place is found from the conversation (one reply for each assistant turn so far), so that a resumed
    investigation goes on where it stopped.
    """

    def __init__(self, replies: Iterable[Any], name: str = "scripted") -> None:
        self._replies = tuple(replies)
        self._name = name
        self.calls = 0

    @property
    def name(self) -> str:
        return self._name

    def reply(
        self,
        system: str,
        tools: Sequence[ToolSpec],
        messages: Sequence[Message],
        *,
        max_tokens: int = 4000,
        timeout_seconds: float = 60,
        force_tool: str | None = None,
    ) -> Reply:
        self.calls += 1
        turn = sum(message["role"] == "assistant" for message in messages)
        if turn >= len(self._replies):
            raise ModelError("malformed", f"the script has no reply number {turn + 1}")
        said = self._replies[turn]
        if isinstance(said, Mapping) and "error" in said:
            raise ModelError(str(said["error"].get("kind", "server")), str(said["error"].get("message", "scripted")))
        blocks: Sequence[Block] = said["content"] if isinstance(said, Mapping) else said
        content = [_with_id(block, turn, position) for position, block in enumerate(blocks)]
        calls = any(block["type"] == "tool_use" for block in content)
        stop: StopReason = "tool_use" if calls else "end_turn"
        if isinstance(said, Mapping):
            stop = said.get("stop_reason", stop)
        usage = Usage(
            input_tokens=estimate_tokens([system, [vars(t) for t in tools], list(messages)]),
            output_tokens=estimate_tokens(content),
            estimated=True,
        )
        return Reply(content=content, stop_reason=stop, usage=usage, model=self._name)


def from_file(path: Path) -> Scripted:
    """A transcript: a JSON list of replies, or JSON lines of one reply each."""
    text = path.read_text(encoding="utf-8")
    replies = json.loads(text) if text.lstrip().startswith("[") else [json.loads(x) for x in text.splitlines() if x]
    return Scripted(replies, name=f"scripted:{path.stem}")


def _with_id(block: Block, turn: int, position: int) -> Block:
    if block["type"] != "tool_use":
        return dict(block)
    return {"id": f"toolu_{turn:04d}_{position}", "input": {}, **block}
