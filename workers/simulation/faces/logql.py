"""LogQL: selectors, line filters, json, logfmt, label filters; counts and rates over a range, and their aggregations.

Grammar: Loki documentation, "LogQL", and pkg/logql/syntax. What is valid there and not done here raises NotDone; what
is not valid raises NotValid with the server's words.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import NoReturn

RANGES = ("count_over_time", "rate", "bytes_over_time", "bytes_rate")
AGGREGATIONS = ("sum", "min", "max", "avg", "count", "topk", "bottomk")
_NOT_DONE = (
    "absent_over_time", "sum_over_time", "avg_over_time", "max_over_time", "min_over_time", "quantile_over_time",
    "first_over_time", "last_over_time", "stddev_over_time", "stdvar_over_time", "rate_counter", "stddev", "stdvar",
    "sort", "sort_desc", "vector", "label_replace", "approx_topk",
)  # fmt: skip
_STAGES_NOT_DONE = (
    "pattern", "regexp", "unpack", "line_format", "label_format", "decolorize", "drop", "keep", "unwrap", "distinct",
)  # fmt: skip
EMPTY_COMPATIBLE = (
    "parse error : queries require at least one regexp or equality matcher that does not have an empty-compatible "
    'value. For instance, app=~".*" does not meet this requirement, but app=~".+" will'
)


class NotValid(Exception):
    """The server's words about a query that it cannot parse."""


class NotDone(Exception):
    """Valid LogQL that is not done here."""


@dataclass(frozen=True)
class Matcher:
    label: str
    op: str
    value: str


@dataclass(frozen=True)
class LineFilter:
    op: str
    texts: tuple[str, ...]
    """Any of them (`|= "a" or "b"`)."""


@dataclass(frozen=True)
class Parser:
    kind: str


@dataclass(frozen=True)
class Both:
    left: Condition
    right: Condition


@dataclass(frozen=True)
class Either:
    left: Condition
    right: Condition


Condition = Matcher | Both | Either
Stage = LineFilter | Parser | Matcher | Both | Either


@dataclass(frozen=True)
class Log:
    matchers: tuple[Matcher, ...]
    stages: tuple[Stage, ...]


@dataclass(frozen=True)
class Range:
    function: str
    log: Log
    seconds: float
    offset: float = 0.0


@dataclass(frozen=True)
class Aggregate:
    op: str
    inner: Metric
    labels: tuple[str, ...] = ()
    without: bool = False
    parameter: int = 0


Metric = Range | Aggregate
Query = Log | Metric

_TOKEN = re.compile(
    r"\s*(?:(?P<string>\"(?:[^\"\\]|\\.)*\"|`[^`]*`)|(?P<duration>(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|[smhdwy]))+)(?![\w.])"
    r"|(?P<number>-?\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][\w.]*)|(?P<op>\|=|\|~|!=|!~|=~|==|>=|<=|[=|{}()\[\],<>+*/^%-]))"
)
_UNIT = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "ms": 1e-3,
    "s": 1,
    "m": 60,
    "h": 3600,
    "d": 86400,
    "w": 604800,
    "y": 31536000,
}


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int


def parse(text: str) -> Query:
    """Raises NotValid or NotDone."""
    reader = _Reader(_tokens(text))
    query = reader.metric() if reader.is_metric() else reader.log()
    reader.end()
    return query


def selector(text: str) -> tuple[Matcher, ...]:
    """A selector alone, as the series API takes it. Raises NotValid."""
    query = parse(text)
    if not isinstance(query, Log) or query.stages:
        raise NotValid("only label matchers are supported")
    return query.matchers


def _tokens(text: str) -> list[_Token]:
    tokens, at = [], 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if match is None:
            start = at + len(text[at:]) - len(text[at:].lstrip())
            raise NotValid(
                f"parse error at line 1, col {start + 1}: syntax error: unexpected character {text[start]!r}"
            )
        kind = match.lastgroup or ""
        tokens.append(_Token(kind, match[kind], match.start(kind)))
        at = match.end()
    return tokens


class _Reader:
    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens, self._at = tokens, 0

    # --- tokens ---

    def _peek(self, ahead: int = 0) -> _Token:
        place = self._at + ahead
        return self._tokens[place] if place < len(self._tokens) else _Token("$end", "$end", self._last())

    def _last(self) -> int:
        return self._tokens[-1].at + len(self._tokens[-1].text) if self._tokens else 0

    def _take(self, text: str = "", kind: str = "") -> _Token:
        token = self._peek()
        if (text and token.text != text) or (kind and token.kind != kind):
            self._unexpected(token, text or kind)
        self._at += 1
        return token

    def _unexpected(self, token: _Token, wanted: str = "") -> NoReturn:
        name = {"name": "IDENTIFIER", "string": "STRING", "number": "NUMBER", "duration": "DURATION"}.get(
            token.kind, token.text
        )
        expecting = {"string": "STRING", "name": "IDENTIFIER", "duration": "DURATION"}.get(wanted, wanted)
        more = f", expecting {expecting}" if expecting else ""
        raise NotValid(f"parse error at line 1, col {token.at + 1}: syntax error: unexpected {name}{more}")

    def end(self) -> None:
        token = self._peek()
        if token.text in ("+", "-", "*", "/", "%", "^", ">", "<", "==", "!=", ">=", "<=", "and", "or", "unless"):
            raise NotDone(f"binary operation {token.text}")
        if token.kind != "$end":
            self._unexpected(token)

    def _string(self) -> str:
        text = self._take(kind="string").text
        if text.startswith("`"):
            return text[1:-1]
        try:
            value: str = json.loads(text, strict=False)
        except ValueError:
            raise NotValid(f"parse error at line 1, col {self._peek(-1).at + 1}: invalid char escape") from None
        return value

    # --- metric queries ---

    def is_metric(self) -> bool:
        token = self._peek()
        if token.kind == "name" and token.text in _NOT_DONE:
            raise NotDone(f"function {token.text}")
        if token.text == "(":
            raise NotDone("parentheses around a query")
        return token.kind == "name" and token.text in (*RANGES, *AGGREGATIONS)

    def metric(self) -> Metric:
        if not self.is_metric():
            self._unexpected(self._peek())
        name = self._take().text
        return self._range(name) if name in RANGES else self._aggregate(name)

    def _aggregate(self, op: str) -> Aggregate:
        labels, without = self._grouping()
        self._take("(")
        parameter = 0
        if op in ("topk", "bottomk"):
            parameter = int(float(self._take(kind="number").text))
            self._take(",")
        inner = self.metric()
        self._take(")")
        if not labels and not without:
            labels, without = self._grouping()
        return Aggregate(op, inner, labels, without, parameter)

    def _grouping(self) -> tuple[tuple[str, ...], bool]:
        word = self._peek().text
        if word not in ("by", "without"):
            return (), False
        self._take()
        self._take("(")
        names = []
        while self._peek().text != ")":
            names.append(self._take(kind="name").text)
            if self._peek().text == ",":
                self._take()
        self._take(")")
        return tuple(names), word == "without"

    def _range(self, function: str) -> Range:
        self._take("(")
        wrapped = self._peek().text == "("
        if wrapped:
            self._take()
        matchers = self._matchers()
        seconds = self._seconds() if self._peek().text == "[" else None  # the range may stand before the pipeline
        stages = self._stages()
        if seconds is None:
            seconds = self._seconds()
        if wrapped:
            self._take(")")
        offset = 0.0
        if self._peek().text == "offset":
            self._take()
            offset = _duration(self._take(kind="duration").text)
        self._take(")")
        return Range(function, Log(matchers, stages), seconds, offset)

    def _seconds(self) -> float:
        self._take("[")
        seconds = _duration(self._take(kind="duration").text)
        self._take("]")
        return seconds

    # --- log queries ---

    def log(self) -> Log:
        return Log(self._matchers(), self._stages())

    def _matchers(self) -> tuple[Matcher, ...]:
        self._take("{")
        matchers: list[Matcher] = []
        while self._peek().text != "}":
            matchers.append(self._matcher(("=", "!=", "=~", "!~")))
            if self._peek().text != "}":
                self._take(",")
        self._take("}")
        if not any(_is_telling(m) for m in matchers):
            raise NotValid(EMPTY_COMPATIBLE)
        return tuple(matchers)

    def _matcher(self, ops: tuple[str, ...]) -> Matcher:
        label = self._take(kind="name").text
        op = self._peek()
        if op.text not in ops:
            if op.text in (">", "<", ">=", "<=", "=="):
                raise NotDone("comparison of numbers in a label filter")
            self._unexpected(op)
        self._take()
        if self._peek().kind in ("number", "duration"):
            raise NotDone("comparison of numbers in a label filter")
        found = Matcher(label, op.text, self._string())
        if op.text in ("=~", "!~"):
            pattern(found.value)
        return found

    def _stages(self) -> tuple[Stage, ...]:
        stages: list[Stage] = []
        while (token := self._peek()).text in ("|", "|=", "|~", "!=", "!~"):
            self._take()
            stages.append(self._stage() if token.text == "|" else self._line_filter(token.text))
        return tuple(stages)

    def _line_filter(self, op: str) -> LineFilter:
        if self._peek().text == "ip":
            raise NotDone("ip filter")
        texts = [self._string()]
        while self._peek().text == "or":
            self._take()
            texts.append(self._string())
        for text in texts if "~" in op else ():
            pattern(text)
        return LineFilter(op, tuple(texts))

    def _stage(self) -> Stage:
        token = self._peek()
        if token.text in ("json", "logfmt") and self._peek(1).text not in ("=", "!=", "=~", "!~"):
            self._take()
            if self._peek().kind in ("name", "string"):
                raise NotDone(f"{token.text} with expressions")
            return Parser(token.text)
        if token.text in _STAGES_NOT_DONE and self._peek(1).text not in ("=", "!=", "=~", "!~"):
            raise NotDone(f"stage {token.text}")
        return self._either()

    def _either(self) -> Condition:
        left = self._both()
        while self._peek().text == "or":
            self._take()
            left = Either(left, self._both())
        return left

    def _both(self) -> Condition:
        left = self._condition()
        while self._peek().text in ("and", ","):
            self._take()
            left = Both(left, self._condition())
        return left

    def _condition(self) -> Condition:
        if self._peek().text == "(":
            self._take()
            inner = self._either()
            self._take(")")
            return inner
        return self._matcher(("=", "!=", "=~", "!~"))


def _is_telling(matcher: Matcher) -> bool:
    """It cannot match a stream that lacks the label."""
    if matcher.op == "=":
        return matcher.value != ""
    return matcher.op == "=~" and pattern(matcher.value).fullmatch("") is None


def pattern(text: str) -> re.Pattern[str]:
    """A regular expression of RE2, as far as Python's reads the same. Raises NotValid."""
    try:
        return re.compile(text)
    except re.error as error:
        raise NotValid(f"parse error : error parsing regexp: {error}: `{text}`") from None


def _duration(text: str) -> float:
    return sum(float(n) * _UNIT[unit] for n, unit in re.findall(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|[smhdwy])", text))
