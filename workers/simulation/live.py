"""A read-only door to a real system, for recording: names are masked on the way out and unmasked on the way in.

Only what reads is let through: GET and HEAD, and the POST requests by which a search or a query is asked. Whatever else
is refused here and never reaches the system.
"""

from __future__ import annotations

import http.client
import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode, urlsplit

from skills.redact import Redactor
from workers.simulation.company import SimulationError
from workers.simulation.faces.exchange import Ask, Reply, as_json

READING_POSTS = re.compile(
    r"/(_search|_msearch|_count|_field_caps|_query|_async_search|_pit)(/|$)|/api/v1/(query|query_range|series|labels)$"
    r"|/loki/api/v1/(query|query_range|series|labels)$|/self(subject)(access|rules)?reviews?$",
)
PASSED = ("authorization", "accept", "content-type", "x-scope-orgid", "x-api-key")
MOST_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Masks:
    """Names of a customer and what stands in their place, both ways; and secrets, one way."""

    names: tuple[tuple[str, str], ...]
    """(real, instead), longer ones first so that no name is cut by a shorter one."""
    redactor: Redactor

    def hide(self, text: str) -> str:
        for real, instead in self.names:
            text = text.replace(real, instead)
        return text

    def unhide(self, text: str) -> str:
        for real, instead in self.names:
            text = text.replace(instead, real)
        return text

    def reply(self, it: Reply) -> Reply:
        """Text only; what is not text is not recorded but named."""
        try:
            text = it.body.decode("utf-8")
        except UnicodeDecodeError:
            return Reply(it.status, b"[not text, left out]", "text/plain")
        try:
            value = self.redactor.value(json.loads(text))
            text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        except ValueError:
            text = self.redactor.text(text)
        return replace(it, body=self.hide(text).encode())


def masks(names: Mapping[str, str], key: bytes = b"") -> Masks:
    """Raises SimulationError where two names could not be told apart again."""
    pairs = sorted(names.items(), key=lambda p: (-len(p[0]), p[0]))
    instead = [i for _, i in pairs]
    for i, (real, other) in enumerate(pairs):
        if not real or not other:
            raise SimulationError(f"mask {real!r}={other!r}: both sides must be given")
        if instead.count(other) > 1 or any(other in o for j, o in enumerate(instead) if j != i):
            raise SimulationError(f"mask {real!r}={other!r}: another name is masked by the same or by a part of it")
    return Masks(tuple(pairs), Redactor(key))


class Live:
    """A face in front of a real system. Nothing but reading goes through it."""

    def __init__(self, url: str, masks: Masks, *, timeout_seconds: float = 60) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SimulationError(f"{url!r} is no http or https address")
        self.refused: Counter[str] = Counter()
        self._secure, self._host, self._port = parts.scheme == "https", parts.hostname, parts.port
        self._base, self._masks, self._timeout = parts.path.rstrip("/"), masks, timeout_seconds

    def answer(self, ask: Ask) -> Reply:
        if not reads(ask):
            self.refused[f"{ask.method} {ask.path}"] += 1
            return as_json({"error": f"recording only reads: {ask.method} {ask.path} was not passed on"}, 405)
        try:
            return self._masks.reply(self._asked(ask))
        except (OSError, http.client.HTTPException) as error:
            self.refused[f"{ask.method} {ask.path}"] += 1
            return as_json({"error": f"{ask.method} {ask.path}: the system did not answer: {error}"}, 502)

    def _asked(self, ask: Ask) -> Reply:
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        connection = kind(self._host, self._port, timeout=self._timeout)
        unhide = self._masks.unhide
        query = urlencode([(k, unhide(v)) for k, v in ask.query])
        target = f"{self._base}{unhide(ask.path)}" + (f"?{query}" if query else "")
        headers = {k: v for k, v in ask.headers.items() if k in PASSED}
        body = unhide(ask.body.decode("utf-8", "replace")).encode() if ask.body else None
        try:
            connection.request(ask.method, target, body=body, headers=headers)
            got = connection.getresponse()
            content = got.read(MOST_BYTES + 1)
            if len(content) > MOST_BYTES:
                return as_json({"error": f"{ask.path}: more than {MOST_BYTES} bytes, not recorded"}, 502)
            kept = {k: v for k, v in got.getheaders() if k.lower() == "x-elastic-product"}
            return Reply(got.status, content, got.headers.get("content-type", "application/json"), kept)
        finally:
            connection.close()


def reads(ask: Ask) -> bool:
    return ask.method in ("GET", "HEAD") or (ask.method == "POST" and bool(READING_POSTS.search(ask.path)))
