"""HTTP to a Prometheus API, bounded in time and size. A failure is a ToolError with the query and the server's words.

API: Prometheus documentation, "HTTP API" (query, query_range, rules, alerts; errors carry errorType and error).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from skills.contract import Access, Series, ToolError, Window
from skills.prometheus.settings import Settings
from skills.trouble import Answered, Key, Party, Refused, refused, secrets_of, unreadable
from skills.wire import Trust, Wire, basic_pair

MAX_BYTES = 20_000_000
LONG_QUERY = 6000
"""Queries longer than this are sent as a form: servers and proxies take addresses of 8 KiB, readers only GET."""


class Rejected(Refused):
    """The server understood that it was asked, and says that it will not answer this."""


class Client:
    def __init__(self, access: Access) -> None:
        settings: Settings = access.settings
        self._party = party(settings, access, "Prometheus", settings.url, "url")
        self._base = settings.url.rstrip("/")
        self.warned: dict[str, None] = {}
        """What the server said of its own answers, each once: Thanos and Mimir when a store is missing, VictoriaMetrics
        when a storage node is."""
        trust = Trust(settings.verify_tls, settings.ca_file)
        self._wire = Wire(
            self._party, headers(settings, access), access.meter, access.timeout_seconds, trust, MAX_BYTES
        )

    def instant(self, expression: str, at: datetime) -> tuple[Series, ...]:
        """The value of each series at a time. Raises ToolError."""
        data = self.get("/api/v1/query", {"query": expression, "time": _unix(at)}, expression)
        return _all_series(data, expression)

    def range(self, expression: str, window: Window, step_seconds: float) -> tuple[Series, ...]:
        """Values over a window, one each `step_seconds`. Raises ToolError."""
        asked = {
            "query": expression,
            "start": _unix(window.start),
            "end": _unix(window.end),
            "step": f"{max(1, round(step_seconds))}",
        }
        data = self.get("/api/v1/query_range", asked, f"{expression} over {window}")
        return _all_series(data, expression)

    def get(self, path: str, asked: Mapping[str, str], shown: str) -> Any:
        """The `data` of an answer; `shown` is how the question reads in an error. Raises ToolError."""
        form = urlencode(asked)
        if len(form) > LONG_QUERY:
            answer = self._wire.ask(self._base + path, shown, form=form)
        else:
            answer = self._wire.ask(f"{self._base}{path}?{form}" if form else self._base + path, shown)
        data, warnings = self._data(answer, shown)
        self.warned |= dict.fromkeys(warnings)
        return data

    def _data(self, answer: Answered, shown: str) -> tuple[Any, list[str]]:
        if answer.status != 200:
            problem = refused(self._party, answer, shown)
            if answer.status in (400, 422):
                raise Rejected(problem.said, asked=shown, status=answer.status, words=problem.words)
            raise problem
        try:
            told = json.loads(answer.body)
        except (ValueError, RecursionError):
            raise unreadable(self._party, answer, shown) from None
        if not isinstance(told, dict) or told.get("status") != "success":
            raise unreadable(self._party, answer, shown, "an answer of Prometheus's API")
        return told.get("data"), _warnings(told)


def party(settings: Settings, access: Access, system: str, base: str, address: str) -> Party:
    """Prometheus, or the Alertmanager beside it: they share the credentials."""
    named = [("token_env", settings.token_env), ("password_env", settings.password_env)]
    named = [(setting, variable) for setting, variable in named if variable] or named[:1]
    named += [(f"headers_env.{name}", variable) for name, variable in settings.headers_env.items()]
    held = [(setting, variable, access.secret(variable) if variable else None) for setting, variable in named]
    pair = basic_pair(settings.username, access.secret(settings.password_env or ""))
    return Party(
        system,
        "skills.prometheus",
        base,
        tuple(Key(setting, variable, bool(value)) for setting, variable, value in held),
        address=address,
        needs="query it",
        secrets=secrets_of(*(value for _, _, value in held), pair),
    )


def headers(settings: Settings, access: Access) -> dict[str, str]:
    """What goes with each request; X-Scope-OrgID and the like come from the settings."""
    found = {"Accept": "application/json", "Accept-Encoding": "gzip", **settings.headers}
    for name, variable in settings.headers_env.items():
        if value := access.secret(variable):
            found[name] = value
    if settings.token_env and (token := access.secret(settings.token_env)):
        found["Authorization"] = f"Bearer {token}"
    elif pair := basic_pair(settings.username, access.secret(settings.password_env or "")):
        found["Authorization"] = f"Basic {pair}"
    return found


def _warnings(told: Mapping[str, Any]) -> list[str]:
    said = told.get("warnings")
    # Since 2.49 hints on the query itself come along: "PromQL info: metric might not be a counter ...".
    kept = [str(w) for w in said if not str(w).startswith("PromQL info")] if isinstance(said, list) else []
    warnings = [w[:240] for w in kept[:5]]
    if told.get("isPartial") is True:
        warnings.append("the answer is partial: a storage node did not answer")
    return warnings


def _result(data: Any, expression: str) -> list[Any]:
    if not isinstance(data, dict) or not isinstance(data.get("result"), list):
        raise ToolError(f"Prometheus answered {expression!r} without a result")
    if data.get("resultType") == "scalar":
        return [{"metric": {}, "value": data["result"]}]
    if data.get("resultType") == "string":
        raise ToolError(f"{expression!r} gives a string, not numbers")
    rows: list[Any] = data["result"]
    return rows


def _all_series(data: Any, expression: str) -> tuple[Series, ...]:
    moments = _Moments()
    return tuple(_series(row, moments, expression) for row in _result(data, expression))


class _Moments(dict[Any, datetime]):
    """Times by what the server wrote: the series of one answer share theirs, and there are thousands of points."""

    def __missing__(self, written: Any) -> datetime:
        made = self[written] = datetime.fromtimestamp(float(written), UTC)
        return made


def _series(row: Any, moments: _Moments, expression: str) -> Series:
    try:
        pairs = row["values"] if "values" in row else [row["value"]]
        # Prometheus writes +Inf, -Inf and NaN as text; float() reads them.
        points = tuple([(moments[t], float(v)) for t, v in pairs])
        return Series({str(k): str(v) for k, v in row["metric"].items()}, points)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError):
        raise ToolError(f"Prometheus answered {expression!r} with a series that cannot be read") from None


def _unix(at: datetime) -> str:
    return f"{at.timestamp():.3f}".rstrip("0").rstrip(".")
