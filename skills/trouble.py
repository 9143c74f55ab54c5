"""What goes wrong between a system and us, told in one voice: what happened, what to do about it, what was asked.

Every client words its failures here, so that an engineer reads the same sentence for the same trouble whichever system
it is of. The first words are the ones that a thread has room for: they say what happened; the question comes last.
Knows no vendor and sends nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import urlsplit

from skills.contract import Check, ToolError
from skills.said import is_page, one_line, words_of

_HIDDEN = "[redacted]"


class Trouble(ToolError):
    """A question that a system did not answer. Its text has all three parts, the shortest useful one first."""

    def __init__(self, said: str, remedy: str = "", asked: str = "", *, status: int = 0, words: str = "") -> None:
        super().__init__("; ".join(p for p in (said, remedy, asked and f"asked: {asked}") if p))
        self.said = said
        """What happened, in a line."""
        self.remedy = remedy
        """What an engineer can do about it, with the setting or variable to change."""
        self.asked = asked
        """The question, so that a person can ask it again."""
        self.status = status
        """Of HTTP; 0 when there was no answer."""
        self.words = words
        """The server's own."""


class Refused(Trouble):
    """The system answered, and not with what was asked for."""


class Denied(Refused):
    """401 or 403. Change the credentials, or what they may read."""


class NotThere(Refused):
    """404: no such thing, or not to be seen with these credentials."""


class RateLimited(Refused):
    """429, or a 403 that means it. Ask less, or raise the limit."""


class Unanswered(Trouble):
    """No usable answer: unreachable, too slow, too large, broken off, or none that can be read."""


def failed(what: str, error: ToolError, remedy: str = "") -> Check:
    """The line of `gumshoe doctor`, in the words of the gap; `remedy` where the error knows none."""
    if not isinstance(error, Trouble):
        return Check(what, False, str(error), remedy)
    asked = f"; asked: {error.asked}" if error.asked else ""
    return Check(what, False, f"{error.said}{asked}", error.remedy or remedy)


def concerns_all(error: ToolError) -> bool:
    """Whether every other question would fail alike, so that none needs to be asked."""
    if isinstance(error, Refused):
        return error.status in (401, 429) or error.status >= 500 or 300 <= error.status < 400
    return isinstance(error, Trouble)


@dataclass(frozen=True)
class Key:
    """A secret that is sent when it is there."""

    setting: str
    """Of the customer's file: token_env."""
    variable: str | None
    """Which the setting names; None when it names none."""
    sent: bool


@dataclass(frozen=True)
class Party:
    """Whom is asked, and where the customer's file says so."""

    system: str
    """As people call it: GitHub, Argo CD, PagerDuty."""
    section: str
    """Of the customer's file: skills.changes.github."""
    base: str
    """The address below which everything is asked."""
    keys: tuple[Key, ...] = ()
    login: str = ""
    """What to look at when it asks who we are, where that is none of the keys."""
    address: str = "url"
    """The setting that holds `base`."""
    trust: str = "ca_file"
    """The setting that holds the authority of its certificate."""
    needs: str = ""
    """What the credentials must be allowed to do: `read logs`."""
    holds: str = ""
    """A setting besides the address that says what is looked for: index."""
    also: str = ""
    """Another setting to look at when it asks who we are: org_id, where tenants are on."""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Values that were sent, which a server may say back."""

    @property
    def shown(self) -> str:
        """The address without credentials in it."""
        parts = urlsplit(self.base)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}".rstrip("/") if parts.netloc else ""

    @property
    def host(self) -> str:
        return urlsplit(self.base).hostname or self.shown

    def hushed(self, text: str) -> str:
        for secret in self.secrets:
            text = text.replace(secret, _HIDDEN)
        return text

    def quieted(self, answer: Answered) -> Answered:
        """Before anything is cut off, so that no half of a secret is left."""
        body = answer.body
        for secret in self.secrets:
            body = body.replace(secret.encode(), _HIDDEN.encode())
        return replace(answer, body=body)

    def question(self, asked: str) -> str:
        return f"{self.hushed(asked)} at {self.shown}" if self.shown else self.hushed(asked)

    def setting(self, name: str) -> str:
        return f"{self.section}.{name}"

    def _log_in(self) -> str:
        """What to do when it does not know who we are."""
        also = f", and {self.also}" if self.also else ""
        if sent := [k for k in self.keys if k.sent]:
            held = " and ".join(f"{k.variable} ({self.setting(k.setting)})" for k in sent)
            return f"check the value of {held}{also}"
        if empty := [k for k in self.keys if k.variable]:
            held = " and ".join(f"{k.variable} ({self.setting(k.setting)})" for k in empty)
            return f"{held} is empty: set it{also}"
        if self.keys:
            return f"no credentials were sent: name them in {self.setting(self.keys[0].setting)}{also}"
        return f"check {self.login or 'the credentials'}{also}"

    def _permission(self) -> str:
        """What to do when it knows who we are and does not let us."""
        sent = [f"the owner of {k.variable} ({self.setting(k.setting)})" for k in self.keys if k.sent]
        who = " and ".join(sent) or self.login
        return f"let {who} {self.needs}" if who and self.needs else self._log_in()


def secrets_of(*values: str | None) -> tuple[str, ...]:
    """Those that are long enough to be told apart from a word, the longest first."""
    return tuple(sorted({v for v in values if v and len(v) >= 4}, key=len, reverse=True))


@dataclass(frozen=True)
class Answered:
    """What came back over HTTP."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    tries: int = 1


# --- it answered, and not with what was asked for ------------------------------------------------------------------


def refused(party: Party, answer: Answered, asked: str) -> Refused:
    """From an answer of any status but 2xx."""
    answer = party.quieted(answer)
    words = words_of(answer.body)
    kind, said, remedy = _refusal(party, answer, words)
    return kind(said, remedy, party.question(asked), status=answer.status, words=words)


def is_rate_limit(answer: Answered) -> bool:
    """GitHub says 403 for its own: with no request left, or with the time to wait."""
    limited = answer.headers.get("x-ratelimit-remaining") == "0" or "retry-after" in answer.headers
    return answer.status == 429 or (answer.status == 403 and limited)


def _refusal(party: Party, answer: Answered, words: str) -> tuple[type[Refused], str, str]:
    status, system = answer.status, party.system
    told = f": {words}" if words else ""
    if is_rate_limit(answer):
        times = "once" if answer.tries == 1 else f"{answer.tries} times"
        said = f"{system} limits the rate ({status}{_again(answer.headers)}), asked {times}{told}"
        return RateLimited, said, "raise its limit for this client, or lower budget.queries_per_system"
    if status == 401:
        return Denied, f"{system} did not accept the credentials (401){told}", party._log_in()
    if status == 403:
        return Denied, f"{system} does not allow this (403){told}", party._permission()
    if status == 404:
        settings = " and ".join(party.setting(s) for s in (party.holds, party.address) if s)
        return NotThere, f"{system} has nothing there (404){told}", f"check {settings}"
    if 300 <= status < 400:
        there = party.hushed(answer.headers.get("location", "nowhere"))[:200]
        remedy = f"correct {party.setting(party.address)}, or let Gumshoe past the log-in page there"
        return Refused, f"{system} sends us on to {there} ({status})", remedy
    if status >= 500:
        if _is_proxys(answer.body):
            told = "" if words.startswith(str(status)) else told
            said = f"a proxy before {system} answered {status} {_phrase(status)}{told}"
            return Refused, said, f"see whether {system} runs behind {party.shown}"
        return Refused, f"{system} failed ({status}){told}", f"look at the health of {system}"
    return Refused, f"{system} rejected the question ({status}){told}", ""


def _again(headers: Mapping[str, str]) -> str:
    """When it may be asked again: GitHub's epoch, or the seconds that HTTP and PagerDuty give."""
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") == "0" and reset.isdigit() and len(reset) < 12:
        return f" until {datetime.fromtimestamp(int(reset), UTC):%H:%M:%SZ}"
    seconds = headers.get("retry-after") or headers.get("ratelimit-reset") or ""
    return f" for {seconds[:40]}{' s' if seconds.isdigit() else ''}" if seconds else ""


_PROXIES = re.compile(rb"<html|bad gateway|upstream connect error|no healthy upstream|no available server", re.I)
"""As nginx, HAProxy, Envoy and Traefik write for what stands behind them."""


def _is_proxys(body: bytes) -> bool:
    return _PROXIES.search(body[:2000]) is not None


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in set(HTTPStatus) else ""


# --- it answered 2xx, and nobody can read it ------------------------------------------------------------------------


def unreadable(party: Party, answer: Answered, asked: str, wanted: str = "JSON") -> Unanswered:
    """From an answer that is not what it should be, byte for byte."""
    said, remedy = _unreadable(party, party.quieted(answer), wanted)
    return Unanswered(said, remedy, party.question(asked), status=answer.status)


def _unreadable(party: Party, answer: Answered, wanted: str) -> tuple[str, str]:
    system, body = party.system, answer.body
    look = f"check {party.setting(party.address)}"
    if not body.strip():
        return f"{system} answered with nothing ({answer.status}, an empty body)", look
    if is_page(body):
        page = f"{system} answered with a web page instead of {wanted}: {words_of(body)!r}"
        return page, f"a log-in page or a proxy stands before it: {look} and the credentials"
    start = one_line(body[:400].decode("utf-8", "replace"), 100)
    if wanted == "JSON" and body.lstrip()[:1] in (b"{", b"[") and not _is_json(body):
        return f"{system} broke off its answer after {len(body)} bytes: {start!r}", f"look at the health of {system}"
    return f"{system} answered with {len(body)} bytes that are not {wanted}: {start!r}", look


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True
