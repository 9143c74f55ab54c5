"""The wire under both clients: bounded in bytes and in time, whatever the server does.

elastic_transport reads a whole answer into memory before anybody can look at it; this node reads it in parts and stops.
Imported only when a connection is made: elasticsearch and elastic_transport cost 0.3 s and 40 MB.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import urllib3
from elastic_transport import JsonSerializer, NodeConfig, SerializationError, Urllib3HttpNode

from skills.bounded import Bound, whole_body
from skills.trouble import Answered
from skills.wire import MOST_WORDS, was_closed


class QuietJson(JsonSerializer):
    """The transport's own quotes the whole of what it cannot read, in memory, however much that is."""

    def loads(self, data: bytes) -> Any:
        try:
            return self.json_loads(data)
        except (ValueError, TypeError, RecursionError) as error:
            raise SerializationError("no JSON", errors=(error,)) from None


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    data: bytes


class _BoundedPool:
    """A urllib3 pool that reads answers in parts, and shows each to `seen` before anybody makes sense of it."""

    def __init__(self, pool: urllib3.HTTPConnectionPool, bound: Bound, seen: Callable[[Answered], None]) -> None:
        self._pool = pool
        self._bound = bound
        self._seen = seen

    def urlopen(self, method: str, target: str, **kw: Any) -> _Answer:
        began = time.monotonic()
        response = self._open(method, target, **kw)
        bound = replace(self._bound, max_bytes=MOST_WORDS, cut=True) if response.status >= 300 else self._bound
        body = whole_body(response, bound, began)
        self._seen(Answered(response.status, {k.lower(): v for k, v in response.headers.items()}, body))
        return _Answer(response.status, dict(response.headers), body)

    def _open(self, method: str, target: str, **kw: Any) -> urllib3.BaseHTTPResponse:
        kw = {**kw, "preload_content": False, "redirect": False}
        try:
            return self._pool.urlopen(method, target, **kw)
        except urllib3.exceptions.ProtocolError as error:
            if not was_closed(error):
                raise
            return self._pool.urlopen(method, target, **kw)

    def close(self) -> None:
        self._pool.close()


def bounded_node(
    seconds: float, received: Callable[[int], None], seen: Callable[[Answered], None]
) -> type[Urllib3HttpNode]:
    """A node class for Elasticsearch(node_class=…): an answer takes at most `seconds`, `received` is told its bytes,
    `seen` what it was."""

    class BoundedNode(Urllib3HttpNode):
        def __init__(self, config: NodeConfig) -> None:
            super().__init__(config)
            self.pool = _BoundedPool(self.pool, Bound(seconds, received), seen)  # type: ignore[assignment]  # urlopen, close: all it uses

        def _log_request(self, *_: Any, **__: Any) -> None:
            """Nothing: answers hold what the customer's systems wrote, credentials that were said back among it."""

    return BoundedNode
