"""Arguments for a tool of somebody else: checked against the JSON schema that the server gave, before they are sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator, SchemaError  # type: ignore[import-untyped]  # ships no types
from jsonschema.exceptions import best_match  # type: ignore[import-untyped]  # ships no types
from pydantic import ConfigDict, model_validator
from referencing import Registry

from skills.contract import ToolInput

_UNUSED = frozenset(("pattern", "patternProperties", "$schema", "$id"))
"""A regular expression from outside may run for hours; the server checks its own."""


class Unusable(Exception):
    """The server's schema is none."""


def input_of(schema: Mapping[str, Any]) -> type[ToolInput]:
    """The input type of a tool: whatever its schema allows. Raises Unusable."""
    plain: dict[str, Any] = _without(schema)
    if plain.get("type", "object") != "object":
        raise Unusable("its input is no object")
    try:
        Draft202012Validator.check_schema(plain)
    except SchemaError as error:
        raise Unusable(f"its input schema is not valid: {error.message[:100]}") from None
    if _elsewhere(plain):
        raise Unusable("its input schema refers to another address")
    # An empty registry: nothing is ever fetched.
    validator = Draft202012Validator(plain, registry=Registry())

    class Given(ToolInput):
        model_config = ConfigDict(extra="allow", frozen=True)

        @model_validator(mode="before")
        @classmethod
        def _as_the_server_says(cls, value: Any) -> Any:
            problem = best_match(validator.iter_errors(value))
            if problem is not None:
                where = ".".join(map(str, problem.absolute_path))
                raise ValueError(f"{where}: {problem.message[:200]}" if where else problem.message[:200])
            return value

        @classmethod
        def model_json_schema(cls, *_: Any, **__: Any) -> dict[str, Any]:
            return plain

    return Given


def sent(given: ToolInput) -> dict[str, Any]:
    """What the server is sent: as the model wrote it."""
    return dict(given.model_extra or {})


def _elsewhere(node: Any) -> bool:
    if isinstance(node, list):
        return any(_elsewhere(item) for item in node)
    if not isinstance(node, Mapping):
        return False
    return any(
        (key in ("$ref", "$dynamicRef") and isinstance(value, str) and not value.startswith("#")) or _elsewhere(value)
        for key, value in node.items()
    )


def _without(node: Any, names: bool = False) -> Any:
    """The schema without what is not used; `names`: the keys are names of properties, not keywords."""
    if isinstance(node, list):
        return [_without(item) for item in node]
    if not isinstance(node, Mapping):
        return node
    inner = ("properties", "$defs", "definitions", "dependentSchemas")
    return {
        key: _without(value, names=not names and key in inner)
        for key, value in node.items()
        if names or key not in _UNUSED
    }
