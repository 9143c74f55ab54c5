"""Entry points of the workers, each: load, call, save. Safe to run twice; what they take are ids."""

from __future__ import annotations

import base64
import hashlib
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

from config import logs
from config.customers import Customer
from skills import registry
from skills.contract import Change
from workers import agent, flags, pictures
from workers.agent import teach
from workers.domain import Claim, Finding, GapRecord, Incident, Instructions, Investigation, Progress, Used
from workers.guidance import readings_by_rules
from workers.llm.base import Model, ModelError
from workers.llm.choose import pick
from workers.runtime import Runtime, runtime
from workers.store import StaleAttempt, Store
from workers.trace import PICTURE, Span, Trace

log = logging.getLogger(__name__)

ATTEMPTS = 3
"""An investigation that broke this often ends in a finding that says so."""
HEARTBEAT_SECONDS = 3.0
FLAGS_KEPT = timedelta(days=7)
"""How far back switched feature flags are told to skills."""


def investigate(investigation_id: str) -> None:
    """One investigation, from where an earlier attempt stopped, to its one answer."""
    with logs.about(investigation_id):
        rt = runtime()
        waiting = rt.store.investigations.get(investigation_id)
        if waiting is None:
            log.warning("no such investigation; its records are gone")
            return
        customer = rt.customer(waiting.customer)
        model = _model(rt, customer)
        claimed = rt.store.investigations.claim(investigation_id, model.name, _now())
        if claimed is None:
            log.info("ended already")
            return
        log.info("attempt %d of customer %s with %s", claimed.attempt, customer.name, model.name)
        try:
            with _heartbeat(rt.store, claimed):
                finding = _run(rt, claimed, customer, model)
            _finish(rt.store, claimed, finding)
        except StaleAttempt:
            log.warning("attempt %d was overtaken by a newer one", claimed.attempt)
        except Exception as error:  # the job boundary: logged with its traceback, retried, and in the end told
            log.exception("attempt %d broke", claimed.attempt)
            if claimed.attempt < ATTEMPTS:
                raise
            rt.store.investigations.finish(
                investigation_id, claimed.attempt, _broken(error, model.name), _now(), state="failed", error=str(error)
            )
        finally:
            rt.queue.nudge("outbox")


def read_guidance(proposal_id: str) -> None:
    """A proposal's readings by the customer's model, for its author to confirm; without an answer the rules' stay."""
    with logs.about(proposal_id):
        rt = runtime()
        proposal = rt.store.guidance.proposal(proposal_id)
        if proposal is None or proposal.confirmed_version is not None:
            log.info("nothing to read any more")
            return
        model = _model(rt, rt.customer(proposal.customer))
        try:
            read = teach.readings(model, proposal.alert_type, proposal.labels, proposal.text)
        except ModelError as trouble:
            log.warning("%s read no guidance (%s), the readings by rules stay: %s", model.name, trouble.kind, trouble)
            return
        # From the words and not from what is stored, so that a second run ends where the first did.
        amended = rt.store.guidance.amend(proposal_id, teach.joined(readings_by_rules(proposal.text), read))
        log.info("%s gave %d readings%s", model.name, len(read), "" if amended else ", too late")


def _model(rt: Runtime, customer: Customer) -> Model:
    settings = rt.settings
    return pick(
        customer.model or settings.model, api_key=settings.anthropic_api_key, base_url=settings.anthropic_base_url
    )


def _run(rt: Runtime, claimed: Investigation, customer: Customer, model: Model) -> Finding:
    incident = rt.store.incidents.get(claimed.incident_id)
    assert incident is not None, f"investigation {claimed.id} without its incident"
    toggles = registry.toggles(customer, rt.store.toggles.current(customer.name))
    request = _request(rt.store, claimed, incident, customer)
    journal = StoreJournal(rt, claimed, request.trace_id)
    rt.store.traces.start(_trace(claimed, incident, request, toggles, model.name), claimed.attempt)
    skills = agent.connect_all(customer, toggles, rt.settings.secret)
    finding = agent.investigate(request, model, skills, journal, clock=_now, monotonic=time.monotonic)
    _illustrate(rt.store, claimed, journal)
    return finding


def _illustrate(store: Store, claimed: Investigation, journal: StoreJournal) -> None:
    """Draws the series that decides the question, where there is one, and keeps the picture in the trace."""
    chosen = store.traces.last(claimed.id, agent.charts.NAME)
    picture = pictures.draw(agent.charts.read(chosen.output)) if chosen else None
    if chosen is None or picture is None:
        return
    kept = {
        "text": picture.alt,
        "png": base64.b64encode(picture.png).decode(),
        "title": picture.title,
        "alt": picture.alt,
    }
    number = hashlib.sha256(f"{chosen.id}:{PICTURE}".encode()).hexdigest()[:16]
    after = {"id": number, "sequence": chosen.sequence + 1, "name": PICTURE, "output": kept, "t0": _now(), "t1": _now()}
    journal.record(chosen.model_copy(update=after))


def _request(store: Store, claimed: Investigation, incident: Incident, customer: Customer) -> agent.Request:
    alerts = store.incidents.alerts(incident.id)
    labels = {key: value for alert in reversed(alerts) for key, value in alert.labels.items()}
    begun = store.traces.of_investigation(claimed.id)
    previous = store.findings.get(claimed.follows) if claimed.follows else None
    month = _now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return agent.Request(
        customer=customer,
        incident_id=incident.id,
        investigation_id=claimed.id,
        trace_id=claimed.trace_id or hashlib.sha256(claimed.id.encode()).hexdigest()[:32],
        alerts=alerts,
        # A resumed run keeps the first one's time, so that its questions are the recorded ones.
        now=begun.t0 if begun else _now(),
        question=claimed.question,
        previous=previous,
        guidance=store.guidance.matching(customer.name, incident.alert_type, labels),
        similar=_similar(store, incident),
        track_record=dict(store.findings.track_record(customer.name, incident.alert_type).items()),
        task="follow_up" if claimed.follows else "question" if claimed.question else "alert",
        recorded_changes=_flags(store, customer, begun.t0 if begun else _now()),
        dollars_this_month=store.investigations.spent(customer.name, month),
    )


def _flags(store: Store, customer: Customer, now: datetime) -> tuple[Change, ...]:
    return flags.as_changes(store.flags.between(customer.name, now - FLAGS_KEPT, now), customer.environment)


def _similar(store: Store, incident: Incident) -> tuple[agent.PastIncident, ...]:
    past = []
    for old in store.incidents.similar(incident.customer, incident.alert_type, incident.service, incident.opened_at):
        finding = store.findings.latest_of_incident(old.id)
        if finding is not None:
            cause = finding.causes[0] if finding.causes else None
            past.append(
                agent.PastIncident(
                    incident_id=old.id,
                    opened_at=old.opened_at,
                    alert_type=old.alert_type,
                    headline=finding.headline.text,
                    fault=cause.fault if cause else "",
                    entity=str(cause.entity) if cause else "",
                )
            )
    return tuple(past)


def _trace(
    claimed: Investigation, incident: Incident, request: agent.Request, toggles: registry.Toggles, model: str
) -> Trace:
    return Trace(
        id=request.trace_id,
        investigation_id=claimed.id,
        incident_id=incident.id,
        customer=claimed.customer,
        alert_type=incident.alert_type,
        service=incident.service,
        task=request.task,
        agent_version=version("gumshoe"),
        guidance=tuple(f"{g.id}@{g.version}" for g in request.guidance),
        toggles=toggles.on,
        model=model,
        thread=incident.id,
        t0=request.now,
    )


class StoreJournal:
    """The record of one attempt. Every write names the attempt, and an overtaken one is refused (StaleAttempt)."""

    def __init__(self, rt: Runtime, claimed: Investigation, trace_id: str) -> None:
        self._rt = rt
        self._id = claimed.id
        self._attempt = claimed.attempt
        self._trace_id = trace_id

    def recorded(self) -> Sequence[Span]:
        return self._rt.store.traces.spans(self._trace_id)

    def record(self, span: Span) -> None:
        self._rt.store.traces.add(span.model_copy(update={"attempt": self._attempt}), self._attempt)

    def progress(self, progress: Progress) -> None:
        self._rt.store.investigations.progress(self._id, self._attempt, progress)
        self._rt.queue.nudge("outbox")

    def instructions(self) -> Instructions:
        return self._rt.store.investigations.instructions(self._id)


def _finish(store: Store, claimed: Investigation, finding: Finding) -> None:
    stopped = store.investigations.instructions(claimed.id).stop_by is not None
    store.investigations.finish(claimed.id, claimed.attempt, finding, _now(), state="stopped" if stopped else "done")
    cause = finding.causes[0] if finding.causes else None
    log.info("%s: %s %s", finding.verdict, cause.fault if cause else "no cause", cause.entity if cause else "")


def _broken(error: Exception, model: str) -> Finding:
    """What is said when Gumshoe itself failed: nothing about production."""
    why = f"{type(error).__name__}: {error}"[:300]
    return Finding(
        verdict="inconclusive",
        headline=Claim(text="Gumshoe failed on this investigation; nothing was concluded."),
        gaps=(GapRecord(what="the whole investigation", why=why),),
        next=("@mention me in this thread to try again; the log of the worker has the traceback",),
        used=Used(model=model),
    )


@contextmanager
def _heartbeat(store: Store, claimed: Investigation) -> Iterator[None]:
    """Signs of life, so that the sweep leaves a long investigation alone."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(HEARTBEAT_SECONDS):
            try:
                store.investigations.heartbeat(claimed.id, claimed.attempt, _now())
            except StaleAttempt:
                return  # the run itself learns of it at its next write

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _now() -> datetime:
    return datetime.now(UTC)
