"""Cassettes: exchanges with a system, recorded and given back byte for byte; never a live call for what is missing.

A file of JSON lines: a head, then one exchange a line with a digest of its own, so that a damaged line is named. An
exchange is found by its canonical request: method, path, sorted query, the form that was asked for and the body, where
JSON differs only in spaces and in the order of keys.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlencode

from workers.simulation.company import SimulationError
from workers.simulation.faces.exchange import Ask, Face, Reply, as_json

FORMAT = "gumshoe-cassette-1"
KEPT_HEADERS = ("x-elastic-product", "content-disposition", "retry-after", "www-authenticate")
"""Of a reply; the others belong to the connection."""


class CassetteError(SimulationError):
    """A cassette is damaged, or was asked for what it has not. The text names the file and the request."""


@dataclass(frozen=True)
class Exchange:
    system: str
    """kubernetes, prometheus ...: a cassette may hold several."""
    request: str
    """Canonical."""
    reply: Reply


def canonical(ask: Ask) -> str:
    """`GET /api/v1/pods?limit=500`, for a POST with its body, for a Table with that form."""
    path = quote(unquote(ask.path), safe="/:*,@~")
    query = f"?{urlencode(sorted(ask.query))}" if ask.query else ""
    form = " as=Table" if "as=Table" in ask.headers.get("accept", "") else ""
    return f"{ask.method} {path}{query}{form}{_body(ask.body)}"


def _body(body: bytes) -> str:
    if not body:
        return ""
    try:
        rows = [json.loads(line) for line in body.splitlines() if line.strip()] if b"\n" in body else [json.loads(body)]
        return " " + "\n".join(json.dumps(r, sort_keys=True, separators=(",", ":"), ensure_ascii=False) for r in rows)
    except ValueError:
        return " " + body.decode("utf-8", "replace")


class Cassette:
    """Exchanges by system and request. The first reply to a request stays."""

    def __init__(self, exchanges: Iterable[Exchange] = (), name: str = "cassette") -> None:
        self.name = name
        self._by_key: dict[tuple[str, str], Exchange] = {}
        for each in exchanges:
            self.add(each)

    def __len__(self) -> int:
        return len(self._by_key)

    def add(self, exchange: Exchange) -> Exchange:
        return self._by_key.setdefault((exchange.system, exchange.request), exchange)

    def find(self, system: str, ask: Ask) -> Reply | None:
        found = self._by_key.get((system, canonical(ask)))
        return found.reply if found else None

    def reply(self, system: str, ask: Ask) -> Reply:
        """Raises CassetteError, naming the request and the nearest that is there."""
        found = self.find(system, ask)
        if found is None:
            raise CassetteError(self._missing(system, canonical(ask)))
        return found

    def _missing(self, system: str, request: str) -> str:
        path = request.partition("?")[0].partition(" as=")[0]
        near = [r for s, r in self._by_key if s == system and r.startswith(path)]
        there = f"; it has {near[0][:200]!r}" if near else f"; it has {len(self)} other requests"
        return f"{self.name}: no answer of {system} to {request[:400]!r} was recorded{there}"

    def of(self, system: str) -> list[Exchange]:
        """In the order in which they were recorded."""
        return [e for e in self._by_key.values() if e.system == system]

    @property
    def systems(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(e.system for e in self._by_key.values()))

    def write(self, path: Path) -> None:
        """Whole or not at all."""
        head = json.dumps({"format": FORMAT, "exchanges": len(self)})
        part = path.with_name(path.name + ".part")
        part.write_text("\n".join([head, *(_row(e) for e in self._by_key.values())]) + "\n", encoding="utf-8")
        part.replace(path)


def _row(it: Exchange) -> str:
    row: dict[str, Any] = {"system": it.system, "request": it.request, "status": it.reply.status}
    row["content_type"], row["headers"] = it.reply.content_type, dict(it.reply.headers)
    try:
        row["body"] = it.reply.body.decode("utf-8")
    except UnicodeDecodeError:
        row["base64"] = base64.b64encode(it.reply.body).decode("ascii")
    return json.dumps({**row, "digest": _digest(row)}, ensure_ascii=False)


def _digest(row: Mapping[str, Any]) -> str:
    return sha256(json.dumps(row, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:32]


def load(path: Path) -> Cassette:
    """Raises CassetteError that names the file, the line and, where it can still be read, the request."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CassetteError(f"{path.name}: cannot be read: {error}") from None
    try:
        head = json.loads(lines[0]) if lines else {}
    except ValueError:
        head = {}
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise CassetteError(f"{path.name}: line 1 is not the head of a cassette ({FORMAT})")
    rows = [_parsed(path.name, number, line) for number, line in enumerate(lines[1:], 2)]
    if len(rows) != head.get("exchanges"):
        raise CassetteError(f"{path.name}: {head.get('exchanges')} exchanges were recorded, and {len(rows)} are left")
    return Cassette(rows, path.name)


def _parsed(name: str, number: int, line: str) -> Exchange:
    try:
        row = json.loads(line)
        digest = row.pop("digest")
        request = str(row["request"])
        body = base64.b64decode(row["base64"]) if "base64" in row else row["body"].encode("utf-8")
        reply = Reply(int(row["status"]), body, str(row["content_type"]), row["headers"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        said = line[line.find('"request"') :][:160] if '"request"' in line else line[:80]
        raise CassetteError(f"{name}: line {number} is damaged ({type(error).__name__}): {said}") from None
    if _digest(row) != digest:
        raise CassetteError(f"{name}: line {number} was changed after it was recorded: {request[:200]!r}")
    return Exchange(str(row["system"]), request, reply)


class Player:
    """A face that answers from a cassette alone. What is not on it is answered 501 and counted, by its request."""

    def __init__(self, cassette: Cassette, system: str) -> None:
        self.refused: Counter[str] = Counter()
        self._cassette, self._system = cassette, system

    def answer(self, ask: Ask) -> Reply:
        try:
            return self._cassette.reply(self._system, ask)
        except CassetteError as error:
            self.refused[canonical(ask)] += 1
            return as_json({"error": str(error)}, 501)


class Recorder:
    """A face in front of another; what goes through it stays on the cassette."""

    def __init__(self, inner: Face, cassette: Cassette, system: str) -> None:
        self.refused: Counter[str] = inner.refused
        self._inner, self._cassette, self._system = inner, cassette, system

    def answer(self, ask: Ask) -> Reply:
        found = self._cassette.find(self._system, ask)
        if found is not None:
            return found
        reply = self._inner.answer(ask)
        kept = replace(reply, headers={k: v for k, v in reply.headers.items() if k.lower() in KEPT_HEADERS})
        return self._cassette.add(Exchange(self._system, canonical(ask), kept)).reply
