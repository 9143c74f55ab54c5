"""What the agent needs of a model, whoever answers: Claude, the offline investigator, a script.

Messages and content blocks have the shapes of the Messages API as plain JSON, because they are stored, replayed
and compared byte for byte. A model keeps no state between calls: everything it may know is in its arguments.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Block = dict[str, Any]
"""{"type": "text", "text"} | {"type": "tool_use", "id", "name", "input"} | {"type": "tool_result", "tool_use_id",
"content", "is_error"} | vendor blocks that are sent back unchanged (thinking)"""
Message = dict[str, Any]
"""{"role": "user" | "assistant", "content": [Block]}"""

StopReason = Literal[
    "end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "refusal", "model_context_window_exceeded"
]


class ModelError(Exception):
    """The model did not answer. `kind` says how: auth, rate_limited, overloaded, timeout, unreachable, invalid_request,
    refused, malformed, server."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class ToolSpec:
    name: str
    description: str
    input_schema: Mapping[str, Any]


@dataclass(frozen=True)
class Usage:
    input_tokens: int = 0
    """Without cached ones."""
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    dollars: float = 0
    estimated: bool = False
    """True where no API told the tokens: UTF-8 bytes of the canonical JSON / 4."""

    @property
    def total(self) -> int:
        return self.input_tokens + self.output_tokens + self.cache_read_tokens + self.cache_write_tokens


@dataclass(frozen=True)
class Reply:
    content: list[Block]
    stop_reason: StopReason
    usage: Usage = field(default_factory=Usage)
    model: str = ""
    request_id: str | None = None
    attempts: int = 1


class Model(Protocol):
    @property
    def name(self) -> str: ...

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
        """One turn. `force_tool` makes the model call that tool. Raises ModelError."""
        ...


def canonical(value: Any) -> bytes:
    """The one JSON spelling by which requests are compared and tokens estimated."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str).encode()


def estimate_tokens(value: Any) -> int:
    return max(1, len(canonical(value)) // 4)
