"""What the skills showed of each scenario, kept beside the register: for whoever writes a predicate, and to measure
whether a predicate tells its own fault from others."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import ValidationError

from workers.domain import Evidence
from workers.evaluation.results import ResultsError

SUFFIX = ".jsonl.gz"


def folder_of(out: Path) -> Path:
    return out.with_name(out.name + ".seen")


def keep(name: str, seen: Iterable[Evidence], folder: Path) -> None:
    """One piece a line, each once."""
    folder.mkdir(parents=True, exist_ok=True)
    once = {(e.query, e.excerpt): e for e in seen}
    lines = (e.model_dump_json(include={"skill", "tool", "query", "excerpt"}) for e in once.values())
    path = folder / f"{name}{SUFFIX}"
    draft = path.with_suffix(".part")
    with gzip.open(draft, "wt", encoding="utf-8", compresslevel=3) as file:
        file.writelines(line + "\n" for line in lines)
    draft.replace(path)


def kept(name: str, folder: Path) -> Sequence[Evidence] | None:
    """None when nothing was kept. Raises ResultsError for a damaged file."""
    path = folder / f"{name}{SUFFIX}"
    if not path.is_file():
        return None
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            return tuple(Evidence.model_validate({"id": "", **json.loads(line)}) for line in file)
    except (OSError, EOFError, ValueError, ValidationError) as error:
        raise ResultsError(f"{path}: cannot be read, remove it: {error}") from None
