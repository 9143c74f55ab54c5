"""The protocol over a child's pipes: one message a line, bounded in bytes, metered, and what is no message kept apart.

Knows nothing of processes: whoever holds the child starts and ends it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from types import TracebackType

import anyio
import mcp_types as types
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage

from skills.bounded import TooLarge
from skills.contract import LoadLimitReached, QueryMeter
from skills.mcp.child import Child
from skills.mcp.wire import MAX_BYTES, SAID_BYTES

COMPLAINT_BYTES = 4000
LAST_WORDS_SECONDS = 0.1
_PART = 65536
Incoming = MemoryObjectReceiveStream[SessionMessage | Exception]
Outgoing = MemoryObjectSendStream[SessionMessage]


class Pipes:
    """A transport for the protocol's client, for one use."""

    def __init__(self, child: Child, meter: QueryMeter) -> None:
        self._child = child
        self._meter = meter
        self._open = contextlib.AsyncExitStack()
        self.problem: Exception | None = None
        """What went wrong, if it was not the content of an answer."""
        self.has_spoken = False
        """Whether a message of the protocol came."""
        self.has_closed = False
        """Whether it closed its output."""
        self.noise = b""
        """The beginning of what it printed between the messages."""
        self.complaint = b""
        """The end of what it wrote to its standard error."""

    async def __aenter__(self) -> tuple[Incoming, Outgoing]:
        return await self._open.enter_async_context(self._streams())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.__aexit__(kind, error, trace)

    @contextlib.asynccontextmanager
    async def _streams(self) -> AsyncIterator[tuple[Incoming, Outgoing]]:
        inbox, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        outgoing, outbox = anyio.create_memory_object_stream[SessionMessage](0)
        heard = anyio.Event()
        async with inbox, incoming, outgoing, outbox, anyio.create_task_group() as tasks:
            tasks.start_soon(self._read, inbox)
            tasks.start_soon(self._write, outbox, inbox)
            tasks.start_soon(self._listen, heard)
            try:
                yield incoming, outgoing
            finally:
                if self.has_closed:  # it ended: what it still had to say is on its way
                    with anyio.move_on_after(LAST_WORDS_SECONDS, shield=True):
                        await heard.wait()
                tasks.cancel_scope.cancel()

    async def _read(self, inbox: MemoryObjectSendStream[SessionMessage | Exception]) -> None:
        held, size = bytearray(), 0
        async with inbox:
            async for part in _parts(self._child.stdout.fileno()):
                size += len(part)
                self._meter.received(len(part))
                if size > MAX_BYTES:
                    self.problem = TooLarge(f"answers with more than {MAX_BYTES // 1_000_000} MB, reading stopped")
                    return
                held += part
                if b"\n" not in part:
                    continue  # of a long line, which need not be looked through again
                *lines, held = held.split(b"\n")
                for line in lines:
                    message = self._message(line)
                    try:
                        if message is not None:
                            await inbox.send(message)
                    except (anyio.ClosedResourceError, anyio.BrokenResourceError):
                        return  # nobody waits for more
            self._message(held)
            self.has_closed = True

    def _message(self, line: bytearray) -> SessionMessage | None:
        """Banners and log lines are passed over: many a server prints some before it speaks."""
        if not line.strip():
            return None
        try:
            message = types.jsonrpc_message_adapter.validate_json(line, by_name=False)
        except ValueError:
            self.noise = (self.noise + line[:SAID_BYTES] + b"\n")[:SAID_BYTES]
            return None
        self.has_spoken = True
        return SessionMessage(message)

    async def _write(
        self,
        outbox: MemoryObjectReceiveStream[SessionMessage],
        inbox: MemoryObjectSendStream[SessionMessage | Exception],
    ) -> None:
        async for message in outbox:
            try:
                self._meter.request()
            except LoadLimitReached as limit:
                self.problem = limit
                await inbox.aclose()
                return
            line = message.message.model_dump_json(by_alias=True, exclude_unset=True) + "\n"
            # One that no longer reads has ended or will be given up; its output tells which.
            with contextlib.suppress(BrokenPipeError):
                await _sent(self._child.stdin.fileno(), line.encode())

    async def _listen(self, heard: anyio.Event) -> None:
        """Reads what it complains of, so that it does not wait for a reader, and keeps the end, in whole lines."""
        size = 0
        async for part in _parts(self._child.stderr.fileno()):
            size += len(part)
            kept = self.complaint + part
            self.complaint = kept if len(kept) <= COMPLAINT_BYTES else kept[-COMPLAINT_BYTES:].partition(b"\n")[2]
            if size > MAX_BYTES:
                return
        heard.set()


async def _parts(pipe: int) -> AsyncIterator[bytes]:
    """What comes out of a pipe until its end."""
    while True:
        await anyio.wait_readable(pipe)
        try:
            part = os.read(pipe, _PART)
        except BlockingIOError:
            continue
        if not part:
            return
        yield part


async def _sent(pipe: int, data: bytes) -> None:
    while data:
        await anyio.wait_writable(pipe)
        with contextlib.suppress(BlockingIOError):
            data = data[os.write(pipe, data) :]
