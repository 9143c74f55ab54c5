"""What a run leaves behind: one JSON file, and the canonical form by which two runs are compared."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workers.domain import Finding
from workers.evaluation.grading import Marks
from workers.llm.base import canonical
from workers.simulation import Truth


class ResultsError(Exception):
    """The file is no result of `gumshoe eval run`; the text names the file and what is wrong with it."""


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Guess(_Stored):
    """What a guesser says without reasoning."""

    entity: str
    """Empty: it had nothing to go by."""
    right: bool


class Result(_Stored):
    """One investigation of one case, graded."""

    case: str
    variant: str
    repeat: int = 0
    source: Literal["scenario", "replay"] = "scenario"
    company: str = ""
    alert_type: str
    group: str
    leaf: str
    kinds: tuple[str, ...] = ()
    blind: bool = False
    truth: Truth
    finding: Finding | None = None
    """None: it broke before there was one; `error` says how."""
    marks: Marks | None = None
    error: str = ""
    guesses: dict[str, Guess] = Field(default_factory=dict)
    candidates: int = 0
    """How many entities there were to choose from."""
    states: dict[str, StateMarks] = Field(default_factory=dict)
    suspicions: tuple[str, ...] = ()
    """Sentences in which the model doubts that the world is real, or feels tested."""
    tries: int = 1
    """More than one: the machine was too busy for the first."""
    disturbed: bool = False
    """Also the last try was."""
    off_tape: float | None = None
    """Replays: the share of calls that the recording could not answer."""
    calls: int = 0
    trace: str = ""
    """Path of the trace, relative to the results file."""
    seconds: float = 0
    """Of everything: the staging, the investigation, the grading."""

    @property
    def key(self) -> str:
        return key_of(self.case, self.variant, self.repeat)

    @property
    def passed(self) -> float:
        return self.marks.passed if self.marks else 0.0

    def score(self, name: str) -> float | None:
        """None when the question does not arise; what broke has passed nothing and is asked nothing else."""
        if self.marks is None:
            return 0.0 if name in ("passed", "credit", "verdict") else None
        return self.marks.score(name)


class StateMarks(_Stored):
    """The steps of one state within one investigation."""

    steps: int
    valid: int
    """Steps without an error."""
    shows: int | None = None
    """Steps that returned required evidence; None where steps of this state return none."""
    seconds: float
    tokens: int
    dollars: float


class Run(_Stored):
    """One file: everything that was run, in the order of its keys."""

    schema_: Literal[1] = Field(default=1, alias="schema")
    began_at: datetime
    ended_at: datetime
    version: str
    code: str
    """Digest of the source that ran."""
    variants: tuple[str, ...]
    repeats: int
    results: tuple[Result, ...]
    stopped: str = ""
    """Why it ended before everything was run; empty when it did not."""
    spent_dollars: float = 0

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, serialize_by_alias=True)

    @property
    def digest(self) -> str:
        return digest(self.results)


Result.model_rebuild()


def key_of(case: str, variant: str, repeat: int) -> str:
    return f"{case}|{variant}|{repeat}"


_SERVED_AT = re.compile(r"(https?://127\.0\.0\.1):\d+")


def canonical_finding(finding: Finding | None) -> Any:
    """A finding without what differs between two runs of the same thing: how long it took, and at which free port of
    this machine the world was served that time."""
    if finding is None:
        return None
    plain = json.loads(_SERVED_AT.sub(r"\1", finding.model_dump_json(by_alias=True)))
    plain["used"]["seconds"] = 0
    return plain


def digest(results: Iterable[Result]) -> str:
    """Equal for two runs exactly when every case has the same finding, durations apart."""
    hashed = hashlib.sha256()
    for result in sorted(results, key=lambda r: r.key):
        hashed.update(canonical([result.key, canonical_finding(result.finding), result.error]))
    return hashed.hexdigest()[:16]


def differing(first: Run, second: Run) -> list[str]:
    """Keys whose findings differ between two runs of the same cases."""
    other = {r.key: canonical([canonical_finding(r.finding), r.error]) for r in second.results}
    return [
        r.key
        for r in first.results
        if r.key in other and other[r.key] != canonical([canonical_finding(r.finding), r.error])
    ]


def write(run: Run, path: Path) -> None:
    """Whole or not at all."""
    write_whole(path, json.dumps(run.model_dump(mode="json", by_alias=True), ensure_ascii=False, indent=1) + "\n")


def write_whole(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".part")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def read(path: Path) -> Run:
    """Raises ResultsError."""
    try:
        return Run.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ResultsError(f"{path}: cannot be read: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise ResultsError(f"{path}: {where}: {first['msg']}") from None


def ordered(results: Sequence[Result]) -> tuple[Result, ...]:
    return tuple(sorted(results, key=lambda r: (r.variant, r.case, r.repeat)))
