"""HTTP to a Loki API, bounded in time and bytes. A failure is a ToolError with the query and the server's words.

API: Loki documentation, "Loki HTTP API": query, query_range, labels, label values. Log entries come as streams with
timestamps in nanoseconds as text, counts as vectors; errors as plain text (pkg/util/server/error.go), also those of
limits: "max entries limit per query exceeded", "the query time range exceeds the limit", "too many outstanding
requests".
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from skills.contract import Access, ToolError, Window
from skills.loki.settings import Settings
from skills.trouble import Key, Party, Refused, refused, secrets_of, unreadable
from skills.wire import Trust, Wire, basic_pair

LONG_QUERY = 1500
"""Queries longer than this are sent as a form: proxies refuse long addresses."""


@dataclass(frozen=True)
class Entry:
    nanoseconds: int
    text: str
    labels: Mapping[str, str]
    """Labels of its stream, and its structured metadata."""


class Client:
    def __init__(self, access: Access) -> None:
        settings: Settings = access.settings
        self.settings = settings
        self._base = settings.url.rstrip("/").removesuffix("/loki/api/v1") + "/loki/api/v1"
        self._party = _party(settings, access)
        trust = Trust(settings.verify_tls, settings.ca_file)
        self._wire = Wire(self._party, _headers(settings, access), access.meter, access.timeout_seconds, trust)

    # --- what can be asked ------------------------------------------------------------------------------------------

    def entries(self, query: str, start: int, end: int, limit: int, *, newest: bool = False) -> list[Entry]:
        """Of start <= time < end in nanoseconds, the oldest or the newest first. Raises ToolError."""
        asked = {
            "query": query,
            "start": str(start),
            "end": str(end),
            "limit": str(limit),
            "direction": "backward" if newest else "forward",
        }
        data = self._data("/query_range", asked, f"{query} from {_utc(start)} to {_utc(end)}")
        if data.get("resultType") != "streams":
            raise ToolError(f"Loki answered {query!r} with {data.get('resultType')!r} where log lines were asked for")
        found = [entry for stream in data["result"] for entry in _entries(stream, query)]
        return sorted(found, key=lambda entry: entry.nanoseconds, reverse=newest)

    def counts(self, query: str, at: datetime) -> list[tuple[Mapping[str, str], float]]:
        """The value of each series of a metric query. Raises ToolError."""
        data = self._data("/query", {"query": query, "time": str(nanoseconds(at))}, f"{query} at {at.isoformat()}")
        try:
            return [(dict(row["metric"]), float(row["value"][1])) for row in data["result"]]
        except (KeyError, TypeError, ValueError, IndexError):
            raise ToolError(f"Loki answered {query!r} with counts that cannot be read") from None

    def series(
        self, query: str, start: int, end: int, step_milliseconds: int
    ) -> list[tuple[Mapping[str, str], list[tuple[float, float]]]]:
        """The values of each series of a metric query, as (seconds, value). Raises ToolError."""
        asked = {"query": query, "start": str(start), "end": str(end), "step": f"{step_milliseconds / 1000:.3f}"}
        data = self._data("/query_range", asked, f"{query} from {_utc(start)} to {_utc(end)}")
        try:
            return [(dict(row["metric"]), [(float(t), float(v)) for t, v in row["values"]]) for row in data["result"]]
        except (KeyError, TypeError, ValueError):
            raise ToolError(f"Loki answered {query!r} with series that cannot be read") from None

    def size(self, selector: str, window: Window) -> float | None:
        """Bytes that a selector covers, as the index estimates them; None where the server does not say. Raises
        ToolError."""
        try:
            answer = self._ask("/index/stats", {"query": selector, **_span(window)}, f"size of {selector}")
        except Refused as error:
            if error.status in (401, 429):
                raise
            return None
        size = answer.get("bytes") if isinstance(answer, dict) else None
        return float(size) if isinstance(size, (int, float)) else None

    def labels(self, window: Window | None = None) -> list[str]:
        """Raises ToolError."""
        return self._names("/labels", _span(window), "labels")

    def values(self, label: str, window: Window, selector: str) -> list[str]:
        """Raises ToolError."""
        return self._names(
            f"/label/{quote(label)}/values", {**_span(window), "query": selector}, f"values of label {label}"
        )

    # --- how it is asked --------------------------------------------------------------------------------------------

    def _names(self, path: str, asked: Mapping[str, str], shown: str) -> list[str]:
        answer = self._ask(path, asked, shown)
        names = answer.get("data") if isinstance(answer, dict) else None
        if names is None and isinstance(answer, dict) and answer.get("status") == "success":
            return []  # an empty list is left out
        if not isinstance(names, list):
            raise ToolError(f"Loki answered {shown} with no list: {_shorter(json.dumps(answer))}")
        return [str(name) for name in names]

    def _data(self, path: str, asked: Mapping[str, str], shown: str) -> dict[str, Any]:
        answer = self._ask(path, asked, shown)
        data = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(data, dict) or not isinstance(data.get("result"), list):
            raise ToolError(f"Loki answered {shown} without a result: {_shorter(json.dumps(answer))}")
        return data

    def _ask(self, path: str, asked: Mapping[str, str], shown: str) -> Any:
        form = urlencode(asked)
        if len(form) > LONG_QUERY:
            answer = self._wire.ask(self._base + path, shown, form=form)
        else:
            answer = self._wire.ask(f"{self._base}{path}?{form}" if form else self._base + path, shown)
        if answer.status != 200:
            raise refused(self._party, answer, shown)
        try:
            return json.loads(answer.body)
        except (ValueError, RecursionError):
            raise unreadable(self._party, answer, shown) from None


def _headers(settings: Settings, access: Access) -> dict[str, str]:
    headers = {"Accept": "application/json", "Accept-Encoding": "gzip", **settings.headers}
    if settings.org_id:
        headers["X-Scope-OrgID"] = settings.org_id
    if settings.token_env and (token := access.secret(settings.token_env)):
        headers["Authorization"] = f"Bearer {token}"
    elif pair := basic_pair(settings.username, access.secret(settings.password_env or "")):
        headers["Authorization"] = f"Basic {pair}"
    return headers


def _party(settings: Settings, access: Access) -> Party:
    named = [("token_env", settings.token_env), ("password_env", settings.password_env)]
    named = [(setting, variable) for setting, variable in named if variable] or named[:1]
    held = [(setting, variable, access.secret(variable) if variable else None) for setting, variable in named]
    pair = basic_pair(settings.username, access.secret(settings.password_env or ""))
    return Party(
        "Loki",
        "skills.loki",
        settings.url,
        tuple(Key(setting, variable, bool(value)) for setting, variable, value in held),
        needs="read logs",
        also="skills.loki.org_id where tenants are on",
        secrets=secrets_of(*(value for _, _, value in held), pair),
    )


def _entries(stream: Any, query: str) -> Iterator[Entry]:
    try:
        labels = {str(k): str(v) for k, v in stream["stream"].items()}
        for value in stream["values"]:
            more = value[2] if len(value) > 2 and isinstance(value[2], dict) else None
            yield Entry(int(value[0]), str(value[1]), labels if more is None else labels | _metadata(more))
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        raise ToolError(f"Loki answered {query!r} with a stream that cannot be read") from None


def _metadata(more: Mapping[str, Any]) -> dict[str, str]:
    """Structured metadata of an entry: flat, or by category where a proxy asks for it so."""
    found: dict[str, str] = {}
    for key, value in more.items():
        if isinstance(value, dict):
            found |= {str(k): str(v) for k, v in value.items()}
        else:
            found[str(key)] = str(value)
    return found


def _span(window: Window | None) -> dict[str, str]:
    if window is None:
        return {}
    return {"start": str(nanoseconds(window.start)), "end": str(nanoseconds(window.end))}


def nanoseconds(at: datetime) -> int:
    whole = int(at.replace(microsecond=0).timestamp())
    return whole * 1_000_000_000 + at.microsecond * 1000


def _utc(at: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at // 1_000_000_000))


def _shorter(text: str, limit: int = 300) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
