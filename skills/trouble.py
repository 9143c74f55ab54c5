"""What goes wrong between a system and us, told in one voice: what happened, what to do about it, what was asked.

Every client words its failures here, so that an engineer reads the same sentence for the same trouble whichever system
it is of. The first words are the ones that a thread has room for: they say what happened; the question comes last.
Knows no vendor and sends nothing.
"""

from __future__ import annotations

import html
import json
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from skills.contract import Check, ToolError

WORDS = 200
"""Of what a server said, in characters."""
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


def is_page(body: bytes) -> bool:
    return re.match(rb"\s*(?:<!doctype html|<html|<head|<body)", body[:400], re.IGNORECASE) is not None


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


# --- it did not answer ----------------------------------------------------------------------------------------------


def unanswered(party: Party, error: BaseException, asked: str, seconds: float) -> Unanswered:
    """From what a network library raised; `seconds` is how long an answer was waited for."""
    said, remedy = _silence(party, tuple(_causes(error)), seconds)
    return Unanswered(party.hushed(said), remedy, party.question(asked))


def out_of_time(party: Party, asked: str) -> Unanswered:
    return Unanswered(f"{party.system} was not asked: no time was left", "", party.question(asked))


_CHECKED = (
    # What the libraries call it (urllib3, httpx, http.client, our own), and how it is told. The first that fits.
    (("TooLarge",), "{system} {error}", "ask for less; if it was little, {url}"),
    (("TooLong",), "{system} {error}", "{health}, or ask for less"),
    (("FileNotFoundError", "PermissionError", "IsADirectoryError"), "{trust_file} cannot be read: {error}", "{trust}"),
    (("SSLCertVerificationError",), "the certificate of {host} is not trusted: {error}", "{trust}"),
    (("SSLError", "SSLZeroReturnError", "SSLEOFError"), "{origin} does not speak TLS as expected: {error}", "{url}"),
    (("gaierror", "NameResolutionError"), "the host {host} of {system} is not known", "{url}"),
    (("ConnectionRefusedError",), "{system}: nobody listens at {origin} (connection refused)", "{url}"),
    (
        ("ConnectTimeoutError", "ConnectTimeout", "PoolTimeout"),
        "{system} did not answer: no connection within {seconds:.3g} s",
        "{url}",
    ),
    (("ReadTimeoutError", "ReadTimeout", "TimeoutError"), "{system} did not answer within {seconds:.3g} s", "{health}"),
    (("IncompleteRead",), "{system} broke off its answer half-way", "{health}"),
    (("RemoteProtocolError",), "{system} broke off its answer: {error}", "{health}"),
    (("RemoteDisconnected",), "{system} closed the connection without an answer", "{health}"),
    (("ConnectionResetError", "BrokenPipeError"), "{system} broke off the connection", "{health}"),
    (("DecodeError", "error"), "{system} says that its answer is packed, and nobody can unpack it", "{health}"),
)  # fmt: skip


def _silence(party: Party, causes: tuple[BaseException, ...], seconds: float) -> tuple[str, str]:
    ways = {
        "url": f"check {party.setting(party.address)}",
        "trust": f"name its authority in {party.setting(party.trust)}",
        "health": f"look at the health of {party.system}",
    }
    facts = {
        "system": party.system,
        "host": party.host,
        "origin": party.shown,
        "seconds": seconds,
        "trust_file": party.setting(party.trust),
    }
    for names, said, remedy in _CHECKED:
        for cause in causes:
            if _is_one_of(cause, names):
                return said.format(error=_own_words(cause), **facts), remedy.format(**ways)
    words = _own_words(causes[-1]) or type(causes[-1]).__name__
    return f"{party.system} did not answer: {words}", ways["url"]


def _is_one_of(error: BaseException, names: tuple[str, ...]) -> bool:
    if isinstance(error, socket.gaierror) and "gaierror" not in names:
        return False
    if "error" in names and type(error).__module__ != "zlib":
        names = tuple(n for n in names if n != "error")
    return any(t.__name__ in names for t in type(error).__mro__ if t not in (OSError, Exception, BaseException))


def _own_words(error: BaseException) -> str:
    if isinstance(error, ssl.SSLError):
        return one_line(getattr(error, "verify_message", "") or getattr(error, "reason", "") or str(error), 120)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return one_line(str(error).split(">: ")[-1], 160)


def _causes(error: BaseException, depth: int = 8) -> Iterator[BaseException]:
    """An error and those below it, however the library keeps them: cause, context, reason, arguments, groups."""
    if depth == 0:
        return
    yield error
    below = [getattr(error, "reason", None), *getattr(error, "errors", ()), *getattr(error, "exceptions", ())]
    below += [error.__cause__, error.__context__, *error.args]
    for each in below:
        if isinstance(each, BaseException) and each is not error:
            yield from _causes(each, depth - 1)


# --- the words of an error body ---------------------------------------------------------------------------------------


def words_of(body: bytes) -> str:
    """What a server says for itself: the message of a JSON error in any of the usual shapes, the title of a page, the
    first words of a text; "" when it says nothing."""
    text = body[:20_000].decode("utf-8", "replace").strip()
    if is_page(body):
        title = re.search(r"<(title|h1)[^>]*>(.*?)</\1>", text, re.IGNORECASE | re.DOTALL)
        return one_line(html.unescape(re.sub(r"<[^>]+>", " ", title.group(2) if title else text)), 120)
    try:
        return said_by(json.loads(body)) or one_line(text)
    except (ValueError, RecursionError):
        return one_line(text)


def said_by(data: Any) -> str:
    """The message of an error: Kubernetes' and GitHub's `message`, Argo CD's and Prometheus' `error`, PagerDuty's
    `error.message` and `errors`, Elasticsearch's `error.root_cause`."""
    if not isinstance(data, Mapping):
        return data if isinstance(data, str) else ""
    error = data.get("error")
    if isinstance(error, Mapping):
        causes = error.get("root_cause")
        cause = causes[0] if isinstance(causes, list) and causes and isinstance(causes[0], Mapping) else error
        if "reason" in cause or "type" in cause:
            return one_line(": ".join(str(p) for p in (cause.get("type"), cause.get("reason")) if p))
        listed = error.get("errors")
        more = "; ".join(str(e) for e in listed) if isinstance(listed, list) else ""
        return one_line(": ".join(p for p in (str(error.get("message") or ""), more) if p))
    words = data.get("message") or error or data.get("msg") or data.get("detail") or ""
    kind = data.get("errorType")
    return one_line(f"{kind}: {words}" if kind else str(words))


def one_line(text: str, limit: int = WORDS) -> str:
    """Without what a terminal or a thread would stumble over."""
    line = " ".join("".join(c if c.isprintable() or c.isspace() else "·" for c in text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
