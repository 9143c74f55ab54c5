"""Traces on disk, and read again."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import ValidationError

from workers.trace import Span


class TapeError(Exception):
    """The trace cannot be read; the text names the file, the line and the reason."""


def lean(span: Span) -> Span:
    """Without undigested results, which no model ever saw: their digest and size stand for them."""
    if not isinstance(span.output, dict) or not isinstance(full := span.output.get("full"), str):
        return span
    digest = hashlib.sha256(full.encode()).hexdigest()
    return span.model_copy(update={"output": {**span.output, "full": f"sha256:{digest}"}})


def read(path: Path) -> tuple[Span, ...]:
    """Raises TapeError."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise TapeError(f"{path}: cannot be read: {error}") from None
    spans = []
    for number, line in enumerate(lines, 1):
        try:
            spans.append(Span.model_validate_json(line))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"])) or "not a span"
            raise TapeError(f"{path}:{number}: {where}: {first['msg']}") from None
    return tuple(spans)
