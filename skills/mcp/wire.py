"""HTTP to one MCP server, bounded in bytes, metered, and with what came back kept as it came.

The protocol's client turns a refused request into "Server returned an error response"; an operator needs the status and
what the server said, so they are noted here as they pass.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2

from skills.bounded import TooLarge
from skills.contract import LoadLimitReached, QueryMeter
from skills.trouble import Answered

MAX_BYTES = 8_000_000
SAID_BYTES = 2000


class Wire(httpx2.AsyncBaseTransport):
    """One connection's requests."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, meter: QueryMeter) -> None:
        self._inner = inner
        self._meter = meter
        self.last: Answered | None = None
        """The answer to the last message that was sent, and the beginning of its body."""
        self.problem: Exception | None = None
        """What went wrong with the last message that was sent, if it was not the answer's content."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        sends = request.method == "POST"  # the stream of the server's own messages may be refused without harm
        try:
            self._meter.request()
        except LoadLimitReached as limit:
            self.problem = limit
            raise httpx2.ConnectError(str(limit), request=request) from None
        try:
            response = await self._inner.handle_async_request(request)
        except httpx2.TransportError as error:
            self.problem = error
            raise
        if sends:
            self.problem = None
            self.noted(response, b"")
        if response.status_code >= 300 or (sends and not _is_readable(response)):
            return await self._refused(request, response, sends)
        return httpx2.Response(
            response.status_code,
            headers=response.headers,
            stream=_Bounded(response, self, sends),
            extensions=response.extensions,
            request=request,
        )

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _refused(self, request: httpx2.Request, response: httpx2.Response, sends: bool) -> httpx2.Response:
        """The same answer with its body read, as far as a person will look at it."""
        parts, size = [], 0
        async for part in _Bounded(response, self, sends):
            parts.append(part)
            size += len(part)
            if size > 32 * SAID_BYTES:
                break
        await response.aclose()
        headers = {
            k: v for k, v in response.headers.items() if k.lower() not in ("content-length", "transfer-encoding")
        }
        return httpx2.Response(response.status_code, headers=headers, content=b"".join(parts), request=request)

    def received(self, size: int) -> None:
        self._meter.received(size)

    def noted(self, response: httpx2.Response, part: bytes) -> None:
        """Keeps the first words of an answer."""
        before = self.last.body if self.last is not None and part else b""
        headers = {k.lower(): v for k, v in response.headers.items()}
        self.last = Answered(response.status_code, headers, (before + part)[:SAID_BYTES])


def _is_readable(response: httpx2.Response) -> bool:
    """Whether the protocol's client will look at the body; it lets go of pages and the like unread."""
    kind = response.headers.get("content-type", "")
    return kind.startswith(("application/json", "text/event-stream")) or not kind


class _Bounded(httpx2.AsyncByteStream):
    """A body that ends with an error when it is larger than anybody should send."""

    def __init__(self, response: httpx2.Response, wire: Wire, sends: bool) -> None:
        self._response = response
        self._wire = wire
        self._sends = sends

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        assert isinstance(self._response.stream, httpx2.AsyncByteStream)
        if self._response.headers.get("content-encoding", "identity").lower() not in ("", "identity"):
            raise self._broken("packs its answers although it was asked not to")
        try:
            async for part in self._response.stream:
                size += len(part)
                self._wire.received(len(part))
                if self._sends and size - len(part) < SAID_BYTES:
                    self._wire.noted(self._response, part)
                if size > MAX_BYTES:
                    raise self._broken(f"answers with more than {MAX_BYTES // 1_000_000} MB, reading stopped")
                yield part
        except httpx2.TransportError as error:
            if self._sends and self._wire.problem is None:
                self._wire.problem = error
            raise

    def _broken(self, why: str) -> httpx2.ReadError:
        if self._sends:
            self._wire.problem = TooLarge(why)
        return httpx2.ReadError(why)

    async def aclose(self) -> None:
        await self._response.aclose()
