"""Whether a try measured the machine instead of Gumshoe: a skill gave up waiting for a world that is never slow.

A served world answers as fast as this machine computes. On an idle machine nobody ever waits; on one that does other
work a skill's patience may end first, and what it then could not see would be held against the investigation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from workers.trace import Span

TRIES = 4
_GAVE_UP = re.compile(
    r"\b(?:did not answer|did not end within|had not ended its answer|no connection within|not read within"
    r"|nothing was read within|the answer is partial|no time was left)\b"
)


def gave_up(why: str) -> bool:
    """Whether a gap's reason or an error's text says that an answer was not waited for."""
    return bool(_GAVE_UP.search(why))


def is_disturbed(spans: Iterable[Span]) -> bool:
    return any(span.error_type == "timeout" or _gave_up(span.output, span.status) for span in spans)


def _gave_up(output: Any, status: str) -> bool:
    if not isinstance(output, dict):
        return False
    said = [str(gap.get("why", "")) for gap in output.get("gaps") or () if isinstance(gap, dict)]
    if status == "error":
        said.append(str(output.get("text", "")))
    return any(gave_up(text) for text in said)
