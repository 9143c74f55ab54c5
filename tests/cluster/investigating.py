"""One staged case through the production's path with the offline model, reading the API server itself."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.cli.investigate import MemoryJournal
from bot.intake import read
from config.customers import Customer
from skills import registry
from tests.cluster.control_plane import TOKEN
from tests.cluster.staging import Case
from workers import agent
from workers.domain import Finding
from workers.llm.offline import Offline


def investigate(
    urls: Mapping[str, str],
    case: Case,
    namespace: str,
    began: datetime,
    now: datetime,
    fired: Mapping[str, Any] | None = None,
) -> Finding:
    """`urls` by skill; `fired`: the alert as Prometheus told it, else the case's."""
    skills: dict[str, Any] = {name: {"url": url} for name, url in urls.items()}
    if urls["kubernetes"].startswith("https:"):
        skills["kubernetes"] |= {"verify_tls": False, "token_env": "GUMSHOE_TEST_TOKEN"}
    customer = Customer.model_validate({"name": "real", "skills": skills})
    request = agent.Request(
        customer=customer,
        incident_id="i",
        investigation_id="i",
        trace_id="0" * 32,
        alerts=read(alert(case, namespace, began, fired)).alerts,
        now=now,
    )
    connected = agent.connect_all(customer, registry.toggles(customer), lambda _name: TOKEN)
    return agent.investigate(
        request,
        Offline(),
        connected,
        MemoryJournal(True),
        clock=lambda: datetime.now(UTC),
        monotonic=time.monotonic,
    )


def wanted(case: Case, namespace: str) -> dict[str, str]:
    """The labels that the case's alert has besides its severity."""
    return {k: v.replace("NAMESPACE", namespace) for k, v in {"namespace": namespace, **case["alert"]}.items() if v}


def alert(case: Case, namespace: str, began: datetime, fired: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """As Alertmanager sends it."""
    labels = dict(fired["labels"]) if fired else {"severity": "critical", **wanted(case, namespace)}
    one = {
        "status": "firing",
        "labels": labels,
        "annotations": dict(fired["annotations"]) if fired else {},
        "startsAt": fired["activeAt"] if fired else began.isoformat(),
        "fingerprint": "f1",
    }
    return {
        "version": "4",
        "groupKey": "g",
        "status": "firing",
        "receiver": "gumshoe",
        "groupLabels": {"alertname": labels["alertname"]},
        "commonLabels": labels,
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example.com",
        "alerts": [one],
    }


def said(found: Finding) -> list[str]:
    """`fault of Kind name (band)`, the first cause first."""
    return [f"{c.fault} of {c.entity.kind} {c.entity.name}" for c in found.causes]


def judged(case: Case, namespace: str, found: Finding) -> str:
    """Empty when right; else what is wrong. `none`: nothing may be claimed above Low."""
    truth = case["truth"]
    told = f"{found.verdict}: {found.headline.text}"
    bands = [c.confidence.band for c in found.causes]
    sure = [s for s, band in zip(said(found), bands, strict=True) if band != "low"]
    excused = [w.replace("NAMESPACE", namespace) for w in truth.get("accept", ())]
    if truth.get("none"):
        if found.verdict != "recovered" and "high" in bands:
            return f"sure although nothing is wrong: {sure}; {told}"
        return f"blamed although nothing is wrong: {sure}; {told}" if set(sure) - set(excused) else ""
    if truth.get("none_too") and not sure:
        return ""
    entity = f"Namespace {namespace}" if truth["entity"] == "Namespace" else truth["entity"]
    wanted = [f"{truth['fault']} of {entity}", *truth.get("accept", ())]
    wanted = [w.replace("NAMESPACE", namespace) for w in wanted]
    if not found.causes:
        return f"no cause; {told}"
    first = said(found)[0]
    right = any(first.removesuffix(f" {namespace}") == w.removesuffix(f" {namespace}") for w in wanted)
    return "" if right else f"{bands[0]} {said(found)}; wanted {wanted}; {told}"
