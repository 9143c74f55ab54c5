"""Claude by the Messages API: the only importer of `anthropic`.

Owns retries with a bound and a deadline, prompt caching, refusals and cost. The SDK's own retries are off, because it
obeys `retry-after` without a cap and outside its timeout; its tool runner is not used, because it keeps the
conversation on the server.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, get_args

import anthropic
from anthropic.types import Message as Answer

from workers.llm.base import Block, Message, ModelError, Reply, StopReason, ToolSpec, Usage, estimate_tokens
from workers.llm.prices import price_of

ATTEMPTS = 4
LONGEST_PAUSE = 20.0
"""Seconds; a server that asks for more is not waited for any longer than this."""
FIRST_PAUSE = 0.5
FOREVER: dict[str, Any] = {"type": "ephemeral", "ttl": "1h"}
WHILE_IT_RUNS: dict[str, Any] = {"type": "ephemeral"}
_RETRIED = ("rate_limited", "overloaded", "server", "unreachable")


class Claude:
    """One model of the Messages API. Stateless between calls but for its connection."""

    def __init__(
        self,
        model: str,
        *,
        api_key: str,
        base_url: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        first_pause: float = FIRST_PAUSE,
    ) -> None:
        self._model = model
        self._client = anthropic.Anthropic(api_key=api_key, base_url=base_url, max_retries=0, timeout=60)
        self._price = price_of(model)
        self._sleep = sleep
        self._monotonic = monotonic
        self._first_pause = first_pause

    @property
    def name(self) -> str:
        return self._model

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
        """One turn, tried again for what passes, all within `timeout_seconds`. Raises ModelError."""
        request = self._request(system, tools, messages, max_tokens, force_tool)
        ends = self._monotonic() + timeout_seconds
        for attempt in range(1, ATTEMPTS + 1):
            try:
                left = max(0.1, ends - self._monotonic())
                return self._read(self._client.messages.create(**request, timeout=left), attempt)
            except (ValueError, TypeError, AttributeError) as error:
                # The SDK raises what its JSON decoder and its models raise when a gateway answers with a page.
                raise ModelError("malformed", f"the Messages API answered with what is no message: {error}") from None
            except anthropic.AnthropicError as error:
                problem, pause = _problem(error), self._pause(error, attempt)
            if problem.kind not in _RETRIED or attempt == ATTEMPTS or self._monotonic() + pause >= ends:
                raise ModelError(problem.kind, f"{problem} (attempt {attempt})")
            self._sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    def _request(
        self,
        system: str,
        tools: Sequence[ToolSpec],
        messages: Sequence[Message],
        max_tokens: int,
        force_tool: str | None,
    ) -> dict[str, Any]:
        """Tools, then system, then the conversation: what varies least stands first, so that its prefix is reused."""
        offered: list[dict[str, Any]] = [
            {"name": t.name, "description": t.description, "input_schema": dict(t.input_schema)} for t in tools
        ]
        text: dict[str, Any] = {"type": "text", "text": system}
        request: dict[str, Any] = {
            "model": self._model,
            "max_tokens": max_tokens,
            "system": [text],
            "tools": offered,
            "messages": list(messages),
        }
        if estimate_tokens([offered, system]) >= self._price.cache_minimum:
            text["cache_control"] = FOREVER
            if offered:
                offered[-1]["cache_control"] = FOREVER
            request["cache_control"] = WHILE_IT_RUNS
        if force_tool:
            # A forced tool and thinking exclude each other.
            request["tool_choice"] = {"type": "tool", "name": force_tool}
        else:
            request["thinking"] = {"type": "adaptive", "display": "omitted"}
            request["output_config"] = {"effort": "low"}
        return request

    def _read(self, answer: object, attempt: int) -> Reply:
        """A reply in our shapes. Raises ModelError for an answer that is none."""
        if not isinstance(answer, Answer) or not isinstance(answer.content, list):
            raise ModelError("malformed", "the Messages API answered with something that is not a message")
        if answer.stop_reason is None or answer.stop_reason not in get_args(StopReason):
            raise ModelError("malformed", f"the Messages API gave the stop reason {answer.stop_reason!r}")
        content = [_block(block.model_dump(mode="json", exclude_none=True, warnings=False)) for block in answer.content]
        return Reply(
            content=content,
            stop_reason=answer.stop_reason,
            usage=self._usage(answer),
            model=answer.model or self._model,
            request_id=getattr(answer, "_request_id", None),
            attempts=attempt,
        )

    def _usage(self, answer: Answer) -> Usage:
        told = answer.usage
        if told is None:
            output = estimate_tokens([b.model_dump(mode="json") for b in answer.content])
            return Usage(output_tokens=output, dollars=self._price.dollars(fresh=0, output=output), estimated=True)
        written = told.cache_creation_input_tokens or 0
        for_an_hour = (told.cache_creation.ephemeral_1h_input_tokens or 0) if told.cache_creation else 0
        read = told.cache_read_input_tokens or 0
        dollars = self._price.dollars(
            fresh=told.input_tokens,
            output=told.output_tokens,
            read=read,
            written_5m=max(0, written - for_an_hour),
            written_1h=for_an_hour,
        )
        return Usage(told.input_tokens, told.output_tokens, read, written, dollars)

    def _pause(self, error: anthropic.AnthropicError, attempt: int) -> float:
        asked = ""
        if isinstance(error, anthropic.APIStatusError):
            asked = error.response.headers.get("retry-after", "")
        try:
            return min(LONGEST_PAUSE, max(0.0, float(asked)))
        except ValueError:
            return min(LONGEST_PAUSE, self._first_pause * 2.0 ** (attempt - 1))


def _block(block: Block) -> Block:
    """A block to store and to send back. Arguments that are no object could not be sent back, so they are wrapped."""
    if block.get("type") == "tool_use" and not isinstance(block.get("input"), dict):
        return {**block, "input": {"malformed": str(block.get("input"))[:500]}}
    return block


def _problem(error: anthropic.AnthropicError) -> ModelError:
    """The SDK's errors in our words, the server's own beside them."""
    kinds: tuple[tuple[type[anthropic.AnthropicError], str], ...] = (
        (anthropic.APITimeoutError, "timeout"),
        (anthropic.AuthenticationError, "auth"),
        (anthropic.PermissionDeniedError, "auth"),
        (anthropic.RateLimitError, "rate_limited"),
        (anthropic.APIResponseValidationError, "malformed"),
        (anthropic.APIConnectionError, "unreachable"),
    )
    kind = next((word for cls, word in kinds if isinstance(error, cls)), "")
    if isinstance(error, anthropic.APIStatusError):
        kind = kind or {529: "overloaded", 413: "invalid_request", 408: "timeout"}.get(error.status_code, "")
        kind = kind or ("server" if error.status_code >= 500 else "invalid_request")
        return ModelError(kind, f"the Messages API answered {error.status_code}: {_words(error)}")
    return ModelError(kind or "malformed", f"the Messages API: {str(error)[:300] or type(error).__name__}")


def _words(error: anthropic.APIStatusError) -> str:
    body = error.body
    if isinstance(body, dict) and isinstance(body.get("error"), dict):
        return str(body["error"].get("message") or body["error"].get("type"))[:300]
    return str(error.message)[:300]
