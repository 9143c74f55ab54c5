"""A scenario: company, fault, victim and axes, with structured ground truth. Loaded, checked, and made into a world.

What it names must exist: an unknown service, fault, option or axis is refused with file, key and reason.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from skills import registry
from skills.faults import UnknownFault, all_faults
from skills.faults import fault as leaf
from workers.simulation import aftermath, blow, coherence, harmless, innocent
from workers.simulation.births import found
from workers.simulation.blow import Altered, Blow, Thing, workload_thing
from workers.simulation.clock import moment
from workers.simulation.company import Company, SimulationError, companies, company
from workers.simulation.promql.syntax import duration
from workers.simulation.world import World


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Fault(_Part):
    fault: str
    victim: str
    onset: str = "16m"
    """How long before now, as a duration."""
    delay: str = ""
    """The change is made at the onset above, its effects begin so much later."""
    lasts: str = ""
    """Put right again after this time."""
    options: dict[str, Any] = Field(default_factory=dict)
    accept: tuple[str, ...] = ()
    """Near-twins that the telemetry cannot separate."""
    chain: tuple[str, ...] = ()
    """Services from the culprit to what alerts."""
    evidence: tuple[str, ...] = ()
    """What must be seen, where it is not what the fault usually shows (logs are missing, say)."""


class AlertChoice(_Part):
    rule: str
    match: dict[str, str] = Field(default_factory=dict)
    """Label -> regular expression."""
    ago: str = "0s"
    """Fired this long before now (for what has recovered)."""


class Decoy(_Part):
    """An innocent change near the onset."""

    kind: Literal["deploy", "config", "scale"] = "deploy"
    service: str
    ago: str


class Harmless(_Part):
    """Something that makes an alert fire while nothing is wrong."""

    kind: str
    victim: str = ""
    ago: str


class Scenario(_Part):
    name: str
    title: str
    company: str
    at: str = "2026-11-24T14:20:37.412Z"
    """The world's now, when none is given."""
    seed: str = ""
    faults: tuple[Fault, ...] = ()
    verdict: Literal["incident", "false_alarm", "recovered"] = "incident"
    kinds: tuple[str, ...] = ()
    """Of group L: what kind of scenario it is besides."""
    alert: AlertChoice
    decoys: tuple[Decoy, ...] = ()
    missing: tuple[str, ...] = ()
    """Telemetry that is not there: logs, a metric's name, metrics:JOB, logs:SERVICE."""
    forbidden: tuple[str, ...] = ()
    """Kubernetes resources that the reader may not read."""
    skills: tuple[str, ...] = ("kubernetes", "elasticsearch", "prometheus")
    """What is switched on in the customer's file; what is off is not served."""
    everyday: bool = True
    retired_target: str = ""
    """A forgotten scrape target is down since this long: an alert without an incident."""
    harmless: tuple[Harmless, ...] = ()


class TrueCause(BaseModel):
    model_config = ConfigDict(frozen=True)
    entity: dict[str, Any]
    """kind, namespace, name, aliases"""
    fault: str
    fault_id: str
    accept: tuple[str, ...]
    onset: str
    change: dict[str, Any] | None
    """kind, entity, at, ids (any of them identifies it); None: nothing was changed."""
    chain: tuple[tuple[str, str], ...]
    evidence: tuple[str, ...]


class Truth(BaseModel):
    """What a grader knows and the agent must find out."""

    model_config = ConfigDict(frozen=True)
    verdict: str
    kinds: tuple[str, ...]
    causes: tuple[TrueCause, ...]
    alerted: str
    innocent: tuple[dict[str, Any], ...]
    """Changes that must not be convicted."""
    axes: tuple[str, ...] = ()
    """What makes it harder: no_change, delayed_onset, seen_in_caller, red_herring, missing_telemetry,
    partial_permissions, two_at_once, recovered, false_alarm."""


@cache
def names() -> tuple[str, ...]:
    folder = files("workers.simulation") / "scenarios"
    return tuple(sorted(f.name.removesuffix(".yaml") for f in folder.iterdir() if f.name.endswith(".yaml")))


@cache
def load(name: str) -> Scenario:
    """Raises SimulationError."""
    source = files("workers.simulation") / "scenarios" / f"{name}.yaml"
    if not source.is_file():
        near = get_close_matches(name, names(), 3, 0.5)
        raise SimulationError(f"no scenario called {name!r} among {len(names())}; near: {', '.join(near) or 'none'}")
    try:
        raw = yaml.safe_load(source.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise SimulationError(f"scenarios/{name}.yaml: no YAML: {' '.join(str(error).split())}") from None
    return parse(raw, name, f"scenarios/{name}.yaml")


def parse(raw: Any, name: str, source: str) -> Scenario:
    """Raises SimulationError naming file, key and reason."""
    if not isinstance(raw or {}, dict):
        raise SimulationError(f"{source}: holds no mapping of keys but {str(raw)[:40]!r}")
    try:
        made = Scenario.model_validate({"name": name, **(raw or {})})
        if made.company not in companies():
            raise _Wrong(f"company: there is no company called {made.company!r}; there are {', '.join(companies())}")
        where = company(made.company)
        _check(made, where)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        reason = "no such key" if first["type"] == "extra_forbidden" else first["msg"]
        raise SimulationError(f"{source}: {'.'.join(map(str, first['loc']))}: {reason}") from None
    except _Wrong as wrong:
        raise SimulationError(f"{source}: {wrong}") from None
    return made


class _Wrong(Exception):
    """`key: reason`"""


def _check(it: Scenario, where: Company) -> None:
    known = blow.modules()
    workloads = {p.name for p in (*where.services, *where.stores, *where.jobs, *where.platform)} | {
        e.name for e in where.externals
    }
    for i, each in enumerate(it.faults):
        key = f"faults.{i}"
        for name in (each.fault, *each.accept):
            try:
                leaf(name)
            except UnknownFault:
                raise _Wrong(f"{key}.fault: {name!r} is not in skills/faults.yaml") from None
        if each.fault not in known:
            raise _Wrong(f"{key}.fault: {each.fault!r} cannot be simulated yet; these can: {', '.join(sorted(known))}")
        if each.victim not in workloads and each.victim not in where.namespaces and not each.victim.startswith("node-"):
            raise _Wrong(f"{key}.victim: {where.name} has nothing called {each.victim!r}")
        for option in each.options:
            if option not in known[each.fault].OPTIONS:
                raise _Wrong(
                    f"{key}.options.{option}: {each.fault} has no such option; it has {', '.join(known[each.fault].OPTIONS) or 'none'}"  # noqa: E501
                )
        for step in each.chain:
            if step not in workloads:
                raise _Wrong(f"{key}.chain: {where.name} has nothing called {step!r}")
        for key_of, value in (("onset", each.onset), ("delay", each.delay), ("lasts", each.lasts)):
            if value:
                _seconds(value, f"{key}.{key_of}")
    group = [f.name for f in all_faults() if not f.is_cause]
    for kind in it.kinds:
        if kind not in group:
            raise _Wrong(f"kinds: {kind!r} is no kind of group L; there are {', '.join(group)}")
    for i, decoy in enumerate(it.decoys):
        if decoy.service not in workloads:
            raise _Wrong(f"decoys.{i}.service: {where.name} has nothing called {decoy.service!r}")
        if decoy.service in {f.victim for f in it.faults}:
            raise _Wrong(
                f"decoys.{i}.service: {decoy.service!r} is the victim of a fault, so its change is not innocent"
            )
        _seconds(decoy.ago, f"decoys.{i}.ago")
    for i, each_harmless in enumerate(it.harmless):
        if each_harmless.kind not in harmless.KINDS:
            raise _Wrong(f"harmless.{i}.kind: {each_harmless.kind!r} is not one of {', '.join(sorted(harmless.KINDS))}")
        if each_harmless.victim and each_harmless.victim not in workloads:
            raise _Wrong(f"harmless.{i}.victim: {where.name} has nothing called {each_harmless.victim!r}")
        _seconds(each_harmless.ago, f"harmless.{i}.ago")
    for skill in it.skills:
        if skill not in registry.names():
            raise _Wrong(f"skills: there is no skill called {skill!r}; there are {', '.join(registry.names())}")
    if it.verdict != "false_alarm" and not it.faults:
        raise _Wrong(f"faults: verdict {it.verdict} needs one")
    if it.verdict == "false_alarm" and it.faults:
        raise _Wrong("faults: a false alarm has none")
    try:
        moment(it.at)
    except ValueError:
        raise _Wrong(f"at: {it.at!r} is no moment in ISO form") from None
    for contradiction in coherence.contradictions(it):
        raise _Wrong(contradiction)


def _seconds(text: str, key: str) -> float:
    try:
        return duration(text)
    except ValueError:
        raise _Wrong(f"{key}: {text!r} is no duration such as 16m or 6h") from None


def build(it: Scenario, now: float) -> tuple[World, list[tuple[Fault, Blow]], list[Altered]]:
    """The world at `now`, with what was done to it and what was done besides."""
    where = company(it.company)
    world = found(where, it.seed or it.name, now)
    world.hidden.update(it.missing)
    touched = {f.victim for f in it.faults} | {d.service for d in it.decoys} | {s for f in it.faults for s in f.chain}
    touched |= {h.victim for h in it.harmless}
    if it.everyday:
        innocent.everyday(world, touched)
    if it.retired_target:
        innocent.retired_target(world, now - duration(it.retired_target))
    for each in it.harmless:
        harmless.KINDS[each.kind](world, each.victim, now - duration(each.ago))
    done: list[Altered] = []
    blows: list[tuple[Fault, Blow]] = []
    acts: list[tuple[float, int, Any]] = [
        (now - duration(f.onset) + world.between(-9, 9, "onset", i), i, f) for i, f in enumerate(it.faults)
    ]
    acts += [(now - duration(d.ago) + world.between(-9, 9, "decoy", i), 100 + i, d) for i, d in enumerate(it.decoys)]
    for at, _, act in sorted(acts, key=lambda a: a[:2]):
        if isinstance(act, Decoy):
            done.append(_innocent(world, act, at))
        else:
            blows.append((act, _strike(world, act, at)))
    return world, blows, done


def _strike(world: World, act: Fault, at: float) -> Blow:
    module = blow.modules()[act.fault]
    then = aftermath.before(world) if act.delay or act.lasts else None
    made: Blow = module.strike(world, act.victim, at, {**module.OPTIONS, **act.options})
    if then and act.delay:
        made = aftermath.wait(world, then, made, duration(act.delay))
    if then and act.lasts:
        made = aftermath.heal(world, then, made, at + duration(act.delay or "0s") + duration(act.lasts))
    return made


def _innocent(world: World, it: Decoy, at: float) -> Altered:
    if it.kind == "deploy":
        return innocent.deploy(world, it.service, at)
    workload = world.workload(it.service)
    if it.kind == "config":
        innocent.tune(world, it.service, at)
        thing = Thing("ConfigMap", workload.namespace, f"{it.service}-config")
        return Altered("config", thing, at, (str(thing),))
    innocent.autoscale(world, it.service, at, workload.replicas(at) + 1)
    return Altered("scale", workload_thing(workload), at, (str(workload_thing(workload)),))


def entity(thing: Thing) -> dict[str, Any]:
    return {
        "kind": thing.kind,
        "namespace": thing.namespace or None,
        "name": thing.name,
        "aliases": list(thing.aliases),
    }


def matching(labels: dict[str, str], wanted: dict[str, str]) -> bool:
    return all(re.fullmatch(pattern, labels.get(name, "")) for name, pattern in wanted.items())
