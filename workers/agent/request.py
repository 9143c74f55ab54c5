"""What an investigation is given, and the record it writes as it goes. The agent knows no store: it knows a Journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from config.customers import Customer
from skills.contract import Change
from workers.domain import Alert, Finding, Guidance, Instructions, Progress
from workers.trace import Span

Task = Literal["alert", "question", "follow_up"]


@dataclass(frozen=True)
class PastIncident:
    """An earlier incident of the same kind: a hint where to look, never evidence."""

    incident_id: str
    opened_at: datetime
    alert_type: str
    headline: str
    fault: str = ""
    entity: str = ""
    judged: str = ""
    """right, wrong, unsure, or empty: what people said of that finding."""


@dataclass(frozen=True)
class Request:
    """One investigation, complete: nothing else is asked of anybody but skills, model and journal."""

    customer: Customer
    incident_id: str
    investigation_id: str
    trace_id: str
    """32 hex digits"""
    alerts: tuple[Alert, ...]
    now: datetime
    """The world's time: what "now" means in the systems that are read."""
    question: str = ""
    previous: Finding | None = None
    """A follow-up continues from it, and may cite its evidence."""
    guidance: tuple[Guidance, ...] = ()
    similar: tuple[PastIncident, ...] = ()
    track_record: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """band -> (right, judged) for this alert type"""
    task: Task = "alert"
    env: Literal["prod", "sim"] = "prod"
    recorded_changes: tuple[Change, ...] = ()
    """What only Gumshoe knows: feature flags that were switched, told by webhook. Oldest first."""
    patience: float = 1.0
    """How many times longer than usual systems are waited for: what is measured must not depend on a busy machine."""
    dollars_this_month: float = 0.0
    """What the customer has spent before this investigation, for budget.dollars_per_month."""


class Journal(Protocol):
    """The durable record of one run."""

    def recorded(self) -> Sequence[Span]:
        """Spans of earlier attempts, in order."""

    def record(self, span: Span) -> None:
        """Durable before it returns. Raises when a newer attempt has taken over."""

    def progress(self, progress: Progress) -> None: ...

    def instructions(self) -> Instructions: ...
