"""HTTP to one MCP server, bounded in bytes, metered, and with the server's refusal kept in its own words.

The protocol's client turns a refused request into "Server returned an error response"; an operator needs the status and
what the server said, so they are noted here as they pass.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2

from skills.contract import LoadLimitReached, QueryMeter

MAX_BYTES = 8_000_000
SAID_BYTES = 2000


class Wire(httpx2.AsyncBaseTransport):
    """One connection's requests. `problem` is what went wrong with the last message that was sent, if anything did."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, meter: QueryMeter) -> None:
        self._inner = inner
        self._meter = meter
        self.problem = ""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        sends = request.method == "POST"  # the stream of the server's own messages may be refused without harm
        try:
            self._meter.request()
        except LoadLimitReached as limit:
            self.problem = str(limit)
            raise httpx2.ConnectError(self.problem, request=request) from None
        try:
            response = await self._inner.handle_async_request(request)
        except httpx2.TimeoutException:
            raise
        except httpx2.TransportError as error:
            self.problem = f"{error}" or type(error).__name__
            raise
        if sends:
            self.problem = ""
        if response.status_code >= 400:
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
        """The same answer with its body read, as far as anybody will look at it."""
        parts, size = [], 0
        async for part in _Bounded(response, self, sends):
            parts.append(part)
            size += len(part)
            if size > 32 * SAID_BYTES:
                break
        await response.aclose()
        body = b"".join(parts)
        if sends:
            words = " ".join(body[:SAID_BYTES].decode("utf-8", "replace").split())[:200]
            self.problem = f"{response.status_code} {response.reason_phrase}".strip() + (f": {words}" if words else "")
        headers = {
            k: v for k, v in response.headers.items() if k.lower() not in ("content-length", "transfer-encoding")
        }
        return httpx2.Response(response.status_code, headers=headers, content=body, request=request)

    def received(self, size: int) -> None:
        self._meter.received(size)


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
            raise self._broken("it compresses its answers although it was asked not to")
        try:
            async for part in self._response.stream:
                size += len(part)
                self._wire.received(len(part))
                if size > MAX_BYTES:
                    raise self._broken(f"its answer is larger than {MAX_BYTES // 1_000_000} MB")
                yield part
        except httpx2.TransportError as error:
            if self._sends and not self._wire.problem:
                self._wire.problem = f"its answer broke off: {error}"
            raise

    def _broken(self, why: str) -> httpx2.ReadError:
        if self._sends:
            self._wire.problem = why
        return httpx2.ReadError(why)

    async def aclose(self) -> None:
        await self._response.aclose()
