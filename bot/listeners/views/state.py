"""Values out of a submitted view: view.state.values[block_id]["value"]."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def words(view: Mapping[str, Any], block_id: str) -> str:
    return str(_element(view, block_id).get("value") or "").strip()


def chosen(view: Mapping[str, Any], block_id: str) -> tuple[str, ...]:
    options = _element(view, block_id).get("selected_options") or ()
    return tuple(str(option["value"]) for option in options)


def picked(view: Mapping[str, Any], block_id: str) -> str:
    """The one that was chosen of a list, if any."""
    return str((_element(view, block_id).get("selected_option") or {}).get("value") or "")


def block_ids(view: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(block["block_id"] for block in view["blocks"] if block["type"] == "input")


def metadata(view: Mapping[str, Any]) -> dict[str, str]:
    return {str(k): str(v) for k, v in json.loads(view.get("private_metadata") or "{}").items()}


def _element(view: Mapping[str, Any], block_id: str) -> Mapping[str, Any]:
    values: Mapping[str, Any] = view.get("state", {}).get("values", {})
    element: Mapping[str, Any] = values.get(block_id, {}).get("value", {})
    return element
