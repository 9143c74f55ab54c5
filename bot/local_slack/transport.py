"""Cutting HTTP connections in the middle of a call, which no web framework offers and every network does."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any
from weakref import WeakValueDictionary

from uvicorn.protocols.http.h11_impl import H11Protocol


class OpenConnections:
    """Remembers uvicorn's connections by the client's address, so that one can be cut."""

    def __init__(self) -> None:
        self._open: MutableMapping[tuple[str, int], H11Protocol] = WeakValueDictionary()

    def protocol(self) -> type[asyncio.Protocol]:
        connections = self._open

        class Remembered(H11Protocol):
            def connection_made(self, transport: Any) -> None:
                super().connection_made(transport)
                connections[transport.get_extra_info("peername")] = self

        return Remembered

    def cut(self, client: tuple[str, int]) -> None:
        """Closes without an answer. Called on the server's event loop."""
        protocol = self._open.get(client)
        if protocol is not None:
            protocol.transport.abort()
