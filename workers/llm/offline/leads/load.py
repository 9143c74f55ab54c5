"""More is asked than can be answered: visitors, retries, or code that needs more than before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from skills.contract import Entity
from workers.llm.entities import same_thing
from workers.llm.offline.culprits import Scene
from workers.llm.offline.leads.reading import (
    ANALYZER,
    both,
    follows,
    is_release,
    lead,
    numbers,
    words_of,
)
from workers.llm.offline.notes import Notes, Sign


def retries(notes: Notes, about: Sequence[Entity], signs: Sequence[Sign], seen: Scene) -> Iterator[Sign]:
    """A callee gets far more requests than before, no caller does, and one of them says that it retries: the load is
    made of retries (K2). With more visitors the callers would have more as well (K1)."""
    surging = [s for s in signs if s.role == "cause" and "traffic_surge" in s.faults and s.analyzer != ANALYZER]
    retrying = [s for s in signs if "retry_storm" in s.faults and s.role == "effect" and s.ongoing]
    for surge in surging:
        callers = [s for s in retrying if seen.graph.distance(s.entity, surge.entity) == 1]
        above = any(seen.graph.distance(s.entity, surge.entity) for s in surging if s is not surge)
        if callers and not above:
            says = f"{surge.says.rstrip('.')}, while no caller of it gets more; {callers[0].says}"
            yield Sign(
                entity=surge.entity, faults=("retry_storm",), says=says[:480], specificity=0.82, onset=surge.onset,
                role="cause", points_at=(), victims=tuple(dict.fromkeys(s.entity for s in callers)),
                evidence=both(surge, callers[0]), change=None, ongoing=True, analyzer=ANALYZER,
            )  # fmt: skip


def neighbour(notes: Notes, about: Sequence[Entity], signs: Sequence[Sign], seen: Scene) -> Iterator[Sign]:
    """A workload without limits, on a node that runs short of what it takes: the node is its victim as well."""
    for sign in signs:
        if sign.role != "cause" or sign.faults[:1] != ("unlimited_neighbour",) or sign.entity.kind == "Node":
            continue
        said = words_of(sign, notes)
        pressed = [
            s for s in signs
            if s.role == "cause" and s.entity.kind == "Node" and "node_cpu_or_memory_pressure" in s.faults
        ]  # fmt: skip
        if any(s.entity.name in said for s in pressed):
            nodes = tuple(dict.fromkeys(s.entity for s in pressed))
            yield replace(sign, victims=(*sign.victims, *nodes), analyzer=ANALYZER)


def overwhelmed(notes: Notes, about: Sequence[Entity], signs: Sequence[Sign], seen: Scene) -> Iterator[Sign]:
    """Something turns requests away while others, elsewhere, are at their maximum too: that is demand, not a defect."""
    shedding = [s for s in signs if s.role == "effect" and s.ongoing and s.faults[:1] == ("traffic_surge",)]
    loaded = [s for s in signs if s.role == "cause" and s.ongoing and "traffic_surge" in s.faults]
    for one in shedding:
        others = [s for s in (*loaded, *shedding) if not same_thing(s.entity, one.entity)]
        if others and not any(s.analyzer != ANALYZER and "retry_storm" in s.faults[:1] for s in signs):
            says = f"{one.says.rstrip('.')}; at the same time {others[0].says}"
            yield Sign(
                entity=one.entity, faults=("traffic_surge",), says=says[:480], specificity=0.72, onset=one.onset,
                role="cause", points_at=(), victims=(), evidence=both(one, others[0]), change=None, ongoing=True,
                analyzer=ANALYZER,
            )  # fmt: skip


def burning(notes: Notes, about: Sequence[Entity], signs: Sequence[Sign], seen: Scene) -> Iterator[Sign]:
    """CPU at its limit since a release that changed no limit, with no more traffic than before: the code burns it."""
    for sign in signs:
        if sign.role != "cause" or "cpu_hot_loop" not in sign.faults or not sign.ongoing:
            continue
        if any("traffic_surge" in s.faults[:1] and same_thing(s.entity, sign.entity) for s in signs):
            continue
        for change in notes.changes:
            own = same_thing(change.entity, sign.entity) and is_release(change) and follows(sign, change)
            if own and "limits.cpu" not in change.what:
                says = f"{sign.says.rstrip('.')}, since its release, at an equal limit: {change.what}"
                yield lead(sign.entity, ("cpu_hot_loop",), says, 0.78, change, sign, role="cause", onset=sign.onset)


def flooding(notes: Notes, about: Sequence[Entity], signs: Sequence[Sign], seen: Scene) -> Iterator[Sign]:
    """The Kubernetes API does not keep up, and one of the clients that it throttles works many times as hard as before:
    who is only throttled waits and has less to do, who asks without end burns CPU with asking (A10)."""
    slow = [s for s in signs if s.role == "cause" and s.ongoing and s.faults[:1] == ("api_server_overload",)]
    told = [s for s in signs if s.role == "effect" and s.ongoing and s.faults[:1] == ("api_server_overload",)]
    busy = [
        (one, sign)
        for one in told
        for sign in signs
        if sign.role == "cause"
        and sign.ongoing
        and "cpu_hot_loop" in sign.faults
        and same_thing(sign.entity, one.entity)
    ]
    clients = {str(sign.entity) for _, sign in busy}
    if len(clients) != 1 or not slow:
        return
    one, sign = busy[0]
    says = f"{one.says.rstrip('.')}, and asks on: {sign.says.rstrip('.')}; {slow[0].says}"
    onset = min((s.onset for s in (one, sign) if s.onset), default=None)
    evidence = numbers(one.evidence[:2], sign.evidence[:2], slow[0].evidence[:2])
    yield Sign(
        entity=sign.entity, faults=("api_server_overload",), says=says[:480], specificity=0.8, onset=onset,
        role="cause", points_at=(), victims=(), evidence=evidence, change=None, ongoing=True, analyzer=ANALYZER,
    )  # fmt: skip
