"""Scenarios that nobody wrote: composed from a number, for a sample of the long tail that nothing was tuned to.

`fresh-17` is the same scenario on every machine. Faults take turns; company, victim, onset, decoy and the alert are
drawn. The alert is one that the fault made fire: it fires since the onset, and does not where the fault is left out.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache

from workers.simulation import blow, scenario
from workers.simulation.alerts import Alert, Rules
from workers.simulation.clock import moment, seconds
from workers.simulation.company import Company, Service, SimulationError, Store, company
from workers.simulation.dice import stream
from workers.simulation.scenario import AlertChoice, Decoy, Fault, Scenario
from workers.simulation.scene import Scene

NAME = re.compile(r"fresh-(\d{1,6})")
COMPANIES = ("shop", "freight")
TRIES = 24
"""Draws of a victim: many a fault cannot strike many a part, or nobody would be alerted."""
FIRST, LAST = 7, 38
"""Minutes from the onset to now."""
_WORN = ("alertname", "severity", "prometheus", "endpoint", "instance", "uid", "container_id", "id", "value")
"""Labels by which no alert is chosen."""


def compose(name: str) -> Scenario:
    """Raises SimulationError when no draw makes a scenario."""
    number = NAME.fullmatch(name)
    if number is None:
        raise SimulationError(f"{name!r}: a fresh scenario is called fresh-NUMBER")
    faults = sorted(blow.modules())
    fault = faults[int(number[1]) % len(faults)]
    chance = stream("fresh", name)
    for victim, where in _victims(chance, fault):
        drawn = _drawn(name, fault, victim, where, chance)
        try:
            alert = _alert(drawn, chance)
        except (SimulationError, KeyError, IndexError, StopIteration):
            continue  # this fault cannot strike this part
        if alert is not None:
            return drawn.model_copy(update={"alert": alert})
    raise SimulationError(f"{name}: {fault} strikes nothing that would alert anybody, {TRIES} draws long")


def _victims(chance: random.Random, fault: str) -> Iterator[tuple[str, Company]]:
    """Parts of the kinds that the fault strikes in the library."""
    every = [
        (part, where)
        for where in map(company, COMPANIES)
        for part in (
            *where.parts,
            *(p.name for p in where.platform),
            *where.application_namespaces,
            *(f"node-{i}" for i in range(1, where.nodes.count)),
        )
        if _kind(part, where) in _struck()[fault]
    ]
    chance.shuffle(every)
    yield from every[:TRIES]


@cache
def _struck() -> dict[str, set[str]]:
    """By fault, the kinds of its victims in the library."""
    found: dict[str, set[str]] = defaultdict(set)
    for it in map(scenario.load, scenario.names()):
        for each in it.faults:
            found[each.fault].add(_kind(each.victim, company(it.company)))
    return found


def _kind(part: str, where: Company) -> str:
    found = where.parts.get(part)
    if found is None and part in {p.name for p in where.platform}:
        return f"platform {part}"  # each is of a kind of its own
    if found is None:
        return "node" if part.startswith("node-") else "namespace"
    if isinstance(found, Store):
        return f"store {found.engine}"
    worker = isinstance(found, Service) and found.worker
    return f"{type(found).__name__}{' worker' if worker else ''}"


def _drawn(name: str, fault: str, victim: str, where: Company, chance: random.Random) -> Scenario:
    hour, minute, second = chance.randrange(7, 20), chance.randrange(60), chance.randrange(60)
    decoy = chance.choice([s.name for s in where.services if s.name != victim])
    ago = chance.randrange(FIRST, LAST)
    return Scenario(
        name=name,
        title=f"{fault} strikes {victim}",
        company=where.name,
        at=f"2026-11-24T{hour:02}:{minute:02}:{second:02}.{chance.randrange(1000):03}Z",
        faults=(Fault(fault=fault, victim=victim, onset=f"{ago}m"),),
        kinds=(),
        alert=AlertChoice(rule=""),
        decoys=(Decoy(service=decoy, ago=f"{ago + chance.randrange(-4, 7)}m"),) if chance.random() < 0.6 else (),
    )


def _alert(drawn: Scenario, chance: random.Random) -> AlertChoice | None:
    """One of those that fire because of the fault."""
    now = moment(drawn.at)
    fired = _firing(drawn, now)
    if not fired:
        return None
    usual = {(a.rule.name, _identity(a)) for a in _firing(drawn.model_copy(update={"faults": ()}), now)}
    new = [a for a in fired if (a.rule.name, _identity(a)) not in usual]
    if not new:
        return None
    chosen = chance.choice(sorted(new, key=lambda a: (a.rule.name, a.labels)))
    return AlertChoice(rule=chosen.rule.name, match={k: re.escape(v) for k, v in _identity(chosen)})


def _firing(drawn: Scenario, now: float) -> list[Alert]:
    world, blows, _ = scenario.build(drawn, now)
    onset = min((b.onset for _, b in blows), default=now)
    found = [a for a in Rules(Scene(world)).all_alerts() if a.firing]
    return [a for a in found if a.active_at >= onset - 30] if blows else found


def _identity(alert: Alert) -> tuple[tuple[str, str], ...]:
    return tuple((k, v) for k, v in alert.labels if k not in _WORN)


def told(it: Scenario) -> str:
    """For a list: what was drawn."""
    return f"{it.title} in {it.company} since {it.faults[0].onset}, {it.alert.rule}, now {seconds(moment(it.at))}"
