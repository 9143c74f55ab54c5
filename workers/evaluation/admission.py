"""Admission to the library: a scenario enters only if the oracle reaches its truth, and guessing does not.

Refused with file, key and reason. One scenario may well be guessed; what is bounded is how often each guesser is
right over all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from config.customers import Customer
from workers import simulation
from workers.evaluation import guessers, oracle, predicates
from workers.evaluation import statistics as st
from workers.evaluation.cases import case
from workers.evaluation.results import Guess
from workers.evaluation.staging import Read
from workers.evaluation.statistics import Interval
from workers.simulation import SimulationError

MOST_GUESSED = 0.5
"""A guesser that is right more often than this over the library says that the library can be guessed."""


@dataclass(frozen=True)
class Admission:
    case: str
    refusals: tuple[str, ...]
    """`scenarios/x.yaml: key: reason`; empty: admitted."""
    guesses: dict[str, Guess]
    candidates: int
    calls: int
    """Questions that the oracle had to ask beyond the first look."""
    has_cause: bool


@dataclass(frozen=True)
class Library:
    admitted: tuple[str, ...]
    refused: tuple[Admission, ...]
    guessers: dict[str, Interval]
    """How often each names a true entity, over what has a cause."""
    chance: float | None
    too_easy: tuple[str, ...]
    """Guessers that are right too often."""


def admit(name: str, read: Read) -> Admission:
    """One scenario. What cannot even be staged is refused with the reason of the simulation."""
    try:
        it = case(name)
        world = simulation.start(name)
    except SimulationError as error:
        return Admission(name, (str(error),), {}, 0, 0, False)
    try:
        customer = Customer(name=it.company, skills=world.skills)
        asked = oracle.ask(world, read(world.alert), customer)
        changes = [
            {"id": c.id, "at": c.at.isoformat(), "entity": c.entity.model_dump()} for c in asked.found.changes.values()
        ]
        scene = guessers.Scene(asked.alerts, changes, asked.sources, world.now)
        return Admission(
            name,
            tuple(_refusals(name, world.truth, asked.found)),
            guessers.guesses(scene, world.truth),
            asked.found.candidates,
            asked.found.calls,
            bool(world.truth.causes),
        )
    finally:
        world.close()


def _refusals(name: str, truth: simulation.Truth, found: oracle.Found) -> Iterable[str]:
    for i, true in enumerate(truth.causes):
        key = f"scenarios/{name}.yaml: faults.{i} ({true.fault})"
        if not true.evidence:
            yield f"{key}: names no evidence"
        for predicate in true.evidence:
            if not predicates.is_checkable(predicate):
                yield f"{key}: evidence {predicate!r} names nothing that could be found"
            elif not found.shows(predicate):
                yield f"{key}: evidence {predicate!r} is shown by no skill"
        if not found.knows(true):
            yield f"{key}: no skill shows the culprit {true.entity['kind']} {true.entity['name']}"


def library(admissions: Sequence[Admission]) -> Library:
    guessed = [a for a in admissions if a.has_cause and a.guesses]
    rates = {
        name: rate
        for name in guessers.GUESSERS
        if (rate := st.wilson(sum(a.guesses[name].right for a in guessed), len(guessed))) is not None
    }
    return Library(
        admitted=tuple(a.case for a in admissions if not a.refusals),
        refused=tuple(a for a in admissions if a.refusals),
        guessers=rates,
        chance=fmean(1 / a.candidates for a in guessed if a.candidates) if guessed else None,
        too_easy=tuple(name for name, rate in rates.items() if rate.value > MOST_GUESSED),
    )
