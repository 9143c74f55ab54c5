"""The way to something is bad: slow, or losing what is sent over it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from skills.contract import Entity
from workers.llm.entities import family
from workers.llm.graph import Vertex, vertex
from workers.llm.offline.culprits import Scene
from workers.llm.offline.leads.reading import ANALYZER, numbers
from workers.llm.offline.notes import Notes, Sign

BROKEN_OFF, LATE = "mesh_policy_blocks", "link_latency"
"""What analyzers suspect first behind connections that are broken off, and behind answers that come late."""


def lossy(notes: Notes, about: Sequence[Entity], signs: Sequence[Sign], seen: Scene) -> Iterator[Sign]:
    """Calls to one thing are broken off as well as late: a slow way breaks nothing off, and a policy delays nothing.

    Where nodes send segments again besides, packets are seen to be lost.
    """
    resent = [s for s in signs if s.role == "effect" and s.ongoing and s.analyzer.endswith(".retransmissions")]
    broken, late = _complaints(signs, BROKEN_OFF), _complaints(signs, LATE)
    for callee, (target, cut) in broken.items():
        if callee not in late or family(target.kind) != "app":
            continue
        slow = late[callee][1]
        words = [cut[0].says.rstrip("."), slow[0].says.rstrip("."), *(s.says for s in resent[:1])]
        yield Sign(
            entity=target, faults=("packet_loss",), says="; ".join(words)[:480],
            specificity=0.9 if resent else 0.72, onset=min((s.onset for s in cut if s.onset), default=None),
            role="cause", points_at=(), victims=tuple(dict.fromkeys(s.entity for s in (*cut, *slow))),
            evidence=numbers(cut[0].evidence[:2], slow[0].evidence[:2], *(s.evidence[:1] for s in resent[:1])),
            change=None, ongoing=True, analyzer=ANALYZER,
        )  # fmt: skip


def node(notes: Notes, about: Sequence[Entity], signs: Sequence[Sign], seen: Scene) -> Iterator[Sign]:
    """One node alone sends segments again, and calls to several unrelated things are late or broken off: what they have
    in common is that node, not any of them."""
    for resent in signs:
        if resent.faults[:1] != ("node_link_degraded",) or resent.role != "effect" or not resent.ongoing:
            continue
        troubled = {**_complaints(signs, BROKEN_OFF), **_complaints(signs, LATE)}
        if len(troubled) < 2:
            continue
        told = [s for _, each in troubled.values() for s in each if s.role == "effect"]
        victims = dict.fromkeys((*(target for target, _ in troubled.values()), *(s.entity for s in told)))
        says = f"{resent.says.rstrip('.')}, and calls to several services are late or broken off"
        yield Sign(
            entity=resent.entity, faults=("node_link_degraded",), says=says[:480], specificity=0.88,
            onset=resent.onset, role="cause", points_at=(), victims=tuple(victims),
            evidence=numbers(resent.evidence[:2], *(s.evidence[:1] for s in told[:3])), change=None, ongoing=True,
            analyzer=ANALYZER,
        )  # fmt: skip


def _complaints(signs: Sequence[Sign], first: str) -> dict[Vertex, tuple[Entity, list[Sign]]]:
    found: dict[Vertex, tuple[Entity, list[Sign]]] = defaultdict(lambda: (Entity(kind="", name=""), []))
    for sign in signs:
        suspects = (sign.faults[:1] == (first,)) or (first == LATE and LATE in sign.faults)
        if sign.ongoing and suspects:
            targets = sign.points_at if sign.role == "effect" else (sign.entity,)
            for target in targets:
                found[vertex(target)] = (target, [*found[vertex(target)][1], sign])
    return dict(found)
