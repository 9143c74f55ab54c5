"""Admission to the library: a scenario enters only if the oracle reaches its truth, and guessing does not.

Refused with file, key and reason. One scenario may well be guessed; what is bounded is how often each guesser is
right over all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from pydantic import BaseModel, ConfigDict

from config.customers import Customer
from workers import simulation
from workers.domain import Evidence
from workers.evaluation import guessers, oracle, predicates
from workers.evaluation import statistics as st
from workers.evaluation.cases import case
from workers.evaluation.results import Guess
from workers.evaluation.staging import Read
from workers.evaluation.statistics import Interval
from workers.simulation import SimulationError, scenario

MOST_GUESSED = 0.5
"""A guesser that is right more often than this over the library says that the library can be guessed."""


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Refusal(_Stored):
    file: str
    key: str
    reason: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.key, self.reason) if part)


class Required(_Stored):
    """An evidence predicate of a truth, and where it stands."""

    key: str
    predicate: str
    faults: tuple[str, ...]
    """The leaf that it is to tell, and the accepted twins."""


class Admission(_Stored):
    case: str
    refusals: tuple[Refusal, ...] = ()
    """Empty: admitted."""
    group: str = ""
    leaves: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    """Of group L."""
    guesses: dict[str, Guess] = {}
    candidates: int = 0
    calls: int = 0
    """Questions that the oracle had to ask beyond the first look."""
    required: tuple[Required, ...] = ()
    code: str = ""
    """Digest of the source that judged it."""

    @property
    def key(self) -> str:
        return self.case

    @property
    def file(self) -> str:
        return file_of(self.case)


@dataclass(frozen=True)
class Library:
    admitted: tuple[str, ...]
    refused: tuple[Admission, ...]
    leaves: tuple[str, ...]
    """Faults of groups A to K that an admitted scenario has."""
    kinds: tuple[str, ...]
    """Kinds of group L that an admitted scenario has."""
    groups: Mapping[str, tuple[int, int]]
    """By letter: admitted, of how many."""
    guessers: Mapping[str, Interval]
    """How often each names a true entity, over what has a cause."""
    chance: float | None
    too_easy: tuple[str, ...]
    """Guessers that are right too often."""


def file_of(name: str) -> str:
    return f"scenarios/{name}.yaml"


def admit(name: str, read: Read, code: str = "") -> tuple[Admission, Sequence[Evidence]]:
    """One scenario, and what the skills showed. What cannot even be staged is refused with the simulation's reason."""
    try:
        it = case(name)
        world = simulation.start(name)
    except SimulationError as error:
        return refused(name, str(error), code), ()
    try:
        customer = Customer(name=it.company, skills=world.skills)
        asked = oracle.ask(world, read(world.alert), customer)
        changes = [
            {"id": c.id, "at": c.at.isoformat(), "entity": c.entity.model_dump()} for c in asked.found.changes.values()
        ]
        scene = guessers.Scene(asked.alerts, changes, asked.sources, world.now)
        wanted = tuple(required(world.staged.scenario, world.truth))
        admission = Admission(
            case=name,
            refusals=tuple(_refusals(name, world.truth, wanted, asked.found)),
            group=it.group,
            leaves=it.leaves,
            kinds=world.truth.kinds,
            guesses=guessers.guesses(scene, world.truth),
            candidates=asked.found.candidates,
            calls=asked.found.calls,
            required=wanted,
            code=code,
        )
        return admission, tuple(asked.found.evidence)
    finally:
        world.close()


def refused(name: str, why: str, code: str = "") -> Admission:
    """Of what could not be judged: `file: key: reason` as far as `why` has them."""
    file = file_of(name)
    said = why.removeprefix(f"{file}: ")
    key, colon, reason = said.partition(": ")
    if said == why or not colon or " " in key:
        key, reason = "", said
    return Admission(case=name, refusals=(Refusal(file=file, key=key, reason=reason),), code=code)


def required(it: scenario.Scenario, truth: simulation.Truth) -> Iterator[Required]:
    """Every predicate once, with the key under which a person changes it."""
    told: set[tuple[str, str]] = set()
    for true in truth.causes:
        at = next((i for i, f in enumerate(it.faults) if f.fault == true.fault), 0)
        own = bool(it.faults[at].evidence)
        for j, predicate in enumerate(true.evidence):
            key = f"faults.{at}.evidence.{j}" if own else f"faults.{at}.evidence (faults/{true.fault}.py)"
            if (key, predicate) not in told:
                told.add((key, predicate))
                yield Required(key=key, predicate=predicate, faults=(true.fault, *true.accept))


def _refusals(name: str, truth: simulation.Truth, wanted: Sequence[Required], found: oracle.Found) -> Iterable[Refusal]:
    file = file_of(name)
    for it in wanted:
        try:
            if not found.shows(it.predicate):
                yield Refusal(file=file, key=it.key, reason=f"{it.predicate!r} is shown by no skill")
        except predicates.Uncheckable as error:
            yield Refusal(file=file, key=it.key, reason=str(error))
    for i, true in enumerate(truth.causes):
        key = f"faults.{i}"
        if not true.evidence:
            yield Refusal(file=file, key=f"{key}.evidence", reason=f"{true.fault} names no evidence")
        if not found.knows(true):
            culprit = f"{true.entity['kind']} {true.entity['name']}"
            yield Refusal(file=file, key=f"{key}.victim", reason=f"no skill shows the culprit {culprit}")


def library(admissions: Sequence[Admission]) -> Library:
    guessed = [a for a in admissions if a.leaves and a.guesses]
    rates = {
        name: rate
        for name in guessers.GUESSERS
        if (rate := st.wilson(sum(a.guesses[name].right for a in guessed), len(guessed))) is not None
    }
    accepted = [a for a in admissions if not a.refusals]
    letters = sorted({a.group for a in admissions})
    return Library(
        admitted=tuple(a.case for a in accepted),
        refused=tuple(a for a in admissions if a.refusals),
        leaves=tuple(sorted({leaf for a in accepted for leaf in a.leaves})),
        kinds=tuple(sorted({kind for a in accepted for kind in a.kinds})),
        groups={g: (sum(a.group == g for a in accepted), sum(a.group == g for a in admissions)) for g in letters},
        guessers=rates,
        chance=fmean(1 / a.candidates for a in guessed if a.candidates) if guessed else None,
        too_easy=tuple(name for name, rate in rates.items() if rate.value > MOST_GUESSED),
    )
