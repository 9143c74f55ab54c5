"""The run in progress: lines appended beside the results file, each durable, so that a killed run goes on.

First line: the plan. Then one line a graded case, and one a paid call. A line that was cut by the kill is dropped.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from pydantic import ValidationError

from workers.evaluation.purse import append
from workers.evaluation.results import ResultsError


class Keyed(Protocol):
    """What a run adds up: a pydantic record that knows its key."""

    @property
    def key(self) -> str: ...
    def model_dump(self, *, mode: str, by_alias: bool) -> dict[str, Any]: ...
    @classmethod
    def model_validate(cls, obj: Any) -> Any: ...


Record = TypeVar("Record", bound=Keyed)


def path_of(out: Path) -> Path:
    return out.with_name(out.name + ".ledger")


@dataclass
class Ledger(Generic[Record]):
    path: Path
    plan: dict[str, Any]
    of: type[Record]
    results: dict[str, Record] = field(default_factory=dict)
    """By key; a key counts once, whatever was written twice."""
    spent: float = 0.0
    resumed: bool = False

    def add(self, result: Record) -> None:
        self.results[result.key] = result
        append(self.path, {"kind": "result", "result": result.model_dump(mode="json", by_alias=True)})


def opened(path: Path, plan: dict[str, Any], of: type[Record]) -> Ledger[Record]:
    """A new one, or the one of a run that was killed. Raises ResultsError when it belongs to another plan."""
    ledger = Ledger(path, plan, of)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        append(path, {"kind": "plan", "plan": plan})
        return ledger
    lines = _whole_lines(path)
    if not lines:
        append(path, {"kind": "plan", "plan": plan})
        return ledger
    if lines[0].get("kind") != "plan":
        raise ResultsError(f"{path}: its first line is no plan; move it away")
    if other := _difference(lines[0]["plan"], plan):
        raise ResultsError(
            f"{path}: a run with another {other} was broken off here; finish it with the same options, "
            "choose another --out, or begin anew with --fresh"
        )
    _take(ledger, lines[1:])
    ledger.resumed = True
    return ledger


def _take(ledger: Ledger[Record], lines: Iterable[dict[str, Any]]) -> None:
    for number, line in enumerate(lines, 2):
        if line.get("kind") == "spent":
            ledger.spent += float(line["dollars"])
        elif line.get("kind") == "result":
            try:
                result = ledger.of.model_validate(line["result"])
            except ValidationError as error:
                raise ResultsError(f"{ledger.path}:{number}: {error.errors()[0]['msg']}") from None
            ledger.results[result.key] = result


def _whole_lines(path: Path) -> list[dict[str, Any]]:
    """Every line that was written to its end; the rest of a cut one is taken off the file."""
    raw = path.read_bytes()
    whole = raw[: raw.rfind(b"\n") + 1]
    if len(whole) < len(raw):
        with path.open("r+b") as file:
            file.truncate(len(whole))
    lines = []
    for number, text in enumerate(whole.splitlines(), 1):
        try:
            lines.append(json.loads(text))
        except ValueError:
            raise ResultsError(f"{path}:{number}: not a line of a run; move the file away") from None
    return lines


def _difference(first: dict[str, Any], second: dict[str, Any]) -> str:
    return ", ".join(sorted(k for k in {*first, *second} if first.get(k) != second.get(k)))
