"""A million log lines to at most 2,000 tokens without losing the line that matters.

Lines become records (stack traces whole), records become templates (a small parse tree in the manner of Drain: by
number of words, by first words, then by likeness), templates become a page: new since the onset first, then what grew
against the baseline, then errors, then the rest as a count. One verbatim sample each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from skills.contract import Entity, LogLine
from skills.kinds import MOST_BEHIND_ONE_KEY, Kind, fragments_of, key_of, status_in
from skills.loglines import join, level_of, message_of
from skills.masks import mask

MAX_TEMPLATES = 4000
"""Of each severity, so that chatter cannot crowd out errors."""
_SIBLINGS = 100
"""Templates of one length, level and first word; what is more varied than this becomes one of wildcards."""
_CHATTER = 1000
_LIKENESS = 0.6
_WORDS = 60
_READ = 16_000
"""Of a longer record only the beginning tells templates apart."""
_CACHE = 60_000
_SEVERITY = {"fatal": 4, "error": 3, "warning": 2, "": 1, "info": 0, "debug": 0}


@dataclass(frozen=True)
class Template:
    text: str
    """The words that stay; <*> and <n> where they vary."""
    level: str
    count: int
    """In the window."""
    baseline: int
    """In the baseline window, or before the onset when there is none."""
    first_seen: datetime
    last_seen: datetime
    sample: LogLine
    """The first record of it in the window, verbatim; with its stack trace if it has one."""
    entities: tuple[Entity, ...]
    is_new: bool
    """Not in the baseline; without a baseline: not before the onset. An alert's onset is late by its own waiting."""


@dataclass(frozen=True)
class LogDigest:
    templates: tuple[Template, ...]
    """The ones that matter, first the ones that matter most; as many as fit."""
    lines: int
    baseline_lines: int
    left_out: int
    """How many templates did not fit."""
    left_out_lines: int
    max_tokens: int

    def text(self) -> str:
        """For a model: within the budget of tokens."""
        head = f"{self.lines} lines"
        if self.baseline_lines:
            head += f" (baseline {self.baseline_lines})"
        rows = [head, *(_row(t) for t in self.templates)]
        if self.left_out:
            rows.append(f"… {self.left_out} more templates, {self.left_out_lines} lines")
        return "\n".join(rows)


@dataclass(slots=True)
class _Node:
    """A template in the making."""

    words: list[str]
    level: str
    sample: LogLine | None = None
    first: datetime | None = None
    last: datetime | None = None
    count: int = 0
    before: int = 0
    baseline: int = 0
    entities: dict[str, Entity] = field(default_factory=dict)
    """By name: hashing a record of names costs more than all the rest of counting a line."""


class Digest:
    """Streaming: add records, then ask for the result. Memory is bounded by the number of templates."""

    def __init__(self, onset: datetime | None = None) -> None:
        self.onset = onset
        self._tree: dict[tuple[int, str, str], list[_Node]] = {}
        self._doors: dict[str, dict[bytes, list[Kind[_Node]]]] = {}
        self._known = 0
        self._masked: dict[str, _Node] = {}
        self._nodes: list[_Node] = []
        self._spilled: dict[tuple[int, str, str], _Node] = {}
        self._grown: Counter[str] = Counter()
        self._lines = 0
        self._baseline_lines = 0

    def add(self, line: LogLine) -> None:
        node = self._node(line)
        at = line.at
        node.count += 1
        if self.onset is not None and at < self.onset:
            node.before += 1
        if node.first is None or node.last is None:
            node.sample, node.first, node.last = line, at, at
        elif at > node.last:
            node.last = at
        elif at < node.first:
            node.sample, node.first = line, at
        entity = line.entity
        if entity is not None and entity.name not in node.entities and len(node.entities) < 50:
            node.entities[entity.name] = entity

    def add_baseline(self, line: LogLine) -> None:
        """A line of the healthy window: counts, and is never a sample."""
        self._node(line).baseline += 1

    def add_all(self, lines: Iterable[LogLine], baseline: Iterable[LogLine] = ()) -> Digest:
        """Lines that may hold stack traces in many rows: joined, then added."""
        for line in join(baseline):
            self.add_baseline(line)
        for line in join(lines):
            self.add(line)
        return self

    def _node(self, line: LogLine) -> _Node:
        """The front door: a line whose constant parts have been seen needs neither its mask nor the tree.

        Found by its bytes without digits and letters of hexadecimal digits, then held to the fragments of its kind:
        `locked` and `blocked` have the same key and are two things.
        """
        text = line.text if len(line.text) <= _READ else line.text[:_READ]
        key = key_of(text)
        doors = self._doors.get(line.level)
        if doors is None:
            doors = self._doors[line.level] = {}
        kinds = doors.get(key)
        if kinds is not None:
            for door in kinds:
                for fragment in door.fragments:
                    if fragment not in text:
                        break
                else:
                    failed = ""
                    if door.status is not None and (found := door.status.search(text)):
                        failed = found[1]
                    node = door.nodes.get(failed)
                    if node is None:
                        node = door.nodes[failed] = self._by_mask(line, text, failed)
                    return node
        return self._new_door(line, text, key, doors)

    def _new_door(self, line: LogLine, text: str, key: bytes, doors: dict[bytes, list[Kind[_Node]]]) -> _Node:
        status = status_in(text)
        failed = found[1] if status and (found := status.search(text)) else ""
        node = self._by_mask(line, text, failed)
        if self._known < _CACHE and len(doors.get(key, ())) < MOST_BEHIND_ONE_KEY:
            self._known += 1
            doors.setdefault(key, []).append(Kind(fragments_of(text), status, {failed: node}))
        return node

    def _by_mask(self, line: LogLine, text: str, failed: str) -> _Node:
        """Masked texts are remembered, so that the tree is asked once for each."""
        masked = mask(text)
        key = line.level + masked + failed
        node = self._masked.get(key)
        if node is None:
            node = self._grow(line, failed, masked)
            if len(self._masked) < _CACHE:
                self._masked[key] = node
        return node

    def _grow(self, line: LogLine, failed: str, masked: str) -> _Node:
        level = level_of(line)
        if failed and level in ("", "info", "debug"):
            level = "error" if failed == "5" else "warning"
        message = message_of(line.text)
        words = (masked if message is line.text else mask(message)).split()[:_WORDS]
        branch = (len(words), level, words[0] if words and "<" not in words[0] else "<*>")
        siblings = self._tree.setdefault(branch, [])
        spilled = self._spilled.get(branch)
        if spilled is not None and spilled.count > _CHATTER and level not in ("error", "fatal"):
            return spilled  # free text: comparing each line with a hundred others finds nothing
        best, likeness = None, 0.0
        for node in siblings:
            same = sum(a == b for a, b in zip(node.words, words, strict=True)) / max(1, len(words))
            if same > likeness:
                best, likeness = node, same
        if best is not None and likeness >= (_LIKENESS if len(words) > 4 else 0.75):
            best.words = [a if a == b else "<*>" for a, b in zip(best.words, words, strict=True)]
            return best
        if len(siblings) >= _SIBLINGS or self._grown[level] >= MAX_TEMPLATES:
            return self._spill(branch, level, len(words))
        self._grown[level] += 1
        node = _Node(words, level)
        siblings.append(node)
        self._nodes.append(node)
        return node

    def _spill(self, branch: tuple[int, str, str], level: str, length: int) -> _Node:
        """One template for everything of a branch that varies too much to be told apart."""
        node = self._spilled.get(branch)
        if node is None:
            node = self._spilled[branch] = _Node([branch[2], *["<*>"] * (length - 1)], level)
            self._nodes.append(node)
        return node

    def result(self, max_tokens: int = 2000) -> LogDigest:
        self._lines = sum(node.count for node in self._nodes)
        self._baseline_lines = sum(node.baseline for node in self._nodes)
        ranked = sorted((n for n in self._nodes if n.count), key=self._rank)
        chosen: list[Template] = []
        room = max_tokens - 40
        for node in ranked:
            template = self._template(node)
            cost = tokens(_row(template)) + 1
            if cost > room:
                continue
            chosen.append(template)
            room -= cost
            if room < 20:
                break
        shown = sum(t.count for t in chosen)
        return LogDigest(
            tuple(chosen), self._lines, self._baseline_lines, len(ranked) - len(chosen), self._lines - shown, max_tokens
        )

    def _rank(self, node: _Node) -> tuple[float, float, int, str]:
        """New and severe first; among those the rare ones are not behind the loud ones by much."""
        severity = _SEVERITY.get(node.level, 1)
        new = self._is_new(node)
        grown = self._growth(node)
        score = severity * 2.0 + (4.0 if new and severity else 2.0 if new else 0.0) + (2.0 if grown > 3 else 0.0)
        if node.sample is not None and "\n" in node.sample.text:
            score += 1.0
        if not new and grown <= 3 and self._comparable:
            score -= 3.0
        return (-score, node.first.timestamp() if node.first else 0.0, -node.count, " ".join(node.words))

    @property
    def _comparable(self) -> bool:
        return bool(self._baseline_lines or self.onset is not None)

    def _is_new(self, node: _Node) -> bool:
        if self._baseline_lines:
            return node.baseline == 0
        return self.onset is not None and node.before == 0

    def _growth(self, node: _Node) -> float:
        """Its share of the lines against its share in the baseline."""
        if not self._baseline_lines:
            return 0.0
        return (node.count / self._lines) / max(node.baseline / self._baseline_lines, 1e-9) if node.baseline else 0.0

    def _template(self, node: _Node) -> Template:
        assert node.sample is not None
        assert node.first is not None
        assert node.last is not None
        return Template(
            text=" ".join(node.words),
            level=node.level,
            count=node.count,
            baseline=node.baseline if self._baseline_lines else node.before,
            first_seen=node.first,
            last_seen=node.last,
            sample=node.sample,
            entities=tuple(sorted(node.entities.values(), key=str)),
            is_new=self._is_new(node),
        )


def tokens(text: str) -> int:
    """An estimate from above: bytes / 3, as log text splits finer than prose."""
    return len(text.encode()) // 3 + 1


def _row(template: Template) -> str:
    mark = "NEW " if template.is_new else ""
    names = [e.name for e in template.entities]
    who = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    span = f"{template.first_seen:%H:%M:%S}"
    if template.last_seen != template.first_seen:
        span += f"-{template.last_seen:%H:%M:%S}"
    counts = f"x{template.count}" + (f" (before {template.baseline})" if template.baseline else "")
    return f"{mark}{template.level or '-'} {counts} {span} {who}: {_short(template.sample.text)}"


def _short(text: str, characters: int = 300, rows: int = 16) -> str:
    lines = text.split("\n")
    if len(lines) > rows:
        lines = [*lines[: rows // 2], f"… {len(lines) - rows} rows", *lines[-(rows // 2) :]]
    limit = characters if len(lines) == 1 else 160
    return "\n".join(row if len(row) <= limit else row[: limit - 1] + "…" for row in lines)
