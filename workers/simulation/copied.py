"""JSON copied: what `copy.deepcopy` does, several times as fast, since nothing in it is met twice."""

from __future__ import annotations

from typing import Any


def copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: copied(v) if isinstance(v, (dict, list)) else v for k, v in value.items()}
    if isinstance(value, list):
        return [copied(v) if isinstance(v, (dict, list)) else v for v in value]
    return value
