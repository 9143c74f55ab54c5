"""From lines to sightings: which record matches which pattern, who wrote it, and whom it complains of."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from skills.contract import Entity, LogLine
from skills.logfaults.pattern import Pattern
from skills.logfaults.patterns import all_patterns
from skills.logfaults.places import Host, host_in, hosts_in, store_kind, workload
from skills.logfaults.relayed import is_relayed
from skills.loglines import join, level_of, message_of
from skills.masks import mask
from skills.stacks import Crash, crash_in

_MATCHED_CHARACTERS = 12_000
_FRAMES = re.compile(
    r"^[ \t|]+File \"[^\n]*(?:\n[ \t|]{4,}[^\n]*)?(?:\n[ \t|]*[~^]+[ \t]*$)?\n?"  # Python: frame, code, marker
    r"|^\s+at \S[^\n]*\n?"  # Java, Node, .NET
    r"|^\t\S+\.(?:go|s):\d+[^\n]*\n?",  # Go
    re.MULTILINE,
)


@dataclass(frozen=True)
class Sighting:
    record: LogLine
    """Joined: a stack trace is one record."""
    writer: Entity
    pattern: Pattern
    host: Host | None
    object: str
    resolver: str = ""
    """The DNS server that was asked, where the line says so."""
    relayed: bool = False
    """Whether another program's words are quoted, which are about that one's affairs."""


@dataclass(frozen=True)
class CrashSighting:
    record: LogLine
    writer: Entity
    crash: Crash


@dataclass
class Seen:
    """Everything that was found in one set of lines."""

    sightings: list[Sighting] = field(default_factory=list)
    crashes: list[CrashSighting] = field(default_factory=list)
    named: dict[Entity, Counter[Host]] = field(default_factory=lambda: defaultdict(Counter))
    """Per writer, the hosts that its lines name: who its dependencies are."""
    last: dict[Entity, datetime] = field(default_factory=dict)
    """Per writer, when it last wrote anything."""
    unknown: dict[tuple[Entity, str], list[LogLine]] = field(default_factory=lambda: defaultdict(list))
    """Errors that nothing recognises, by writer and masked text."""
    count: int = 0
    start: datetime | None = None
    end: datetime | None = None

    @property
    def seconds(self) -> float:
        return max(60.0, (self.end - self.start).total_seconds()) if self.start and self.end else 60.0


def see(lines: Sequence[LogLine], namespace: str, patterns: Sequence[Pattern] | None = None) -> Seen:
    """One pass. What a masked text was found to be is remembered, so that repeats cost a dictionary look-up.
    `patterns`: another table than the common one."""
    table = all_patterns() if patterns is None else patterns
    seen = Seen()
    known: dict[str, Pattern | None] = {}
    named: set[tuple[Entity, str]] = set()
    for record in join(lines):
        seen.count += 1
        seen.start = record.at if seen.start is None else min(seen.start, record.at)
        seen.end = record.at if seen.end is None else max(seen.end, record.at)
        writer = workload(record.entity, namespace, record.container)
        seen.last[writer] = record.at
        key = mask(record.text)
        words = None
        if key not in known:
            words = _words(record.text)
            known[key] = _pattern_of(record, words, table)
        if (writer, key) not in named:
            named.add((writer, key))
            for host in hosts_in(record.text):
                seen.named[writer][host] += 1
        pattern = known[key]
        if (
            (pattern is None or _weak(pattern))
            and (crash := _crash(record))
            and not _names_whose(record, pattern, crash)
        ):
            seen.crashes.append(CrashSighting(record, writer, crash))
        elif pattern is not None:
            words = words or _words(record.text)
            if match := pattern.pattern.search(words):
                seen.sightings.append(_sighting(record, writer, pattern, match, words))
        elif level_of(record) in ("error", "fatal", "critical"):
            seen.unknown[(writer, key)].append(record)
    _name_addresses(seen)
    return seen


def _words(text: str) -> str:
    """What a record says, without its frames and rows of code, whose words are about nothing that happened."""
    words = message_of(text)
    if "\n" in words:
        words = _FRAMES.sub("", words)
    return words[:_MATCHED_CHARACTERS]


def _pattern_of(record: LogLine, words: str, table: Sequence[Pattern]) -> Pattern | None:
    level = level_of(record)
    if level == "debug":
        return None
    lowered = words.lower()
    for pattern in table:
        if level == "info" and pattern.steady and pattern.store == "" and pattern.specificity < 0.65:
            continue
        if pattern.match(lowered, words):
            return pattern
    return None


def _weak(pattern: Pattern) -> bool:
    """The pattern says less than a stack trace around it does."""
    named = ("contract broken", "retries", "configuration invalid", "programming error")
    return pattern.specificity < 0.45 or pattern.name in named


_OF_OTHERS = re.compile(
    r"Connect|Timeout|Socket|Network|Http|HTTP|Rpc|RPC|StatusRuntime|OperationalError|InterfaceError|Redis|Mongo|Kafka|AMQP"
    r"|SSL|Tls|DNS|Unavailable|IOException|OSError|SystemExit|KeyboardInterrupt|CancelledError|ClientAbort|BrokenPipe"
)
"""Types that a program raises because of somebody else."""


def is_of_others(crash: Crash) -> bool:
    """Whether the program throws because of somebody else, by the type."""
    return _OF_OTHERS.search(crash.kind) is not None


def _crash(record: LogLine) -> Crash | None:
    text = record.text
    if "\n" in text or "\\n" in text or "panic: " in text:
        return crash_in(message_of(text))
    return None


def _names_whose(record: LogLine, pattern: Pattern | None, crash: Crash) -> bool:
    """A client's error that names the host which answered says more than the frame in which it was thrown."""
    if pattern is None or not is_of_others(crash):
        return False
    words = _words(record.text)
    match = pattern.pattern.search(words)
    return match is not None and host_in(match, words) is not None


def _sighting(record: LogLine, writer: Entity, pattern: Pattern, match: re.Match[str], words: str) -> Sighting:
    groups = match.groupdict()
    subject = next((value for key, value in groups.items() if key.startswith("object") and value), "")
    return Sighting(
        record,
        writer,
        pattern,
        host_in(match, words),
        subject,
        groups.get("resolver") or "",
        is_relayed(words, match.start()),
    )


def _name_addresses(seen: Seen) -> None:
    """An address gets the name that the same writer uses with the same port, when there is exactly one."""
    for index, sighting in enumerate(seen.sightings):
        host = sighting.host
        if host is None or not host.is_address or host.is_local or host.port is None:
            continue
        said = seen.named.get(sighting.writer, Counter())
        names = {h.name for h in said if h.port == host.port and not h.is_address and not h.is_local}
        if len(names) == 1:
            named = Host(names.pop(), host.port)
            seen.sightings[index] = replace(sighting, host=named)


def store_named_by(seen: Seen, writer: Entity, kind: str) -> Host | None:
    """The data store (of a kind, if given) that a writer's lines name most."""
    wanted = {"cache": ("redis", "memcached")}.get(kind, (kind,))
    hosts = [
        (count, host)
        for host, count in seen.named.get(writer, Counter()).items()
        if not (host.is_local or host.is_address)
        and (found := store_kind(host.name, host.port))
        and (not kind or found in wanted)
    ]
    return max(hosts, key=lambda pair: (pair[0], str(pair[1])))[1] if hosts else None
