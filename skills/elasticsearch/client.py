"""Questions to a cluster, with the official client where it agrees, and over plain JSON where it does not.

The official client refuses what does not call itself Elasticsearch (OpenSearch, proxies, old versions) and speaks a
media type that older servers reject; then the same transport asks in plain JSON. Failures are ToolErrors that hold the
question and the server's words. API: Elasticsearch reference, "Search", "Point in time", "Field capabilities", "ES|QL".
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from skills.contract import Access
from skills.elasticsearch.settings import Settings
from skills.rest import rows
from skills.said import one_line
from skills.silence import unanswered
from skills.trouble import Answered, Key, Party, Refused, Unanswered, refused, secrets_of, unreadable
from skills.wire import basic_pair

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

_JSON = {"accept": "application/json", "content-type": "application/json"}
_LENIENT = {"ignore_unavailable": "true", "allow_no_indices": "true"}


@dataclass(frozen=True)
class Answer:
    """What a search found."""

    hits: tuple[Mapping[str, Any], ...] = ()
    total: int = 0
    """How many match; a lower bound when `at_least`."""
    at_least: bool = False
    aggregations: Mapping[str, Any] = field(default_factory=dict)
    shards: int | None = None
    problems: tuple[str, ...] = ()
    """Why it may be incomplete: timed out, shards that failed."""
    pit: str | None = None


@dataclass(frozen=True)
class Table:
    """What an ES|QL query gave."""

    rows: tuple[Mapping[str, Any], ...]
    problems: tuple[str, ...] = ()


class Client:
    def __init__(self, access: Access) -> None:
        self.settings: Settings = access.settings
        self._access = access
        self._party = _party(access)
        self._last = threading.local()
        """What came back last to this thread, as it came: the vendor's errors keep only a part of it."""
        self._official: Elasticsearch | None = None
        self.plain = False
        """Whether the official client has refused this server."""
        self.without_esql = False
        """Whether the server has refused ES|QL."""

    # --- what can be asked ------------------------------------------------------------------------------------------

    def search(self, body: Mapping[str, Any], *, pit: bool = False) -> Answer:
        """One page of hits, or aggregations. Raises ToolError."""
        body = {"timeout": f"{max(1, int(self._access.timeout_seconds * 0.8))}s", **body}
        if pit:
            return _answer(self.ask("POST", "/_search", body))
        return _answer(self.ask("POST", f"/{self._index}/_search", body, _LENIENT))

    def open_pit(self) -> str:
        """A point in time over the index. Raises ToolError (Refused where the server has none)."""
        answer = self.ask("POST", f"/{self._index}/_pit", None, {"keep_alive": "1m"})
        identifier = answer.get("id")
        if not isinstance(identifier, str):
            raise Refused("Elasticsearch gave no point in time", status=501)
        return identifier

    def close_pit(self, identifier: str) -> None:
        """Raises ToolError; a point in time that stays open ends by itself within a minute."""
        self.ask("DELETE", "/_pit", {"id": identifier})

    def field_caps(self, names: tuple[str, ...]) -> Mapping[str, Any]:
        """Raises ToolError."""
        answer = self.ask("GET", f"/{self._index}/_field_caps", None, {"fields": ",".join(names), **_LENIENT})
        return _mapping(answer, "fields")

    def mapping(self) -> Mapping[str, Any]:
        """Raises ToolError."""
        return self.ask("GET", f"/{self._index}/_mapping", None, _LENIENT)

    def esql(self, query: str, params: Sequence[Mapping[str, Any]], matching: Mapping[str, Any]) -> Table:
        """Rows of an ES|QL query over the documents that a query DSL clause matches. Raises ToolError (Refused where
        the server has no ES|QL, or not these fields)."""
        body = {"query": query, "params": list(params), "filter": matching}
        answer = self.ask("POST", "/_query", body)
        columns, values = answer.get("columns"), answer.get("values")
        if not isinstance(columns, list) or not isinstance(values, list):
            raise Refused("Elasticsearch gave no table", asked=query, status=501)
        names = [str(column.get("name")) for column in columns if isinstance(column, Mapping)]
        table = tuple(dict(zip(names, row, strict=False)) for row in values if isinstance(row, list))
        partial = ("ES|QL says that its result is partial",) if answer.get("is_partial") else ()
        return Table(table, partial)

    @property
    def _index(self) -> str:
        return quote(self.settings.index, safe=",*-_.")

    # --- how it is asked --------------------------------------------------------------------------------------------

    def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None, params: Mapping[str, str] | None = None
    ) -> Mapping[str, Any]:
        """The JSON object that the server answers. Raises ToolError."""
        from elastic_transport import SerializationError, TransportError  # noqa: PLC0415  # heavy, see node.py
        from elasticsearch import ApiError, UnsupportedProductError  # noqa: PLC0415  # heavy, see node.py

        shown = f"{method} {path}" + (f" {json.dumps(body, separators=(',', ':'))[:1500]}" if body else "")
        client = self._connected()
        try:
            if not self.plain:
                try:
                    return self._read(self._with_official(client, method, path, body, params), shown)
                except UnsupportedProductError:
                    self.plain = True
                except ApiError as error:
                    if "media_type" not in str(error.body) and error.status_code != 406:
                        raise
                    self.plain = True
            return self._read(self._plainly(client, method, path, body, params, shown), shown)
        except ApiError:
            raise refused(self._party, self._last.answer, shown) from None
        except SerializationError:
            answer: Answered = self._last.answer
            fails = refused if answer.status >= 300 else unreadable
            raise fails(self._party, answer, shown) from None
        except TransportError as error:
            raise unanswered(self._party, error, shown, self._access.timeout_seconds) from None

    def _with_official(
        self, client: Elasticsearch, method: str, path: str, body: Any, params: Mapping[str, str] | None
    ) -> Any:
        self._access.meter.request()
        return client.perform_request(method, path, params=params, headers=_JSON, body=body).body

    def _plainly(
        self, client: Elasticsearch, method: str, path: str, body: Any, params: Mapping[str, str] | None, shown: str
    ) -> Any:
        self._access.meter.request()
        if self.plain and path.endswith("/_pit") and method == "POST":  # OpenSearch has its own name for it
            path = path.removesuffix("_pit") + "_search/point_in_time"
        if path == "/_pit":
            path, body = "/_search/point_in_time", {"pit_id": [body["id"]]}
        target = f"{path}?{urlencode(params)}" if params else path
        headers = {**client._headers, **_JSON}
        meta, answer = client.transport.perform_request(
            method, target, headers=headers, body=body, max_retries=0, request_timeout=self._access.timeout_seconds
        )
        if not 200 <= meta.status < 300:
            raise refused(self._party, self._last.answer, shown)
        return answer

    def _read(self, answer: Any, shown: str) -> Mapping[str, Any]:
        if not isinstance(answer, Mapping):
            raise unreadable(self._party, self._last.answer, shown, "a JSON object")
        if "pit_id" in answer and "id" not in answer and "hits" not in answer:
            return {**answer, "id": answer["pit_id"]}
        return answer

    def _connected(self) -> Elasticsearch:
        if self._official is None:
            from elasticsearch import Elasticsearch  # noqa: PLC0415  # 0.3 s and 40 MB that only this skill needs

            from skills.elasticsearch.node import QuietJson, bounded_node  # noqa: PLC0415  # imports elastic_transport

            node = bounded_node(self._access.timeout_seconds, self._access.meter.received, self._saw)
            quiet = {"application/json": QuietJson()}
            self._official = Elasticsearch(
                _with_port(self.settings.url), node_class=node, serializers=quiet, **self._options()
            )
        return self._official

    def _saw(self, answer: Answered) -> None:
        self._last.answer = answer

    def _options(self) -> dict[str, Any]:
        settings, secret = self.settings, self._access.secret
        options: dict[str, Any] = {
            "request_timeout": self._access.timeout_seconds, "max_retries": 0, "retry_on_timeout": False,
        }  # fmt: skip
        if settings.url.startswith("https://"):
            options |= {"verify_certs": settings.verify_tls, "ca_certs": settings.ca_file, "ssl_show_warn": False}
            options = {key: value for key, value in options.items() if value is not None}
        if settings.api_key_env and (key := secret(settings.api_key_env)):
            options["api_key"] = key
        elif settings.username and settings.password_env and (password := secret(settings.password_env)):
            options["basic_auth"] = (settings.username, password)
        return options


def _answer(raw: Mapping[str, Any]) -> Answer:
    hits = raw.get("hits")
    if not isinstance(hits, Mapping):
        start = one_line(json.dumps(raw, default=str), 100)
        raise Unanswered(f"Elasticsearch answered a search without hits: {start}", "check skills.elasticsearch.url")
    total = hits.get("total")
    value = total.get("value", 0) if isinstance(total, Mapping) else total
    found = tuple(rows(hits, "hits"))
    shards = _mapping(raw, "_shards")
    problems = []
    if raw.get("timed_out"):
        problems.append("the search timed out on the server; its result is partial")
    if failed := shards.get("failed"):
        problems.append(f"{failed} of {shards.get('total', '?')} shards failed{_why(shards)}")
    pit = raw.get("pit_id")
    return Answer(
        hits=found,
        total=value if isinstance(value, int) and value >= 0 else len(found),
        at_least=isinstance(total, Mapping) and total.get("relation") == "gte",
        aggregations=_mapping(raw, "aggregations"),
        shards=whole if isinstance(whole := shards.get("total"), int) else None,
        problems=tuple(problems),
        pit=pit if isinstance(pit, str) else None,
    )


def _mapping(obj: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """An object of somebody else's JSON; {} for anything else."""
    found = obj.get(key)
    return found if isinstance(found, Mapping) else {}


def _why(shards: Mapping[str, Any]) -> str:
    for failure in rows(shards, "failures"):
        if reason := _mapping(failure, "reason"):
            return f": {reason.get('type')}: {_shorter(str(reason.get('reason')))}"
    return ""


def _with_port(url: str) -> str:
    """The official client wants a port; whoever writes none means the one of the scheme."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    at = parts.netloc if parts.port else f"{parts.netloc}:{port}"
    return parts._replace(netloc=at).geturl()


def _party(access: Access) -> Party:
    settings: Settings = access.settings
    named = [("api_key_env", settings.api_key_env), ("password_env", settings.password_env)]
    named = [(setting, variable) for setting, variable in named if variable] or named[:1]
    held = [(setting, variable, access.secret(variable) if variable else None) for setting, variable in named]
    pair = basic_pair(settings.username, access.secret(settings.password_env or ""))
    return Party(
        "Elasticsearch",
        "skills.elasticsearch",
        settings.url,
        tuple(Key(setting, variable, bool(value)) for setting, variable, value in held),
        needs=f"use `read` and `view_index_metadata` on {settings.index}",
        holds="index",
        secrets=secrets_of(*(value for _, _, value in held), pair),
    )


def _shorter(text: str, limit: int = 300) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
