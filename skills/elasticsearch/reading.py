"""Reads log lines in pages, and offers them to other skills. One plain search where it suffices, a point in time where
it does not, and whatever the server agrees to where it refuses one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from skills.contract import Excerpt, LogBatch, LogQuery, ToolError, Window
from skills.elasticsearch import queries
from skills.elasticsearch.client import Answer, Client
from skills.elasticsearch.counting import count
from skills.elasticsearch.fields import Layout, discover
from skills.elasticsearch.lines import EXTRA, lines_of
from skills.elasticsearch.links import discover_link, excerpt_link, kuery
from skills.logview.reading import MAX_LINES, Counted, Once, Read, with_traces
from skills.trouble import Refused

PAGE = 5000
"""Half of what a search may give by default (index.max_result_window): most questions end with their first page."""


class Reader:
    """Logs as logview asks for them. The layout is discovered with the first question and kept."""

    system = "elasticsearch"

    def __init__(self, client: Client) -> None:
        self.client = client
        self._once = Once()

    @property
    def place(self) -> str:
        return self.client.settings.index

    @property
    def namespaces(self) -> tuple[str, ...]:
        return self.client.settings.namespaces

    @cached_property
    def layout(self) -> Layout:
        return discover(self.client, self.client.settings.fields)

    def read(self, query: LogQuery) -> LogBatch:
        """Raises ToolError."""
        found = self.find(query)
        return LogBatch(found.lines, found.total, self.shown(query), self.link(query))

    def find(self, query: LogQuery) -> Read:
        """Raises ToolError."""
        return self._once.get(query, self._find)

    def _find(self, query: LogQuery) -> Read:
        read = self.pages(self.clauses(query), limit=query.limit)
        if not query.errors_only:
            return read
        lines = with_traces(read.lines, lambda rows: self.pages(self.clauses(rows), limit=rows.limit).lines)
        return replace(read, lines=tuple(lines))

    def traced(self, identifier: str, window: Window, limit: int) -> Read:
        """Raises ToolError."""
        by_field = [queries.equals(field, identifier) for field in self.layout.all("trace")]
        anywhere = queries.has_text(self.layout, f'"{identifier}"')
        return self.pages([queries.within(self.layout, window), queries.any_of([*by_field, anywhere])], limit=limit)

    def counts(self, now: Window, before: Window, namespace: str) -> Counted | None:
        """Raises ToolError where the credentials or the load are the reason."""
        return count(self.client, self.layout, now, before, namespace)

    def clauses(self, query: LogQuery) -> list[queries.Clause]:
        layout = self.layout
        clauses = [queries.within(layout, query.window), *queries.of_namespace(layout, query.namespace)]
        clauses += queries.of_service(layout, query.service)
        if query.text:
            clauses.append(queries.has_text(layout, query.text))
        if query.errors_only:
            clauses.append(queries.errors(layout))
        return clauses

    def shown(self, query: LogQuery) -> str:
        """The question as a person would type it in Discover."""
        words = kuery(self.layout, namespace=query.namespace, service=query.service, text=query.text)
        errors = " (errors)" if query.errors_only else ""
        return f"{self.client.settings.index}: {words or '*'}{errors} @ {query.window}"

    def link(self, query: LogQuery) -> str | None:
        words = kuery(self.layout, namespace=query.namespace, service=query.service, text=query.text)
        return discover_link(self.client.settings, query.window, words)

    def link_of(self, excerpt: Excerpt) -> str | None:
        return excerpt_link(self.client.settings, self.layout, excerpt)

    def pages(self, clauses: Sequence[queries.Clause], *, limit: int) -> Read:
        """Up to `limit` lines; of more than that the oldest half and the newest half. Raises ToolError."""
        limit = min(limit, MAX_LINES)
        size = min(PAGE, limit)
        first = self._search(clauses, size)
        hits = list(first.hits)
        problems = list(first.problems)
        if first.total > len(hits) and len(hits) == size:
            if first.total <= limit:
                hits, more = self._rest(clauses, limit, hits)
            else:
                hits, more = self._both_ends(clauses, limit, hits)
            problems += more
        unique = {(str(h.get("_index")), str(h["_id"])) if h.get("_id") else i: h for i, h in enumerate(hits)}
        return Read(tuple(lines_of(unique.values(), self.layout)), max(first.total, len(unique)), tuple(problems))

    def _search(self, clauses: Sequence[queries.Clause], size: int, *, newest: bool = False) -> Answer:
        body = {
            "size": size,
            "query": queries.query(*clauses),
            "sort": queries.sort(self.layout, newest=newest),
            "track_total_hits": True,
            **self._wanted,
        }
        try:
            return self.client.search(body)
        except Refused as error:
            if error.status != 400:
                raise
            # A field that only some indices can sort by, or a proxy that knows few options: the plainest question.
            return self.client.search({"size": size, "query": queries.query(*clauses)})

    @cached_property
    def _wanted(self) -> Mapping[str, Any]:
        """Only the fields that are read: shippers add kilobytes of labels to each line."""
        if self.layout.guessed or not self.layout.one("message"):
            return {}
        return {"_source": sorted({field.name for fields in self.layout.roles.values() for field in fields} | EXTRA)}

    def _both_ends(
        self, clauses: Sequence[queries.Clause], limit: int, oldest: list[Mapping[str, Any]]
    ) -> tuple[list[Mapping[str, Any]], list[str]]:
        problems: list[str] = []
        if limit > 2 * PAGE:
            oldest, problems = self._rest(clauses, limit // 2, oldest)
        try:
            newest = self._search(clauses, min(PAGE, limit // 2), newest=True)
        except ToolError as error:
            return oldest, [*problems, f"the newest lines could not be read: {error}"]
        return [*oldest[: limit - len(newest.hits)], *newest.hits], [*problems, *newest.problems]

    def _rest(
        self, clauses: Sequence[queries.Clause], limit: int, have: list[Mapping[str, Any]]
    ) -> tuple[list[Mapping[str, Any]], list[str]]:
        """From the start again under a point in time, as the first page was not: or the first page, with the reason."""
        try:
            pit = self.client.open_pit()
        except Refused as error:
            if error.status in (401, 429):
                raise
            return self._one_large_page(clauses, limit, have)
        hits: list[Mapping[str, Any]] = []
        problems: list[str] = []
        after: Any = None
        try:
            while len(hits) < limit:
                body: dict[str, Any] = {
                    "size": min(PAGE, limit - len(hits)),
                    "query": queries.query(*clauses),
                    "sort": queries.sort(self.layout, pit=not self.client.plain),
                    "pit": {"id": pit, "keep_alive": "1m"},
                    "track_total_hits": False,
                    **self._wanted,
                }
                if after is not None:
                    body["search_after"] = after
                page = self.client.search(body, pit=True)
                problems += page.problems
                hits += page.hits
                pit = page.pit or pit
                after = page.hits[-1].get("sort") if page.hits else None
                if len(page.hits) < body["size"] or not after:
                    break
        except ToolError as error:
            return (hits or have), [*problems, f"only {len(hits or have)} lines were read: {error}"]
        finally:
            self._close(pit)
        return (hits or have), problems

    def _one_large_page(
        self, clauses: Sequence[queries.Clause], limit: int, have: list[Mapping[str, Any]]
    ) -> tuple[list[Mapping[str, Any]], list[str]]:
        """Without a point in time: 10,000 is the most that a search gives by default (index.max_result_window)."""
        try:
            page = self._search(clauses, min(limit, 10_000))
        except ToolError as error:
            return have, [f"only {len(have)} lines were read: {error}"]
        return list(page.hits), list(page.problems)

    def _close(self, pit: str) -> None:
        try:
            self.client.close_pit(pit)
        except ToolError:
            return  # it ends by itself within a minute
