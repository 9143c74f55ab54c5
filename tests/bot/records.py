"""An incident as a worker leaves it in the store: alert, trace, finding. Every test of the desk begins here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from skills.contract import Entity
from workers.domain import (
    Alert,
    Cause,
    ChainLink,
    Claim,
    Confidence,
    Evidence,
    Finding,
    GapRecord,
    GuidanceUse,
    Investigation,
    Link,
    RuledOut,
    Used,
)
from workers.store import Store
from workers.trace import PICTURE, Span, Trace

AT = datetime(2026, 11, 25, 14, 5, tzinfo=UTC)
CART = Entity(kind="Deployment", namespace="shop", name="cart")
CHECKOUT = Entity(kind="Service", namespace="shop", name="checkout")


def alert(**changes: object) -> Alert:
    fields: dict[str, object] = {
        "source": "alertmanager",
        "alert_type": "KubePodCrashLooping",
        "title": "KubePodCrashLooping shop/cart",
        "summary": "Pod cart-7d9f is restarting",
        "severity": "critical",
        "service": "cart",
        "environment": "production",
        "labels": {"namespace": "shop", "service": "cart"},
        "fingerprint": "f-cart",
        "links": (Link(kind="runbook", url="https://runbooks.example.com/crash-looping"),),
    }
    return Alert.model_validate(fields | changes)


def evidence(number: int, excerpt: str, **changes: object) -> Evidence:
    fields: dict[str, object] = {
        "id": f"E{number}",
        "skill": "kubernetes",
        "tool": "kubernetes_describe",
        "query": "kubectl -n shop describe deployment cart",
        "range": "2026-11-25T13:35:00Z/2026-11-25T14:05:00Z",
        "excerpt": excerpt,
        "link": "https://console.example.com/shop/cart?a=1&b=2",
    }
    return Evidence.model_validate(fields | changes)


def finding(**changes: object) -> Finding:
    fields: dict[str, object] = {
        "verdict": "incident",
        "headline": Claim(
            text="`cart` is OOMKilled: its memory limit went from 512Mi to 128Mi with rollout 42 at 14:02.",
            evidence=("E3",),
        ),
        "impact": Claim(text="checkout 5xx from 0 to 31 % since 14:03, about 1,900 requests.", evidence=("E9",)),
        "causes": (
            Cause(
                entity=CART,
                fault="memory_limit_too_low",
                fault_id="E1",
                summary="the limit of 128Mi is below the working set of 300 to 340 MiB",
                onset=AT - timedelta(minutes=3),
                change="ReplicaSet/cart-7d9f",
                confidence=Confidence(band="high", value=0.91),
                evidence=("E3", "E5", "E8"),
            ),
        ),
        "chain": (ChainLink.model_validate({"from": CART, "to": CHECKOUT, "evidence": ("E9",)}),),
        "ruled_out": (
            RuledOut(fault="memory_leak", why="working set flat for 7 days", evidence=("E8",)),
            RuledOut(change="traffic", why="-2 % against last week", evidence=("E9",)),
        ),
        "gaps": (GapRecord(what="node metrics", why="403 forbidden"),),
        "next": ("kubectl -n shop rollout history deploy/cart --revision=42", "Compare with the values file."),
        "evidence": (
            evidence(3, "6 OOMKilled restarts of cart since 14:03, none in the 7 days before"),
            evidence(5, "limit 512Mi -> 128Mi in ReplicaSet cart-7d9f, revision 42"),
            evidence(8, "working set before the rollout 300 to 340 MiB", skill="prometheus", tool="prometheus_range"),
            evidence(9, "checkout 5xx 0 -> 31 %", skill="prometheus", tool="prometheus_range", link=None),
        ),
        "used": Used(
            model="offline",
            skills=("kubernetes", "prometheus"),
            guidance=(GuidanceUse(id="g1", name="cart memory", version=2),),
            seconds=38.2,
            tokens=21_300,
            tokens_estimated=True,
            dollars=0.041,
            tool_calls=11,
            first_look_queries=77,
        ),
    }
    return Finding.model_validate(fields | changes)


def answered(
    store: Store,
    investigation: Investigation,
    answer: Finding | None = None,
    picture: Mapping[str, str] | None = None,
) -> Investigation:
    """Runs it as a worker would: claim, trace, one step, the picture if there is one, finish."""
    run = store.investigations.claim(investigation.id, "offline", AT)
    assert run
    trace = Trace(
        id=run.trace_id or "0" * 32,
        investigation_id=run.id,
        incident_id=run.incident_id,
        customer=run.customer,
        alert_type="KubePodCrashLooping",
        service="cart",
        task="alert",
        agent_version="test",
        model="offline",
        t0=AT,
    )
    store.traces.start(trace, run.attempt)
    step = Span(
        id="1" * 16,
        trace_id=trace.id,
        sequence=0,
        op="execute_tool",
        name="kubernetes_describe",
        step_state="query_kubernetes",
        t0=AT,
        t1=AT + timedelta(seconds=0.4),
        attempt=run.attempt,
        input={"kind": "Deployment", "name": "cart"},
        output={
            "status": "ok",
            "text": "1 object <script>alert(1)</script>",
            "evidence": [{"text": "6 OOMKilled restarts", "query": "kubectl -n shop get pods", "window": None}],
            "gaps": [{"what": "events", "why": "403"}],
            "full": "kind: Deployment # the whole object",
        },
    )
    store.traces.add(step, run.attempt)
    if picture is not None:
        drawn = {"id": "2" * 16, "sequence": 1, "op": "evaluate", "name": PICTURE, "output": dict(picture)}
        store.traces.add(step.model_copy(update={**drawn, "step_state": "report"}), run.attempt)
    # Its posts are dated by this, and one that could not be posted for hours is given up.
    store.investigations.finish(run.id, run.attempt, answer or finding(), datetime.now(UTC))
    done = store.investigations.get(run.id)
    assert done
    return done
