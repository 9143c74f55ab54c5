"""A small Loki on loopback for tests: streams in memory, LogQL as the simulation runs it, limits, and ill will."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from workers.simulation.faces import logql
from workers.simulation.faces.logql_run import Counter, Entry, kept, ranges, selects


class Rejected(Exception):
    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status, self.words = status, words


@dataclass
class Store:
    entries: list[Entry]
    max_entries: int = 5000
    max_hours: float = 721
    bytes: int = 0
    """What the index says of any selector; 0: what there is."""
    refuses: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Path ending, or `metric` -> status and words."""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    url: str = ""

    def answer(self, path: str, asked: dict[str, str]) -> Any:
        path = path.removeprefix("/loki/api/v1")
        self.asked.append((path, asked))
        for ending, (status, words) in self.refuses.items():
            if path.endswith(ending) or (ending == "metric" and path == "/query"):
                raise Rejected(status, words)
        if path == "/labels":
            return self._names({name for e in self.entries for name in e.stream})
        if path.startswith("/label/"):
            name = path.split("/")[2]
            matchers = logql.selector(asked["query"])
            return self._names(
                {e.stream[name] for e in self.entries if name in e.stream and selects(matchers, e.stream)}
            )
        if path == "/query":
            at = int(asked["time"])
            query = logql.parse(asked["query"])
            assert not isinstance(query, logql.Log)
            matchers = ranges(query).log.matchers
            samples = Counter(query, [e for e in self.entries if selects(matchers, e.stream)]).at(at)
            rows = [{"metric": dict(k), "value": [at / 1e9, str(v)]} for k, v in samples.items()]
            return {"status": "success", "data": {"resultType": "vector", "result": rows, "stats": {}}}
        if path == "/query_range":
            return self._streams(asked)
        if path == "/index/stats":
            chosen = [e for e in self.entries if selects(logql.selector(asked["query"]), e.stream)]
            return {"streams": 1, "chunks": 1, "entries": len(chosen), "bytes": self.bytes or len(chosen) * 100}
        raise Rejected(404, "404 page not found")

    def _streams(self, asked: dict[str, str]) -> Any:
        query = logql.parse(asked["query"])
        if not isinstance(query, logql.Log):
            return self._matrix(query, int(asked["start"]), int(asked["end"]), int(float(asked["step"]) * 1e9))
        start, end, limit = int(asked["start"]), int(asked["end"]), int(asked["limit"])
        if limit > self.max_entries:
            said = f"limit > max_entries_limit_per_query ({limit} > {self.max_entries})"
            raise Rejected(400, f"max entries limit per query exceeded, {said}")
        if (end - start) / 3.6e12 > self.max_hours:
            length = f"query length: {(end - start) / 3.6e12:g}h0m0s, limit: {self.max_hours:g}h"
            raise Rejected(400, f"the query time range exceeds the limit ({length})")
        chosen = [e for e in self.entries if start <= e.nanoseconds < end and selects(query.matchers, e.stream)]
        found = sorted(kept(query, chosen), key=lambda each: each.entry.nanoseconds)
        page = found[:limit] if asked["direction"] == "forward" else list(reversed(found))[:limit]
        streams: dict[tuple[tuple[str, str], ...], list[list[str]]] = defaultdict(list)
        for each in page:
            streams[tuple(sorted(each.labels.items()))].append([str(each.entry.nanoseconds), each.entry.text])
        rows = [{"stream": dict(labels), "values": values} for labels, values in streams.items()]
        return {"status": "success", "data": {"resultType": "streams", "result": rows, "stats": {}}}

    def _matrix(self, query: logql.Metric, start: int, end: int, step: int) -> Any:
        if "metric" in self.refuses:
            raise Rejected(*self.refuses["metric"])
        matchers = ranges(query).log.matchers
        counter = Counter(query, [e for e in self.entries if selects(matchers, e.stream)])
        series: dict[tuple[tuple[str, str], ...], list[list[Any]]] = defaultdict(list)
        for at in range(start, end + 1, step):
            for labels, value in counter.at(at).items():
                series[labels].append([at / 1e9, str(value)])
        rows = [{"metric": dict(labels), "values": values} for labels, values in series.items()]
        return {"status": "success", "data": {"resultType": "matrix", "result": rows, "stats": {}}}

    def _names(self, names: set[str]) -> Any:
        return {"status": "success", "data": sorted(names)} if names else {"status": "success"}


@contextmanager
def serve(store: Store) -> Iterator[Store]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            store.headers.append({name.lower(): value for name, value in self.headers.items()})
            address = urlsplit(self.path)
            kind = "application/json"
            try:
                status, answer = 200, store.answer(address.path, dict(parse_qsl(address.query or body)))
                raw = json.dumps(answer).encode()
            except Rejected as error:
                status, raw, kind = error.status, error.words.encode(), "text/plain; charset=utf-8"
            except logql.NotValid as error:
                status, raw, kind = 400, str(error).encode(), "text/plain; charset=utf-8"
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = handle_any  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    store.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield store
    finally:
        server.shutdown()
        server.server_close()
