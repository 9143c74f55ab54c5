"""A trace as a page of its own, beside the page of the run: every step with its state, what it was given and gave."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from pydantic import ValidationError

from workers.evaluation.results import Result, write_whole
from workers.trace import Span

MOST_CHARACTERS = 6000


def write_all(results: Iterable[Result], run_file: Path, page: Path) -> dict[str, str]:
    """Writes a page for each trace that is there; its address relative to `page`, by the result's key."""
    found = {}
    folder = page.with_name(page.name + ".traces")
    for result in results:
        source = run_file.parent / result.trace
        if not result.trace or not source.is_file():
            continue
        target = folder / f"{source.stem}.html"
        write_whole(target, render(result, source, os.path.relpath(page, folder)))
        found[result.key] = f"{folder.name}/{target.name}"
    return found


def render(result: Result, source: Path, back: str) -> str:
    spans, damaged = _spans(source)
    return _template().render(result=result, spans=spans, damaged=damaged, back=back, shown=_shown)


def _spans(source: Path) -> tuple[list[Span], int]:
    """What can be read, and how many lines cannot."""
    spans, damaged = [], 0
    for line in source.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            spans.append(Span.model_validate_json(line))
        except ValidationError:
            damaged += 1
    return spans, damaged


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, indent=1, ensure_ascii=False)
    if len(text) <= MOST_CHARACTERS:
        return text
    return f"{text[:MOST_CHARACTERS]}\n… {len(text) - MOST_CHARACTERS} more characters"


@cache
def _template() -> Template:
    source = files("workers.evaluation").joinpath("trace.html").read_text(encoding="utf-8")
    return Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string(
        source
    )
