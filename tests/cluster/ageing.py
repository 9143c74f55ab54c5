"""Makes what a namespace holds older than it is, in etcd, below the API: a shop of last week can then break today.

The API server never lets anybody set a creation time. It stores JSON here (control_plane.py), so every time stamp of a
stored object is moved back by the same amount, and watchers see an ordinary change.
"""

from __future__ import annotations

import base64
import json
import re
from datetime import datetime, timedelta
from typing import Any

import httpx2 as httpx

_STAMP = re.compile(r'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?Z"')
_EVENTS = "/registry/events/"


def older(etcd: str, namespace: str, by: timedelta, *, forget: bool = True) -> int:
    """Events of the beginning are forgotten as after their hour, or moved too; returns how many objects were moved."""
    moved = 0
    with httpx.Client(base_url=etcd, timeout=20) as client:
        for key, value in _stored(client, namespace):
            if forget and key.startswith(_EVENTS):
                _post(client, "deleterange", {"key": _coded(key)})
            elif value.startswith("{"):
                _post(client, "put", {"key": _coded(key), "value": _coded(_moved(value, by))})
                moved += 1
    return moved


def _stored(client: httpx.Client, namespace: str) -> list[tuple[str, str]]:
    answer = _post(client, "range", {"key": _coded("/registry/"), "range_end": _coded("/registry0"), "keys_only": True})
    keys = [base64.b64decode(kv["key"]).decode() for kv in answer.get("kvs", [])]
    ours = [k for k in keys if f"/{namespace}/" in k or k == f"/registry/namespaces/{namespace}"]
    found = []
    for key in ours:
        kvs = _post(client, "range", {"key": _coded(key)}).get("kvs", [])
        found += [(key, base64.b64decode(kv["value"]).decode("utf-8", "replace")) for kv in kvs]
    return found


def _moved(value: str, by: timedelta) -> str:
    def earlier(match: re.Match[str]) -> str:
        return f'"{datetime.fromisoformat(match[1]) - by:%Y-%m-%dT%H:%M:%S}{match[2] or ""}Z"'

    return _STAMP.sub(earlier, value)


def _coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _post(client: httpx.Client, verb: str, body: dict[str, Any]) -> dict[str, Any]:
    done = client.post(f"/v3/kv/{verb}", content=json.dumps(body))
    done.raise_for_status()
    answer: dict[str, Any] = done.json()
    return answer
