"""HTTP to a Prometheus API, bounded in time and size. A failure is a ToolError with the query and the server's words.

API: Prometheus documentation, "HTTP API" (query, query_range, rules, alerts; errors carry errorType and error).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import urllib3

from skills.contract import Access, Series, ToolError, Window
from skills.prometheus.settings import Settings

MAX_BYTES = 20_000_000
CONNECT_SECONDS = 3.0
LONG_QUERY = 6000
"""Queries longer than this are sent as a form: servers and proxies take addresses of 8 KiB, readers only GET."""


class Rejected(ToolError):
    """The server understood that it was asked, and says that it will not answer this."""


class Client:
    def __init__(self, access: Access) -> None:
        settings: Settings = access.settings
        self._base = settings.url.rstrip("/")
        self._headers = headers(settings, access)
        self._timeout = access.timeout_seconds
        self._meter = access.meter
        self.warned: dict[str, None] = {}
        """What the server said of its own answers, each once: Thanos and Mimir when a store is missing, VictoriaMetrics
        when a storage node is."""
        self._http = urllib3.PoolManager(
            retries=False,
            maxsize=8,
            cert_reqs="CERT_REQUIRED" if settings.verify_tls else "CERT_NONE",
            ca_certs=settings.ca_file,
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
        self._meter.request()
        form = urlencode(asked)
        timeout = urllib3.Timeout(connect=min(CONNECT_SECONDS, self._timeout), read=self._timeout)
        try:
            if len(form) > LONG_QUERY:
                headers = {**self._headers, "Content-Type": "application/x-www-form-urlencoded"}
                response = self._http.request(
                    "POST", self._base + path, body=form, headers=headers, timeout=timeout, preload_content=False
                )
            else:
                address = f"{self._base}{path}?{form}" if form else self._base + path
                response = self._http.request(
                    "GET", address, headers=self._headers, timeout=timeout, preload_content=False
                )
            body = self._read(response, shown)
        except urllib3.exceptions.HTTPError as error:
            raise ToolError(f"Prometheus did not answer {shown!r}: {_words(error)}") from None
        data, warnings = _data(response.status, body, shown)
        self.warned |= dict.fromkeys(warnings)
        return data

    def _read(self, response: urllib3.BaseHTTPResponse, shown: str) -> bytes:
        parts, size = [], 0
        try:
            for part in response.stream(65536, decode_content=True):
                size += len(part)
                if size > MAX_BYTES:
                    raise ToolError(
                        f"Prometheus answered {shown!r} with more than {MAX_BYTES // 1_000_000} MB: narrow the query"
                    )
                parts.append(part)
        finally:
            self._meter.received(size)
            response.close()
        return b"".join(parts)


def headers(settings: Settings, access: Access) -> dict[str, str]:
    """What goes with each request; X-Scope-OrgID and the like come from the settings."""
    found = {"Accept": "application/json", "Accept-Encoding": "gzip", **settings.headers}
    for name, variable in settings.headers_env.items():
        if value := access.secret(variable):
            found[name] = value
    if settings.token_env and (token := access.secret(settings.token_env)):
        found["Authorization"] = f"Bearer {token}"
    elif settings.username and settings.password_env and (password := access.secret(settings.password_env)):
        pair = base64.b64encode(f"{settings.username}:{password}".encode()).decode()
        found["Authorization"] = f"Basic {pair}"
    return found


def _data(status: int, body: bytes, shown: str) -> tuple[Any, list[str]]:
    try:
        answer = json.loads(body)
    except ValueError:
        start = body[:200].decode("utf-8", "replace").strip() or "nothing"
        raise ToolError(f"Prometheus answered {shown!r} with status {status} and no JSON: {start}") from None
    if status in (401, 403):
        raise ToolError(f"Prometheus refused {shown!r} ({status}): check token_env or headers; {_said(answer)}")
    if status != 200 or not isinstance(answer, dict) or answer.get("status") != "success":
        rejected = Rejected if status in (400, 422) else ToolError
        raise rejected(f"Prometheus rejected {shown!r} ({status}): {_said(answer)}")
    said = answer.get("warnings")
    # Since 2.49 hints on the query itself come along: "PromQL info: metric might not be a counter ...".
    told = [str(w) for w in said if not str(w).startswith("PromQL info")] if isinstance(said, list) else []
    warnings = [w[:240] for w in told[:5]]
    if answer.get("isPartial") is True:
        warnings.append("the answer is partial: a storage node did not answer")
    return answer.get("data"), warnings


def _said(answer: Any) -> str:
    if isinstance(answer, dict):
        words = answer.get("error") or answer.get("message") or answer.get("msg")
        kind = answer.get("errorType")
        return f"{kind}: {words}" if kind else str(words or "no reason given")
    return str(answer)[:200]


def _words(error: urllib3.exceptions.HTTPError) -> str:
    reason = getattr(error, "reason", None) or error
    return str(reason).split(": ", 1)[-1][:200]


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
