"""A past investigation as a case: what it was given, what every skill answered, and what a person says is true.

One JSON file. It holds what the trace held, which was masked before it was stored, and names of secrets, never values.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from config.customers import Customer
from skills.contract import Change, Entity
from skills.faults import UnknownFault, fault
from workers import flags
from workers.correction import read as read_correction
from workers.domain import Alert
from workers.evaluation.cases import Case, CaseError
from workers.evaluation.tape import lean
from workers.simulation import Truth
from workers.simulation.scenario import TrueCause
from workers.store import Store
from workers.trace import Span

SUFFIX = ".case.json"
TOLD_BEFORE = timedelta(days=7)
Split = Literal["train", "dev", "test"]


class Recorded(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, serialize_by_alias=True)
    schema_: Literal[1] = Field(default=1, alias="schema")
    name: str
    title: str = ""
    investigation: str = ""
    """Where it came from."""
    customer: Customer
    alerts: tuple[Alert, ...]
    now: datetime
    """The time that the investigation took for now."""
    truth: Truth
    blind: bool = False
    split: Split = "dev"
    changes: tuple[Change, ...] = ()
    """What webhooks had told of (flags that were switched), beside what the skills read."""
    spans: tuple[Span, ...]

    @property
    def case(self) -> Case:
        return Case(
            name=self.name,
            title=self.title,
            company=self.customer.name,
            alert_type=self.alerts[0].alert_type if self.alerts else "",
            leaves=tuple(t.fault for t in self.truth.causes),
            kinds=self.truth.kinds,
            skills=tuple(sorted(self.customer.skills)),
            blind=self.blind,
            verdict=self.truth.verdict,
        )


def read(path: Path) -> Recorded:
    """Raises CaseError naming file, key and reason."""
    try:
        return Recorded.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise CaseError(f"{path}: cannot be read: {error}") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise CaseError(f"{path}: {where}: {first['msg']}") from None


def from_store(store: Store, investigation_id: str, customer: Customer, truth: Truth, name: str = "") -> Recorded:
    """A stored investigation with its corrected truth. Raises CaseError when its record is gone."""
    investigation = store.investigations.get(investigation_id)
    trace = store.traces.of_investigation(investigation_id)
    if investigation is None or trace is None:
        raise CaseError(f"{investigation_id}: no such investigation, or its trace is gone")
    incident = store.incidents.get(investigation.incident_id)
    return Recorded(
        name=name or f"past-{investigation_id}",
        title=incident.title if incident else "",
        investigation=investigation_id,
        customer=customer,
        alerts=store.incidents.alerts(investigation.incident_id),
        now=trace.t0,
        truth=truth,
        split=split_of(investigation_id),
        changes=flags.as_changes(
            store.flags.between(customer.name, trace.t0 - TOLD_BEFORE, trace.t0), customer.environment
        ),
        spans=tuple(lean(span) for span in store.traces.spans(trace.id)),
    )


def from_corrections(store: Store, customers: Sequence[Customer]) -> tuple[tuple[Recorded, ...], tuple[str, ...]]:
    """The investigations that people have corrected, by the words of the last who did; and why others are none."""
    known, made, left = {c.name: c for c in customers}, [], []
    for investigation_id, said in store.feedback.corrections():
        investigation, true = store.investigations.get(investigation_id), read_correction(said.true_cause)
        if investigation is None or investigation.customer not in known:
            left.append(f"{investigation_id}: its customer has no file any more")
        elif true is None:
            left.append(f"{investigation_id}: {_PROSE}")
        else:
            try:
                truth = corrected(true.verdict, entity=true.entity, fault_name=true.fault)
                made.append(from_store(store, investigation_id, known[investigation.customer], truth))
            except CaseError as error:
                left.append(str(error))
    return tuple(made), tuple(left)


_PROSE = "the true cause is given in prose; `gumshoe eval case` takes it with --entity and --fault"


def corrected(
    verdict: str,
    *,
    entity: Entity | None = None,
    fault_name: str = "",
    onset: datetime | None = None,
    change: dict[str, Any] | None = None,
    evidence: tuple[str, ...] = (),
    alerted: str = "",
) -> Truth:
    """What a person says was true. Raises CaseError for a fault that is not in the vocabulary."""
    causes: tuple[TrueCause, ...] = ()
    if entity is not None:
        try:
            known = fault(fault_name)
        except UnknownFault:
            raise CaseError(f"{fault_name!r} is no fault of skills/faults.yaml") from None
        place = f"{entity.namespace}/" if entity.namespace else ""
        named = (f"Service {place}{entity.name}", f"Pod {place}{entity.name}-*")
        aliases = list(named) if known.culprit[:1] == ("workload",) else []
        causes = (
            TrueCause(
                entity={**entity.model_dump(), "aliases": aliases},
                fault=known.name,
                fault_id=known.id,
                accept=(),
                onset=onset.isoformat() if onset else "1970-01-01T00:00:00+00:00",
                change=change,
                chain=(),
                evidence=evidence,
            ),
        )
    elif verdict != "false_alarm":
        raise CaseError(f"verdict {verdict} needs the true entity and its fault")
    return Truth(verdict=verdict, kinds=(), causes=causes, alerted=alerted, innocent=())


def split_of(investigation_id: str) -> Split:
    """Fixed once by the id, before anybody has looked: train 15 %, dev 42.5 %, test 42.5 %."""
    part = int(hashlib.sha256(investigation_id.encode()).hexdigest()[:8], 16) / 0xFFFFFFFF
    return "train" if part < 0.15 else "dev" if part < 0.575 else "test"
