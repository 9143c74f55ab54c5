"""Guidance from a file, as a person would have taught it: one entry or a list of them, with readings by the rules."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workers.domain import Guidance, Reading
from workers.evaluation.variants import Notebook
from workers.guidance import readings_by_rules

AUTHOR = "on-call"
WRITTEN_AT = datetime(2026, 1, 1, tzinfo=UTC)


class NotebookError(Exception):
    """The guidance cannot be read; the text names file, key and reason."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")
    alert_type: str
    text: str = Field(max_length=1000)
    labels: dict[str, str] = Field(default_factory=dict)
    readings: tuple[Reading, ...] | None = None
    """Default: what the rules read in the text."""


def notebook(path: Path) -> Notebook:
    """Raises NotebookError."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise NotebookError(f"{path}: cannot be read: {error}") from None
    entries = raw if isinstance(raw, list) else [raw]
    return Notebook(path.stem, tuple(_guidance(path, i, entry) for i, entry in enumerate(entries)))


def _guidance(path: Path, number: int, raw: Any) -> Guidance:
    try:
        entry = _Entry.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(map(str, (number, *first["loc"])))
        raise NotebookError(f"{path}: {key}: {first['msg']}") from None
    readings = entry.readings if entry.readings is not None else tuple(readings_by_rules(entry.text))
    return Guidance(
        id="g" + hashlib.sha256(f"{entry.alert_type}\0{entry.text}".encode()).hexdigest()[:8],
        customer="",
        alert_type=entry.alert_type,
        labels=entry.labels,
        text=entry.text,
        readings=readings,
        author=AUTHOR,
        created_at=WRITTEN_AT,
    )
