"""The conversation with one model: what was said, and each turn as a recorded step.

A turn is recorded as what is new since the last one and a digest of everything, so that the record grows as the
conversation does and still tells exactly what the model was asked (folding is a function of what went before).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from workers.agent.evidence import Mask
from workers.agent.folding import folded
from workers.agent.steps import Done, Outcome, Step, Steps
from workers.llm.base import Block, Message, Model, ModelError, ToolSpec, canonical

MAX_TOKENS = 6000


class Conversation:
    def __init__(self, model: Model, system: str, specs: Sequence[ToolSpec], steps: Steps, mask: Mask) -> None:
        self.model = model
        self.system = system
        self.specs = tuple(specs)
        self.messages: list[Message] = []
        self._steps = steps
        self._mask = mask
        self._recorded = 0
        """How many messages the record has already."""

    def add(self, content: list[Block]) -> None:
        """To the user's turn; two in a row are one."""
        if self.messages and self.messages[-1]["role"] == "user":
            content = [*self.messages.pop()["content"], *content]
        self.messages.append({"role": "user", "content": content})

    def say(self, text: str) -> None:
        self.add([{"type": "text", "text": text}])

    def ask(self, force: str | None, seconds: float) -> Done:
        """One turn, waited for `seconds`; an answer joins the conversation, a failure is in the outcome's `error`."""
        first = self._recorded == 0
        self.messages = folded(self.messages)
        everything = [self.system, [vars(s) for s in self.specs], self.messages, force]
        given: dict[str, Any] = {
            "digest": hashlib.sha256(canonical(everything)).hexdigest(),
            "from": self._recorded,
            "messages": self.messages[self._recorded :],
        }
        if first:
            given |= {"system": self.system, "tools": [s.name for s in self.specs]}
        run = lambda: self._reply(force, seconds)  # noqa: E731  the step's own words
        done = self._steps.take(Step("chat", f"chat {self.model.name}", "plan" if first else "interpret", given, run))
        # The API refuses a turn without content, so an empty one is not kept.
        if done.outcome.output.get("content"):
            self.messages.append({"role": "assistant", "content": done.outcome.output["content"]})
        self._recorded = len(self.messages)
        return done

    def _reply(self, force: str | None, seconds: float) -> Outcome:
        try:
            reply = self.model.reply(
                self.system,
                self.specs,
                self.messages,
                max_tokens=MAX_TOKENS,
                timeout_seconds=seconds,
                force_tool=force,
            )
        except ModelError as error:
            output = {"error": {"kind": error.kind, "message": self._mask(str(error))}}
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
