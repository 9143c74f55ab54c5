"""One case from its staging to its marks, along the one path that production takes: skills over HTTP, agent, finding.

What the agent is given is what a customer's alert would give it: nothing says that this is an evaluation.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from config.customers import Budget, Customer
from skills import registry
from skills.contract import Change
from workers import agent, flags, simulation
from workers.agent.systems import sources
from workers.domain import Alert, Finding, Guidance, Instructions, Progress
from workers.evaluation import guessers
from workers.evaluation.cases import Case, case
from workers.evaluation.disturbance import TRIES, is_disturbed
from workers.evaluation.grading import grade
from workers.evaluation.grading.proof import changes
from workers.evaluation.recorded import Recorded
from workers.evaluation.replay import replayed
from workers.evaluation.results import Result, key_of
from workers.evaluation.states import state_marks
from workers.evaluation.suspicion import in_trace
from workers.evaluation.tape import lean
from workers.evaluation.variants import Variant
from workers.llm.base import Model
from workers.store.globs import matches
from workers.trace import Span

Read = Callable[[dict[str, Any]], tuple[Alert, ...]]
"""An Alertmanager webhook's body -> its alerts, as intake reads them."""


DEFAULT_BUDGET = Budget()
SYSTEM_SECONDS = 10.0
PATIENCE = 8.0
"""The world answers as fast as this machine computes; a finding must not depend on what else it computes."""


@dataclass(frozen=True)
class Job:
    case: str
    variant: Variant
    repeat: int = 0

    @property
    def key(self) -> str:
        return key_of(self.case, self.variant.name, self.repeat)

    @property
    def trace_id(self) -> str:
        return hashlib.sha256(self.key.encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Stage:
    """What every case of a run shares."""

    model: Callable[[str], Model]
    read: Read
    budget: Budget = DEFAULT_BUDGET
    traces: Path | None = None
    """Folder for the traces; None: none are kept."""
    guess: bool = True
    recorded: Mapping[str, Recorded] = field(default_factory=dict)
    """By name, the cases that are past investigations."""


def _no_secret(name: str) -> str | None:
    """The simulated systems ask for no credentials."""
    return None


class Notes:
    """The journal of a run that nobody resumes: the runner resumes by whole cases."""

    def __init__(self) -> None:
        self.spans: list[Span] = []

    def recorded(self) -> Sequence[Span]:
        return ()

    def record(self, span: Span) -> None:
        self.spans.append(span)

    def progress(self, progress: Progress) -> None: ...

    def instructions(self) -> Instructions:
        return Instructions()


def run(job: Job, stage: Stage) -> Result:
    """Raises SimulationError for a scenario that is damaged."""
    began = time.monotonic()
    if job.case in stage.recorded:
        return _replayed(job, stage.recorded[job.case], stage, began)
    it = case(job.case)
    world = simulation.start(job.case, skills=job.variant.toggle.on(it.skills))
    try:
        return _investigated(job, it, world, stage, began)
    finally:
        world.close()


def _investigated(job: Job, it: Case, world: simulation.Running, stage: Stage, began: float) -> Result:
    customer = Customer(name=it.company, skills=world.skills, budget=stage.budget)
    toggles = registry.toggles(customer)
    skills = agent.connect_all(customer, toggles, _no_secret, timeout_seconds=SYSTEM_SECONDS * PATIENCE)
    alerts = stage.read(world.alert)
    told = flags.as_changes(world.flag_events, "") if "changes" in world.skills else ()
    tries = 0
    while True:
        finding, spans = _find(job, customer, alerts, world.now, skills, stage, told)
        tries, disturbed = tries + 1, is_disturbed(spans)
        # A try that costs is not repeated: it would spend what nobody agreed to.
        if not disturbed or tries == TRIES or finding.used.dollars:
            break
        skills = agent.connect_all(customer, toggles, _no_secret, timeout_seconds=SYSTEM_SECONDS * PATIENCE)
    graded = _graded(job, it, alerts, finding, spans, world.truth, stage, began)
    graded = graded.model_copy(update={"tries": tries, "disturbed": disturbed})
    if not stage.guess or job.repeat:
        return graded
    seen = guessers.Scene(alerts, tuple(changes(spans).values()), sources(tuple(skills)), world.now)
    return graded.model_copy(update={"guesses": guessers.guesses(seen, world.truth)})


def _replayed(job: Job, it: Recorded, stage: Stage, began: float) -> Result:
    """From the recording alone; the same path otherwise."""
    customer = it.customer.model_copy(update={"budget": stage.budget})
    skills, tape = replayed(it.spans, customer, job.variant.toggle.on(it.case.skills), _no_secret)
    finding, spans = _find(job, customer, it.alerts, it.now, skills, stage, it.changes)
    graded = _graded(job, it.case, it.alerts, finding, spans, it.truth, stage, began)
    return graded.model_copy(update={"source": "replay", "off_tape": tape.off})


def _find(
    job: Job,
    customer: Customer,
    alerts: tuple[Alert, ...],
    now: datetime,
    skills: Sequence[agent.ConnectedSkill],
    stage: Stage,
    told: tuple[Change, ...] = (),
) -> tuple[Finding, list[Span]]:
    notes = Notes()
    request = agent.Request(
        customer=customer,
        incident_id=job.trace_id[:12],
        investigation_id=job.trace_id[12:24],
        trace_id=job.trace_id,
        alerts=alerts,
        now=now,
        guidance=fitting(job.variant.notebook.guidance, alerts),
        recorded_changes=told,
        patience=PATIENCE,
        env="sim",
    )
    model = stage.model(job.variant.model)
    finding = agent.investigate(
        request, model, skills, notes, clock=lambda: datetime.now(UTC), monotonic=time.monotonic
    )
    return finding, notes.spans


def _graded(
    job: Job,
    it: Case,
    alerts: tuple[Alert, ...],
    finding: Finding,
    spans: Sequence[Span],
    truth: simulation.Truth,
    stage: Stage,
    began: float,
) -> Result:
    return Result(
        case=job.case,
        variant=job.variant.name,
        repeat=job.repeat,
        company=it.company,
        alert_type=alerts[0].alert_type if alerts else it.alert_type,
        group=it.group,
        leaf=it.leaf,
        kinds=truth.kinds,
        blind=it.blind,
        truth=truth,
        finding=finding,
        marks=grade(finding, spans, truth, blind=it.blind),
        candidates=guessers.candidates(spans),
        states=state_marks(spans, truth),
        suspicions=tuple(sign.sentence for sign in in_trace(spans)),
        calls=finding.used.tool_calls,
        trace=keep(spans, job, stage.traces),
        seconds=round(time.monotonic() - began, 2),
    )


def fitting(guidance: Sequence[Guidance], alerts: Sequence[Alert]) -> tuple[Guidance, ...]:
    """What applies to these alerts, as the store would choose it."""
    if not alerts:
        return ()
    kind, labels = alerts[0].alert_type, {k: v for a in reversed(alerts) for k, v in a.labels.items()}
    return tuple(g for g in guidance if matches(g.alert_type, kind) and g.labels.items() <= labels.items())


def keep(spans: Sequence[Span], job: Job, folder: Path | None) -> str:
    """Writes the trace, one span a line; its path relative to the results file."""
    if folder is None:
        return ""
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(job.variant.name.encode()).hexdigest()[:6]
    path = folder / f"{job.case}.{digest}.{job.repeat}.jsonl"
    path.write_text("".join(lean(span).model_dump_json() + "\n" for span in spans), encoding="utf-8")
    return f"{folder.name}/{path.name}"
