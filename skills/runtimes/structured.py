"""Stack traces that a logger wrote as JSON instead of text: structlog's and zerolog's.

structlog, `ExceptionDictTransformer`: `exception` is a list of stacks, the exception that was raised last first, its
causes after it, frames with the innermost last. zerolog, `pkgerrors.MarshalStack`: `stack` is a list of frames, the
innermost first, with the file's name alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from skills.stacks import Crash, Frame, is_of_a_library


def crash_in_json(text: str, language: str) -> Crash | None:
    """None where the record holds no such trace."""
    mark = '"exc_type"' if language == "python" else '"source"'
    if mark not in text or not text.startswith("{"):
        return None
    try:
        record = json.loads(text)
    except ValueError:
        return None
    return _python(record) if language == "python" else _go(record)


def _python(record: Mapping[str, Any]) -> Crash | None:
    stacks = _maps(record.get("exception"))
    if not stacks or not all(isinstance(stack.get("exc_type"), str) for stack in stacks):
        return None
    root, raised = stacks[-1], stacks[0]
    frames = tuple(reversed(_frames(_maps(root.get("frames")), "name", "filename", "lineno")))
    return Crash(
        "python",
        root["exc_type"],
        str(root.get("exc_value") or ""),
        next((frame for frame in frames if not is_of_a_library(frame, "python")), None),
        raised["exc_type"],
        deferred=len(stacks) > 1,
        frames=frames,
    )


def _go(record: Mapping[str, Any]) -> Crash | None:
    frames = tuple(_frames(_maps(record.get("stack")), "func", "source", "line"))
    if not frames:
        return None
    said = record.get("error") or record.get("message") or record.get("msg") or ""
    own = next((frame for frame in frames if not is_of_a_library(frame, "go")), None)
    return Crash("go", "error", str(said), own, "error", frames=frames)


def _maps(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _frames(rows: Iterable[Mapping[str, Any]], function: str, file: str, line: str) -> list[Frame]:
    return [
        Frame(str(row[function]), str(row[file]), int(row[line]) if str(row.get(line, "")).isdigit() else None)
        for row in rows
        if row.get(function) and row.get(file)
    ]
