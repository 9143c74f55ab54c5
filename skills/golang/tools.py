"""How the skill is connected; what it asks and reads is runtimes', its wordings, dumps and collections are its own."""

from __future__ import annotations

from skills.contract import Access
from skills.golang.collector import read_collections
from skills.golang.dumps import read_dumps
from skills.golang.patterns import PATTERNS
from skills.golang.settings import Settings
from skills.runtimes.hearing import Heard
from skills.runtimes.skill import Language, RuntimeSkill, Said

__all__ = ["Settings", "connect"]


def _read(heard: Heard) -> Said:
    dumps, collections = read_dumps(heard), read_collections(heard)
    return Said(
        (*dumps.rows, *collections.rows),
        (*dumps.symptoms, *collections.symptoms),
        (*dumps.evidence, *collections.evidence),
    )


GOLANG = Language(
    skill="golang",
    stacks="go",
    called="Go",
    patterns=PATTERNS,
    trace_tool="Go panics and fatal errors grouped: our frame, counts against the baseline, last commit there.",
    runtime_tool="Goroutine dumps by state and wait, collector traces, pools, as a service's logs tell of them.",
    reads=_read,
)


def connect(access: Access) -> RuntimeSkill:
    return RuntimeSkill(GOLANG, access)
