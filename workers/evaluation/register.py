"""The register of admission: one JSON file that says of every scenario whether it may be in the library, and why not.

A run that is killed goes on where it was. What a run does not judge stays in the file as it was judged before.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workers.evaluation import exhibits, ledger
from workers.evaluation.admission import Admission, admit, library, refused
from workers.evaluation.pool import Broken, spread
from workers.evaluation.results import ResultsError, write_whole
from workers.evaluation.runner import code
from workers.evaluation.staging import Read
from workers.evaluation.telling import too_common
from workers.simulation import names


class Register(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, serialize_by_alias=True)
    schema_: int = Field(default=1, alias="schema")
    ended_at: datetime
    version: str
    cases: tuple[Admission, ...]
    """By name."""


@dataclass(frozen=True)
class At:
    done: int
    total: int
    admitted: int
    seconds: float


def run(
    cases: Sequence[str],
    read: Read,
    out: Path,
    processes: int,
    *,
    tell: Callable[[At], None],
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Register:
    """Judges these cases and writes them into the register. Raises ResultsError when `out` is no register."""
    before = {it.case: it for it in entries(out).cases} if out.exists() else {}
    record = ledger.opened(ledger.path_of(out), {"cases": list(cases)}, Admission)
    folder, began, source = exhibits.folder_of(out), clock(), code()

    def judge(name: str) -> Admission:
        admission, seen = admit(name, read, source)
        exhibits.keep(name, seen, folder)
        return admission

    def say() -> None:
        admitted = sum(not it.refusals for it in record.results.values())
        tell(At(len(record.results), len(cases), admitted, (clock() - began).total_seconds()))

    say()
    for name, answer in spread([name for name in cases if name not in record.results], judge, processes):
        record.add(refused(name, answer.why, source) if isinstance(answer, Broken) else answer)
        say()
    known = set(names())
    found = {name: it for name, it in {**before, **record.results}.items() if name in known or name in cases}
    made = Register(
        ended_at=clock(),
        version=version("gumshoe"),
        cases=tuple(too_common([found[name] for name in sorted(found)], folder)),
    )
    write_whole(out, json.dumps(made.model_dump(mode="json", by_alias=True), ensure_ascii=False, indent=1) + "\n")
    record.path.unlink()
    return made


def entries(path: Path) -> Register:
    """Raises ResultsError."""
    try:
        return Register.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ResultsError(f"{path}: cannot be read: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise ResultsError(f"{path}: is no register of admission: {where}: {first['msg']}") from None


MOST_NAMED = 5
UNKNOWN = "not known (`gumshoe eval admit --out FILE`, then `eval report --admission FILE`)"


def in_words(it: Register | None, cases: Iterable[str]) -> str:
    """How many of the scenarios that were run are admitted, as far as the register knows them."""
    if it is None:
        return UNKNOWN
    run, known = set(cases), {entry.case: entry for entry in it.cases}
    judged = [known[name] for name in run if name in known]
    found = library(judged)
    said = (
        f"{len(found.admitted)} of {len(judged)}, {it.ended_at:%Y-%m-%d}, over {len(found.leaves)} faults and"
        f" {len(found.kinds)} kinds of group L"
    )
    if found.refused:
        names = sorted(entry.case for entry in found.refused)
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        said += f"; refused: {', '.join(names[:MOST_NAMED])}{more}"
    if unjudged := len(run) - len(judged):
        said += f"; {unjudged} more were not judged"
    if len({entry.code for entry in judged}) > 1:
        said += "; judged with several versions of the source"
    return said
