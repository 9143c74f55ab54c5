"""The wire under both clients: bounded in bytes and in time, whatever the server does.

elastic_transport reads a whole answer into memory before anybody can look at it; this node reads it in parts and stops.
Imported only when a connection is made: elasticsearch and elastic_transport cost 0.3 s and 40 MB.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import RemoteDisconnected
from typing import Any

import urllib3
from elastic_transport import NodeConfig, Urllib3HttpNode

from skills.bounded import Bound, whole_body


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    data: bytes


class _BoundedPool:
    """A urllib3 pool that reads answers in parts."""

    def __init__(self, pool: urllib3.HTTPConnectionPool, bound: Bound) -> None:
        self._pool = pool
        self._bound = bound

    def urlopen(self, method: str, target: str, **kw: Any) -> _Answer:
        began = time.monotonic()
        response = self._open(method, target, **kw)
        return _Answer(response.status, dict(response.headers), whole_body(response, self._bound, began))

    def _open(self, method: str, target: str, **kw: Any) -> urllib3.BaseHTTPResponse:
        try:
            return self._pool.urlopen(method, target, preload_content=False, **kw)
        except urllib3.exceptions.ProtocolError as error:
            # A proxy closed a connection that we had kept; the question never arrived, so it is asked again, once.
            if not any(isinstance(cause, RemoteDisconnected) for cause in error.args):
                raise
            return self._pool.urlopen(method, target, preload_content=False, **kw)

    def close(self) -> None:
        self._pool.close()


def bounded_node(seconds: float, received: Callable[[int], None]) -> type[Urllib3HttpNode]:
    """A node class for Elasticsearch(node_class=…): an answer takes at most `seconds`, `received` is told its bytes."""

    class BoundedNode(Urllib3HttpNode):
        def __init__(self, config: NodeConfig) -> None:
            super().__init__(config)
            self.pool = _BoundedPool(self.pool, Bound(seconds, received))  # type: ignore[assignment]  # urlopen, close: all it uses

    return BoundedNode
