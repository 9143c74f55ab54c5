"""PromQL text into a tree, by Prometheus' own grammar (promql-parser), less what this server does not do.

The tree is of our own plain records, so that an evaluator can be written and tested against them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import promql_parser as grammar

from workers.simulation.promql.places import explained


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

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}
_EXPERIMENTAL = ("limitk", "limit_ratio")


def duration(text: str) -> float:
    """`1h30m` in seconds. Raises ValueError."""
    if not re.fullmatch(r"(?:\d+(?:ms|[smhdwy]))+", text):
        raise ValueError(f"not a valid duration string: {text!r}")
    return sum(int(n) * _UNITS[u] for n, u in re.findall(r"(\d+)(ms|[smhdwy])", text))


def parse(text: str) -> Node:
    """The tree of an expression. Raises ParseError."""
    try:
        tree = grammar.parse(_without_raw(text))
    except ValueError as error:
        raise ParseError(explained(text, str(error))) from None
    return _node(tree)


def _without_raw(text: str) -> str:
    """Raw strings as quoted ones: promql-parser looks for escapes in them, where the server takes them as they are."""
    if "`" not in text:
        return text
    strings = re.compile(r""""(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`([^`]*)`""")

    def quoted(found: re.Match[str]) -> str:
        return found[0] if found[1] is None else json.dumps(found[1], ensure_ascii=False)

    return strings.sub(quoted, text)


def _refused(what: str) -> NotSupported:
    return NotSupported(f"1:1: parse error: {what}")


def _node(tree: Any) -> Node:
    if isinstance(tree, grammar.ParenExpr):
        return _node(tree.expr)
    if isinstance(tree, grammar.NumberLiteral):
        return Number(float(tree.val))
    if isinstance(tree, grammar.StringLiteral):
        return Text(str(tree.val))
    if isinstance(tree, grammar.VectorSelector):
        return _selector(tree)
    if isinstance(tree, grammar.MatrixSelector):
        return _selector(tree.vector_selector, tree.range.total_seconds())
    if isinstance(tree, grammar.UnaryExpr):
        return Unary(_node(tree.expr))
    if isinstance(tree, grammar.Call):
        if tree.func.experimental:
            raise _refused(f'function "{tree.func.name}" is not enabled')
        return Call(tree.func.name, tuple(_node(each) for each in tree.args))
    if isinstance(tree, grammar.AggregateExpr):
        return _aggregation(tree)
    if isinstance(tree, grammar.BinaryExpr):
        return _binary(tree)
    raise _refused("subqueries are disabled on this server")


def _selector(tree: Any, range_seconds: float = 0.0) -> Selector:
    if tree.at is not None:
        raise _refused("@ modifier is disabled")
    if tree.matchers.or_matchers:
        raise _refused('unexpected <op:or> in label matching, expected "," or "}"')
    ops = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}
    matchers = tuple(Matcher(m.name, ops[str(m.op).rpartition(".")[2]], m.value) for m in tree.matchers.matchers)
    offset = tree.offset.total_seconds() if tree.offset is not None else 0.0
    return Selector(tree.name or "", matchers, range_seconds, offset)


def _aggregation(tree: Any) -> Aggregation:
    op = str(tree.op).lower()
    if op in _EXPERIMENTAL:
        raise _refused(
            f"{op}() is experimental and must be enabled with --enable-feature=promql-experimental-functions"
        )
    modifier = tree.modifier
    labels = tuple(modifier.labels) if modifier else ()
    without = bool(modifier) and modifier.type == grammar.AggModifierType.Without
    return Aggregation(op, _node(tree.expr), _node(tree.param) if tree.param is not None else None, labels, without)


def _binary(tree: Any) -> Binary:
    op, left, right, said = str(tree.op).lower(), _node(tree.lhs), _node(tree.rhs), tree.modifier
    if said is None:
        return Binary(op, left, right)
    if said.fill_values.lhs is not None or said.fill_values.rhs is not None:
        raise _refused("unexpected identifier")
    group = {"ManyToOne": "left", "OneToMany": "right"}.get(str(said.card).rpartition(".")[2], "")
    matching = said.matching
    including = matching is not None and matching.type == grammar.LabelModifierType.Include
    return Binary(
        op,
        left,
        right,
        bool_modifier=bool(said.return_bool),
        on=tuple(matching.labels) if matching is not None and including else None,
        ignoring=tuple(matching.labels) if matching is not None and not including else (),
        group=group,
        include=tuple(said.group_labels or ()),
    )
