"""What a change and the trouble right after it say together: leads that no single system can offer.

Each rule is a reason an engineer would give. A lead is a symptom like any other, resting on the evidence of both; it
weighs less than what an analyzer saw with its own eyes, and never convicts with certainty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from skills.contract import Entity
from workers.llm.offline.culprits import Scene
from workers.llm.offline.leads import load, network, others, own, past, silent
from workers.llm.offline.notes import Notes, Sign

Rule = Callable[[Notes, Sequence[Entity], Sequence[Sign], Scene], Iterator[Sign]]


RULES: tuple[Rule, ...] = (
    own.own_release,
    own.rewired,
    own.configured,
    others.contract,
    others.refused_by_policy,
    others.refused_by_quota,
    others.flag,
    others.scaled_away,
    past.put_right,
    past.flag_that_waited,
    load.retries,
    load.neighbour,
    load.overwhelmed,
    load.burning,
    load.flooding,
    network.lossy,
    network.node,
    silent.silent,
)


def leads(notes: Notes, about: Sequence[Entity], signs: Sequence[Sign], seen: Scene) -> list[Sign]:
    return [lead for rule in RULES for lead in rule(notes, about, signs, seen)]
