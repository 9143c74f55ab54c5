"""The names of the faults, for a model that needs them: on the first page when the first look was not decisive, else
in the answer to a name that does not exist. Symptoms carry the names that matter; the whole list costs 500 tokens."""

from __future__ import annotations

from itertools import groupby

from skills.faults import all_faults


def listed() -> str:
    """Every cause, one group a line."""
    groups = groupby((f for f in all_faults() if f.is_cause), key=lambda f: f.group)
    return "\n".join(" ".join(f.name for f in faults) for _, faults in groups)


def unknown(name: str) -> str:
    return f"there is no fault {name!r}; the faults are:\n{listed()}"
