"""Cases: what is to be graded on, by name. A scenario is a case; a file of cases names them one a line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path

from skills.faults import fault
from workers.simulation import SimulationError, library, names

FRESH = re.compile(r"fresh:([1-9]\d{0,4})(?::(\d{1,6}))?")


class CaseError(Exception):
    """The case cannot be used; the text names file, key and reason."""


@dataclass(frozen=True)
class Case:
    name: str
    title: str
    company: str
    alert_type: str
    leaves: tuple[str, ...]
    """True faults; empty for a false alarm."""
    kinds: tuple[str, ...]
    """Of group L."""
    skills: tuple[str, ...]
    """What its customer has."""
    blind: bool
    """Telemetry was removed, so that an honest "inconclusive" earns part of the credit."""
    verdict: str

    @property
    def group(self) -> str:
        """Letter of the (first) fault's group; L for what has no cause or is over."""
        if not self.leaves or self.verdict != "incident":
            return "L"
        return fault(self.leaves[0]).id.rstrip("0123456789")

    @property
    def leaf(self) -> str:
        return self.leaves[0] if self.leaves else self.verdict


def case(name: str) -> Case:
    """Raises SimulationError for a scenario that is damaged."""
    it = library.load(name)
    return Case(
        name=name,
        title=it.title,
        company=it.company,
        alert_type=it.alert.rule,
        leaves=tuple(f.fault for f in it.faults),
        kinds=it.kinds,
        skills=it.skills,
        blind=bool(it.missing or it.forbidden) or "telemetry_gap" in it.kinds,
        verdict=it.verdict,
    )


def chosen(patterns: Iterable[str]) -> tuple[str, ...]:
    """Names of scenarios by glob; `@slice` or `@FILE` stands for a file with one glob a line, `fresh:COUNT` or
    `fresh:COUNT:FIRST` for scenarios that nobody wrote (`workers/simulation/fresh.py`). Raises CaseError."""
    known = names()
    found: dict[str, None] = {}
    for pattern in patterns or ("*",):
        for glob, where in _spread(pattern):
            if sample := FRESH.fullmatch(glob):
                found.update(dict.fromkeys(_fresh(int(sample[1]), int(sample[2] or 0))))
                continue
            matching = [name for name in known if fnmatchcase(name, glob)]
            if not matching:
                raise CaseError(f"{where}no case matches {glob!r}; `gumshoe simulate --list` names them")
            found.update(dict.fromkeys(matching))
    return tuple(sorted(found))


def _fresh(count: int, first: int) -> Iterator[str]:
    """So many that can be composed: not every draw makes somebody's alert fire."""
    for number in range(first, first + 3 * count):
        if not count:
            return
        try:
            library.load(f"fresh-{number}")
        except SimulationError:
            continue
        count -= 1
        yield f"fresh-{number}"


def _spread(pattern: str) -> list[tuple[str, str]]:
    """(glob, where it stands) of a pattern."""
    if not pattern.startswith("@"):
        return [(part.strip(), "") for part in pattern.split(",") if part.strip()]
    name = pattern[1:]
    if name == "slice":
        text = files("workers.evaluation").joinpath("slice.txt").read_text(encoding="utf-8")
    else:
        try:
            text = Path(name).read_text(encoding="utf-8")
        except OSError as error:
            raise CaseError(f"{name}: cannot be read: {error.strerror}") from None
    lines = ((i, line.partition("#")[0].strip()) for i, line in enumerate(text.splitlines(), 1))
    return [(line, f"{name}:{i}: ") for i, line in lines if line]
