"""Reads a conversation: what the alert is, which symptoms, edges and changes were shown, what was asked already."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from skills.contract import Edge, Entity, Excerpt
from workers.llm.base import Block, Message, canonical
from workers.llm.entities import alerted, parse
from workers.llm.graph import Graph
from workers.llm.offline.expression import about_scraping, holds, unchanged

_BLOCK = re.compile(r"^<(?P<tag>[a-z_]+)>\n(?P<rows>.*?)\n</(?P=tag)>$", re.MULTILINE | re.DOTALL)
_EVIDENCE = re.compile(r"^\[(?P<id>E\d+)\] (?P<text>.*(?:\n    \| .*)*)", re.MULTILINE)
_NOW = re.compile(r"^Now: (?P<now>[\dT:Z-]+)\.", re.MULTILINE)
_UNREADABLE = re.compile(r"^(?P<skill>\w+) is on but cannot be read: (?P<why>.*)$", re.MULTILINE)
_OPENED = re.compile(r"^(?P<id>H\d+) (?:opened|is already open)")
_NAMESPACE = ("namespace", "exported_namespace", "kubernetes_namespace", "k8s_namespace_name", "kube_namespace")


SAYS_CHARACTERS = 500
"""What fits a headline, a hypothesis and a cause alike."""


@dataclass(frozen=True)
class Sign:
    """A symptom as a model reads it."""

    entity: Entity
    faults: tuple[str, ...]
    says: str
    specificity: float
    onset: datetime | None
    role: Literal["cause", "effect", "change", "healthy"]
    points_at: tuple[Entity, ...]
    victims: tuple[Entity, ...]
    evidence: tuple[str, ...]
    change: str | None
    ongoing: bool
    analyzer: str


@dataclass(frozen=True)
class Alteration:
    id: str
    at: datetime
    entity: Entity
    what: str
    evidence: tuple[str, ...]
    kind: str = ""


@dataclass(frozen=True)
class Told:
    """One typed reading of guidance, with who said it."""

    kind: str
    entity: Mapping[str, str]
    target: Mapping[str, str]
    fault: str
    window: str
    text: str
    author: str


@dataclass(frozen=True)
class Notes:
    """Everything that the conversation says."""

    now: datetime | None = None
    alerts: tuple[Mapping[str, Any], ...] = ()
    alerted: tuple[Entity, ...] = ()
    namespace: str = ""
    onset: datetime | None = None
    question: str = ""
    signs: tuple[Sign, ...] = ()
    changes: tuple[Alteration, ...] = ()
    graph: Graph = field(default_factory=Graph)
    edges: tuple[Edge, ...] = ()
    """All that was told, those between a Service and the workload of its name as well."""
    edge_evidence: Mapping[tuple[str, str], str] = field(default_factory=dict)
    evidence: Mapping[str, str] = field(default_factory=dict)
    gaps: tuple[Mapping[str, str], ...] = ()
    unreadable: tuple[str, ...] = ()
    guidance: tuple[Told, ...] = ()
    steering: tuple[str, ...] = ()
    asked: frozenset[tuple[str, bytes]] = frozenset()
    rounds: int = 0
    """Turns in which a system was asked."""
    opened: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(entity, fault) -> H1 ..."""
    challenged: frozenset[str] = frozenset()
    holds: bool | None = None
    """Whether the alert's own expression is seen to hold now; None when that was not shown."""
    unchanged: str | None = None
    """The line that shows the alert's measure at the level that it always had."""
    about_scraping: bool = False
    """Whether the alert says only that something could not be measured."""
    sent_back: int = 0
    """Conclusions that were refused."""

    @property
    def resolved(self) -> bool:
        return bool(self.alerts) and all(a.get("status") == "resolved" for a in self.alerts)

    @property
    def text(self) -> str:
        """What people and alerts say in words."""
        words = [str(a.get(k) or "") for a in self.alerts for k in ("type", "title", "summary")]
        # instance="worker-2:9100" names a node, and the port is the exporter's
        words += [str(v).rsplit(":", 1)[0] for a in self.alerts for v in (a.get("labels") or {}).values()]
        return " ".join([*words, self.question, *self.steering])


def read(messages: Sequence[Message], own_tools: Iterable[str]) -> Notes:
    texts = list(_texts(messages))
    rows = {tag: list(_rows(texts, tag)) for tag in _TAGS}
    alerts = tuple(rows["alerts"])
    places = [n for a in alerts for label in _NAMESPACE if (n := (a.get("labels") or {}).get(label))]
    starts = [at for a in alerts if (at := _time(a.get("started_at"))) is not None]
    edges, edge_evidence = _edges(rows["topology"])
    types = [str(a.get("type")) for a in alerts if a.get("type")]
    evidence = {m["id"]: m["text"].replace("\n    | ", "\n") for text in texts for m in _EVIDENCE.finditer(text)}
    now = next((m["now"] for text in texts if (m := _NOW.search(text))), None)
    own = set(own_tools)
    calls = [b for m in messages if m["role"] == "assistant" for b in m["content"] if b.get("type") == "tool_use"]
    return Notes(
        now=_time(now),
        alerts=alerts,
        alerted=tuple(dict.fromkeys(e for a in alerts for e in _about(a))),
        namespace=places[0] if places else "",
        onset=min(starts, default=None),
        question=" ".join(str(r.get("text", "")) for r in rows["question"]),
        signs=tuple(dict.fromkeys(s for r in rows["symptoms"] if (s := _sign(r)) is not None)),
        changes=tuple({c.id: c for r in rows["changes"] if (c := _change(r)) is not None}.values()),
        graph=Graph(edges),
        edges=tuple(edges),
        edge_evidence=edge_evidence,
        evidence=evidence,
        gaps=tuple(rows["gaps"]),
        unreadable=tuple(m["skill"] for text in texts for m in _UNREADABLE.finditer(text)),
        guidance=tuple(t for r in rows["guidance"] for t in _told(r)),
        steering=tuple(str(r.get("text", "")) for r in rows["steering"]),
        asked=frozenset((b["name"], canonical(b["input"])) for b in calls if b["name"] not in own),
        rounds=sum(
            any(b.get("type") == "tool_use" and b["name"] not in own for b in m["content"])
            for m in messages
            if m["role"] == "assistant"
        ),
        opened=_opened(calls, messages),
        challenged=frozenset(str(b["input"].get("hypothesis")) for b in calls if b["name"] == "challenge"),
        holds=holds(texts, types),
        unchanged=unchanged(texts, types),
        about_scraping=about_scraping(texts, types),
        sent_back=sum(text.startswith("error: not concluded") for text in texts),
    )


_TAGS = ("alerts", "question", "guidance", "symptoms", "changes", "topology", "gaps", "steering")


def _texts(messages: Sequence[Message]) -> Iterator[str]:
    for message in messages:
        if message["role"] != "user":
            continue
        for block in message["content"]:
            if block["type"] == "text":
                yield block["text"]
            elif block["type"] == "tool_result":
                inner = block["content"]
                yield inner if isinstance(inner, str) else "\n".join(b["text"] for b in inner if b["type"] == "text")


def _rows(texts: Iterable[str], tag: str) -> Iterator[dict[str, Any]]:
    for text in texts:
        for match in _BLOCK.finditer(text):
            if match["tag"] != tag:
                continue
            for line in match["rows"].splitlines():
                try:
                    row = json.loads(line)
                except json.JSONDecodeError:
                    continue
                if isinstance(row, dict):
                    yield row


def _about(alert: Mapping[str, Any]) -> tuple[Entity, ...]:
    labels = {str(k): str(v) for k, v in (alert.get("labels") or {}).items()}
    place = next((labels[n] for n in _NAMESPACE if labels.get(n)), "")
    return alerted(str(alert.get("service") or ""), place, labels)


def _sign(row: Mapping[str, Any]) -> Sign | None:
    entity = parse(str(row.get("entity") or ""))
    if entity is None:
        return None
    return Sign(
        entity=entity,
        faults=tuple(row.get("faults") or ()),
        says=str(row.get("says") or "")[:SAYS_CHARACTERS],
        specificity=float(row.get("specificity") or 0.0),
        onset=_time(row.get("onset")),
        role=row.get("role") or "cause",
        points_at=_entities(row.get("points_at")),
        victims=_entities(row.get("victims")),
        evidence=tuple(row.get("evidence") or ()),
        change=row.get("change"),
        ongoing=bool(row.get("ongoing", True)),
        analyzer=str(row.get("analyzer") or ""),
    )


def _change(row: Mapping[str, Any]) -> Alteration | None:
    entity, at = parse(str(row.get("entity") or "")), _time(row.get("at"))
    if entity is None or at is None:
        return None
    return Alteration(
        str(row.get("id")),
        at,
        entity,
        str(row.get("what") or ""),
        tuple(row.get("evidence") or ()),
        str(row.get("kind") or ""),
    )


def _edges(rows: Iterable[Mapping[str, Any]]) -> tuple[list[Edge], dict[tuple[str, str], str]]:
    edges, numbers = [], {}
    for row in rows:
        source, target = parse(str(row.get("from") or "")), parse(str(row.get("to") or ""))
        if source is None or target is None:
            continue
        number = row.get("evidence")
        edges.append(Edge(source, target, str(row.get("via") or ""), Excerpt(str(number), "") if number else None))
        if number:
            numbers[(str(source), str(target))] = str(number)
    return edges, numbers


def _told(row: Mapping[str, Any]) -> Iterator[Told]:
    for reading in row.get("readings") or ():
        yield Told(
            kind=str(reading.get("kind")),
            entity=reading.get("entity") or {},
            target=reading.get("target") or {},
            fault=str(reading.get("fault") or ""),
            window=str(reading.get("window") or ""),
            text=str(reading.get("text") or ""),
            author=str(row.get("author") or ""),
        )


def _opened(calls: Iterable[Block], messages: Sequence[Message]) -> dict[tuple[str, str], str]:
    answers = {
        b["tool_use_id"]: next(iter(_texts([{"role": "user", "content": [b]}])), "")
        for m in messages
        if m["role"] == "user"
        for b in m["content"]
        if b["type"] == "tool_result"
    }
    opened = {}
    for call in calls:
        if call["name"] == "hypothesis" and (match := _OPENED.match(answers.get(call["id"], ""))):
            given = call["input"].get("entity") or {}
            entity = Entity(kind=given.get("kind", ""), namespace=given.get("namespace"), name=given.get("name", ""))
            opened[(str(entity), str(call["input"].get("fault")))] = match["id"]
    return opened


def _entities(values: Any) -> tuple[Entity, ...]:
    return tuple(e for v in values or () if (e := parse(str(v))) is not None)


def _time(value: Any) -> datetime | None:
    if not value:
        return None
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
