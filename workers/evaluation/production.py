"""What production did, as the matrices see it: from the store's traces, judged by what people said, else by nobody."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from workers.domain import Feedback, Finding, Investigation
from workers.evaluation.grading.firstfailure import first_error
from workers.evaluation.grading.proof import grounding
from workers.evaluation.matrices import Observed
from workers.evaluation.states import of_states
from workers.store import Store
from workers.trace import Span


def observed(store: Store, customer: str, since: datetime, most: int = 500) -> tuple[Observed, ...]:
    """The customer's investigations since then, the newest incidents first."""
    found = []
    for incident in store.incidents.recent(customer, most):
        if incident.opened_at < since:
            continue
        for investigation in store.investigations.of_incident(incident.id):
            trace = store.traces.of_investigation(investigation.id)
            finding = store.findings.get(investigation.id)
            if trace is None or finding is None:
                continue
            votes = store.feedback.current(investigation.id).values()
            found.append(_one(investigation, incident.alert_type, finding, store.traces.spans(trace.id), votes))
    return tuple(found)


def judged(votes: Iterable[Feedback]) -> float | None:
    """1 or 0 as most people say; None when they are divided, unsure, or silent."""
    right = sum((v.vote == "right") - (v.vote == "wrong") for v in votes)
    return None if right == 0 else float(right > 0)


def _one(
    investigation: Investigation, alert_type: str, finding: Finding, spans: Sequence[Span], votes: Iterable[Feedback]
) -> Observed:
    passed = judged(votes)
    # Without a truth the first error is the failure; an investigation that was right has none.
    return Observed(
        key=investigation.id,
        alert_type=alert_type,
        passed=passed,
        failure=None if passed else first_error(spans),
        states=of_states(spans),
        evidence=grounding(finding, spans),
        seconds=finding.used.seconds,
        tokens=finding.used.tokens,
        dollars=finding.used.dollars,
    )
