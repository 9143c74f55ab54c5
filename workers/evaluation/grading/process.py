"""What the way to the answer cost, from the trace. Reported, never optimised."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from workers.domain import Finding
from workers.llm.base import canonical
from workers.trace import Span


class Process(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")
    steps: int
    tool_calls: int
    """Calls of the skills' tools that the model made; the first look is not among them."""
    tool_errors: int
    invalid_calls: int
    repeated_calls: int
    bytes_read: int
    """What tools and first looks returned, as JSON."""
    tokens: int
    dollars: float
    seconds: float


def process(finding: Finding, spans: Sequence[Span]) -> Process:
    calls = [s for s in spans if s.op == "execute_tool" and s.step_state.startswith("query_")]
    reads = [s for s in spans if s.op == "execute_tool"]
    return Process(
        steps=len(spans),
        tool_calls=finding.used.tool_calls,
        tool_errors=sum(s.error_type in ("tool_error", "timeout", "refused") for s in reads),
        invalid_calls=sum(s.error_type == "invalid_arguments" for s in reads),
        repeated_calls=sum(bool(s.attributes.get("gumshoe.repeated")) for s in calls),
        bytes_read=sum(len(canonical(s.output)) for s in reads),
        tokens=finding.used.tokens,
        dollars=finding.used.dollars,
        seconds=finding.used.seconds,
    )
