"""Goroutine dumps: who waits for what, where, and for how long.

A dump comes with a fatal error, with SIGQUIT, or from GOTRACEBACK=all. Its heads are
`goroutine 18 [sync.Mutex.Lock, 12 minutes]:` (package runtime, traceback.go; reasons in runtime2.go). Goroutines that
wait in one frame of ours for minutes name the lock, the pool or the peer that holds them up.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from skills.contract import Entity, Excerpt, Symptom
from skills.runtimes.hearing import Heard
from skills.runtimes.skill import Said
from skills.stacks import Frame, go_frames

MANY = 10
_ONE_DUMP = timedelta(seconds=20)
LONG_MINUTES = 1
"""The runtime tells a wait from its first whole minute on."""
_HEAD = re.compile(
    r"^goroutine (\d+)(?: gp=\S+ m=\S+(?: mp=\S+)?)? \[([^\],]+)(?:, (\d+) minutes)?(?:, [^\]]*)?\]:$", re.M
)
_IDLE = ("finalizer wait", "force gc", "gc sweep", "gc scavenge", "gc worker", "idle", "cleanup wait")


@dataclass(frozen=True)
class Group:
    """Goroutines that do the same in the same place."""

    state: str
    waits_in: str
    """The library's function that they wait in, where that tells something: (*DB).conn, getConn."""
    frame: Frame | None
    count: int
    minutes: int
    """The longest wait."""

    def told(self) -> str:
        where = f" at {self.frame}" if self.frame else ""
        wait = f" for up to {self.minutes} min" if self.minutes else ""
        inside = f" in {self.waits_in}" if self.waits_in else ""
        return f"{self.count} goroutines [{self.state}]{wait}{inside}{where}"


_WAITS: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    ("database/sql.(*DB).conn(", "database/sql.(*DB).conn", ("connection_pool_exhausted", "slow_query_or_lock"),
     "wait for a connection of the database's pool"),
    ("pgxpool.(*Pool).Acquire(", "pgxpool.Acquire", ("connection_pool_exhausted", "slow_query_or_lock"),
     "wait for a connection of the database's pool"),
    ("puddle", "puddle.Acquire", ("connection_pool_exhausted", "slow_query_or_lock"),
     "wait for a connection of the database's pool"),
    ("pool.(*ConnPool).waitTurn(", "redis pool", ("connection_pool_exhausted", "cache_unavailable"),
     "wait for a connection of the cache's pool"),
    ("net/http.(*Transport).getConn(", "net/http getConn", ("connection_pool_exhausted", "config_value_harmful"),
     "wait for a connection of the HTTP transport (MaxConnsPerHost, or dialling)"),
)  # fmt: skip
_LOCKS = ("sync.Mutex.Lock", "sync.RWMutex.Lock", "sync.RWMutex.RLock", "semacquire")
_LOCKED = re.compile(r"^sync\.\(\*(?:RW)?Mutex\)\.(?:R?Lock|lockSlow|RLock)|^sync\.runtime_SemacquireMutex", re.M)
_CHANNELS = ("chan send", "chan receive", "select", "chan send (nil chan)", "chan receive (nil chan)")


def groups_in(text: str) -> list[Group]:
    """The largest first; idle goroutines of the runtime are left out."""
    heads = list(_HEAD.finditer(text))
    counts: Counter[tuple[str, str, Frame | None]] = Counter()
    longest: dict[tuple[str, str, Frame | None], int] = defaultdict(int)
    for index, head in enumerate(heads):
        state = head[2].strip()
        if state.lower().startswith(_IDLE):
            continue
        block = text[head.end() : heads[index + 1].start() if index + 1 < len(heads) else len(text)]
        if state in _LOCKS and _LOCKED.search(block):
            state = "lock"
        waits_in = next((name for mark, name, _, _ in _WAITS if mark in block), "")
        key = (state, waits_in, next(iter(go_frames(block)), None))
        counts[key] += 1
        longest[key] = max(longest[key], int(head[3] or 0))
    return [Group(*key, count, longest[key]) for key, count in counts.most_common()]


def read_dumps(heard: Heard) -> Said:
    """Of each writer its last dump."""
    rows: list[str] = []
    symptoms: list[Symptom] = []
    evidence: list[Excerpt] = []
    for writer, dump in _last_dumps(heard).items():
        groups = groups_in(dump.text)
        total = sum(group.count for group in groups)
        if total < 2:
            continue
        rows.append(f"{writer.name} dumped {total} goroutines: {'; '.join(g.told() for g in groups[:4])}")
        excerpts = tuple(_cited(dump, heard, group) for group in groups[:3])
        evidence += excerpts
        symptoms += _symptoms(dump, groups, excerpts)
    return Said(tuple(rows), tuple(symptoms), tuple(evidence))


@dataclass(frozen=True)
class _Dump:
    writer: Entity
    at: datetime
    text: str


def _last_dumps(heard: Heard) -> dict[Entity, _Dump]:
    """A long dump comes as several records, one right after the other."""
    found: dict[Entity, _Dump] = {}
    for record in heard.records:
        line, writer = record.line, record.writer
        if "goroutine " not in line.text or "\n" not in line.text:
            continue
        open_dump = found.get(writer)
        if open_dump is not None and line.at - open_dump.at <= _ONE_DUMP:
            found[writer] = _Dump(writer, open_dump.at, f"{open_dump.text}\n\n{line.text}")
        else:
            found[writer] = _Dump(writer, line.at, line.text)
    return found


def _cited(dump: _Dump, heard: Heard, group: Group) -> Excerpt:
    """The head and first rows of one goroutine of the group, verbatim."""
    text = dump.text
    block = next(
        (b for b in text.split("\n\n") if "goroutine " in b and (group.frame is None or group.frame.file in b)), text
    )
    rows = "\n".join(block.split("\n")[:12])
    return Excerpt(rows, heard.source.query, heard.window, heard.source.link, dump.writer, dump.at)


def _symptoms(dump: _Dump, groups: Iterable[Group], excerpts: tuple[Excerpt, ...]) -> list[Symptom]:
    found = []
    for group in groups:
        if group.count < MANY or group.minutes < LONG_MINUTES:
            continue
        wait = next((w for w in _WAITS if w[1] == group.waits_in), None)
        if wait is not None:
            faults, says, specificity = wait[2], wait[3], 0.72
        elif group.state == "lock":
            faults, says, specificity = ("code_defect_in_release",), "wait for one lock that is never released", 0.78
        elif group.state in _CHANNELS and group.frame is not None:
            faults, says, specificity = ("code_defect_in_release", "memory_leak"), "are left behind at one channel", 0.6
        else:
            continue
        where = f" at {group.frame}" if group.frame else ""
        summary = f"{group.count} goroutines of {dump.writer.name} {says}{where}, for up to {group.minutes} min"
        found.append(Symptom("logs.dumps", dump.writer, faults, summary, specificity, excerpts[:2], onset=None))
    return found
