"""JSON schemas of tool inputs, without what costs a model tokens and tells it nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

_SAYS_NOTHING = ("title", "additionalProperties", "maxLength")


def schema(model: type[BaseModel]) -> dict[str, Any]:
    """Without titles, limits that code checks anyway, null, and definitions that stand where they are used."""
    given = model.model_json_schema(by_alias=True)
    definitions = given.get("$defs") or {}
    if not any(_refers(d) for d in definitions.values()):
        given = _inlined({k: v for k, v in given.items() if k != "$defs"}, definitions)
    slim: dict[str, Any] = _slim(given, top=True)
    slim.pop("description", None)  # the class's docstring, which is for readers of the code
    return slim


def _refers(node: Any) -> bool:
    if isinstance(node, Mapping):
        return "$ref" in node or any(_refers(v) for v in node.values())
    return isinstance(node, list) and any(_refers(v) for v in node)


def _inlined(node: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(node, list):
        return [_inlined(item, definitions) for item in node]
    if not isinstance(node, Mapping):
        return node
    name = str(node.get("$ref", "")).removeprefix("#/$defs/")
    if name in definitions:
        found = {k: v for k, v in definitions[name].items() if k != "description"}
        return {**found, **{k: v for k, v in node.items() if k != "$ref"}}
    return {key: _inlined(value, definitions) for key, value in node.items()}


def _slim(node: Any, names: bool = False, top: bool = False) -> Any:
    """`names`: the keys of this mapping are names of properties, not keywords."""
    if isinstance(node, list):
        return [_slim(item) for item in node]
    if not isinstance(node, Mapping):
        return node
    if not names and isinstance(node.get("anyOf"), list):
        options = [option for option in node["anyOf"] if option != {"type": "null"}]
        if len(options) == 1:
            node = {**{k: v for k, v in node.items() if k != "anyOf"}, **options[0]}
    if "properties" in node and not names and "$defs" not in node and not top:
        node = {k: v for k, v in node.items() if k != "type"}
    return {
        key: _slim(value, names=not names and key in ("properties", "$defs"))
        for key, value in node.items()
        if names or not (key in _SAYS_NOTHING or (key == "default" and value in (None, "", [])))
    }
