"""What a model is told before its first word: a prefix that is equal for all of a customer's investigations, and the
first page, which is about this one. Nothing that varies stands in the prefix."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.resources import files

from skills.contract import Entity, SkillContext
from workers.agent import render, vocabulary
from workers.agent.alerts import TEXT_CHARACTERS, shown_alerts
from workers.agent.confidence import DECISIVE
from workers.agent.evidence import Ledger
from workers.agent.first_look import Look
from workers.agent.request import Request
from workers.agent.systems import ConnectedSkill
from workers.agent.topology import Topology
from workers.domain import Finding, Guidance

ADVICE_CHARACTERS = 1600


def prompt(name: str) -> str:
    return files("workers.agent").joinpath("prompts", f"{name}.md").read_text(encoding="utf-8").strip()


def system(skills: Iterable[ConnectedSkill]) -> str:
    """Instructions, and the advice of the skills that are on."""
    parts = [prompt("system")]
    for connected in skills:
        if connected.manifest is not None and connected.usable:
            parts.append(f"{connected.name}: {connected.manifest.advice[:ADVICE_CHARACTERS]}")
    return "\n\n".join(parts)


def first(
    request: Request,
    context: SkillContext,
    skills: Sequence[ConnectedSkill],
    looks: Sequence[Look],
    ledger: Ledger,
    topology: Topology,
    alerted: Sequence[Entity],
    budget: str,
    edges_shown: int = render.EDGES,
) -> str:
    """The first user message. `edges_shown`: how many edges each look may bring, those nearest to what matters."""
    parts = [
        f"Now: {request.now:%Y-%m-%dT%H:%M:%SZ}. Window: {context.window}. Baseline: {context.baseline}.",
        f"Budget: {budget}.",
        *render.block("alerts", shown_alerts(request.alerts), len(request.alerts)),
        *_asked(request),
        *render.block("guidance", [_guidance_row(g) for g in request.guidance], 10),
        *_record(request),
    ]
    parts += [
        f"{s.name} is on but cannot be read: {render.quoted(s.unreachable, 300)}" for s in skills if s.unreachable
    ]
    if not any(s.usable for s in skills):
        parts.append("No system can be read.")
    seen = sorted((n.symptom for look in looks for n in look.seen.symptoms), key=lambda s: -s.specificity)
    matter = [*alerted, *(s.entity for s in seen)]
    traces: dict[str, str] = {}
    for look in looks:
        edges = topology.telling(look.seen.edges)
        near = topology.near(matter, edges, edges_shown)
        parts.append(f"\nFirst look, {look.skill}: {render.summary(look.seen, ledger)}")
        parts += render.body(look.seen, ledger, near, traces)
        if len(near) < len(edges):
            parts.append(f"… {len(edges) - len(near)} more edges: ask `topology`")
    if not any(
        n.symptom.role == "cause" and n.symptom.specificity >= DECISIVE for look in looks for n in look.seen.symptoms
    ):
        parts.append(f"\nNothing here is decisive. The faults are:\n{vocabulary.listed()}")
    return "\n".join(parts)


def _guidance_row(guidance: Guidance) -> dict[str, object]:
    return {
        "id": guidance.id,
        "for": guidance.alert_type,
        "version": guidance.version,
        "author": guidance.author,
        "text": guidance.text,
        "readings": [r.model_dump(mode="json", exclude_none=True) for r in guidance.readings],
    }


def _asked(request: Request) -> list[str]:
    parts = []
    if request.question:
        parts += render.block("question", [{"text": request.question[:TEXT_CHARACTERS]}], 1)
    if request.previous is not None:
        parts.append("This follows a finished investigation; its evidence keeps its numbers.")
        parts += render.block("previous_finding", [_previous_row(request.previous)], 1)
    return parts


def _previous_row(finding: Finding) -> dict[str, object]:
    row: dict[str, object] = finding.model_dump(mode="json", by_alias=True, exclude={"used"})
    return row


def _record(request: Request) -> list[str]:
    parts = []
    if request.track_record:
        row = {band: f"right {right} of {total}" for band, (right, total) in sorted(request.track_record.items())}
        parts += render.block("track_record", [row], 1)
    past = [
        {
            "incident": p.incident_id,
            "opened_at": p.opened_at.isoformat(),
            "type": p.alert_type,
            "headline": p.headline,
            "fault": p.fault,
            "entity": p.entity,
            "judged": p.judged,
        }
        for p in request.similar
    ]
    return parts + render.block("similar", past, 5)
