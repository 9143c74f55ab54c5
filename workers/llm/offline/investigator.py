"""One turn of the offline investigator: read the conversation, rank, then look deeper or challenge and conclude."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workers.llm.base import Block, Message, Reply, ToolSpec, Usage, estimate_tokens
from workers.llm.entities import same_thing
from workers.llm.offline import attribution, verdict
from workers.llm.offline.explain import ref
from workers.llm.offline.notes import Notes, read
from workers.llm.offline.questions import ROUNDS, about_changes, next_calls
from workers.llm.offline.ranking import rank
from workers.llm.offline.suspects import STRONG, WEAK, Ranking, Suspect
from workers.llm.offline.verdict import Standing, standing

OWN_TOOLS = ("hypothesis", "challenge", "topology", "conclude", "find_tool")


class Offline:
    """Stateless and deterministic: equal conversations get equal replies. Costs nothing."""

    @property
    def name(self) -> str:
        return "offline"

    def reply(
        self,
        system: str,
        tools: Sequence[ToolSpec],
        messages: Sequence[Message],
        *,
        max_tokens: int = 4000,
        timeout_seconds: float = 60,
        force_tool: str | None = None,
    ) -> Reply:
        notes = read(messages, OWN_TOOLS)
        ranking = rank(notes)
        offered = [t for t in tools if t.name not in OWN_TOOLS]
        content = _turn(notes, ranking, offered, force_tool == "conclude")
        turn = sum(m["role"] == "assistant" for m in messages)
        content = [{**block, "id": f"toolu_{turn:04d}_{i}"} for i, block in enumerate(content)]
        usage = Usage(
            input_tokens=estimate_tokens(
                [system, [[t.name, t.description, t.input_schema] for t in tools], list(messages)]
            ),
            output_tokens=estimate_tokens(content),
            estimated=True,
        )
        return Reply(content=content, stop_reason="tool_use", usage=usage, model="offline")


def _turn(notes: Notes, ranking: Ranking, tools: Sequence[ToolSpec], conclude_now: bool) -> list[Block]:
    now = standing(notes, ranking)
    if conclude_now or notes.sent_back:
        return [_call("conclude", verdict.conclude(notes, ranking, plain=notes.sent_back > 0))]
    if not now.settled and notes.rounds < ROUNDS:
        calls = next_calls(notes, ranking, tools)
        if calls:
            return [*_openings(now, notes), *calls]
    place = attribution.unread(now.lead, notes) if now.lead and now.lead.score >= STRONG else ""
    if place and (calls := about_changes(place, notes, tools)):
        return [*_openings(now, notes), *calls]
    return [
        *_openings(now, notes),
        *_challenge(now, notes, ranking),
        _call("conclude", verdict.conclude(notes, ranking)),
    ]


def _openings(now: Standing, notes: Notes) -> list[Block]:
    """The lead and its strongest rival as hypotheses, unless they are open."""
    worth = [s for s in (now.lead, now.rival) if s is not None and s.score >= WEAK]
    return [_open(s) for s in worth if (str(s.entity), s.fault) not in notes.opened]


def _open(suspect: Suspect) -> Block:
    predicts = [f"{s.entity.name} shows it too" for s in suspect.signs[1:2]] or [
        "what depends on it suffers since then"
    ]
    given = {
        "action": "open",
        "entity": ref(suspect.entity),
        "fault": suspect.fault,
        "statement": suspect.signs[0].says,
        "predicts": predicts,
        "evidence": list(suspect.signs[0].evidence)[:4],
    }
    return _call("hypothesis", given)


def _challenge(now: Standing, notes: Notes, ranking: Ranking) -> list[Block]:
    """The four questions to the lead, answered from what was seen, and what that means for the rival."""
    lead = now.lead
    if lead is None or lead.score < WEAK:
        return []
    numbers = _numbers(now, notes)
    answers = {
        "victim": _victim(lead, ranking),
        "rival": _rival(lead, now.rival, ranking),
        "timing": _timing(lead),
        "peer": _peer(lead, ranking),
    }
    given = {"hypothesis": numbers[0], **answers, "holds": lead.own == 1.0 or lead.decisive}
    blocks = [_call("challenge", given)]
    rival = now.rival
    if (
        rival is not None
        and len(numbers) > 1
        and rival is not now.second_fault
        and lead.score - rival.score >= verdict.MARGIN
    ):
        blocks.append(
            _call(
                "hypothesis",
                {
                    "action": "discard",
                    "id": numbers[1],
                    "reason": _weaker(rival),
                    "evidence": list(lead.signs[0].evidence)[:2],
                },
            )
        )
    return blocks


def _numbers(now: Standing, notes: Notes) -> list[str]:
    """The numbers that lead and rival have, or get when they are opened in this turn."""
    taken = len(set(notes.opened.values()))
    numbers = []
    for suspect in (now.lead, now.rival):
        if suspect is None or suspect.score < WEAK:
            continue
        known = notes.opened.get((str(suspect.entity), suspect.fault))
        if known is None:
            taken += 1
        numbers.append(known or f"H{taken}")
    return numbers


def _victim(lead: Suspect, ranking: Ranking) -> dict[str, Any]:
    pointing = [e for e in ranking.effects if same_thing(e.entity, lead.entity) and e.points_at]
    if pointing and lead.own < 1.0:
        return _answer(
            f"In part: {lead.entity.name} also points at {pointing[0].points_at[0].name}.", pointing[0].evidence
        )
    if lead.own < 1.0:
        return _answer(f"Possibly: something that {lead.entity.name} depends on fails as well.", lead.signs[0].evidence)
    return _answer(
        f"No: the symptom is {lead.entity.name}'s own, and nothing it depends on explains it.", lead.signs[0].evidence
    )


def _rival(lead: Suspect, rival: Suspect | None, ranking: Ranking) -> dict[str, Any]:
    if rival is None:
        return _answer("No other suspect was seen.", ())
    return _answer(
        f"The strongest rival is {rival.fault} of {rival.entity.name}: {_weaker(rival)}.", rival.signs[0].evidence
    )


def _weaker(rival: Suspect) -> str:
    if rival.own < 1.0:
        return "it suffers from what it depends on"
    if rival.timing < 0.6:
        return "it does not fit in time"
    if rival.closeness < 0.7:
        return "nothing leads from it to what alerted"
    return "its symptom is less specific"


def _timing(lead: Suspect) -> dict[str, Any]:
    sign = lead.signs[0]
    if sign.onset is None:
        return _answer("When it began could not be seen.", ())
    fits = "before or with the alert" if lead.timing >= 0.7 else "at a time that does not fit the alert well"
    return _answer(f"It began {fits}.", sign.evidence)


def _peer(lead: Suspect, ranking: Ranking) -> dict[str, Any]:
    peers = [s for s in ranking.healthy if not same_thing(s.entity, lead.entity) and s.entity.kind == lead.entity.kind]
    if not peers:
        return _answer("No comparable peer was seen.", ())
    return _answer(f"{peers[0].entity.name} was looked at and is healthy.", peers[0].evidence)


def _answer(text: str, evidence: Sequence[str]) -> dict[str, Any]:
    return {"answer": text, "evidence": list(evidence)[:3]}


def _call(name: str, given: dict[str, Any]) -> Block:
    return {"type": "tool_use", "name": name, "input": given}
