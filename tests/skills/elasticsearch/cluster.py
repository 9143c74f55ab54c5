"""A small Elasticsearch on loopback for tests: documents in memory and the documented shapes of answers.

It is strict where the real one is: a term query on a text field compares with analysed words, an unmapped field matches
nothing, a sort by _shard_doc needs a point in time, an unknown query is a parsing_exception with status 400.
"""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from workers.simulation.faces.esql import Table
from workers.simulation.faces.searching import Failure

Doc = dict[str, Any]


class Rejected(Exception):
    def __init__(self, status: int, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.status, self.kind, self.reason = status, kind, reason


@dataclass
class Cluster:
    docs: list[Doc]
    types: dict[str, str]
    """Dotted field name -> mapping type; text fields have a .keyword where it is listed."""
    product: str = "Elasticsearch"
    refuses: dict[str, int] = field(default_factory=dict)
    """Path ending, or `aggs` -> status."""
    esql: bool = True
    """Whether it is new enough for ES|QL."""
    shards_failed: int = 0
    timed_out: bool = False
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    url: str = ""

    def answer(self, method: str, target: str, body: Any) -> Any:
        path = urlsplit(target).path
        self.asked.append((method, path, body))
        for ending, status in self.refuses.items():
            if path.endswith(ending) or (ending == "aggs" and body and "aggs" in body):
                raise Rejected(status, "security_exception", f"action [{ending}] is unauthorized")
        if path.endswith(("_pit", "/_search/point_in_time")):
            return {"succeeded": True} if method == "DELETE" else {"id": "pit-1", "pit_id": "pit-1"}
        if path.endswith("/_field_caps"):
            wanted = parse_qs(urlsplit(target).query)["fields"][0].split(",")
            known = {n: t for n, t in self.types.items() if n in wanted}
            caps = {n: {t: {"type": t, "searchable": True, "aggregatable": t != "text"}} for n, t in known.items()}
            return {"indices": ["logs-1"], "fields": caps}
        if path.endswith("/_mapping"):
            return {"logs-1": {"mappings": {"properties": _properties(self.types)}}}
        if path.endswith("_search"):
            return self._search(body)
        if path == "/_query" and self.esql and self.product == "Elasticsearch":
            return self._esql(body)
        raise Rejected(400, "illegal_argument_exception", f"no handler found for uri [{path}]")

    def _search(self, body: Mapping[str, Any]) -> Any:
        found = [d for d in self.docs if self._matches(d, body.get("query") or {"match_all": {}})]
        places = {id(d): i for i, d in enumerate(self.docs)}
        for key in reversed(body.get("sort") or []):
            name, how = next(iter(key.items()))
            if name == "_shard_doc" and "pit" not in body:
                raise Rejected(400, "search_phase_execution_exception", "[_shard_doc] requires a point in time")
            found.sort(key=lambda d: _sort_value(d, name, places), reverse=how["order"] == "desc")
        rows = [(d, [_sort_value(d, next(iter(k)), places) for k in body.get("sort") or []]) for d in found]
        if after := body.get("search_after"):
            rows = [r for r in rows if r[1] > after]
        page = rows[: body.get("size", 10)]
        hits = [{"_index": "logs-1", "_id": str(id(d)), "_source": d, "sort": values} for d, values in page]
        answer = {
            "took": 1, "timed_out": self.timed_out,
            "_shards": {"total": 2, "successful": 2 - self.shards_failed, "skipped": 0, "failed": self.shards_failed},
            "hits": {"total": {"value": len(found), "relation": "eq"}, "max_score": None, "hits": hits},
        }  # fmt: skip
        if "aggs" in body:
            answer["aggregations"] = self._aggregate(found, body["aggs"])
        return answer

    def _esql(self, body: Mapping[str, Any]) -> Any:
        found = (d for d in self.docs if self._matches(d, body["filter"]))
        docs = [
            {name: next(iter(_values(d, name.removesuffix(".keyword"))), None) for name in self.types} for d in found
        ]
        for doc in docs if "@timestamp" in self.types else ():
            doc["_read"] = datetime.fromisoformat(str(doc["@timestamp"])).timestamp()
        table = Table(self.types, body["params"], lambda value: datetime.fromisoformat(value).timestamp())
        try:
            answer = table.run(body["query"], lambda: docs)
        except Failure as error:
            raise Rejected(error.status, error.kind, error.reason) from None
        return {**answer, "is_partial": self.timed_out}

    def _aggregate(self, docs: list[Doc], aggs: Mapping[str, Any]) -> Any:
        result = {}
        for name, spec in aggs.items():
            if "filter" in spec:
                kept = [d for d in docs if self._matches(d, spec["filter"])]
                result[name] = {"doc_count": len(kept), **self._aggregate(kept, spec.get("aggs", {}))}
            elif "terms" in spec:
                of = spec["terms"]["field"]
                if self.types.get(of) == "text":
                    raise Rejected(400, "illegal_argument_exception", f"Fielddata is disabled on [{of}]")
                counted = Counter(v for d in docs for v in _values(d, of.removesuffix(".keyword")))
                result[name] = {"buckets": [{"key": k, "doc_count": n} for k, n in counted.most_common()]}
        return result

    def _matches(self, doc: Doc, query: Mapping[str, Any]) -> bool:
        kind, spec = next(iter(query.items()))
        if kind == "match_all":
            return True
        if kind == "bool":
            should = spec.get("should", [])
            return (
                all(self._matches(doc, q) for q in [*spec.get("filter", []), *spec.get("must", [])])
                and not any(self._matches(doc, q) for q in spec.get("must_not", []))
                and (not should or any(self._matches(doc, q) for q in should))
            )
        if kind == "exists":
            return bool(self._known(doc, spec["field"]))
        if kind in ("multi_match", "simple_query_string"):
            words = _words(spec["query"])
            together = all if spec.get("default_operator") == "and" else any
            values = [_words(str(v)) for f in spec["fields"] for v in self._known(doc, f)]
            return any(together(w in value for w in words) for value in values)
        name, asked = next(iter(spec.items()))
        values = self._known(doc, name)
        if kind == "range":
            return any(asked["gte"] <= v <= asked["lte"] for v in values)
        text = self.types.get(name) in ("text", "match_only_text")
        if kind in ("term", "terms"):
            wanted = asked if kind == "terms" else [asked]
            return any((w in _words(str(v))) if text else w == v for w in wanted for v in values)
        if kind == "prefix":
            return any(str(v).startswith(asked) for v in values) and not text
        if kind == "match":
            return any(w in _words(str(v)) for w in _words(asked) for v in values) if text else asked in values
        if kind in ("match_phrase", "match_phrase_prefix"):
            return any(" ".join(_words(asked)) in " ".join(_words(str(v))) for v in values)
        if kind == "wildcard":
            return not text and any(fnmatchcase(str(v).lower(), asked["value"].lower()) for v in values)
        raise Rejected(400, "parsing_exception", f"unknown query [{kind}]")

    def _known(self, doc: Doc, name: str) -> list[Any]:
        if name not in self.types:
            return []
        return _values(doc, name.removesuffix(".keyword"))


def _properties(types: Mapping[str, str]) -> dict[str, Any]:
    root: dict[str, Any] = {}
    for name, kind in types.items():
        if name.endswith(".keyword"):
            continue
        node = root
        *parents, leaf = name.split(".")
        for parent in parents:
            node = node.setdefault(parent, {}).setdefault("properties", {})
        node[leaf] = {"type": kind}
        if f"{name}.keyword" in types:
            node[leaf]["fields"] = {"keyword": {"type": "keyword"}}
    return root


def _values(doc: Any, name: str) -> list[Any]:
    if name in doc:
        value = doc[name]
        return value if isinstance(value, list) else [value]
    head, _, rest = name.partition(".")
    return _values(doc[head], rest) if rest and isinstance(doc.get(head), dict) else []


def _sort_value(doc: Doc, name: str, places: Mapping[int, int]) -> Any:
    return places[id(doc)] if name == "_shard_doc" else next(iter(_values(doc, name)), "")


def _words(text: str) -> list[str]:
    """What the standard analyzer makes of a text, nearly."""
    return re.findall(r"\w+(?:\.\w+)*", text.lower())


@contextmanager
def serve(cluster: Cluster) -> Iterator[Cluster]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            raw = self.rfile.read(length)
            cluster.headers.append({name.lower(): value for name, value in self.headers.items()})
            accept = self.headers.get("Accept", "")
            try:
                if cluster.product != "Elasticsearch" and "compatible-with" in accept:
                    raise Rejected(406, "media_type_header_exception", "Invalid media-type value on headers")
                status, answer = 200, cluster.answer(self.command, self.path, json.loads(raw) if raw else None)
            except Rejected as error:
                reason = {"type": error.kind, "reason": error.reason}
                status, answer = error.status, {"error": {"root_cause": [reason], **reason}, "status": error.status}
            body = json.dumps(answer).encode()
            self.send_response(status)
            if cluster.product == "Elasticsearch":
                self.send_header("X-Elastic-Product", "Elasticsearch")
            compatible = "application/vnd.elasticsearch+json;compatible-with=9"
            self.send_header("Content-Type", compatible if "compatible-with" in accept else "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_DELETE = handle_any  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    cluster.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield cluster
    finally:
        server.shutdown()
        server.server_close()
