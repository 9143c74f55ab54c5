"""Hand-made truths, findings and spans for the graders: small, and wrong in one way at a time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from skills.contract import Entity
from workers.domain import Cause, ChainLink, Claim, Confidence, Evidence, Finding, RuledOut, Used
from workers.simulation import Truth
from workers.simulation.scenario import TrueCause
from workers.trace import Span

AT = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
OOM = "pod cart-7d9f8c6b5-x2lqp container cart terminated OOMKilled exit 137, restarts 6"
LIMIT = "container cart limits.memory 128Mi"
ROLLOUT: dict[str, Any] = {
    "kind": "rollout",
    "entity": {"kind": "Deployment", "namespace": "shop", "name": "cart", "aliases": []},
    "at": "2026-11-24T13:59:40Z",
    "ids": ["cart-7d9f8c6b5", "Deployment shop/cart revision 33", "shop/cart@33"],
}
DECOY: dict[str, Any] = {
    "kind": "rollout",
    "entity": {"kind": "Deployment", "namespace": "shop", "name": "search", "aliases": []},
    "at": "2026-11-24T13:50:00Z",
    "ids": ["shop/search@12"],
}


def entity(text: str) -> Entity:
    """`Deployment shop/cart`"""
    kind, _, rest = text.partition(" ")
    namespace, _, name = rest.rpartition("/")
    return Entity(kind=kind, namespace=namespace or None, name=name)


def true_cause(
    of: str = "Deployment shop/cart",
    fault: str = "memory_limit_too_low",
    *,
    accept: tuple[str, ...] = (),
    change: dict[str, Any] | None = ROLLOUT,
    chain: tuple[tuple[str, str], ...] = (
        ("Deployment shop/cart", "Deployment shop/checkout"),
        ("Deployment shop/checkout", "Deployment shop/storefront"),
    ),
    evidence: tuple[str, ...] = ("OOMKilled and pod ~ cart-*", "limits.memory of cart is 128Mi"),
) -> TrueCause:
    it = entity(of)
    aliases = (
        [f"Service {it.namespace}/{it.name}", f"Pod {it.namespace}/{it.name}-*"] if it.kind == "Deployment" else []
    )
    return TrueCause(
        entity={**it.model_dump(), "aliases": aliases},
        fault=fault,
        fault_id="E1",
        accept=accept,
        onset="2026-11-24T14:00:00Z",
        change=change,
        chain=chain,
        evidence=evidence,
    )


def truth(*causes: TrueCause, verdict: str = "incident", alerted: str = "namespace=shop service=storefront") -> Truth:
    return Truth(verdict=verdict, kinds=(), causes=causes or (true_cause(),), alerted=alerted, innocent=(DECOY,))


HEALTHY = Truth(verdict="false_alarm", kinds=("false_alarm",), causes=(), alerted="", innocent=(DECOY,))


def cause(
    of: str = "Deployment shop/cart",
    fault: str = "memory_limit_too_low",
    *,
    band: str = "high",
    value: float = 0.9,
    change: str = "rollout/shop/cart/33",
    onset: datetime | None = AT,
    evidence: tuple[str, ...] = ("E1", "E2"),
) -> Cause:
    return Cause(
        entity=entity(of),
        fault=fault,
        fault_id="",
        summary="",
        onset=onset,
        change=change,
        confidence=Confidence(band=band, value=value),  # type: ignore[arg-type]  # a band of the tests
        evidence=evidence,
    )


def finding(
    *causes: Cause,
    verdict: str = "incident",
    chain: tuple[tuple[str, str], ...] = (),
    evidence: tuple[tuple[str, str], ...] = (("E1", OOM), ("E2", LIMIT)),
    ruled_out: tuple[RuledOut, ...] = (),
) -> Finding:
    return Finding(
        verdict=verdict,  # type: ignore[arg-type]  # a verdict of the tests
        headline=Claim(text="", evidence=causes[0].evidence if causes else ()),
        causes=causes,
        chain=tuple(ChainLink(source=entity(a), target=entity(b)) for a, b in chain),
        ruled_out=ruled_out,
        evidence=tuple(shown(number, text) for number, text in evidence),
        used=Used(model="offline", seconds=1.5, tokens=1000, tool_calls=2),
    )


def shown(number: str, text: str) -> Evidence:
    return Evidence(id=number, skill="kubernetes", tool="first_look", query="kubectl get", excerpt=text)


def span(
    name: str = "first_look kubernetes",
    state: str = "first_look",
    *texts: str,
    op: str = "execute_tool",
    error: str | None = None,
    given: Any = None,
    **output: Any,
) -> Span:
    made = {"text": "", "evidence": [{"text": text, "query": "kubectl get"} for text in texts], **output}
    return Span(
        id="0" * 16,
        trace_id="0" * 32,
        sequence=0,
        op=op,  # type: ignore[arg-type]  # an operation of the tests
        name=name,
        step_state=state,
        status="error" if error else "ok",
        error_type=error,  # type: ignore[arg-type]  # an error of the tests
        t0=AT,
        t1=AT,
        input=given,
        output=made,
    )
