"""The Loki API of the world's logs: query_range, query, labels, label values, series, index statistics.

Shapes: Loki 3 HTTP API. Labels as Alloy's Kubernetes discovery gives them; the level is structured metadata that the
server guesses from the line, as `discover_log_levels` does. Errors are plain text.
"""

from __future__ import annotations

import json
import re
from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from workers.simulation.faces import logql
from workers.simulation.faces.exchange import Ask, Reply, as_json
from workers.simulation.faces.logql_run import Counter, Entry, Labels, ranges, selects
from workers.simulation.faces.logql_run import kept as kept_of
from workers.simulation.logs.book import KEPT_SECONDS
from workers.simulation.logs.line import Line
from workers.simulation.scene import Scene

MAX_ENTRIES = 5000
MAX_SERIES = 500
MAX_POINTS = 11_000
MAX_HOURS = 721
_PLAIN = "text/plain; charset=utf-8"


class Refusal(Exception):
    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status, self.words = status, words


class Loki:
    def __init__(self, scene: Scene, *, token: str = "") -> None:
        self._scene, self._world = scene, scene.world
        self._token = token
        self._entries: dict[int, Entry] = {}
        self._streams: dict[tuple[str, str], Labels] = {}
        self.refused: Tally[str] = Tally()

    def answer(self, ask: Ask) -> Reply:
        if self._token and ask.headers.get("authorization") != f"Bearer {self._token}":
            return Reply(401, b"no org id", _PLAIN)
        if ask.method not in ("GET", "POST"):
            self.refused[f"{ask.method} {ask.path}"] += 1
            return Reply(405, b"Method Not Allowed\n", _PLAIN)
        try:
            return self._route(ask.form() if ask.method == "POST" else ask)
        except logql.NotDone as error:
            self.refused[f"query {error}"] += 1
            word = str(error).rpartition(" ")[2]
            return Reply(400, f"parse error at line 1, col 1: syntax error: unexpected {word}".encode(), _PLAIN)
        except logql.NotValid as error:
            return Reply(400, str(error).encode(), _PLAIN)
        except Refusal as error:
            return Reply(error.status, error.words.encode(), _PLAIN)

    def _route(self, ask: Ask) -> Reply:
        path = ask.path.removeprefix("/loki/api/v1")
        if ask.path == "/ready":
            return Reply(200, b"ready\n", _PLAIN)
        if path == "/status/buildinfo":
            return as_json({"version": "3.5.7", "revision": "6f5b0d9c", "branch": "HEAD", "goVersion": "go1.24.4"})
        if path == "/labels":
            return _listed(sorted({name for stream in self._selected(ask, "query") for name in stream}))
        if match := re.fullmatch(r"/label/([^/]+)/values", path):
            return _listed(sorted({s[match[1]] for s in self._selected(ask, "query") if match[1] in s}))
        if path == "/series":
            if not ask.all("match[]"):
                raise Refusal(400, "0 matcher groups supplied")
            return as_json({"status": "success", "data": self._selected(ask, "match[]")})
        if path == "/index/stats":
            return self._stats(ask)
        if path == "/query_range":
            return self._query_range(ask)
        if path == "/query":
            return self._query(ask)
        self.refused[f"{ask.method} {ask.path}"] += 1
        return Reply(404, b"404 page not found\n", _PLAIN)

    # --- streams ----------------------------------------------------------------------------------------------------

    def _selected(self, ask: Ask, name: str) -> list[Labels]:
        """Streams of pods that were there in the time asked about; a question that names no time gets all that is kept,
        as the world's time is not the asker's."""
        start, end = self._span(ask) if ask.get("start") else (0, int(self._world.now * 1e9))
        asked = ask.all(name)
        selectors = [logql.selector(text) for text in asked if text and text != "{}"]
        return [
            stream
            for stream in self._all_streams(start / 1e9, end / 1e9)
            if not selectors or any(selects(matchers, stream) for matchers in selectors)
        ]

    def _all_streams(self, start: float, end: float) -> Iterator[Labels]:
        if "logs" in self._world.hidden:
            return
        for workload in self._world.workloads.values():
            if f"logs:{workload.name}" in self._world.hidden:
                continue
            for pod in workload.pods:
                if pod.created <= end and pod.deleted >= start and (pod.runs or pod.init_runs):
                    for container in pod.runs or (pod.main,):
                        yield _stream(pod, container)

    # --- entries ----------------------------------------------------------------------------------------------------

    def _matching(self, matchers: Sequence[logql.Matcher], start: int, end: int) -> list[Entry]:
        """Of start <= time < end, oldest first."""
        if "logs" in self._world.hidden:
            return []
        places = [m for m in matchers if m.label == "namespace"]
        workloads = [w for w in self._world.workloads.values() if selects(places, {"namespace": w.namespace})]
        oldest = max(start / 1e9, self._world.now - KEPT_SECONDS)
        chosen: dict[int, bool] = {}
        found = []
        for line in self._scene.logs.between(oldest, end / 1e9, workloads):
            entry = self._entry(line)
            known = id(entry.stream)
            if known not in chosen:
                chosen[known] = selects(matchers, entry.stream)
            if chosen[known] and start <= entry.nanoseconds < end:
                found.append(entry)
        return sorted(found, key=lambda entry: entry.nanoseconds)

    def _entry(self, line: Line) -> Entry:
        if id(line) not in self._entries:
            key = (line.pod.uid, line.container)
            if key not in self._streams:
                self._streams[key] = _stream(line.pod, line.container)
            level = detected_level(line.text)
            at = int(line.at * 1e6) * 1000
            self._entries[id(line)] = Entry(at, line.text, self._streams[key], {"detected_level": level})
        return self._entries[id(line)]

    # --- queries ----------------------------------------------------------------------------------------------------

    def _query_range(self, ask: Ask) -> Reply:
        query = logql.parse(ask.get("query"))
        start, end = self._span(ask)
        if end < start:
            raise Refusal(400, "end timestamp must not be before or equal to start time")
        if end - start > MAX_HOURS * 3600 * 1_000_000_000:
            length = f"{(end - start) // 3_600_000_000_000}h0m0s"
            raise Refusal(400, f"the query time range exceeds the limit (query length: {length}, limit: 30d1h)")
        if isinstance(query, logql.Log):
            return self._streams_of(query, start, end, ask)
        step = _step(ask.get("step"), start, end)
        if (end - start) / step > MAX_POINTS:
            raise Refusal(
                400,
                "exceeded maximum resolution of 11,000 points per time series. Try increasing the value of the step parameter",  # noqa: E501
            )
        counter = self._counter(query, start, end)
        series: dict[tuple[tuple[str, str], ...], list[list[Any]]] = defaultdict(list)
        for at in range(start, end + 1, step):
            for labels, value in counter.at(at).items():
                series[labels].append([at / 1e9, _number(value)])
        _check_series(series)
        rows = [{"metric": dict(labels), "values": values} for labels, values in sorted(series.items())]
        return _data("matrix", rows)

    def _streams_of(self, query: logql.Log, start: int, end: int, ask: Ask) -> Reply:
        limit = _limit(ask)
        found = kept_of(query, self._matching(query.matchers, start, end))
        newest = ask.get("direction", "backward").lower() != "forward"
        total = len(found)
        chosen = list(reversed(found))[:limit] if newest else found[:limit]
        streams: dict[tuple[tuple[str, str], ...], list[list[str]]] = defaultdict(list)
        for each in chosen:
            streams[tuple(sorted(each.labels.items()))].append([str(each.entry.nanoseconds), each.entry.text])
        rows = [{"stream": dict(labels), "values": values} for labels, values in streams.items()]
        return _data("streams", rows, lines=total)

    def _query(self, ask: Ask) -> Reply:
        query = logql.parse(ask.get("query"))
        if isinstance(query, logql.Log):
            raise Refusal(
                400,
                "log queries are not supported as an instant query type, please change your query to a range query type",  # noqa: E501
            )
        at = _moment(ask.get("time")) if ask.get("time") else int(self._world.now * 1e9)
        samples = self._counter(query, at, at).at(at)
        _check_series(samples)
        rows = [
            {"metric": dict(labels), "value": [at / 1e9, _number(value)]} for labels, value in sorted(samples.items())
        ]
        return _data("vector", rows)

    def _counter(self, query: logql.Metric, start: int, end: int) -> Counter:
        over = ranges(query)
        back = int((over.seconds + over.offset) * 1e9)
        return Counter(query, self._matching(over.log.matchers, start - back, end + 1))

    def _stats(self, ask: Ask) -> Reply:
        start, end = self._span(ask)
        entries = self._matching(logql.selector(ask.get("query")), start, end)
        streams = {tuple(entry.stream.items()) for entry in entries}
        size = sum(len(entry.text.encode()) for entry in entries)
        return as_json({"streams": len(streams), "chunks": 2 * len(streams), "entries": len(entries), "bytes": size})

    def _span(self, ask: Ask) -> tuple[int, int]:
        end = _moment(ask.get("end")) if ask.get("end") else int(self._world.now * 1e9)
        return (_moment(ask.get("start")) if ask.get("start") else end - 3_600_000_000_000), end


def _stream(pod: Any, container: str) -> Labels:
    labels = pod.revision.template["metadata"]["labels"]
    app = labels.get("app") or labels.get("app.kubernetes.io/name") or pod.workload.part.name
    stream = {"namespace": pod.namespace, "app": app, "pod": pod.name, "container": container, "service_name": app}
    return {**stream, "node_name": pod.node} if pod.node else stream


_LEVELS = {
    "trace": "trace", "trc": "trace", "debug": "debug", "dbg": "debug", "info": "info", "inf": "info",
    "information": "info", "warn": "warn", "wrn": "warn", "warning": "warn", "error": "error", "err": "error",
    "critical": "critical", "fatal": "fatal",
}  # fmt: skip
_LEVEL_FIELDS = ("level", "LEVEL", "Level", "severity", "SEVERITY", "Severity", "lvl", "LVL", "severity_text")
_IN_LOGFMT = re.compile(r"(?:^|\s)(?:level|severity|lvl|severity_text)=\"?([A-Za-z]+)", re.IGNORECASE)


def detected_level(text: str) -> str:
    """What the distributor guesses: the level field of JSON or logfmt, else the first of some words in the line."""
    found = ""
    if text.lstrip()[:1] == "{" and text.rstrip()[-1:] == "}":
        try:
            fields = json.loads(text)
        except ValueError:
            fields = {}
        found = next((v for name in _LEVEL_FIELDS if isinstance(v := fields.get(name), str)), "")
    elif "=" in text and (match := _IN_LOGFMT.search(text)):
        found = match[1]
    if found.lower() in _LEVELS:
        return _LEVELS[found.lower()]
    for level, words in _SAID:
        if any(word in text for word in words):
            return level
    return "unknown"


def _said(level: str, *bare: str) -> tuple[str, tuple[str, ...]]:
    marked = [f for word in bare for f in (f"{word}:", f"{word.upper()}:", f"[{word}]", f"[{word.upper()}]")]
    return level, tuple(marked)


_SAID = (
    ("info", ("info", "INFO")),
    ("error", ("err:", "ERR:", "[err]", "[ERR]", "[error]", "[ERROR]")),
    ("warn", ("warn:", "WARN:", "[warn]", "[WARN]", "warning", "WARNING")),
    _said("critical", "critical"),
    ("debug", ("debug", "DEBUG")),
)


def _data(kind: str, rows: list[dict[str, Any]], lines: int = 0) -> Reply:
    summary = {
        "bytesProcessedPerSecond": 0, "linesProcessedPerSecond": 0, "totalBytesProcessed": 0,
        "totalLinesProcessed": lines, "execTime": 0.004, "queueTime": 0.0001, "subqueries": 0,
        "totalEntriesReturned": sum(len(row.get("values", ())) for row in rows), "splits": 1, "shards": 1,
        "totalPostFilterLines": lines, "totalStructuredMetadataBytesProcessed": 0,
    }  # fmt: skip
    stats = {"summary": summary, "querier": {}, "ingester": {}, "cache": {}, "index": {}}
    return as_json({"status": "success", "data": {"resultType": kind, "result": rows, "stats": stats}})


def _listed(names: list[str]) -> Reply:
    """An empty list is left out."""
    return as_json({"status": "success", "data": names} if names else {"status": "success"})


def _limit(ask: Ask) -> int:
    text = ask.get("limit") or "100"
    try:
        limit = int(text)
    except ValueError:
        raise Refusal(400, f'strconv.ParseUint: parsing "{text}": invalid syntax') from None
    if limit <= 0:
        raise Refusal(400, "limit must be a positive value")
    if limit > MAX_ENTRIES:
        raise Refusal(
            400,
            f"max entries limit per query exceeded, limit > max_entries_limit_per_query ({limit} > {MAX_ENTRIES})",
        )
    return limit


def _check_series(series: Iterable[object]) -> None:
    if len(list(series)) > MAX_SERIES:
        raise Refusal(
            400,
            f"maximum number of series ({MAX_SERIES}) reached for a single query; consider reducing query cardinality by adding more specific stream selectors, reducing the time range, or aggregating results with functions like sum(), count() or topk()",  # noqa: E501
        )


def _moment(text: str) -> int:
    """Nanoseconds of an epoch in nanoseconds or seconds, or of RFC 3339."""
    if re.fullmatch(r"\d+\.\d*", text) or (text.isdigit() and len(text) <= 10):
        return int(float(text) * 1e9)
    if text.isdigit():
        return int(text)
    try:
        return int(datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text)).timestamp() * 1e6) * 1000
    except ValueError:
        raise Refusal(400, f'could not parse "{text}" as a timestamp') from None


_UNIT = {"ms": 1_000_000, "s": 1_000_000_000, "m": 60_000_000_000, "h": 3_600_000_000_000, "d": 86_400_000_000_000}


def _step(text: str, start: int, end: int) -> int:
    if not text:
        return max(1, (end - start) // 1_000_000_000 // 250) * 1_000_000_000
    if match := re.fullmatch(r"(\d+)(ms|[smhd])", text):
        return int(match[1]) * _UNIT[match[2]]
    try:
        return max(1_000_000, int(float(text) * 1e9))
    except ValueError:
        raise Refusal(400, f'cannot parse "{text}" to a valid duration') from None


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
