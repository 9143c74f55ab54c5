"""Elasticsearch's query DSL as predicates over flat documents: the part that log searches use.

What is not known raises NoSuchQuery in the words of the real server. Analysis: as by the standard analyzer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from fnmatch import translate
from typing import Any

from workers.simulation import clock
from workers.simulation.faces.query_string import QueryString
from workers.simulation.faces.searching import Doc, NoSuchQuery, Predicate, listed
from workers.simulation.promql.syntax import duration


class Dsl:
    """Compiles queries against a mapping, at a moment."""

    def __init__(
        self, mapping: Mapping[str, str], now: float, text_field: str, words: dict[str, list[str]] | None = None
    ) -> None:
        """`words`: what texts were analysed into before, kept by the caller."""
        self._mapping, self._now, self._text = mapping, now, text_field
        self._words = {} if words is None else words

    def compile(self, query: Any) -> Predicate:
        if not isinstance(query, dict) or len(query) != 1:
            raise NoSuchQuery(
                "[bool] malformed query, expected [END_OBJECT] but found [FIELD_NAME]"
                if isinstance(query, dict) and query
                else "query malformed, empty clause found"
            )
        ((kind, body),) = query.items()
        made = getattr(self, f"_{kind}", None) if kind in _KNOWN else None
        if made is None:
            raise NoSuchQuery(f"unknown query [{kind}]")
        predicate: Predicate = made(body)
        return predicate

    # Compound

    def _match_all(self, _body: Any) -> Predicate:
        return lambda _d: True

    def _match_none(self, _body: Any) -> Predicate:
        return lambda _d: False

    def _bool(self, body: Any) -> Predicate:
        unknown = set(body) - {"must", "filter", "should", "must_not", "minimum_should_match", "boost"}
        if unknown:
            raise NoSuchQuery(f"[bool] query does not support [{sorted(unknown)[0]}]", "x_content_parse_exception")
        every = [self.compile(q) for key in ("must", "filter") for q in listed(body.get(key))]
        some = [self.compile(q) for q in listed(body.get("should"))]
        none = [self.compile(q) for q in listed(body.get("must_not"))]
        least = _least(body.get("minimum_should_match", 0 if every or not some else 1), len(some))
        if not none and least <= 0:
            return _all_of(every)
        if not none and not every and least == 1:
            return _any_of(some)

        def predicate(doc: Doc) -> bool:
            for p in every:
                if not p(doc):
                    return False
            for p in none:
                if p(doc):
                    return False
            left = least
            if left <= 0:
                return True
            for p in some:
                if p(doc):
                    left -= 1
                    if left == 0:
                        return True
            return False

        return predicate

    def _constant_score(self, body: Any) -> Predicate:
        return self.compile(body["filter"])

    # Terms

    def _term(self, body: Any) -> Predicate:
        name, value = _field(body, "value")
        fold = isinstance(body[name], dict) and body[name].get("case_insensitive")
        if self._is_text(name):
            return self._has(name, lambda words, _raw: str(value) in words)
        if fold:
            return self._has_raw(name, lambda raw: raw.lower() == str(value).lower())
        return self._is(name, shown(value))

    def _terms(self, body: Any) -> Predicate:
        name = next((k for k in body if k != "boost"), "")
        values = {shown(v) for v in body[name]}
        if self._is_text(name):
            return self._has(name, lambda words, _raw: not values.isdisjoint(words))
        return lambda doc: doc.get(name) in values

    def _ids(self, body: Any) -> Predicate:
        values = set(body.get("values", []))
        return lambda d: d.get("_n") in values

    def _exists(self, body: Any) -> Predicate:
        name = body["field"]
        return lambda d: name in d or any(k.startswith(name + ".") for k in d)

    def _prefix(self, body: Any) -> Predicate:
        name, value = _field(body, "value")
        fold = isinstance(body[name], dict) and body[name].get("case_insensitive")
        wanted = str(value).lower() if fold else str(value)
        if self._is_text(name):
            return self._has(name, lambda words, _raw: any(w.startswith(wanted) for w in words))
        return self._has_raw(name, lambda raw: (raw.lower() if fold else raw).startswith(wanted))

    def _wildcard(self, body: Any) -> Predicate:
        name, value = _field(body, "value", "wildcard")
        fold = isinstance(body[name], dict) and body[name].get("case_insensitive")
        return self._pattern(name, re.compile(translate(str(value)), re.IGNORECASE if fold else 0))

    def _regexp(self, body: Any) -> Predicate:
        name, value = _field(body, "value")
        try:
            return self._pattern(name, re.compile(str(value)))
        except re.error as error:
            raise NoSuchQuery(f"invalid regexp: {error}", "illegal_argument_exception") from None

    def _pattern(self, name: str, pattern: re.Pattern[str]) -> Predicate:
        if self._is_text(name):
            return self._has(name, lambda words, _raw: any(pattern.fullmatch(w) for w in words))
        return self._has_raw(name, lambda raw: pattern.fullmatch(raw) is not None)

    def _range(self, body: Any) -> Predicate:
        name = next(iter(body))
        bounds = body[name]
        unknown = set(bounds) - {"gt", "gte", "lt", "lte", "format", "time_zone", "boost", "relation"}
        if unknown:
            raise NoSuchQuery(f"[range] query does not support [{sorted(unknown)[0]}]")
        date = self._mapping.get(name) == "date"
        tests = [
            (op, self.moment(bounds[op], up=op in ("lte", "gt")) if date else bounds[op])
            for op in ("gt", "gte", "lt", "lte")
            if bounds.get(op) is not None
        ]

        checks = [(_ORDER[op], bound) for op, bound in tests]
        read = "_at" if date and name == "@timestamp" else name
        if read == "_at" and [op for op, _ in tests] == ["gte", "lte"]:
            (_, low), (_, high) = tests
            return lambda doc: low <= doc["_at"] <= high

        def predicate(doc: Doc) -> bool:
            raw = doc.get(read)
            if raw is None:
                return False
            value = clock.moment(raw) if date and read == name else raw
            return all(holds(value, bound) for holds, bound in checks)

        return predicate

    def moment(self, value: Any, *, up: bool = False) -> float:
        """Dates in ISO, epoch milliseconds and date math (`now-15m/m`)."""
        if isinstance(value, (int, float)):
            return float(value) / 1000
        text = str(value)
        base, rest = (self._now, text[3:]) if text.startswith("now") else (0.0, "")
        if not text.startswith("now"):
            head, _, rest = text.partition("||")
            if head.isdigit() and len(head) > 8:
                base = int(head) / 1000
            else:
                try:
                    base = _iso(head)
                except ValueError:
                    raise NoSuchQuery(
                        f"failed to parse date field [{text}] with format [strict_date_optional_time||epoch_millis]: [failed to parse date field [{text}] with format [strict_date_optional_time||epoch_millis]]",  # noqa: E501
                        "parse_exception",
                    ) from None
        for sign, count, unit in re.findall(r"([+-/])(\d*)([a-zA-Z])", rest):
            size = {"M": 2592000.0, "H": 3600.0}.get(unit) or duration(f"1{unit}")
            if sign == "/":
                base = base // size * size + (size - 0.001 if up else 0)
            else:
                base += (1 if sign == "+" else -1) * int(count or 1) * size
        return base

    # Full text

    def _match(self, body: Any) -> Predicate:
        name, value = _field(body, "query")
        options = body[name] if isinstance(body[name], dict) else {}
        if name in self._mapping and not self._is_text(name):
            return self._is(name, shown(value))
        return self._all_or_some(
            name, _words(str(value)), str(options.get("operator", "or")).lower(), options.get("minimum_should_match")
        )

    def _all_or_some(self, name: str, wanted: list[str], operator: str, least: Any = None) -> Predicate:
        if not wanted:
            return lambda _d: False
        needed = len(wanted) if operator == "and" else max(1, _least(least or 1, len(wanted)))
        if needed == 1:
            some = frozenset(wanted)
            return self._has(name, lambda words, _raw: not some.isdisjoint(words))
        return self._has(name, lambda words, _raw: sum(1 for w in wanted if w in words) >= needed)

    def _match_phrase(self, body: Any) -> Predicate:
        name, value = _field(body, "query")
        if name in self._mapping and not self._is_text(name):
            return self._is(name, str(value))
        return self._phrase(name, _words(str(value)))

    def _match_phrase_prefix(self, body: Any) -> Predicate:
        name, value = _field(body, "query")
        return self._phrase(name, _words(str(value)), prefix=True)

    def _phrase(self, name: str, wanted: list[str], *, prefix: bool = False) -> Predicate:
        def found(words: list[str], _raw: str) -> bool:
            n = len(wanted)
            for i in range(len(words) - n + 1):
                if words[i : i + n] == wanted or (
                    prefix and words[i : i + n - 1] == wanted[:-1] and words[i + n - 1].startswith(wanted[-1])
                ):
                    return True
            return False

        return self._has(name, found) if wanted else (lambda _d: False)

    def _multi_match(self, body: Any) -> Predicate:
        names = [n.partition("^")[0] for n in body.get("fields") or [self._text]]
        kind = body.get("type", "best_fields")
        parts = [
            self._match_phrase({n: body["query"]})
            if kind == "phrase"
            else self._match({n: {"query": body["query"], "operator": body.get("operator", "or")}})
            for n in self._expanded(names)
        ]
        return lambda d: any(p(d) for p in parts)

    def _expanded(self, names: Iterable[str]) -> list[str]:
        out: list[str] = []
        for name in names:
            pattern = re.compile(translate(name))
            out += [n for n in self._mapping if pattern.fullmatch(n)] if "*" in name else [name]
        return out

    def _query_string(self, body: Any) -> Predicate:
        fields = body.get("fields") or [body.get("default_field") or "*"]
        return QueryString(
            self, str(body["query"]), self.searched(fields), str(body.get("default_operator", "or")).lower()
        ).compiled()

    def _simple_query_string(self, body: Any) -> Predicate:
        operator = str(body.get("default_operator", "or")).lower()
        text = str(body["query"]).replace(" + ", " AND ").replace(" | ", " OR ")
        text = re.sub(r"(^|\s)-(?=\S)", r"\1NOT ", text)
        text = re.sub(r"(^|\s)\+(?=\S)", r"\1", text)
        return QueryString(self, text, self.searched(body.get("fields") or ["*"]), operator, lenient=True).compiled()

    def searched(self, fields: list[str]) -> list[str]:
        if fields == ["*"]:
            return [n for n, t in self._mapping.items() if t in ("text", "keyword")]
        return self._expanded(f.partition("^")[0] for f in fields)

    # Fields

    def _is_text(self, name: str) -> bool:
        return self._mapping.get(name) == "text"

    def _has(self, name: str, test: Callable[[list[str], str], bool]) -> Predicate:
        def predicate(doc: Doc) -> bool:
            raw = doc.get(name)
            if raw is None:
                return False
            words = self._words.get(raw)
            if words is None:
                words = self._words[raw] = _words(raw)
            return test(words, raw)

        return predicate

    def _is(self, name: str, value: str) -> Predicate:
        return lambda doc: doc.get(name) == value

    def _has_raw(self, name: str, test: Callable[[str], bool]) -> Predicate:
        return lambda doc: name in doc and test(str(doc[name]))

    def words_in(self, name: str, text: str, *, phrase: bool) -> Predicate:
        """One clause of a query string on one field."""
        if "*" in text or "?" in text:
            if text == "*":
                return self._exists({"field": name})
            return self._wildcard({name: {"value": text.lower() if self._is_text(name) else text}})
        return (
            self._match_phrase({name: text})
            if phrase or not self._is_text(name)
            else self._all_or_some(name, _words(text), "and")
        )


_KNOWN = {
    "match_all",
    "match_none",
    "bool",
    "constant_score",
    "term",
    "terms",
    "ids",
    "exists",
    "prefix",
    "wildcard",
    "regexp",
    "range",
    "match",
    "match_phrase",
    "match_phrase_prefix",
    "multi_match",
    "query_string",
    "simple_query_string",
}
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
}


def _all_of(predicates: list[Predicate]) -> Predicate:
    if len(predicates) == 1:
        return predicates[0]

    def predicate(doc: Doc) -> bool:
        for p in predicates:  # noqa: SIM110  (not all(): this is asked a hundred thousand times an investigation)
            if not p(doc):
                return False
        return True

    return predicate


def _any_of(predicates: list[Predicate]) -> Predicate:
    if len(predicates) == 1:
        return predicates[0]

    def predicate(doc: Doc) -> bool:
        for p in predicates:  # noqa: SIM110  (as above)
            if p(doc):
                return True
        return False

    return predicate


def _words(text: str) -> list[str]:
    """The standard analyzer, nearly: words of letters, digits and underscores; dots and apostrophes hold between letters."""  # noqa: E501
    return re.findall(r"\w+(?:[.']\w+)*", text.lower())


def _field(body: Any, *keys: str) -> tuple[str, Any]:
    if not isinstance(body, dict) or not body:
        raise NoSuchQuery("query malformed, no start_object after query name")
    name = next(iter(body))
    value = body[name]
    if isinstance(value, dict):
        found = [value[k] for k in keys if k in value]
        if not found:
            raise NoSuchQuery(f"field name is null or empty, no [{keys[0]}] in [{name}]", "illegal_argument_exception")
        return name, found[0]
    if isinstance(value, list):
        raise NoSuchQuery(f"query does not support array of values for field [{name}]")
    return name, value


def shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _least(value: Any, count: int) -> int:
    text = str(value)
    if text.endswith("%"):
        share = int(text[:-1])
        return int(count * share / 100) if share >= 0 else count - int(count * -share / 100)
    number = int(text)
    return number if number >= 0 else count + number


def _iso(text: str) -> float:
    if not re.match(r"\d{4}-\d{2}-\d{2}", text):
        raise ValueError(text)
    if len(text) == 10:
        text += "T00:00:00"
    if not re.search(r"(Z|[+-]\d{2}:?\d{2})$", text):
        text += "Z"
    return clock.moment(text)
