"""The records of Gumshoe: what is stored, queued and rendered. Frozen, and nothing here does any I/O.

Stored records are read by older and newer versions, so they ignore what they do not know.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from skills.contract import Entity

AlertStatus = Literal["firing", "acknowledged", "resolved"]
Severity = Literal["critical", "high", "warning", "low", "info", "unknown"]
Verdict = Literal["incident", "false_alarm", "recovered", "inconclusive"]
Band = Literal["high", "medium", "low"]


class Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Link(Record):
    kind: str
    """runbook, dashboard, source, silence, alert, panel, ..."""
    url: str


class Alert(Record):
    """One notification, normalised and masked."""

    source: str
    """alertmanager, grafana, pagerduty, datadog, sentry, cloudwatch, opsgenie, generic, slack, person"""
    status: AlertStatus = "firing"
    alert_type: str
    """What guidance and track records attach to; shared/payloads/README.md has the rule per source."""
    title: str
    summary: str = ""
    severity: Severity = "unknown"
    service: str = ""
    environment: str = ""
    labels: dict[str, str] = Field(default_factory=dict)
    fingerprint: str
    """Equal for every notification of the same firing thing."""
    group_key: str = ""
    """Equal for all alerts that the source sends as one group."""
    started_at: datetime | None = None
    links: tuple[Link, ...] = ()
    asked: str = ""
    """The question, when a person asked for the investigation."""


class Place(Record):
    """Where in Slack something is said: a channel, and the thread in it."""

    team_id: str = ""
    channel: str
    thread_ts: str | None = None


IncidentState = Literal["open", "resolved", "closed"]


class Incident(Record):
    """Alerts that belong together, one Slack thread."""

    id: str
    customer: str
    state: IncidentState = "open"
    alert_type: str
    service: str = ""
    environment: str = ""
    title: str = ""
    severity: Severity = "unknown"
    place: Place | None = None
    """The thread; None until a webhook's own message has been posted."""
    opened_at: datetime
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    previous_id: str | None = None
    """The incident of the same alert before this one."""
    alert_count: int = 0


InvestigationState = Literal["queued", "running", "done", "stopped", "failed"]
StopCause = Literal["person", "budget", "error"]


class Investigation(Record):
    """One run on an incident."""

    id: str
    incident_id: str
    customer: str
    state: InvestigationState = "queued"
    attempt: int = 0
    """Fencing token: the number of the run that may write. A write with an older one is refused."""
    question: str = ""
    """A follow-up's or a person's question; empty for the alert itself."""
    follows: str | None = None
    """The investigation that a follow-up continues."""
    model: str = ""
    trace_id: str = ""
    steering: tuple[str, ...] = ()
    """What people said in the thread while it ran."""
    stop_requested_by: str | None = None
    dry_run: bool = False
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    error: str = ""


class Instructions(Record):
    """What people asked of a running investigation; read between its steps."""

    stop_by: str | None = None
    """Who asked it to stop; None: nobody."""
    steering: tuple[str, ...] = ()
    """What people said in the thread, oldest first."""


class Evidence(Record):
    """A numbered, redacted excerpt of a tool result: E1, E2 ..."""

    id: str
    skill: str
    tool: str
    query: str
    range: str | None = None
    """`start/end`, ISO 8601 in UTC"""
    excerpt: str
    link: str | None = None


class Confidence(Record):
    band: Band
    value: float = Field(ge=0, le=1)
    capped_by: str | None = None
    """The rule that held it down, in words; None when none did."""


class Claim(Record):
    text: str
    evidence: tuple[str, ...] = ()


class Cause(Record):
    entity: Entity
    fault: str
    fault_id: str
    summary: str
    onset: datetime | None = None
    change: str = "unknown"
    """Id of the change that caused it, "none" or "unknown"."""
    confidence: Confidence
    evidence: tuple[str, ...] = ()


class ChainLink(Record):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, serialize_by_alias=True)
    source: Entity = Field(alias="from")
    target: Entity = Field(alias="to")
    evidence: tuple[str, ...] = ()


class RuledOut(Record):
    fault: str | None = None
    change: str | None = None
    why: str
    evidence: tuple[str, ...] = ()


class GapRecord(Record):
    what: str
    why: str


class GuidanceUse(Record):
    id: str
    name: str
    version: int


class Used(Record):
    model: str
    skills: tuple[str, ...] = ()
    guidance: tuple[GuidanceUse, ...] = ()
    seconds: float = 0
    tokens: int = 0
    tokens_estimated: bool = False
    dollars: float = 0
    tool_calls: int = 0
    """Calls of the model; none where the first look sufficed."""
    first_look_queries: int = 0
    """Requests that the first look sent to the systems before the model was asked."""


class Finding(Record):
    """The verdict. One schema for the agent's last call, the store, `--out`, the grader and the thread.

    Format: DESIGN.md, section 4. Serialise with `model_dump(mode="json", by_alias=True)`.
    """

    schema_: Literal[1] = Field(default=1, alias="schema")
    verdict: Verdict
    headline: Claim
    impact: Claim | None = None
    causes: tuple[Cause, ...] = Field(default=(), max_length=3)
    chain: tuple[ChainLink, ...] = ()
    ruled_out: tuple[RuledOut, ...] = ()
    gaps: tuple[GapRecord, ...] = ()
    next: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    used: Used

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, serialize_by_alias=True)


HypothesisState = Literal["open", "strengthened", "weakened", "discarded", "concluded"]


class Hypothesis(Record):
    """Something believed, what it predicts, and what it met."""

    id: str
    """H1, H2 ..."""
    entity: Entity
    fault: str
    statement: str
    predicts: tuple[str, ...] = ()
    state: HypothesisState = "open"
    support: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    reason: str = ""


class BeliefChange(Record):
    """One labelled line of the thread: new, strengthened, weakened, discarded."""

    hypothesis: str
    change: Literal["new", "strengthened", "weakened", "discarded"]
    text: str
    evidence: tuple[str, ...] = ()
    at: datetime


Phase = Literal["queued", "first_look", "investigating", "challenging", "concluding", "done"]


class Progress(Record):
    """What the living message shows while an investigation runs; replaced as a whole after each step."""

    phase: Phase
    skills_on: tuple[str, ...] = ()
    unreachable: tuple[GapRecord, ...] = ()
    symptoms: tuple[str, ...] = ()
    beliefs: tuple[BeliefChange, ...] = ()
    doing: str = ""
    tool_calls: int = 0


Vote = Literal["right", "wrong", "unsure"]


class Feedback(Record):
    """What a person thinks of a finding. Append-only; the last of a person counts, `withdrawn` takes it back."""

    id: str
    investigation_id: str
    person: str
    vote: Vote
    via: Literal["reaction", "button"]
    withdrawn: bool = False
    parts: tuple[str, ...] = ()
    """Drill-down: cause, evidence, missing_check, noise, action"""
    true_cause: str = ""
    note: str = ""
    created_at: datetime


class EntityPattern(Record):
    kind: str | None = None
    namespace: str | None = None
    name: str


class Reading(Record):
    """One typed reading of guidance: what its author is understood to have said."""

    kind: Literal["expected", "look_first", "ignore", "depends_on", "owner", "runbook"]
    entity: EntityPattern | None = None
    """Whom it is about; None: whatever alerted."""
    target: EntityPattern | None = None
    """depends_on: what it depends on; look_first: what to look at."""
    fault: str | None = None
    """expected, ignore: the fault that is meant, if one is named."""
    window: str | None = None
    """expected: when it is normal, e.g. "02:00-04:00 UTC" or "weekends"."""
    text: str = ""
    """owner, runbook: the name or address; look_first: the words; ignore: the pattern."""


class Guidance(Record):
    """What a person told Gumshoe about an alert type."""

    id: str
    customer: str
    alert_type: str
    """Exact, or a glob with * and ?."""
    labels: dict[str, str] = Field(default_factory=dict)
    text: str = Field(max_length=1000)
    readings: tuple[Reading, ...] = ()
    version: int = 1
    author: str
    created_at: datetime
    removed: bool = False

    @property
    def name(self) -> str:
        return self.alert_type


class Proposal(Record):
    """Guidance that waits for its author to confirm how it was read."""

    id: str
    customer: str
    alert_type: str
    labels: dict[str, str] = Field(default_factory=dict)
    text: str = Field(max_length=1000)
    readings: tuple[Reading, ...] = ()
    author: str
    created_at: datetime
    guidance_id: str | None = None
    """The guidance that it would change; None: a new one."""
    confirmed_version: int | None = None
    """The version of the guidance that came of it; None: not confirmed."""


class Mute(Record):
    customer: str
    alert_type: str
    until: datetime | None = None
    author: str
    created_at: datetime


class Toggle(Record):
    """A skill switched at run time; it overrides the customer's file. Append-only, the last one counts."""

    customer: str
    skill: str
    enabled: bool
    author: str
    created_at: datetime


class FlagEvent(Record):
    """A feature flag was switched, as the system that keeps the flags told by webhook."""

    id: str
    """The sender's own, so that what is sent twice is kept once."""
    customer: str
    at: datetime
    flag: str
    summary: str = Field(max_length=500)
    """What was done to it: `turned on`, `false -> true`"""
    environment: str = ""
    services: tuple[str, ...] = ()
    """Whom it touches, as far as it was said."""
    author: str = ""
    link: str = ""


class Ignored(Record):
    """Something that was not investigated, and why. Shown by `/gumshoe why`."""

    customer: str
    at: datetime
    what: str
    reason: Literal["limit", "muted", "dry_run", "unknown_channel", "budget", "not_an_alert", "off"]
    detail: str = ""
    channel: str = ""
    incident_id: str | None = None


class Opened(Record):
    """What became of the alerts of one message or webhook."""

    incident: Incident | None
    """None: a recovery of nothing that is known."""
    investigation: Investigation | None
    """The one to enqueue; None when there is none or when it was enqueued with an earlier message."""
    joined: bool
    """The alerts were added to an incident that was open."""
    new: bool
    """The alerts opened the incident."""
    ignored: Ignored | None
    """Why nothing is investigated, or why nothing is said (dry_run)."""


PostKind = Literal[
    "status", "detail", "belief", "pointer", "alert", "acknowledge", "reaction", "notice", "reply", "picture"
]


class Post(Record):
    """Something to be said in Slack, in the outbox. It holds record ids and plain facts, never Slack text."""

    id: int
    key: str
    """Idempotency key: a second post with the same key is not made."""
    customer: str
    kind: PostKind
    place: Place
    incident_id: str | None = None
    investigation_id: str | None = None
    body: dict[str, Any] = Field(default_factory=dict)
    """Facts that only this post needs, e.g. {"name": "eyes", "ts": ...} or {"text": ...}."""
    version: int = 0
    """status posts: the version of the record to render; an older one that waits is superseded by a newer."""
    state: Literal["waiting", "sending", "sent", "failed", "superseded"] = "waiting"
    attempts: int = 0
    ts: str | None = None
    """The message's ts once it is posted."""
    not_before: datetime | None = None
    error: str = ""
    created_at: datetime
