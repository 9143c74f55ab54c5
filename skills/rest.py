"""JSON over HTTP for skills that speak REST: bounded in time and size, with refusals in words that say what to do.

Knows no vendor. What differs (base address, headers, the name of the credential) is handed in.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import urllib3

from skills.bounded import Bound, TooLarge, whole_body
from skills.contract import QueryMeter, ToolError

CONNECT_SECONDS = 3.0
MAX_BYTES = 12_000_000
MOVES = 2
"""Redirects that are followed."""

Asked = Sequence[tuple[str, str]]


class RateLimited(ToolError):
    """The system asks to be left alone for a while; it is not asked again in this investigation."""


class NotThere(ToolError):
    """404: there is no such thing, or it may not be seen with these credentials."""


@dataclass(frozen=True)
class Answer:
    data: Any
    headers: Mapping[str, str]

    @property
    def has_next(self) -> bool:
        """RFC 8288: Link: <...>; rel="next"."""
        return 'rel="next"' in self.headers.get("link", "")


@dataclass(frozen=True)
class Door:
    """How one system is reached."""

    system: str
    """As people call it, for errors: GitHub, Argo CD, PagerDuty."""
    base: str
    headers: Mapping[str, str]
    credentials: str = "token_env"
    """The setting to look at when it refuses."""
    verify_tls: bool = True
    ca_file: str | None = None


class Rest:
    """GET requests to one system. Safe to share between threads."""

    def __init__(self, door: Door, meter: QueryMeter, timeout_seconds: float) -> None:
        self.door = door
        self._meter = meter
        self._timeout = timeout_seconds
        self._lock = threading.Lock()
        self._limited: RateLimited | None = None
        self._http = urllib3.PoolManager(
            retries=False,
            maxsize=8,
            cert_reqs="CERT_REQUIRED" if door.verify_tls else "CERT_NONE",
            ca_certs=door.ca_file,
        )

    def get(self, path: str, asked: Asked = (), *, until: float | None = None) -> Answer:
        """`until`: monotonic time at which nobody waits any longer. Raises ToolError."""
        form = urlencode(list(asked))
        shown = f"GET {path}?{form}" if form else f"GET {path}"
        return self._get(f"{self.door.base.rstrip('/')}{path}" + (f"?{form}" if form else ""), shown, until, MOVES)

    def _get(self, address: str, shown: str, until: float | None, moves: int) -> Answer:
        began = time.monotonic()
        seconds = self._timeout if until is None else min(self._timeout, until - began)
        if seconds <= 0.05:
            raise ToolError(f"{self.door.system}: no time was left for {shown}")
        with self._lock:
            if self._limited is not None:
                raise self._limited
            self._meter.request()
        try:
            response = self._http.request(
                "GET",
                address,
                headers=dict(self.door.headers),
                timeout=urllib3.Timeout(connect=min(CONNECT_SECONDS, seconds), read=seconds),
                preload_content=False,
                redirect=False,
            )
            body = whole_body(response, Bound(seconds, self._meter.received, MAX_BYTES), began)
        except TooLarge as error:
            raise ToolError(f"{self.door.system}: {shown}: {error}") from None
        except urllib3.exceptions.HTTPError as error:
            raise ToolError(f"{self.door.system} did not answer {shown}: {_words(error)}") from None
        headers = {name.lower(): value for name, value in response.headers.items()}
        if response.status in (301, 302, 307, 308):
            # A renamed repository is answered so. The credentials go nowhere but to the host they are for.
            there = urljoin(address, headers.get("location", ""))
            if moves and _origin(there) == _origin(address):
                return self._get(there, shown, until, moves - 1)
            raise ToolError(
                f"{self.door.system}: {shown} has moved to {there[:200]}: correct the address in the settings"
            )
        return Answer(self._data(response.status, headers, body, shown), headers)

    def _data(self, status: int, headers: Mapping[str, str], body: bytes, shown: str) -> Any:
        system = self.door.system
        try:
            data = json.loads(body)
        except ValueError:
            data = None
        said = said_by(data) or body[:160].decode("utf-8", "replace").strip() or "no words"
        if status == 429 or (
            status == 403 and (headers.get("x-ratelimit-remaining") == "0" or "retry-after" in headers)
        ):
            limited = RateLimited(f"{system} limits the rate ({status}){_again(headers)}: {said}")
            with self._lock:
                self._limited = limited
            raise limited
        if status in (401, 403):
            raise ToolError(f"{system} refused {shown} ({status}): check {self.door.credentials}; {said}")
        if status == 404:
            raise NotThere(f"{system}: {shown}: not there, or not to be seen with these credentials (404): {said}")
        if not 200 <= status < 300:
            raise ToolError(f"{system} answered {shown} with {status}: {said}")
        if data is None:
            raise ToolError(f"{system} answered {shown} with something that is no JSON: {said}")
        return data


def said_by(data: Any) -> str:
    """The words of an error body: GitHub's `message`, Argo CD's `error`, PagerDuty's `error.message` and `errors`."""
    if not isinstance(data, Mapping):
        return ""
    error = data.get("error")
    if isinstance(error, Mapping):
        more = "; ".join(str(e) for e in error.get("errors") or ())
        return f"{error.get('message', '')}{': ' if more else ''}{more}"[:240]
    return str(data.get("message") or error or "")[:240]


def _again(headers: Mapping[str, str]) -> str:
    """When it may be asked again: GitHub's epoch, or the seconds that HTTP and PagerDuty give."""
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") == "0" and reset.isdigit():
        return f" until {datetime.fromtimestamp(int(reset), UTC):%H:%M:%SZ}"
    seconds = headers.get("retry-after") or headers.get("ratelimit-reset") or ""
    return f" for {seconds} s" if seconds else ""


def _origin(address: str) -> tuple[str, str]:
    parts = urlsplit(address)
    return parts.scheme, parts.netloc


def _words(error: urllib3.exceptions.HTTPError) -> str:
    reason = getattr(error, "reason", None) or error
    return str(reason).split(": ", 1)[-1][:200]


# What is read out of somebody else's JSON may be missing or of another type; these never raise.


def text(obj: Any, *path: str) -> str:
    """A string, or a whole number as its digits; "" for anything else."""
    found = at(obj, *path)
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    return found if isinstance(found, str) else ""


def at(obj: Any, *path: str) -> Any:
    for key in path:
        obj = obj.get(key) if isinstance(obj, Mapping) else None
    return obj


def rows(obj: Any, *path: str) -> list[Mapping[str, Any]]:
    """The objects of a list; [] for anything else."""
    found = at(obj, *path)
    return [row for row in found if isinstance(row, Mapping)] if isinstance(found, list) else []


def moment(obj: Any, *path: str) -> datetime | None:
    """An RFC 3339 time, aware UTC."""
    try:
        found = datetime.fromisoformat(text(obj, *path).replace("Z", "+00:00"))
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
