"""The record of what an investigation did: one trace a run, one span a step, each span with exactly one step state.

Format: reference/trace-and-eval.md, section 1. `status` and `error_type` are set by code, never by a model.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from workers.domain import Record

StepState = str
"""receive, first_look, plan, query_<skill>, interpret, hypothesise, challenge, conclude, report"""

FIXED_STATES = ("receive", "first_look", "plan", "interpret", "hypothesise", "challenge", "conclude", "report")

PICTURE = "picture"
"""Name of the span whose output is a chart as PNG: {"text", "png": base64, "title", "alt"}."""

ErrorType = Literal[
    "timeout", "refused", "empty_result", "invalid_arguments", "budget", "cancelled", "model_error", "tool_error"
]
Operation = Literal["invoke_agent", "plan", "chat", "execute_tool", "evaluate"]


def is_step_state(name: str) -> bool:
    return name in FIXED_STATES or (name.startswith("query_") and len(name) > 6)


class Trace(Record):
    id: str
    """32 hex digits"""
    investigation_id: str
    incident_id: str
    customer: str
    alert_type: str
    service: str
    task: str
    """alert, question, follow_up"""
    agent_version: str
    guidance: tuple[str, ...] = ()
    """id@version of the guidance used"""
    toggles: tuple[str, ...] = ()
    """names of the skills that were on"""
    model: str
    env: Literal["prod", "sim"] = "prod"
    thread: str = ""
    """incident id: a follow-up is a new trace with the same thread"""
    t0: datetime
    t1: datetime | None = None
    outcome: str = ""
    """the verdict, or stopped / failed"""


class Span(Record):
    id: str
    """16 hex digits"""
    trace_id: str
    parent_id: str | None = None
    sequence: int
    """Order within the trace, from 0; the key by which a resumed run finds where it was."""
    op: Operation
    name: str
    """the tool's name, or chat <model>, first_look <skill> ..."""
    step_state: StepState
    status: Literal["ok", "error"] = "ok"
    error_type: ErrorType | None = None
    t0: datetime
    t1: datetime
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    tokens_estimated: bool = False
    dollars: float = 0
    attempt: int = 0
    input: Any = None
    """JSON; a string of the form sha256:<hex> stands for an attachment."""
    output: Any = None
    attributes: dict[str, Any] = Field(default_factory=dict)
    """OpenTelemetry GenAI names where one exists"""
