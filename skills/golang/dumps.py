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

from skills.contract import Excerpt, Symptom
from skills.runtimes.hearing import Heard, Record
from skills.runtimes.skill import Said
from skills.stacks import Frame, go_frames

MANY = 10
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
    last: dict[object, tuple[Record, list[Group]]] = {}
    for record in heard.records:
        if record.line.text.count("goroutine ") >= 2 and len(groups := groups_in(record.line.text)) >= 1:
            last[record.writer] = (record, groups)
    rows: list[str] = []
    symptoms: list[Symptom] = []
    evidence: list[Excerpt] = []
    for record, groups in last.values():
        total = sum(group.count for group in groups)
        rows.append(f"{record.writer.name} dumped {total} goroutines: {'; '.join(g.told() for g in groups[:4])}")
        excerpts = tuple(_cited(record, heard, group) for group in groups[:3])
        evidence += excerpts
        symptoms += _symptoms(record, groups, excerpts)
    return Said(tuple(rows), tuple(symptoms), tuple(evidence))


def _cited(record: Record, heard: Heard, group: Group) -> Excerpt:
    """The head and first rows of one goroutine of the group, verbatim."""
    text = record.line.text
    block = next(
        (b for b in text.split("\n\n") if "goroutine " in b and (group.frame is None or group.frame.file in b)), text
    )
    rows = "\n".join(block.split("\n")[:12])
    return Excerpt(rows, heard.source.query, heard.window, heard.source.link, record.writer, record.line.at)


def _symptoms(record: Record, groups: Iterable[Group], excerpts: tuple[Excerpt, ...]) -> list[Symptom]:
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
        summary = f"{group.count} goroutines of {record.writer.name} {says}{where}, for up to {group.minutes} min"
        found.append(Symptom("logs.dumps", record.writer, faults, summary, specificity, excerpts[:2], onset=None))
    return found
