"""Start a scenario: its world, its faces on loopback ports, its alert and its truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from skills.faults import fault as leaf
from workers.domain import FlagEvent
from workers.simulation import clock, flags, library, scenario, systems
from workers.simulation.alerts import Alert, Rules, rule, webhook
from workers.simulation.blow import Altered, Blow, workload_thing
from workers.simulation.company import SimulationError
from workers.simulation.faces.exchange import Face
from workers.simulation.faces.serve import Served
from workers.simulation.improvise import Beyond
from workers.simulation.promql.syntax import duration
from workers.simulation.scenario import Fault, Scenario, TrueCause, Truth
from workers.simulation.scene import Scene
from workers.simulation.world import World


@dataclass(frozen=True)
class Staged:
    """A scenario made, not yet served."""

    scenario: Scenario
    scene: Scene
    rules: Rules
    alert: dict[str, Any]
    truth: Truth
    faces: Mapping[str, Face]


@dataclass
class Running:
    """A scenario that answers on loopback ports until `close()`."""

    name: str
    now: datetime
    """The world's time; it stands still."""
    urls: Mapping[str, str]
    skills: dict[str, dict[str, Any]]
    """The `skills:` mapping of the customer's file."""
    alert: dict[str, Any]
    """An Alertmanager webhook body, version 4."""
    truth: Truth
    staged: Staged
    _served: Served = field(repr=False)

    @property
    def refused(self) -> dict[str, dict[str, int]]:
        """By face: what was asked of it and is not done."""
        return {name: dict(face.refused) for name, face in self.staged.faces.items()}

    @property
    def flag_events(self) -> tuple[FlagEvent, ...]:
        """What the system that keeps the feature flags would have told by webhook until now."""
        return flags.switched(self.staged.scene.world)

    def close(self) -> None:
        self._served.close()


def start(
    name: str, *, at: datetime | None = None, skills: tuple[str, ...] = (), beyond: Beyond | None = None
) -> Running:
    """Serve a scenario at `at` (default: its own moment), with these skills on (default: its own), and with an
    improviser for what no face does (default: that is refused). Raises SimulationError."""
    it = library.load(name)
    staged = stage(name, at=at, of=it.model_copy(update={"skills": skills}) if skills else it, beyond=beyond)
    served = Served(staged.faces)
    world = staged.scene.world
    now = datetime.fromtimestamp(world.now, UTC)
    settings = systems.settings(staged.scenario.skills, world, served.urls)
    return Running(name, now, served.urls, settings, staged.alert, staged.truth, staged, served)


def stage(name: str, *, at: datetime | None = None, of: Scenario | None = None, beyond: Beyond | None = None) -> Staged:
    """Make the world, evaluate the alert, write down the truth; no sockets. Raises SimulationError."""
    it = of or library.load(name)
    now = at.timestamp() if at else clock.moment(it.at)
    world, blows, innocent = scenario.build(it, now)
    scene = Scene(world)
    rules = Rules(scene)
    alerts = _alerts(it, rules, now)
    faces = systems.faces(it.skills, scene, rules, it, beyond)
    return Staged(it, scene, rules, webhook(alerts, world.company), _truth(it, world, blows, innocent, alerts), faces)


def _alerts(it: Scenario, rules: Rules, now: float) -> list[Alert]:
    """The alerts that the scenario is about, if its world really fires them."""
    chosen = rule(it.alert.rule)
    if chosen is None:
        raise SimulationError(f"scenarios/{it.name}.yaml: alert.rule: rules.yaml has no rule called {it.alert.rule!r}")
    active = rules.alerts(chosen, now - duration(it.alert.ago))
    found = [a for a in active if a.firing and scenario.matching(dict(a.labels), it.alert.match)]
    if not found:
        seen = ", ".join(str(dict(a.labels)) for a in active) or "nothing"
        raise SimulationError(
            f"scenarios/{it.name}.yaml: alert: {it.alert.rule} does not fire for {it.alert.match}; active: {seen}"
        )
    if it.verdict == "recovered" and any(
        a.firing and scenario.matching(dict(a.labels), it.alert.match) for a in rules.alerts(chosen, now)
    ):
        raise SimulationError(
            f"scenarios/{it.name}.yaml: verdict: recovered, but {it.alert.rule} still fires for {it.alert.match}"
        )
    return sorted(found, key=lambda a: (a.fired_at, a.labels))


def _truth(
    it: Scenario, world: World, blows: list[tuple[Fault, Blow]], innocent: list[Altered], alerts: list[Alert]
) -> Truth:
    causes = []
    for fault, blow in blows:
        chain = [str(workload_thing(world.workload(n))) for n in fault.chain]
        steps = [str(blow.culprits[0]), *(c for c in chain if not c.endswith("/" + blow.culprits[0].name))]
        for thing in blow.culprits:
            causes.append(
                TrueCause(
                    entity=scenario.entity(thing),
                    fault=fault.fault,
                    fault_id=leaf(fault.fault).id,
                    accept=fault.accept,
                    onset=clock.seconds(blow.onset),
                    change=_change(blow.change),
                    chain=tuple(pairwise(steps)),
                    evidence=fault.evidence or blow.evidence,
                )
            )
    labels = dict(alerts[0].labels)
    alerted = " ".join(f"{k}={labels[k]}" for k in ("namespace", "service", "deployment", "pod", "node") if k in labels)
    return Truth(
        verdict=it.verdict,
        kinds=(*it.kinds, *(("unrelated_change_decoy",) if innocent else ())),
        causes=tuple(causes),
        alerted=alerted,
        innocent=tuple(c for a in innocent if (c := _change(a))),
        axes=tuple(_axes(it, blows, innocent, alerted)),
    )


def _axes(it: Scenario, blows: list[tuple[Fault, Blow]], innocent: list[Altered], alerted: str) -> Iterator[str]:
    """What makes the scenario harder than a fault on the alerting service, minutes after its change."""
    if any(blow.change is None for _, blow in blows):
        yield "no_change"
    if any(blow.change and blow.onset - blow.change.at > 900 for _, blow in blows):
        yield "delayed_onset"
    if blows and not any(blow.culprits[0].name in alerted or fault.victim in alerted for fault, blow in blows):
        yield "seen_in_caller"
    if innocent:
        yield "red_herring"
    if it.missing:
        yield "missing_telemetry"
    if it.forbidden:
        yield "partial_permissions"
    if len(blows) > 1:
        yield "two_at_once"
    if it.verdict != "incident":
        yield it.verdict


def _change(it: Altered | None) -> dict[str, Any] | None:
    if it is None:
        return None
    return {"kind": it.kind, "entity": scenario.entity(it.thing), "at": clock.seconds(it.at), "ids": list(it.ids)}
