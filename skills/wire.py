"""HTTP to one system: bounded in time and bytes, metered, patient once with a server that says when to come again.

What comes back is bytes with a status; what does not is a Trouble. Knows no vendor and no JSON.
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import RemoteDisconnected

import urllib3
from urllib3 import BaseHTTPResponse

from skills.bounded import MAX_BYTES, Bound, whole_body
from skills.contract import QueryMeter
from skills.silence import out_of_time, unanswered
from skills.trouble import Answered, Party, RateLimited

CONNECT_SECONDS = 3.0
MOST_PATIENCE = 2.0
"""Seconds that a server may ask for before it is asked again, once."""
MOST_WORDS = 64_000
"""Bytes of an error's body that are read."""


@dataclass(frozen=True)
class Trust:
    """How the other side of a TLS connection is known."""

    verify_tls: bool = True
    ca_file: str | None = None


class Wire:
    """Safe to share between threads."""

    def __init__(
        self,
        party: Party,
        headers: Mapping[str, str],
        meter: QueryMeter,
        seconds: float,
        trust: Trust,
        max_bytes: int = MAX_BYTES,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.party = party
        self.seconds = seconds
        self._headers = dict(headers)
        self._meter = meter
        self._max_bytes = max_bytes
        self._sleep = sleep
        self._lock = threading.Lock()
        self._limited: RateLimited | None = None
        self._has_answered = False
        self._http = urllib3.PoolManager(
            retries=False,
            maxsize=16,
            cert_reqs="CERT_REQUIRED" if trust.verify_tls else "CERT_NONE",
            ca_certs=trust.ca_file,
        )

    def ask(self, address: str, asked: str, *, form: str | None = None, until: float | None = None) -> Answered:
        """One GET, or one POST of a form; `asked` is how it reads in an error, `until` the monotonic time at which
        nobody waits any longer. Raises Trouble, LoadLimitReached."""
        ends = time.monotonic() + self.seconds
        ends = ends if until is None else min(ends, until)
        answer = self._once(address, asked, form, ends)
        pause = pause_of(answer)
        if pause is not None and pause <= MOST_PATIENCE and time.monotonic() + pause + 0.05 < ends:
            self._sleep(pause)
            again = self._once(address, asked, form, ends)
            answer = Answered(again.status, again.headers, again.body, tries=2)
        return answer

    def leave_alone(self, limit: RateLimited) -> None:
        """Every later question is answered with this."""
        with self._lock:
            self._limited = limit

    def _once(self, address: str, asked: str, form: str | None, ends: float) -> Answered:
        began = time.monotonic()
        seconds = ends - began
        if seconds <= 0.05:
            raise out_of_time(self.party, asked)
        with self._lock:
            if self._limited is not None:
                raise self._limited
            self._meter.request()
        headers = self._headers
        if form is not None:
            headers = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
        try:
            response = self._sent(address, form, headers, seconds)
            fails = response.status >= 300
            most = MOST_WORDS if fails else self._max_bytes
            bound = Bound(seconds, self._meter.received, most, cut=fails)
            body = whole_body(response, bound, began)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise unanswered(self.party, error, asked, seconds) from None
        return Answered(response.status, {k.lower(): v for k, v in response.headers.items()}, body)

    def _sent(self, address: str, form: str | None, headers: Mapping[str, str], seconds: float) -> BaseHTTPResponse:
        def send() -> BaseHTTPResponse:
            return self._http.request(
                "GET" if form is None else "POST",
                address,
                body=form,
                headers=headers,
                timeout=urllib3.Timeout(connect=min(CONNECT_SECONDS, seconds), read=seconds),
                preload_content=False,
                redirect=False,
            )

        try:
            response = send()
        except urllib3.exceptions.ProtocolError as error:
            if not (self._has_answered and was_closed(error)):
                raise
            response = send()
        self._has_answered = True
        return response


def was_closed(error: urllib3.exceptions.ProtocolError) -> bool:
    """Whether a connection that was kept had been closed on the other side: the question never arrived there, and may
    be asked again."""
    return any(isinstance(cause, RemoteDisconnected | ConnectionResetError) for cause in error.args)


def basic_pair(username: str | None, password: str | None) -> str:
    """What follows `Basic ` (RFC 7617); empty without both."""
    return base64.b64encode(f"{username}:{password}".encode()).decode() if username and password else ""


def pause_of(answer: Answered) -> float | None:
    """Seconds that a server wants to be left alone; None when it does not say (RFC 9110, Retry-After in seconds)."""
    seconds = answer.headers.get("retry-after", "")
    return float(seconds) if answer.status in (429, 503) and seconds.isdigit() and len(seconds) < 6 else None
