"""Decides what is concluded: an incident, a past one, a false alarm, or nothing. Restraint lives here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from skills.contract import Entity
from workers.llm.entities import same_thing
from workers.llm.offline import explain, guidance
from workers.llm.offline.notes import Notes, Sign
from workers.llm.offline.suspects import STRONG, WEAK, Ranking, Suspect

SEEN_TO_SUFFER = 0.2
"""Specificity from which an effect counts as suffering: an error rate says little of a cause, but it is no health."""
COMPLAINS = 0.3
"""Specificity from which lines are complaints: below it are the odd resets and retries of every healthy system."""
EXPLAINS_THE_ALERT = 0.85
"""Specificity of a healthy observation that says why the alert fires although nothing is wrong."""
MEANT = "kubernetes.asmeant"
"""Who says why the alert's measure holds although nothing is wrong, so that its holding refutes nothing."""
NEAR = 0.8
"""Closeness below which nothing is known to lead from a suspect to what alerted."""
OF_ITS_OWN = 0.6
"""Score of a second cause for an alert that the first does not explain."""
MARGIN = 0.12
"""By how much a lead must beat its strongest rival to stand alone."""


@dataclass(frozen=True)
class Standing:
    """How the lead stands against its rivals."""

    lead: Suspect | None
    rival: Suspect | None
    second_fault: Suspect | None
    """Another fault at the same time, as certain as the first and independent of it."""

    @property
    def settled(self) -> bool:
        """Decisive, near the alert and in time, and ahead of what else could explain it: no need to look further."""
        lead = self.lead
        if lead is None or not lead.decisive or lead.score < 0.7 or lead.closeness < 0.85:
            return False
        return self.rival is None or self.rival is self.second_fault or lead.score - self.rival.score >= MARGIN


def standing(notes: Notes, ranking: Ranking) -> Standing:
    lead = ranking.lead
    if lead is None:
        return Standing(None, None, None)
    rivals = ranking.rivals(lead)
    rival = rivals[0] if rivals else None
    second = next((r for r in rivals if _is_second_fault(r, lead, ranking)), None)
    return Standing(lead, rival, second or _of_the_other_alert(lead, rivals, ranking))


def _of_the_other_alert(lead: Suspect, rivals: Sequence[Suspect], ranking: Ranking) -> Suspect | None:
    """Several things alerted, and the lead does not explain one of them: that one has a cause of its own."""
    for alert in ranking.alerted:
        if _answers(lead, alert, ranking):
            continue
        own = next((r for r in rivals if r.score >= OF_ITS_OWN and _answers(r, alert, ranking)), None)
        if own is not None and own.own == 1.0 and not same_thing(own.entity, lead.entity):
            return own
    return None


def _answers(suspect: Suspect, alert: Entity, ranking: Ranking) -> bool:
    return (
        same_thing(alert, suspect.entity)
        or ranking.graph.distance(alert, suspect.entity) is not None
        or any(same_thing(v, alert) for s in suspect.signs for v in s.victims)
        or any(
            same_thing(e.entity, alert) and any(same_thing(p, suspect.entity) for p in e.points_at)
            for e in ranking.effects
        )
    )


def _is_second_fault(rival: Suspect, lead: Suspect, ranking: Ranking) -> bool:
    return (
        rival.decisive
        and lead.decisive
        and rival.score >= max(0.75, lead.score - 0.15)
        and rival.closeness >= 0.9
        and rival.timing >= 0.9
        and rival.own == 1.0
        and not ranking.explains(rival, lead)
        and not same_thing(rival.entity, lead.entity)
    )


def conclude(notes: Notes, ranking: Ranking, *, plain: bool = False) -> dict[str, Any]:
    """The draft of the finding. `plain`: say only what analyzers said, after a conclusion was sent back."""
    now = standing(notes, ranking)
    lead = now.lead
    if lead is not None and lead.score >= WEAK and (told := guidance.expected(notes, lead.entity, lead.fault)):
        others = [
            r for r in ranking.rivals(lead) if r.score >= STRONG and not guidance.expected(notes, r.entity, r.fault)
        ]
        if not others:
            return explain.healthy(lead.signs[:1], notes, ranking, f"Expected, as {told.author or 'guidance'} said: ")
        now = Standing(others[0], lead, None)
        lead = others[0]
    looked_at = _found_well(notes, ranking)
    told_by_pods = _may_be_false(notes, looked_at)
    well = [s for s in looked_at if told_by_pods or s.analyzer == MEANT or not s.analyzer.startswith("kubernetes")]
    false = next((s for s in well if s.specificity >= EXPLAINS_THE_ALERT), None)
    if (
        lead is not None
        and lead.score >= STRONG
        and not (well and lead.closeness < NEAR and not _suffers(notes, ranking))
        # That the measure holds is no suffering where the alert is explained, and what is far away explains it less.
        and not (
            false
            and (false.analyzer == MEANT or not notes.holds)
            and lead.closeness < NEAR
            and not _seen_to_suffer(ranking)
        )
    ):
        return _convict(lead, now, notes, ranking, plain)
    if false and not _seen_to_suffer(ranking):
        return explain.healthy((false,), notes, ranking, "False alarm: ")
    if lead is not None and _is_past(lead, notes, ranking):
        return explain.incident("recovered", [lead], notes, ranking, "low", plain)
    if _was_always_so(lead, looked_at, notes, ranking):
        fine = looked_at[0]
        said = replace(fine, says=f"the alert's measure is where it always was; {explain.lowered(fine.says)}")
        sign = replace(said, evidence=(str(notes.unchanged), *fine.evidence))
        return explain.healthy((sign,), notes, ranking, "False alarm: ")
    if well and not _suffers(notes, ranking) and not notes.unreadable and told_by_pods:
        if lead is None or lead.score < WEAK or lead.closeness < NEAR:
            return explain.healthy(
                well, notes, ranking, "Nothing is wrong now: " if notes.resolved else "False alarm: "
            )
        if not lead.ongoing:
            return explain.incident("recovered", [lead], notes, ranking, "medium", plain)
    return explain.inconclusive(_leads(ranking), notes, ranking)


def _convict(lead: Suspect, now: Standing, notes: Notes, ranking: Ranking, plain: bool) -> dict[str, Any]:
    over = not lead.ongoing and (notes.resolved or not _suffers(notes, ranking))
    close = now.rival is not None and now.rival is not now.second_fault and lead.score - now.rival.score < MARGIN
    sure = "high" if now.settled or (lead.score >= 0.65 and not close) else "medium"
    suspects = [lead, *([now.second_fault] if now.second_fault else [])]
    if (
        close
        and now.rival is not None
        and (lead.score - now.rival.score < 0.05 or same_thing(lead.entity, now.rival.entity))
    ):
        suspects.append(now.rival)
    verdict = "recovered" if over else "incident"
    return explain.incident(verdict, suspects, notes, ranking, sure, plain, now.second_fault)


def _suffers(notes: Notes, ranking: Ranking) -> bool:
    """Whether what alerted is seen to suffer at present. The alert's own measure says so best; averages over a window
    of which it is past know less."""
    if notes.about_scraping:
        return _seen_to_suffer(ranking)
    told = any(e.ongoing and _by_lines(e) and _concerns(e, ranking) for e in ranking.effects)
    if notes.holds is not None and not told:
        return notes.holds
    return _seen_to_suffer(ranking)


def _seen_to_suffer(ranking: Ranking) -> bool:
    return any(
        e.ongoing and _is_suffering(e) and (not ranking.alerted or _concerns(e, ranking)) for e in ranking.effects
    )


def _is_suffering(sign: Sign) -> bool:
    """A healthy program also writes of the odd reset and retry; measured errors are errors."""
    return sign.specificity >= (SEEN_TO_SUFFER if sign.analyzer.startswith("prometheus") else COMPLAINS)


def _by_lines(sign: Sign) -> bool:
    return sign.specificity >= COMPLAINS and not sign.analyzer.startswith("prometheus")


def _concerns(sign: Sign, ranking: Ranking) -> bool:
    return any(
        same_thing(sign.entity, a) or ranking.graph.distance(a, sign.entity) is not None for a in ranking.alerted
    )


def _is_past(lead: Suspect, notes: Notes, ranking: Ranking) -> bool:
    """What alerted was seen to suffer, or to be ill itself, and is so no more: it was no false alarm."""
    past = [e for e in ranking.effects if not e.ongoing and _concerns(e, ranking) and e.specificity >= 0.2]
    measured = notes.holds is False or notes.resolved
    ill = not lead.ongoing and any(same_thing(lead.entity, a) for a in ranking.alerted)
    return (bool(past) or ill) and measured and not _suffers(notes, ranking) and not notes.unreadable


def _was_always_so(lead: Suspect | None, well: Sequence[Sign], notes: Notes, ranking: Ranking) -> bool:
    """The measure has been at this level since long before, and nobody is the worse for it."""
    if notes.unchanged is None or not well or notes.unreadable or _seen_to_suffer(ranking):
        return False
    return lead is None or lead.score < STRONG


_NOT_TOLD_BY_PODS = re.compile(
    r"lag|backlog|queue|messages?\b|drop(?:ped|s)?\b|fewer|orders?\b|payments?\b|revenue|sign-?ups|traffic"
    r"|error|\b5(?:\d\d|xx)\b|latenc|slow|duration|\bp9\d|time-?out|availab|success|reachab|degrad",
    re.IGNORECASE,
)


def _about(notes: Notes) -> str:
    """What the alerts say themselves; names of namespaces and services are no words about anything."""
    said = [str(a.get(k) or "") for a in notes.alerts for k in ("type", "title", "summary")]
    named = [str((a.get("labels") or {}).get("alertname") or "") for a in notes.alerts]
    return " ".join([*said, *named, notes.question])


_TOLD_BY_PODS = re.compile(
    r"pod|replica|crash|restart|(?-i:OOM)|out of memory|memory|\bcpu\b|container|deployment|statefulset|daemonset"
    r"|ready|unhealthy|down\b"
    r"|probe|image|rollout|kube|node|scrape|target|exporter|absent|missing|heartbeat|disk|volume|saturat|usage|limit",
    re.IGNORECASE,
)
"""What an alert speaks of where pods that run well are an answer. Where it speaks of anything else, they are none."""


def _may_be_false(notes: Notes, well: Sequence[Sign]) -> bool:
    """Not while the alert's own expression is seen to hold; and ready pods say nothing of a queue, of errors and
    latency, or of what people order: there, only a measurement does."""
    if notes.about_scraping:
        return True
    if notes.holds is not None:
        return not notes.holds
    if notes.resolved or (_TOLD_BY_PODS.search(_about(notes)) and not _NOT_TOLD_BY_PODS.search(notes.text)):
        return True
    return any(not s.analyzer.startswith("kubernetes") for s in well)


def _found_well(notes: Notes, ranking: Ranking) -> Sequence[Sign]:
    """Positive evidence of health of what alerted (of its namespace when it names nothing)."""
    well = [
        s
        for s in ranking.healthy
        if s.evidence
        and (
            any(same_thing(s.entity, a) for a in ranking.alerted)
            or (s.entity.kind == "Namespace" and s.entity.name == notes.namespace)
            or (not ranking.alerted and (not notes.namespace or s.entity.namespace in (None, notes.namespace)))
        )
    ]
    return sorted(well, key=lambda s: -s.specificity)[:3]


def _leads(ranking: Ranking) -> Sequence[Suspect]:
    """At most two, of different kinds."""
    lead = ranking.lead
    if lead is None or lead.score < 0.1:
        return ()
    rival = next(iter(ranking.rivals(lead)), None)
    if rival is None or rival.score < max(0.1, lead.score - MARGIN) or rival.closeness < min(NEAR, lead.closeness):
        return (lead,)
    return (lead, rival)
