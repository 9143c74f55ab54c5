"""The names of the faults, for a model that needs them: on the first page when the first look was not decisive, else
the nearest in the answer to a name that does not exist. Symptoms carry what matters; the whole list is 500 tokens."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from itertools import groupby

from skills.faults import all_faults

_WORD = re.compile(r"[a-z0-9]{3,}")


def listed() -> str:
    """Every cause, one group a line."""
    groups = groupby((f for f in all_faults() if f.is_cause), key=lambda f: f.group)
    return "\n".join(" ".join(f.name for f in faults) for _, faults in groups)


def unknown(name: str) -> str:
    near = nearest(name)
    if near:
        return f"there is no fault {name!r}; the nearest are {', '.join(near)}"
    return f"there is no fault {name!r}; the faults are:\n{listed()}"


def nearest(name: str, most: int = 6) -> tuple[str, ...]:
    """Faults whose name or meaning has words of this name, those with its rarer words first."""
    texts = {f.name: f"{f.name} {f.summary}".lower() for f in all_faults() if f.is_cause}
    words = _WORD.findall(name.lower())
    weight = {w: 1 / n for w in words if (n := sum(w in text for text in texts.values()))}
    score = {fault: sum(weight[w] for w in weight if w in text) for fault, text in texts.items()}
    alike = {fault: SequenceMatcher(None, name.lower(), fault).ratio() for fault in texts}
    best = sorted((f for f in texts if score[f] or alike[f] >= 0.7), key=lambda f: (-score[f] - alike[f], f))
    return tuple(best[:most])
