"""What a skill is. The whole surface between a system that is read and the agent that reads it.

A skill is a folder with SKILL.md (its manifest and its advice to the model) and tools.py, which offers `Settings`
(a pydantic model of the customer's keys) and `connect(access) -> Skill`. Everything that a skill returns is data;
it never numbers evidence, never talks to a model, and never writes to the system it reads.

Entity kinds are the system's own words: Kubernetes kinds in their API spelling (Deployment, Service, Node,
PersistentVolumeClaim, NetworkPolicy ...), else `external`, `feature_flag`, `certificate`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict

Status = Literal["ok", "no_data", "error"]


class SkillError(Exception):
    """The skill cannot work as configured. Check the skill's keys in the customer's file."""


class ToolError(Exception):
    """The system did not answer the question; the text carries the exact query, the range and the server's words."""


class LoadLimitReached(ToolError):
    """The investigation has used its share of queries against this system."""


class ToolInput(BaseModel):
    """Arguments of a tool as the model sends them: what is not declared is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Entity(BaseModel):
    """A thing in production that can be at fault or suffer: what findings, symptoms and edges point at."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    kind: str
    namespace: str | None = None
    name: str

    def __str__(self) -> str:
        place = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind} {place}{self.name}"


@dataclass(frozen=True)
class Window:
    """A closed range of time, both ends aware UTC."""

    start: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        return (self.end - self.start).total_seconds()

    def before(self, seconds: float | None = None) -> Window:
        """The window of `seconds` (default: of equal length) that ends where this one starts."""
        return Window(self.start - timedelta(seconds=seconds or self.seconds), self.start)

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%dT%H:%M:%SZ}/{self.end:%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True)
class Excerpt:
    """One citable observation. The agent numbers it; a finding may quote `text` and nothing else."""

    text: str
    """One line, or one stack trace: the fact in the system's own words and figures."""
    query: str
    """What was asked, so that a person can ask it again (kubectl command, PromQL, query DSL)."""
    window: Window | None = None
    link: str | None = None
    """Address in the system's own interface, from the customer's link_base."""
    entity: Entity | None = None
    at: datetime | None = None
    """When the observed thing happened, not when it was read."""


Role = Literal["cause", "effect", "change", "healthy"]


@dataclass(frozen=True)
class Symptom:
    """What an analyzer recognised: candidate faults of the closed vocabulary, tied to what was seen."""

    analyzer: str
    """`<skill>.<module>`, e.g. kubernetes.scheduling."""
    entity: Entity
    """The culprit if the leading fault is right: the object whose spec or state is wrong (faults.yaml, culprit)."""
    faults: tuple[str, ...]
    """Names from skills/faults.yaml, the likeliest first; empty for an effect that names no fault by itself."""
    summary: str
    """One sentence with figures: what is wrong, since when, compared with what."""
    specificity: float
    """0..1: how rarely this is seen when the leading fault is absent. 0.9 and above: decisive by itself."""
    evidence: tuple[Excerpt, ...]
    onset: datetime | None = None
    role: Role = "cause"
    """cause: the entity itself is wrong; effect: it suffers from something else; change: something changed here;
    healthy: looked at and found well, which weakens candidates."""
    points_at: tuple[Entity, ...] = ()
    """For an effect: the dependencies that the evidence names as failing."""
    victims: tuple[Entity, ...] = ()
    """Entities that would suffer if this is true (what has no endpoints, what is pending)."""
    change: str | None = None
    """Id of the change that introduced it, if the evidence says so."""
    ongoing: bool = True
    """False when the evidence says that it is over."""


@dataclass(frozen=True)
class Change:
    """Something that was altered, by whom, and what it touched."""

    id: str
    at: datetime
    entity: Entity
    summary: str
    """`image shop/cart:1.4.1 -> 1.4.2`, `limits.memory 512Mi -> 128Mi`"""
    kind: str
    """rollout, scale, config, node, deployment, release, merge, sync, flag, other"""
    author: str | None = None
    evidence: tuple[Excerpt, ...] = ()


@dataclass(frozen=True)
class Edge:
    """`source` depends on `target`; `via` says how that is known (env, config, selector, trace, metric, ingress)."""

    source: Entity
    target: Entity
    via: str
    evidence: Excerpt | None = None


@dataclass(frozen=True)
class Gap:
    """Something that was wanted and could not be seen, and why, in the system's words."""

    what: str
    why: str


@dataclass(frozen=True)
class Chart:
    """The series that decides a question, to be drawn for people; a model never sees it."""

    title: str
    """What is drawn and of what: `memory working set of shop/cart-7d4f-x2x4k`."""
    unit: str
    """bytes, seconds, ratio, requests/s ...; empty when it is a bare number."""
    points: tuple[tuple[datetime, float], ...]
    """Oldest first, finite."""
    onset: datetime | None = None
    """Where the level changed."""
    threshold: float | None = None
    """The limit or the alert's own threshold, in the unit of the points."""
    query: str = ""
    link: str | None = None


@dataclass(frozen=True)
class ToolResult:
    """The answer of a tool, for a reader in a hurry."""

    status: Status
    text: str
    """What the model reads first: ok says what was found, no_data where it looked, error what the server said."""
    evidence: tuple[Excerpt, ...] = ()
    symptoms: tuple[Symptom, ...] = ()
    gaps: tuple[Gap, ...] = ()
    full: str | None = None
    """The undigested result, kept for the trace page, never sent to a model."""
    charts: tuple[Chart, ...] = ()
    changes: tuple[Change, ...] = ()
    """What was asked for and altered something: by its id a conclusion names it."""


@dataclass(frozen=True)
class Tool:
    """A question that the model may ask. Read-only by declaration and by construction."""

    name: str
    """`<skill>_<verb>` in snake case, unique over all skills."""
    description: str
    """One or two sentences for the model: what it answers and when to ask it."""
    input: type[ToolInput]
    run: Callable[[Any, SkillContext], ToolResult]
    reads: tuple[str, ...]
    """What it reads, e.g. ("pods", "events")."""
    deferred: bool = False
    """Never offered outright, only found by `find_tool`: for systems that bring any number of tools."""


@dataclass(frozen=True)
class Focus:
    """What the alert is about, as far as its text says; every field may be empty."""

    alert_type: str = ""
    title: str = ""
    summary: str = ""
    service: str = ""
    namespace: str = ""
    environment: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    started_at: datetime | None = None
    asked: str = ""
    """A person's question, when the investigation was asked for."""
    expressions: tuple[str, ...] = ()
    """Alert expressions found in generator links."""
    links: tuple[str, ...] = ()
    """Addresses that the alerts carry: incident, dashboard, runbook."""


@dataclass(frozen=True)
class LogLine:
    at: datetime
    text: str
    entity: Entity | None = None
    """The workload or pod that wrote it."""
    container: str = ""
    level: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class LogQuery:
    """What a log source is asked. Empty fields do not restrict."""

    window: Window
    namespace: str = ""
    service: str = ""
    """A service, workload or pod prefix; the source maps it to its own fields."""
    text: str = ""
    errors_only: bool = False
    limit: int = 5000


@dataclass(frozen=True)
class LogBatch:
    lines: tuple[LogLine, ...]
    """Oldest first."""
    total: int
    """How many match in the system, sampled or not."""
    query: str
    link: str | None = None


@dataclass(frozen=True)
class Series:
    labels: Mapping[str, str]
    points: tuple[tuple[datetime, float], ...]
    """Oldest first."""


class LogSource(Protocol):
    def read(self, query: LogQuery) -> LogBatch:
        """Raises ToolError."""


class SeriesSource(Protocol):
    def range(self, expression: str, window: Window, step_seconds: float) -> tuple[Series, ...]:
        """PromQL over a window. Raises ToolError."""


class ChangeSource(Protocol):
    def changes(self, window: Window, namespace: str = "") -> tuple[Change, ...]:
        """Oldest first. Raises ToolError."""


class EdgeSource(Protocol):
    def edges(self, namespace: str = "") -> tuple[Edge, ...]:
        """Raises ToolError."""


class CodeSource(Protocol):
    def last_touched(self, path: str, line: int, service: str = "") -> Change | None:
        """The commit that last touched a file, as a stack trace names it; None when no repository has it. `service`
        says whose trace it is, so that its repository is asked first. Raises ToolError."""


@dataclass(frozen=True)
class Sources:
    """What one skill offers to the others, by way of the context."""

    logs: LogSource | None = None
    series: SeriesSource | None = None
    changes: ChangeSource | None = None
    edges: EdgeSource | None = None
    code: CodeSource | None = None


@dataclass(frozen=True)
class SkillContext:
    """What an investigation gives to each call of a skill. Time is given, never asked of the machine's clock."""

    focus: Focus
    now: datetime
    window: Window
    """From some minutes before the onset to now."""
    baseline: Window
    """A healthy window of the past to compare with."""
    sources: Mapping[str, Sources] = field(default_factory=dict)
    """By skill name; only skills that are on and reachable."""
    deadline: datetime | None = None
    """In the machine's time: a call that cannot end before it should not begin."""
    recorded_changes: tuple[Change, ...] = ()
    """What Gumshoe was told by webhook and keeps itself: feature flags that were switched. Oldest first."""
    look_of: Callable[[str, float], FirstLook | None] | None = None
    """During the first look: what another skill's own first look saw, waited for at most so many seconds, so that
    nothing is read twice; None when it did not come in time. Not there (None) in later calls."""


@dataclass(frozen=True)
class FirstLook:
    """What a skill saw without being asked: symptoms for the ranking, changes and edges for the reasoning, gaps."""

    text: str
    """A few lines for the model's first page: what stands out, or that nothing does."""
    symptoms: tuple[Symptom, ...] = ()
    changes: tuple[Change, ...] = ()
    edges: tuple[Edge, ...] = ()
    gaps: tuple[Gap, ...] = ()
    evidence: tuple[Excerpt, ...] = ()
    """Citable observations beyond those of the symptoms (healthy peers, counts)."""
    full: str | None = None
    charts: tuple[Chart, ...] = ()
    """The most telling first."""
    owner: str = ""
    """Who answers for it now, where the system knows: `on call: Tim Wright (Daily Rotation)`."""


@dataclass(frozen=True)
class Check:
    """One line of `gumshoe doctor`: a permission or an endpoint, and what to do when it is not there."""

    what: str
    ok: bool
    detail: str
    remedy: str = ""


class QueryMeter:
    """Counts the requests that one investigation sends to one system, and refuses those above the limit."""

    def __init__(self, system: str, limit: int | None = None) -> None:
        self.system = system
        self.limit = limit
        self.requests = 0
        self.bytes = 0

    def request(self) -> None:
        """Call before each request. Raises LoadLimitReached."""
        if self.limit is not None and self.requests >= self.limit:
            raise LoadLimitReached(f"{self.system}: the limit of {self.limit} requests an investigation is reached")
        self.requests += 1

    def received(self, size: int) -> None:
        self.bytes += size


@dataclass(frozen=True)
class Access:
    """What `connect` gets: validated settings, how to resolve a secret's variable name, and the meter."""

    settings: Any
    """An instance of the skill's `Settings`."""
    secret: Callable[[str], str | None]
    """Value of an environment variable named in the settings; None when unset or empty (then: no authentication)."""
    meter: QueryMeter
    timeout_seconds: float = 10.0


class Skill(Protocol):
    """One system, connected for one customer. Built by `connect(access)`; a constructor does no I/O."""

    @property
    def name(self) -> str: ...

    @property
    def tools(self) -> Sequence[Tool]: ...

    @property
    def sources(self) -> Sources: ...

    def reach(self) -> None:
        """One cheap request. Raises ToolError when the system does not answer or refuses the credentials."""

    def first_look(self, context: SkillContext) -> FirstLook:
        """Within a few seconds and a bounded number of requests. A part that fails becomes a gap; raises ToolError
        only when nothing could be read."""

    def checks(self) -> Sequence[Check]:
        """For `gumshoe doctor`: endpoint, credentials, each permission. Never raises."""
