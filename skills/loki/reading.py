"""Reads log lines in pages and counts them before it does, and offers them to other skills.

The server's limits are obeyed as it states them: a page shrinks to its `max_entries_limit_per_query`, a range to its
`max_query_length`, and what was left out is told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from zlib import crc32

from skills.contract import Excerpt, LogBatch, LogLine, LogQuery, ToolError, Window
from skills.loglines import level_of_text, opened
from skills.logview.reading import MAX_LINES, Counted, Once, Read, with_traces
from skills.loki import counting, logql
from skills.loki.client import Client, Entry, nanoseconds
from skills.loki.labels import Layout, guessed_level, layout, level_of, writer
from skills.loki.links import excerpt_link, explore_link
from skills.loki.settings import Settings
from skills.loki.sidebyside import side_by_side
from skills.trouble import Refused

PAGE = 5000
"""What a server gives by default (max_entries_limit_per_query)."""
_SAMPLE = 40
_VALUES = 4000
"""Of a label with more values than this none is looked up: pods are asked for by prefix then."""
MOST_BYTES = 50e9
"""Of all namespaces together this much is not counted: the lines alone are read."""


class Reader:
    """Logs as logview asks for them. The layout is discovered with the first question and kept."""

    system = "loki"
    place = "all streams"

    def __init__(self, client: Client) -> None:
        self.client = client
        self._once = Once()
        self._window: Window | None = None
        self._namespace = ""
        self._page = PAGE
        self._known_values: dict[tuple[str, str], tuple[str, ...]] = {}

    @property
    def settings(self) -> Settings:
        return self.client.settings

    @property
    def namespaces(self) -> tuple[str, ...]:
        return self.settings.namespaces

    # --- the layout -------------------------------------------------------------------------------------------------

    @cached_property
    def _layout(self) -> Layout:
        names = self.client.labels(self._window)
        bare = layout(names, (), self.settings.labels)
        if self._window is None or not names:
            return bare
        near = logql.place(bare, self._namespace, self.settings.matchers, self.namespaces)
        try:
            sample = self._sample(near, self._window)
            if not sample and near != self._anywhere(bare):
                sample = self._sample(self._anywhere(bare), self._window)
        except Refused as error:
            if error.status in (401, 429):
                raise
            return bare
        return layout(names, sample, self.settings.labels)

    def _sample(self, where: str, window: Window) -> list[Entry]:
        start, end = nanoseconds(window.start), nanoseconds(window.end) + 1
        return self.client.entries(where, start, end, _SAMPLE, newest=True)

    def _anywhere(self, known: Layout) -> str:
        return logql.place(known, "", self.settings.matchers, self.namespaces)

    def layout(self, window: Window, namespace: str = "") -> Layout:
        """Discovered from the lines of the first question. Raises ToolError."""
        if self._window is None:
            self._window, self._namespace = window, namespace
        return self._layout

    # --- questions --------------------------------------------------------------------------------------------------

    def read(self, query: LogQuery) -> LogBatch:
        """Raises ToolError."""
        found = self.find(query)
        return LogBatch(found.lines, found.total, self.shown(query), self.link(query))

    def find(self, query: LogQuery) -> Read:
        """Raises ToolError."""
        return self._once.get(query, self._find)

    def _find(self, query: LogQuery) -> Read:
        found = self._pages(self.expressions(query), query.window, query.limit)
        if not query.errors_only:
            return found
        lines = with_traces(
            found.lines, lambda rows: self._pages(self.expressions(rows), rows.window, rows.limit).lines
        )
        return Read(tuple(lines), max(found.total, len(lines)), found.problems)

    def traced(self, identifier: str, window: Window, limit: int) -> Read:
        """Raises ToolError."""
        known = self.layout(window)
        where = self._anywhere(known)
        asked = [where + logql.holds(identifier)]
        if names := known.roles.get("trace", ()):
            said = " or ".join(logql.matcher(name, identifier) for name in names)
            asked.append(f"{where} != {logql.quoted(identifier)} | {said}")
        return self._pages(asked, window, limit)

    def expressions(self, query: LogQuery) -> tuple[str, ...]:
        """One log query, or two that share no line. Raises ToolError."""
        known = self.layout(query.window, query.namespace)
        matchers, filters = self._service(known, query)
        where = logql.place(known, query.namespace, self.settings.matchers, self.namespaces, matchers)
        text = logql.has_text(query.text) if query.text else ""
        rest = logql.of_metadata(known, "namespace", query.namespace) + filters
        return tuple(f"{where}{text}{errors}{rest}" for errors in (logql.errors(known) if query.errors_only else ("",)))

    def _service(self, known: Layout, query: LogQuery) -> tuple[list[str], str]:
        """A service, workload, container or pod (prefix): by a label that has it as its value, else by the pod's name.
        Matchers, or where only metadata knows it a filter."""
        if not query.service:
            return [], ""
        named = query.service
        for role in ("service", "container"):
            label = known.selectable(role)
            if label and named in self._values(label, query):
                return [logql.matcher(label, named)], ""
        job = known.selectable("service")
        if job and query.namespace and f"{query.namespace}/{named}" in self._values(job, query):
            return [logql.matcher(job, f"{query.namespace}/{named}")], ""
        begins = f"{logql.literal(named)}(-.+)?"
        if label := known.selectable("pod"):
            return [logql.among(label, begins)], ""
        roles = ("service", "container", "Deployment", "StatefulSet", "DaemonSet", "CronJob")
        equal = [logql.matcher(name, named) for role in roles for name in known.roles.get(role, ())]
        equal += [logql.among(name, begins) for name in known.roles.get("pod", ())]
        return [], f" | {' or '.join(equal)}" if equal else ""

    def _values(self, label: str, query: LogQuery) -> tuple[str, ...]:
        key = (label, query.namespace)
        if key not in self._known_values:
            where = logql.place(self._layout, query.namespace, self.settings.matchers, self.namespaces)
            try:
                found = self.client.values(label, query.window, where)
            except Refused as error:
                if error.status in (401, 429):
                    raise
                found = []
            self._known_values[key] = tuple(found[:_VALUES])
        return self._known_values[key]

    def counts(self, now: Window, before: Window, namespace: str) -> Counted | None:
        """Raises ToolError where the credentials or the load are the reason."""
        known = self.layout(now, namespace)
        every = self.expressions(LogQuery(now, namespace=namespace))
        bad = self.expressions(LogQuery(now, namespace=namespace, errors_only=True))
        who = known.one("service") or known.one("container")
        try:
            size = None if namespace else self.client.size(self._anywhere(known), now)
            if size is not None and size > MOST_BYTES:
                return None
            return counting.count(self.client, every, bad, who, now, before)
        except Refused as error:
            if error.status in (401, 429):
                raise
            return None

    def shown(self, query: LogQuery) -> str:
        try:
            asked = self.expressions(query)
        except ToolError:
            asked = (f"{{{query.namespace}}}",)
        return f"{' and '.join(asked)} @ {query.window}"

    def link(self, query: LogQuery) -> str | None:
        return explore_link(self.settings, query.window, self.expressions(query))

    def link_of(self, excerpt: Excerpt) -> str | None:
        return excerpt_link(self.settings, self._layout, excerpt)

    # --- pages ------------------------------------------------------------------------------------------------------

    def _pages(self, expressions: Sequence[str], window: Window, limit: int) -> Read:
        limit = min(limit, MAX_LINES)
        reads = side_by_side([lambda each=each: self._one(each, window, limit) for each in expressions])  # type: ignore[misc]  # mypy: lambda default
        entries = sorted((e for read, _, _ in reads for e in read), key=lambda e: e.nanoseconds)
        total = sum(total for _, total, _ in reads)
        if len(entries) > limit:
            half = limit // 2
            entries = [*entries[:half], *entries[half - limit :]]
        problems = tuple(dict.fromkeys(p for _, _, told in reads for p in told))
        return Read(tuple(self._line(entry) for entry in entries), max(total, len(entries)), problems)

    def _one(self, expression: str, window: Window, limit: int) -> tuple[list[Entry], int, tuple[str, ...]]:
        """Of one expression up to `limit` lines; of more than that the oldest half and the newest half."""
        start, end = nanoseconds(window.start), nanoseconds(window.end) + 1
        problems: list[str] = []
        try:
            first = self._page_of(expression, start, end, limit)
        except Refused as error:
            if (longest := _longest(error.words)) is None:
                raise
            start = end - int(longest.total_seconds() * 1e9)
            problems.append(f"only the last {longest} before {window.end:%H:%M:%S}: {error.words}")
            first = self._page_of(expression, start, end, limit)
        if len(first) < min(limit, self._page):
            return first, len(first), tuple(problems)
        total = self._total(expression, window, len(first), problems)
        if total <= limit:
            return self._forward(expression, first, end, limit, problems), total, tuple(problems)
        oldest = self._forward(expression, first[: limit // 2], end, limit // 2, problems)
        newest = self._backward(expression, oldest[-1].nanoseconds + 1, end, limit - len(oldest), problems)
        return [*oldest, *newest], total, tuple(problems)

    def _page_of(self, expression: str, start: int, end: int, limit: int, *, newest: bool = False) -> list[Entry]:
        try:
            return self.client.entries(expression, start, end, min(limit, self._page), newest=newest)
        except Refused as error:
            allowed = _MOST.search(error.words)
            if allowed is None or not 0 < int(allowed[1]) < self._page:
                raise
            self._page = int(allowed[1])
        return self.client.entries(expression, start, end, min(limit, self._page), newest=newest)

    def _total(self, expression: str, window: Window, at_least: int, problems: list[str]) -> int:
        try:
            return max(at_least, counting.total(self.client, expression, window))
        except ToolError as error:
            problems.append(f"how many lines match could not be counted: {error}")
            return MAX_LINES + 1

    def _forward(self, expression: str, have: list[Entry], end: int, limit: int, problems: list[str]) -> list[Entry]:
        """Goes on after what it has, page by page. Lines of one nanosecond are told apart by their words."""
        found, seen = list(have), {_identity(e) for e in have}
        while len(found) < limit:
            try:
                page = self._page_of(expression, found[-1].nanoseconds, end, limit - len(found) + 100)
            except ToolError as error:
                problems.append(f"only {len(found)} lines were read: {error}")
                break
            fresh = [e for e in page if _identity(e) not in seen]
            if not fresh:
                break
            seen.update(_identity(e) for e in fresh)
            found += fresh
        return found[:limit]

    def _backward(self, expression: str, start: int, end: int, limit: int, problems: list[str]) -> list[Entry]:
        found: list[Entry] = []
        seen: set[tuple[object, ...]] = set()
        while len(found) < limit:
            try:
                page = self._page_of(expression, start, end, limit - len(found) + (100 if found else 0), newest=True)
            except ToolError as error:
                problems.append(f"the newest lines could not be read: {error}")
                break
            fresh = [e for e in page if _identity(e) not in seen]
            if not fresh:
                break
            seen.update(_identity(e) for e in fresh)
            found += fresh
            end = page[-1].nanoseconds + 1
        return list(reversed(found[:limit]))

    def _line(self, entry: Entry) -> LogLine:
        known, text = self._layout, opened(entry.text).rstrip("\n")
        fields = {"id": f"{entry.nanoseconds} {known.value(entry.labels, 'pod')} {crc32(entry.text.encode())}"}
        for role in ("trace", "service"):
            if value := known.value(entry.labels, role):
                fields[role] = value
        return LogLine(
            at=datetime.fromtimestamp(entry.nanoseconds // 1000 / 1e6, UTC),
            text=text,
            entity=writer(entry.labels, known),
            container=known.value(entry.labels, "container"),
            level=level_of(entry.labels, known) or ("" if level_of_text(text) else guessed_level(entry.labels)),
            fields=fields,
        )


_MOST = re.compile(r"max entries limit .*\(\d+ > (\d+)\)")
_LONGEST = re.compile(r"query time range exceeds the limit \(query length: [^,]+, limit: ([^)]+)\)")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|[wdhms])")
_SECONDS = {"w": 604800.0, "d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}


def _longest(words: str) -> timedelta | None:
    """The longest range that the server allows, where that is what it complains of (a duration as Go writes them)."""
    match = _LONGEST.search(words)
    if match is None:
        return None
    seconds = sum(float(n) * _SECONDS.get(unit, 0.0) for n, unit in _PART.findall(match[1]))
    return timedelta(seconds=seconds) if seconds > 0 else None


def _identity(entry: Entry) -> tuple[object, ...]:
    return (entry.nanoseconds, entry.text, tuple(sorted(entry.labels.items())))
