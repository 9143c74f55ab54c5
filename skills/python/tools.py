"""How the skill is connected; what it asks and reads is runtimes', its wordings are in patterns."""

from __future__ import annotations

from skills.contract import Access
from skills.python.patterns import PATTERNS
from skills.python.settings import Settings
from skills.runtimes.skill import Language, RuntimeSkill

__all__ = ["Settings", "connect"]

PYTHON = Language(
    skill="python",
    stacks="python",
    called="Python",
    patterns=PATTERNS,
    trace_tool="Python tracebacks grouped: root cause, our frame, counts against the baseline, last commit there.",
    runtime_tool="Python imports, packages, pools, workers and memory, as the logs tell of them.",
)


def connect(access: Access) -> RuntimeSkill:
    return RuntimeSkill(PYTHON, access)
