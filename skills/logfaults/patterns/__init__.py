"""The table of patterns, one module a group of faults. Adding a wording is adding a line here and one in its test."""

from __future__ import annotations

from functools import cache

from skills.logfaults.pattern import Pattern
from skills.logfaults.patterns import application, network, runtime, stores


@cache
def all_patterns() -> tuple[Pattern, ...]:
    """In order of precedence: a record is what its first matching pattern says, and nothing else."""
    return (*stores.PATTERNS, *network.PATTERNS, *runtime.PATTERNS, *application.PATTERNS)
