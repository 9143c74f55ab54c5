"""Interfaces as their makers publish them: the OpenAPI files in the Go modules of Alertmanager and Argo CD.

Neither has a client for Python of its makers; the file is what clients are made from.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft4Validator

Json = dict[str, Any]


@cache
def interface(module: str, version: str, file: str) -> Json:
    """The file of a module, from Go's module cache or its proxy."""
    if shutil.which("go") is None:
        pytest.skip("Go is not here; it fetches the published interface")
    asked = ["go", "mod", "download", "-json", f"{module}@{version}"]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=300, cwd="/")
    if done.returncode != 0:
        pytest.skip(f"{module}@{version} could not be fetched: {done.stdout[-200:]}")
    found: Json = _strict(yaml.safe_load((Path(json.loads(done.stdout)["Dir"]) / file).read_text()))
    return found


def _strict(document: Json) -> Json:
    """What an object's description does not name may not be in it. Parts that are put together (allOf) become one."""
    definitions = {name: _whole(each, document["definitions"]) for name, each in document["definitions"].items()}
    return {**document, "definitions": {name: _closed(each) for name, each in definitions.items()}}


def _whole(node: Json, definitions: Json) -> Json:
    if "allOf" not in node:
        return node
    made: Json = {"type": "object", "properties": {}, "required": []}
    for part in node["allOf"]:
        named = definitions[part["$ref"].rpartition("/")[2]] if "$ref" in part else part
        whole = _whole(named, definitions)
        made["properties"].update(whole.get("properties", {}))
        made["required"] += whole.get("required", [])
    return made


def _closed(node: Any) -> Any:
    if isinstance(node, list):
        return [_closed(each) for each in node]
    if not isinstance(node, dict):
        return node
    made = {k: _closed(v) for k, v in node.items() if not (k == "required" and v == [])}
    if isinstance(made.get("properties"), dict) and made.get("type", "object") == "object":
        made.setdefault("additionalProperties", False)
    return made


def problems(document: Json, definition: str, value: Any, *, many: bool = False) -> list[str]:
    """What of a value is not as the definition says."""
    one: Json = {"$ref": f"#/definitions/{definition}"}
    asked: Json = {"type": "array", "items": one} if many else {"allOf": [one]}
    found = Draft4Validator({**asked, "definitions": document["definitions"]}).iter_errors(value)
    return [f"{'/'.join(str(p) for p in e.absolute_path)}: {e.message[:200]}" for e in found]
