"""A system that did not answer: what the network libraries raise, in the words of trouble.

They wrap one error in another and call the same thing by different names; the cause below is what an engineer needs.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

from skills.said import one_line
from skills.trouble import Party, Unanswered


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
    below = [getattr(error, "reason", None), error.__cause__, error.__context__, *error.args]
    for several in (getattr(error, "errors", ()), getattr(error, "exceptions", ())):
        below += several if isinstance(several, list | tuple) else ()
    for each in below:
        if isinstance(each, BaseException) and each is not error:
            yield from _causes(each, depth - 1)
