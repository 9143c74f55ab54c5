"""PromQL text into a tree. The grammar of Prometheus 2.54 without subqueries, `@` and native histograms.

Errors say line and column as the real parser does: `1:5: parse error: ...`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from math import inf, nan


class ParseError(Exception):
    """The text is not PromQL. The message starts with line and column."""


class NotSupported(ParseError):
    """It is PromQL, and this evaluator does not do it."""


@dataclass(frozen=True)
class Number:
    value: float


@dataclass(frozen=True)
class Text:
    value: str


@dataclass(frozen=True)
class Matcher:
    label: str
    op: str
    value: str


@dataclass(frozen=True)
class Selector:
    name: str
    matchers: tuple[Matcher, ...]
    range_seconds: float = 0.0
    """0: an instant vector."""
    offset_seconds: float = 0.0


@dataclass(frozen=True)
class Call:
    function: str
    args: tuple[Node, ...]


@dataclass(frozen=True)
class Aggregation:
    op: str
    of: Node
    param: Node | None
    labels: tuple[str, ...]
    without: bool


@dataclass(frozen=True)
class Binary:
    op: str
    left: Node
    right: Node
    bool_modifier: bool = False
    on: tuple[str, ...] | None = None
    ignoring: tuple[str, ...] = ()
    group: str = ""
    """left or right"""
    include: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unary:
    of: Node


Node = Number | Text | Selector | Call | Aggregation | Binary | Unary

AGGREGATIONS = {
    "sum",
    "avg",
    "min",
    "max",
    "count",
    "group",
    "stddev",
    "stdvar",
    "topk",
    "bottomk",
    "quantile",
    "count_values",
}
_WITH_PARAMETER = {"topk", "bottomk", "quantile", "count_values"}
_LEVELS = ({"or"}, {"and", "unless"}, {"==", "!=", ">", "<", ">=", "<="}, {"+", "-"}, {"*", "/", "%", "atan2"}, {"^"})
_TOKEN = re.compile(
    r"""(?P<space>\s+|\#[^\n]*)
    |(?P<duration>(?:\d+(?:ms|[smhdwy]))+)(?![\w.])
    |(?P<number>0x[0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`[^`]*`)
    |(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)
    |(?P<op>=~|!~|==|!=|>=|<=|[=<>+\-*/%^(){}\[\],:@])""",
    re.VERBOSE,
)
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int


def duration(text: str) -> float:
    """`1h30m` in seconds. Raises ValueError."""
    if not re.fullmatch(r"(?:\d+(?:ms|[smhdwy]))+", text):
        raise ValueError(f"not a valid duration string: {text!r}")
    return sum(int(n) * _UNITS[u] for n, u in re.findall(r"(\d+)(ms|[smhdwy])", text))


def parse(text: str) -> Node:
    """The tree of an expression. Raises ParseError."""
    return _Parser(text).whole()


@dataclass
class _Parser:
    text: str
    tokens: list[_Token] = field(init=False)
    i: int = 0

    def __post_init__(self) -> None:
        self.tokens = []
        at = 0
        while at < len(self.text):
            found = _TOKEN.match(self.text, at)
            if not found:
                char = self.text[at]
                problem = "unterminated quoted string" if char in "\"'`" else f"unexpected character: {char!r}"
                raise ParseError(self._where(at) + problem)
            if found.lastgroup != "space":
                self.tokens.append(_Token(str(found.lastgroup), found[0], at))
            at = found.end()
        self.tokens.append(_Token("end", "", len(self.text)))

    def _where(self, at: int) -> str:
        line = self.text.count("\n", 0, at) + 1
        return f"{line}:{at - self.text.rfind(chr(10), 0, at)}: parse error: "

    @property
    def now(self) -> _Token:
        return self.tokens[self.i]

    def fail(self, message: str, token: _Token | None = None) -> ParseError:
        return ParseError(self._where((token or self.now).at) + message)

    def take(self, text: str, context: str) -> _Token:
        if self.now.text != text or self.now.kind == "string":
            if self.now.kind == "end" and text == ")":
                raise self.fail("unclosed left parenthesis")
            raise self.fail(f"unexpected {self._said()} in {context}, expected {text!r}")
        self.i += 1
        return self.tokens[self.i - 1]

    def _said(self) -> str:
        names = {
            "end": "end of input",
            "name": f"identifier {self.now.text!r}",
            "number": f"number {self.now.text!r}",
            "string": f"string {self.now.text}",
            "duration": f"duration {self.now.text!r}",
        }
        return names.get(self.now.kind, f"character {self.now.text!r}")

    def whole(self) -> Node:
        if self.now.kind == "end":
            raise ParseError("unknown position: parse error: no expression found in input")
        tree = self.binary(0)
        if self.now.kind != "end":
            raise self.fail(
                f"unexpected {self._said()}" if self.now.text != ")" else "unexpected right parenthesis ')'"
            )
        return tree

    def binary(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self.unary()
        left = self.binary(level + 1)
        while self.now.text.lower() in _LEVELS[level] and self.now.kind in ("op", "name"):
            op = self.now.text.lower()
            self.i += 1
            modifiers = self._modifiers(op)
            right = self.binary(level if op == "^" else level + 1)
            left = Binary(op, left, right, **modifiers)  # type: ignore[arg-type]
            if op == "^":
                break
        return left

    def _modifiers(self, op: str) -> dict[str, object]:
        found: dict[str, object] = {}
        if self.now.text.lower() == "bool" and self.now.kind == "name":
            if op not in _LEVELS[2]:
                raise self.fail("bool modifier can only be used on comparison operators")
            found["bool_modifier"] = True
            self.i += 1
        word = self.now.text.lower()
        if word in ("on", "ignoring") and self.tokens[self.i + 1].text == "(":
            self.i += 1
            found[word] = self.label_list()
            word = self.now.text.lower()
            if word in ("group_left", "group_right"):
                self.i += 1
                found["group"] = word.removeprefix("group_")
                if self.now.text == "(":
                    found["include"] = self.label_list()
        return found

    def label_list(self) -> tuple[str, ...]:
        self.take("(", "grouping opts")
        labels: list[str] = []
        while self.now.text != ")":
            if self.now.kind != "name":
                raise self.fail(f"unexpected {self._said()} in grouping opts, expected label")
            labels.append(self.now.text)
            self.i += 1
            if self.now.text == ",":
                self.i += 1
            elif self.now.text != ")":
                raise self.fail(f'unexpected {self._said()} in grouping opts, expected "," or ")"')
        self.i += 1
        return tuple(labels)

    def unary(self) -> Node:
        if self.now.text in ("-", "+") and self.now.kind == "op":
            minus = self.now.text == "-"
            self.i += 1
            of = self.binary(5)
            if not minus:
                return of
            return Number(-of.value) if isinstance(of, Number) else Unary(of)
        return self.postfix(self.primary())

    def postfix(self, node: Node) -> Node:
        while True:
            if self.now.text == "[" and self.now.kind == "op":
                node = self._ranged(node)
            elif self.now.text.lower() == "offset" and self.now.kind == "name":
                self.i += 1
                sign = 1.0
                if self.now.text == "-":
                    sign = -1.0
                    self.i += 1
                if self.now.kind != "duration":
                    raise self.fail(f"unexpected {self._said()} in offset, expected duration")
                if not isinstance(node, Selector):
                    raise self.fail(
                        "offset modifier must be preceded by an instant vector selector or range vector selector or a subquery"  # noqa: E501
                    )
                node = Selector(node.name, node.matchers, node.range_seconds, sign * duration(self.now.text))
                self.i += 1
            elif self.now.text == "@":
                raise NotSupported(self._where(self.now.at) + "@ modifier is disabled")
            else:
                return node

    def _ranged(self, node: Node) -> Node:
        opened = self.now
        self.i += 1
        if self.now.kind != "duration":
            raise self.fail(
                f"unexpected {self._said()} in subquery or range selector, expected number or duration"
                if self.now.kind != "number"
                else f'not a valid duration string: "{self.now.text}"'
            )
        seconds = duration(self.now.text)
        self.i += 1
        if self.now.text.startswith(":"):
            raise NotSupported(self._where(opened.at) + "subqueries are disabled on this server")
        self.take("]", "range selector")
        if not isinstance(node, Selector) or node.range_seconds:
            raise self.fail("ranges only allowed for vector selectors", opened)
        if node.offset_seconds:
            raise self.fail("no offset modifiers allowed before range", opened)
        return Selector(node.name, node.matchers, seconds)

    def primary(self) -> Node:
        token = self.now
        if token.kind == "number":
            self.i += 1
            return Number(float(int(token.text, 16)) if token.text.startswith("0x") else float(token.text))
        if token.kind == "string":
            self.i += 1
            return Text(_unquoted(token.text))
        if token.kind == "duration":
            self.i += 1
            return Number(duration(token.text))
        if token.text == "(" and token.kind == "op":
            self.i += 1
            inner = self.binary(0)
            self.take(")", "paren expression")
            return inner
        if token.text == "{" and token.kind == "op":
            return self.selector("")
        if token.kind == "name":
            return self.named()
        raise self.fail(f"unexpected {self._said()}" if token.kind != "end" else "unexpected end of input")

    def named(self) -> Node:
        token = self.now
        self.i += 1
        word = token.text.lower()
        if word in AGGREGATIONS and (self.now.text in ("(",) or self.now.text.lower() in ("by", "without")):
            return self.aggregation(word)
        if self.now.text == "(" and self.now.kind == "op":
            return self.call(token)
        if word in ("inf", "nan"):
            return Number(inf if word == "inf" else nan)
        if self.now.text == "{" and self.now.kind == "op":
            return self.selector(token.text)
        return Selector(token.text, ())

    def aggregation(self, op: str) -> Node:
        labels, without = self._grouping()
        self.take("(", "aggregation")
        first = self.binary(0)
        param: Node | None = None
        if self.now.text == ",":
            self.i += 1
            param, first = first, self.binary(0)
        self.take(")", "aggregation")
        if (op in _WITH_PARAMETER) != (param is not None):
            raise self.fail(
                f"wrong number of arguments for aggregate expression provided, expected {2 if op in _WITH_PARAMETER else 1}, got {2 if param else 1}"  # noqa: E501
            )
        if labels is None:
            labels, without = self._grouping()
        return Aggregation(op, first, param, labels or (), without)

    def _grouping(self) -> tuple[tuple[str, ...] | None, bool]:
        word = self.now.text.lower()
        if word not in ("by", "without") or self.now.kind != "name":
            return None, False
        self.i += 1
        return self.label_list(), word == "without"

    def call(self, token: _Token) -> Node:
        self.take("(", "function call")
        args: list[Node] = []
        while self.now.text != ")" or self.now.kind == "string":
            args.append(self.binary(0))
            if self.now.text == ",":
                self.i += 1
            elif self.now.text != ")":
                self.take(")", "function call")
        self.i += 1
        return Call(token.text, tuple(args))

    def selector(self, name: str) -> Node:
        opened = self.take("{", "label matching")
        matchers: list[Matcher] = []
        while self.now.text != "}":
            label = self.now
            if label.kind != "name":
                raise self.fail(f'unexpected {self._said()} in label matching, expected identifier or "}}"')
            self.i += 1
            op = self.now.text
            if op not in ("=", "!=", "=~", "!~"):
                raise self.fail(f"unexpected {self._said()} in label matching, expected label matching operator")
            self.i += 1
            if self.now.kind != "string":
                raise self.fail(f"unexpected {self._said()} in label matching, expected string")
            matchers.append(self._matcher(label, op, _unquoted(self.now.text)))
            self.i += 1
            if self.now.text == ",":
                self.i += 1
            elif self.now.text != "}":
                raise self.fail(f'unexpected {self._said()} in label matching, expected "," or "}}"')
        self.i += 1
        names = [m for m in matchers if m.label == "__name__" and m.op == "="]
        if name and names:
            raise self.fail(f"metric name must not be set twice: {name!r} or {names[0].value!r}", opened)
        if not name and not any(_constrains(m) for m in matchers):
            raise self.fail("vector selector must contain at least one non-empty matcher", opened)
        return Selector(name, tuple(matchers))

    def _matcher(self, label: _Token, op: str, value: str) -> Matcher:
        if op in ("=~", "!~"):
            try:
                re.compile(value)
            except re.error as error:
                raise self.fail(f"error parsing regexp: {error.msg}: `{value}`", label) from None
        return Matcher(label.text, op, value)


def _constrains(matcher: Matcher) -> bool:
    """Whether it does not match the empty string."""
    if matcher.op == "=":
        return bool(matcher.value)
    if matcher.op == "!=":
        return not matcher.value
    empty = re.fullmatch(matcher.value, "") is not None
    return empty if matcher.op == "!~" else not empty


def _unquoted(text: str) -> str:
    if text.startswith("`"):
        return text[1:-1]
    escapes = {"n": "\n", "t": "\t", "r": "\r"}
    return re.sub(r"\\(.)", lambda m: escapes.get(m[1], m[1]), text[1:-1])
