"""JSON copied: what `copy.deepcopy` does, several times as fast, since nothing in it is met twice."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def copied(value: Json) -> Json:
    return {k: _copied(v) for k, v in value.items()}


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _copied(v) if isinstance(v, (dict, list)) else v for k, v in value.items()}
    if isinstance(value, list):
        return [_copied(v) if isinstance(v, (dict, list)) else v for v in value]
    return value
