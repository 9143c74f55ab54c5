"""The Elasticsearch API of the world's logs: search, count, points in time, field capabilities, mappings, cat.

Shapes: Elasticsearch 8.15/9 REST API. The client refuses a server without X-Elastic-Product.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase, translate
from typing import Any

from workers.simulation import clock, dice
from workers.simulation.cluster import Workload
from workers.simulation.faces import documents
from workers.simulation.faces.aggregations import aggregate
from workers.simulation.faces.esql import Table
from workers.simulation.faces.exchange import Ask, Reply, as_json
from workers.simulation.faces.hits import Hits, page
from workers.simulation.faces.privileges import UNDONE, WRITTEN, written
from workers.simulation.faces.query_dsl import Dsl
from workers.simulation.faces.searching import Doc, Failure, NoSuchQuery, listed
from workers.simulation.logs.book import KEPT_SECONDS
from workers.simulation.logs.line import Line
from workers.simulation.scene import Scene

_SEARCH = {
    "query",
    "size",
    "from",
    "sort",
    "search_after",
    "_source",
    "fields",
    "aggs",
    "aggregations",
    "track_total_hits",
    "timeout",
    "pit",
    "highlight",
    "docvalue_fields",
    "stored_fields",
    "terminate_after",
    "track_scores",
    "collapse",
    "min_score",
    "explain",
    "version",
    "runtime_mappings",
    "post_filter",
    "profile",
}
_REFUSED = {"highlight", "collapse", "runtime_mappings", "post_filter", "explain", "profile", "min_score"}


_EARLY_MINUTES = 3
"""How far back a search with terminate_after reads here."""


@dataclass
class Scroll:
    docs: list[Doc]
    body: dict[str, Any]
    ask: Ask
    at: int = 0


class Elasticsearch:
    def __init__(self, scene: Scene, *, api_key: str = "") -> None:
        self._scene, self._world = scene, scene.world
        self._api_key = api_key
        self._mapping = documents.fields(scene.world)
        self._text = "message" if scene.world.company.log_schema == "ecs" else "log"
        self._pages: dict[int, list[Doc]] = {}
        self._words: dict[str, list[str]] = {}
        self._known: dict[tuple[str, str], documents.Flat] = {}
        self._hits = Hits(scene.world, self._mapping, lambda value: self._dsl().moment(value))
        self._pits: set[str] = set()
        self._scrolls: dict[str, Scroll] = {}
        self.refused: Counter[str] = Counter()

    def answer(self, ask: Ask) -> Reply:
        try:
            if self._api_key and ask.headers.get("authorization") != f"ApiKey {self._api_key}":
                raise Failure(
                    401, "security_exception", "missing authentication credentials for REST request [" + ask.path + "]"
                )
            status, body = self._route(ask)
        except NoSuchQuery as error:
            self.refused[f"query {error.reason}"] += 1
            status, body = 400, _error(400, error.kind, error.reason)
        except Failure as failure:
            status, body = failure.status, _error(failure.status, failure.kind, failure.reason, **failure.more)
        if isinstance(body, str):
            return Reply(status, body.encode(), "text/plain; charset=UTF-8", {"X-Elastic-Product": "Elasticsearch"})
        wanted = "compatible-with" in ask.headers.get("accept", "")
        kind = ask.headers["accept"].split(",")[0] if wanted else "application/json"
        return as_json(body, status, kind, X_Elastic_Product="Elasticsearch")

    def _route(self, ask: Ask) -> tuple[int, Any]:
        parts = [p for p in ask.path.split("/") if p]
        if ask.method not in ("GET", "POST", "HEAD") and not (
            ask.method == "DELETE" and parts in (["_pit"], ["_search", "scroll"])
        ):
            self.refused[f"{ask.method} {ask.path}"] += 1
            raise self._unauthorized(written(ask))
        if not parts:
            return 200, self._banner()
        target, verb = ("", parts[0]) if parts[0].startswith("_") else (parts[0], parts[1] if len(parts) > 1 else "")
        if parts == ["_search", "scroll"]:
            return self._scroll(ask)
        if verb == "_search" and len(parts) <= 2:
            return 200, self._search(self._body(ask), target, ask)
        if verb == "_count":
            docs = self._chosen(self._body(ask).get("query"), self._indices(target, ask))
            return 200, {"count": len(docs), "_shards": _SHARDS}
        if verb == "_pit":
            return self._pit(ask, target)
        if verb == "_query" and len(parts) == 1 and ask.method == "POST":
            return 200, self._esql(self._body(ask), ask)
        if verb == "_field_caps":
            return 200, self._field_caps(ask, target)
        if verb in ("_mapping", "_mappings"):
            return 200, {
                i: {"mappings": {"properties": _properties(self._mapping)}} for i in self._indices(target, ask)
            }
        if verb == "_msearch":
            return 200, self._many(ask, target)
        if verb == "_cat" and parts[1:2] in (["indices"], ["health"]):
            return 200, self._cat(ask, parts)
        if verb == "_cluster" and parts[1:] == ["health"]:
            return 200, {
                "cluster_name": self._world.company.cluster,
                "status": "green",
                "timed_out": False,
                "number_of_nodes": 3,
                "number_of_data_nodes": 3,
                "active_shards_percent_as_number": 100.0,
            }
        if verb == "_resolve" and parts[1:2] == ["index"]:
            return 200, {
                "indices": [
                    {"name": i, "attributes": ["open"]} for i in self._indices(parts[2] if len(parts) > 2 else "*", ask)
                ],
                "aliases": [],
                "data_streams": [],
            }
        if verb == "" and len(parts) == 1:
            return 200, {
                i: {
                    "aliases": {},
                    "mappings": {"properties": _properties(self._mapping)},
                    "settings": {"index": {"number_of_shards": "1"}},
                }
                for i in self._indices(target, ask)
            }
        if parts == ["_security", "_authenticate"]:
            return 200, {
                "username": "gumshoe-reader",
                "roles": ["logs_reader"],
                "enabled": True,
                "authentication_type": "api_key",
            }
        self.refused[f"{ask.method} {ask.path}"] += 1
        if action := UNDONE.get(verb) or UNDONE.get("/".join(parts[:2])):
            raise self._unauthorized(action)
        if ask.method == "POST" and verb in WRITTEN:
            raise self._unauthorized(WRITTEN[verb])
        raise Failure(
            400,
            "illegal_argument_exception",
            f"request [{ask.path}] contains unrecognized parameter or no handler found for uri [{ask.path}] and method [{ask.method}]",  # noqa: E501
        )

    def _unauthorized(self, action: str) -> Failure:
        key = dice.letters(20, self._world.company.name, "api key")
        words = f"action [{action}] is unauthorized for API key id [{key}] of user [gumshoe-reader]"
        return Failure(403, "security_exception", words)

    def _banner(self) -> dict[str, Any]:
        name = self._world.company.cluster
        return {
            "name": f"es-data-{dice.number(name) % 3}",
            "cluster_name": f"logs-{name}",
            "cluster_uuid": dice.letters(22, name),
            "version": {
                "number": "9.0.4",
                "build_flavor": "default",
                "build_type": "docker",
                "build_hash": dice.hexadecimal(40, name),
                "build_date": "2025-07-10T10:06:21.622439594Z",
                "build_snapshot": False,
                "lucene_version": "10.1.0",
                "minimum_wire_compatibility_version": "8.18.0",
                "minimum_index_compatibility_version": "8.0.0",
            },
            "tagline": "You Know, for Search",
        }

    def _body(self, ask: Ask) -> dict[str, Any]:
        if not ask.body:
            return {"query": {"query_string": {"query": ask.get("q")}}} if ask.get("q") else {}
        try:
            body = json.loads(ask.body)
        except ValueError as error:
            raise Failure(400, "parse_exception", f"Failed to parse content to map: {error}") from None
        if not isinstance(body, dict):
            raise Failure(400, "parsing_exception", "Expected [START_OBJECT] but found [START_ARRAY]")
        return body

    # Indices

    def _all_indices(self) -> list[str]:
        days = sorted({documents.index_name(self._world, self._world.now - d * 86400) for d in (0, 0.5, 1)})
        return [] if "logs" in self._world.hidden else days

    def _indices(self, target: str, ask: Ask) -> list[str]:
        """Concrete indices of an expression. Raises index_not_found_exception for a name without a wildcard."""
        have = self._all_indices()
        stream = f"logs-kubernetes.container_logs-{self._world.company.environment}"
        chosen: list[str] = []
        for pattern in (target or "*").split(","):
            if pattern in ("_all", "*"):
                chosen += have
                continue
            excluded = pattern.startswith("-")
            name = pattern.removeprefix("-")
            if self._world.company.log_schema == "ecs" and fnmatchcase(stream, name):
                found = have
            else:
                found = [i for i in have if fnmatchcase(i, name)]
            if not found and "*" not in name and ask.get("ignore_unavailable") != "true":
                raise Failure(
                    404,
                    "index_not_found_exception",
                    f"no such index [{name}]",
                    **{"resource.type": "index_or_alias", "resource.id": name, "index_uuid": "_na_", "index": name},
                )
            chosen = [i for i in chosen if i not in found] if excluded else [*chosen, *found]
        if not chosen and ask.get("allow_no_indices") == "false":
            raise Failure(404, "index_not_found_exception", f"no such index [{target}]", index=target)
        return sorted(set(chosen))

    # Documents

    def _dsl(self) -> Dsl:
        return Dsl(self._mapping, self._world.now, self._text, self._words)

    def _chosen(self, query: Any, indices: list[str], enough: int | None = None) -> list[Doc]:
        """Matching documents, oldest first. Reads only the minutes and workloads that a conjunction leaves open.

        `enough`: terminate_after; then the newest minutes are read until there are as many, as a shard that stops
        early does.
        """
        if not indices:
            return []
        dsl = self._dsl()
        query = query or {"match_all": {}}
        predicate = dsl.compile(query)
        start, end = self._world.now - KEPT_SECONDS, self._world.now
        names: set[str] | None = None
        spaces: set[str] | None = None
        for clause in _conjunction(query):
            if "range" in clause and "@timestamp" in clause["range"]:
                bounds = clause["range"]["@timestamp"]
                start = max([start, *(dsl.moment(bounds[k]) for k in ("gte", "gt") if bounds.get(k) is not None)])
                end = min([end, *(dsl.moment(bounds[k], up=True) for k in ("lte", "lt") if bounds.get(k) is not None)])
            names = _narrowed(names, _asked(clause, documents.name_fields(self._world)))
            spaces = _narrowed(spaces, _asked(clause, documents.namespace_fields(self._world)))
        if end < start:
            return []
        workloads = self._workloads(names, spaces)
        chosen: list[Doc] = []
        for a, b in [(start, end)] if enough is None else _newest_minutes(start, end):
            # Lines are written while they are read, so that stopping early costs no more than what was read.
            for docs in self._documents(a, b, workloads):
                chosen += [d for d in docs if predicate(d)]
                if enough is not None and len(chosen) >= enough:
                    break
            if enough is not None and len(chosen) >= enough:
                chosen = chosen[:enough]
                break
        kept = set(indices)
        if len(kept) < len(self._all_indices()):
            chosen = [d for d in chosen if documents.index_name(self._world, d["_at"]) in kept]
        chosen.sort(key=lambda d: (d["_at"], d["_n"]))
        return chosen

    def _workloads(self, names: set[str] | None, spaces: set[str] | None) -> list[Workload]:
        chosen = [w for w in self._world.workloads.values() if spaces is None or w.namespace in spaces]
        if names is None:
            return chosen
        return [w for w in chosen if w.name in names or w.part.name in names or names & set(w.labels.values())]

    def _documents(self, start: float, end: float, workloads: list[Workload]) -> Iterator[list[Doc]]:
        """A minute of a workload at a time."""
        for lines, a, b in self._scene.logs.minutes(start, end, workloads):
            if not lines:
                continue
            docs = self._pages.get(id(lines))
            if docs is None:
                docs = self._pages[id(lines)] = [self._document(line) for line in lines]
            if a <= lines[0].at and lines[-1].at <= b:
                yield docs
            else:
                yield [doc for doc, line in zip(docs, lines, strict=True) if a <= line.at <= b]

    def _document(self, line: Line) -> Doc:
        doc = documents.flat(self._world, line, self._known)
        doc["_at"] = int(line.at * 1000) / 1000
        doc["_read"] = (int(line.at) * 1000 + int(line.at % 1 * 1e3)) / 1000
        doc["_n"] = f"{line.pod.uid}{line.at:.6f}"
        return doc

    # Search

    def _search(self, body: dict[str, Any], target: str, ask: Ask) -> dict[str, Any]:
        self._check(body)
        pit = body.get("pit")
        if pit:
            if target:
                raise Failure(
                    400,
                    "action_request_validation_exception",
                    "Validation Failed: 1: [indices] cannot be used with point in time. Do not specify any index with point in time.;",  # noqa: E501
                )
            if pit.get("id") not in self._pits:
                raise Failure(
                    404,
                    "search_phase_execution_exception",
                    "all shards failed",
                    root_cause=[
                        {"type": "search_context_missing_exception", "reason": "No search context found for id [1]"}
                    ],
                )
        page(body, ask)
        indices = self._all_indices() if pit else self._indices(target, ask)
        docs = self._chosen(body.get("query"), indices, body.get("terminate_after"))
        if ask.get("scroll"):
            return self._scrolled(Scroll(list(docs), body, ask), len(indices))
        hits = self._hits.of(docs, body, ask, pit=bool(pit))
        early = body.get("terminate_after")
        result: dict[str, Any] = {
            "took": 3 + len(docs) // 900,
            "timed_out": False,
            **({} if early is None else {"terminated_early": len(docs) >= early}),
            "_shards": {**_SHARDS, "total": len(indices), "successful": len(indices)},
            "hits": hits,
        }
        if pit:
            result["pit_id"] = pit["id"]
        aggs = body.get("aggs") or body.get("aggregations")
        if aggs:
            result["aggregations"] = aggregate(
                aggs, docs, self._dsl(), lambda d, options: self._hits.of(d, {"size": 3, **options}, ask)
            )
        return result

    def _scrolled(self, it: Scroll, shards: int) -> dict[str, Any]:
        """One page of a scroll. Its id stays the same, as it mostly does."""
        hits = self._hits.of(it.docs, it.body, it.ask, onwards=it.at)
        first = it.at == 0
        it.at += len(hits["hits"])
        name = next((k for k, v in self._scrolls.items() if v is it), "")
        if not name:
            name = urlsafe_b64encode(f"scroll#{self._world.company.name}#{len(self._scrolls)}".encode()).decode()
            self._scrolls[name] = it
        aggs = it.body.get("aggs") or it.body.get("aggregations")
        made = {
            "_scroll_id": name,
            "took": 3 + len(it.docs) // 900,
            "timed_out": False,
            "_shards": {**_SHARDS, "total": shards, "successful": shards},
            "hits": hits,
        }
        if aggs and first:
            made["aggregations"] = aggregate(
                aggs, it.docs, self._dsl(), lambda d, options: self._hits.of(d, {"size": 3, **options}, it.ask)
            )
        return made

    def _scroll(self, ask: Ask) -> tuple[int, Any]:
        body = self._body(ask)
        ids = [str(i) for i in listed(body.get("scroll_id") or ask.get("scroll_id"))]
        if ask.method == "DELETE":
            gone = [self._scrolls.pop(i, None) for i in ids]
            return (200 if any(gone) else 404), {"succeeded": True, "num_freed": sum(g is not None for g in gone)}
        found = self._scrolls.get(ids[0]) if ids else None
        if found is None:
            missing = {"type": "search_context_missing_exception", "reason": "No search context found for id [1]"}
            raise Failure(404, "search_phase_execution_exception", "all shards failed", root_cause=[missing])
        return 200, self._scrolled(found, len(self._all_indices()))

    def _check(self, body: dict[str, Any]) -> None:
        for key in body:
            if key not in _SEARCH:
                raise NoSuchQuery(
                    f"unknown key for a {'START_OBJECT' if isinstance(body[key], dict) else 'VALUE_STRING'} in [{key}]."
                )
            if key in _REFUSED:
                self.refused[f"search {key}"] += 1
                raise Failure(
                    403, "security_exception", f"[{key}] is not permitted for API key of user [gumshoe-reader]"
                )

    def _esql(self, body: dict[str, Any], ask: Ask) -> dict[str, Any]:
        query = str(body.get("query") or "")
        source = re.match(r"\s*FROM\s+([^|]+)", query, re.IGNORECASE)
        if source is None:
            raise NoSuchQuery("line 1:1: a query begins with FROM here")
        indices = self._indices(source[1].strip(), ask)
        table = Table(self._mapping, body.get("params") or [], lambda value: self._dsl().moment(value))
        return table.run(query, lambda: self._chosen(body.get("filter"), indices))

    def _many(self, ask: Ask, target: str) -> dict[str, Any]:
        lines = [line for line in ask.body.split(b"\n") if line.strip()]
        answers = []
        for header, body in zip(lines[::2], lines[1::2], strict=False):
            index = json.loads(header).get("index", target)
            try:
                one = self._search(json.loads(body), index if isinstance(index, str) else ",".join(index), ask)
                answers.append({**one, "status": 200})
            except NoSuchQuery as error:
                answers.append(_error(400, error.kind, error.reason))
            except Failure as failure:
                answers.append(_error(failure.status, failure.kind, failure.reason, **failure.more))
        return {"took": 5, "responses": answers}

    # Around the search

    def _pit(self, ask: Ask, target: str) -> tuple[int, Any]:
        if ask.method == "DELETE":
            known = self._body(ask).get("id") in self._pits
            self._pits.discard(self._body(ask).get("id", ""))
            return (200 if known else 404), {"succeeded": True, "num_freed": int(known)}
        if not ask.get("keep_alive"):
            raise Failure(
                400, "action_request_validation_exception", "Validation Failed: 1: [keep_alive] is not specified;"
            )
        indices = self._indices(target, ask)
        made = urlsafe_b64encode(f"{','.join(indices)}#{len(self._pits)}".encode()).decode()
        self._pits.add(made)
        return 200, {"id": made, "_shards": {**_SHARDS, "total": len(indices), "successful": len(indices)}}

    def _field_caps(self, ask: Ask, target: str) -> dict[str, Any]:
        indices = self._indices(target, ask)
        asked = ask.get("fields") or ",".join(listed(self._body(ask).get("fields", [])))
        patterns = [re.compile(translate(p)) for p in (asked or "*").split(",")]
        out: dict[str, Any] = {}
        for name, kind in self._mapping.items() if indices else ():
            if any(p.fullmatch(name) for p in patterns):
                out[name] = {
                    kind: {"type": kind, "metadata_field": False, "searchable": True, "aggregatable": kind != "text"}
                }
        return {"indices": indices, "fields": out}

    def _cat(self, ask: Ask, parts: list[str]) -> Any:
        if parts[1] == "health":
            return f"{int(self._world.now)} {clock.seconds(self._world.now)[11:19]} logs-{self._world.company.cluster} green 3 3 {len(self._all_indices())} 0\n"  # noqa: E501
        rows = []
        for name in self._indices(parts[2] if len(parts) > 2 else "*", ask):
            count = 90_000 + dice.number(name) % 60_000
            rows.append(
                {
                    "health": "green",
                    "status": "open",
                    "index": name,
                    "uuid": dice.letters(22, name),
                    "pri": "1",
                    "rep": "1",
                    "docs.count": str(count),
                    "docs.deleted": "0",
                    "store.size": f"{count // 1900}mb",
                    "pri.store.size": f"{count // 3800}mb",
                    "dataset.size": f"{count // 3800}mb",
                }
            )
        if ask.get("format") == "json" or "json" in ask.headers.get("accept", ""):
            return rows
        return "".join(" ".join(r.values()) + "\n" for r in rows)


_SHARDS = {"total": 2, "successful": 2, "skipped": 0, "failed": 0}


def _error(status: int, kind: str, reason: str, **more: Any) -> dict[str, Any]:
    cause = {"type": kind, "reason": reason, **more}
    return {
        "error": {
            "root_cause": more.get("root_cause") or [cause],
            **{k: v for k, v in cause.items() if k != "root_cause"},
        },
        "status": status,
    }


def _conjunction(query: Any) -> list[Any]:
    """Clauses that every match must satisfy."""
    if not isinstance(query, dict) or "bool" not in query:
        return [query] if isinstance(query, dict) else []
    out: list[Any] = []
    for key in ("must", "filter"):
        for clause in listed(query["bool"].get(key)):
            out += _conjunction(clause)
    return out


def _newest_minutes(start: float, end: float) -> Iterator[tuple[float, float]]:
    for _ in range(_EARLY_MINUTES):
        minute = max(start, (end - 0.001) // 60 * 60)
        yield minute, end
        end = minute - 0.000001
        if end < start:
            return


def _narrowed(have: set[str] | None, asked: set[str] | None) -> set[str] | None:
    return have if asked is None else asked if have is None else have & asked


def _asked(clause: Any, fields: tuple[str, ...]) -> set[str] | None:
    """Values that a clause asks for exactly in one of the fields; None: it says nothing about them."""
    for kind in ("term", "match", "match_phrase", "terms"):
        body = clause.get(kind)
        if isinstance(body, dict):
            name = next(iter(body), "")
            if name in fields:
                value = body[name]
                value = value.get("value", value.get("query")) if isinstance(value, dict) else value
                return {str(v) for v in listed(value)}
    return None


def _properties(mapping: Any) -> dict[str, Any]:
    """Mapping in nested form, with multi-fields."""
    out: dict[str, Any] = {}
    for name, kind in mapping.items():
        if name.endswith(".keyword"):
            continue
        *path, last = name.split(".")
        at = out
        for part in path:
            at = at.setdefault(part, {}).setdefault("properties", {})
        at[last] = {"type": kind}
        if f"{name}.keyword" in mapping:
            at[last]["fields"] = {"keyword": {"type": "keyword", "ignore_above": 256}}
    return out
