"""Kubernetes quantities as numbers and back."""

from __future__ import annotations

from functools import lru_cache

_UNITS = {
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
    "Ti": 2.0**40,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "m": 1e-3,
}


@lru_cache(maxsize=4096)
def amount(quantity: str | float) -> float:
    """`250m` is 0.25, `512Mi` is 536870912."""
    text = str(quantity)
    for unit, factor in _UNITS.items():
        if text.endswith(unit):
            return float(text[: -len(unit)]) * factor
    return float(text)


def cores(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{round(value * 1000)}m"


def mebibytes(value: float) -> str:
    mi = value / 2**20
    return f"{int(mi) // 1024}Gi" if mi % 1024 == 0 and mi else f"{round(mi)}Mi"
