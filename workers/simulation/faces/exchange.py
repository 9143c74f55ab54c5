"""What a face is asked and what it answers: plain records, so that a face can be tested without a socket."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qsl


@dataclass(frozen=True)
class Ask:
    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: bytes = b""

    def get(self, name: str, default: str = "") -> str:
        return next((v for k, v in self.query if k == name), default)

    def all(self, name: str) -> list[str]:
        return [v for k, v in self.query if k == name]

    def form(self) -> Ask:
        """With the fields of a form body among the query's."""
        fields = parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)
        return Ask(self.method, self.path, (*self.query, *fields), self.headers, self.body)


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


def as_json(value: Any, status: int = 200, content_type: str = "application/json", **headers: str) -> Reply:
    body = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    return Reply(status, body, content_type, {k.replace("_", "-"): v for k, v in headers.items()})


class Face(Protocol):
    refused: Counter[str]
    """What it was asked and does not do, by request."""

    def answer(self, ask: Ask) -> Reply: ...
