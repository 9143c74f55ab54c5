"""Resource quantities: `250m`, `128Mi`, `1e3`, `0.5`. Grammar: k8s.io/apimachinery pkg/api/resource quantity.go."""

from __future__ import annotations

import re
from typing import Any

_SUFFIXES = {
    "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50, "Ei": 2.0**60,
}  # fmt: skip
_QUANTITY = re.compile(r"^\s*([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)\s*([KMGTPE]i|[numkMGTPE]?)\s*$")


def quantity(value: Any) -> float | None:
    """In cores, bytes or pieces; None when it is no quantity."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return float(value)
    match = _QUANTITY.match(value) if isinstance(value, str) else None
    if not match:
        return None
    try:
        return float(match.group(1)) * _SUFFIXES[match.group(2)]
    except (ValueError, OverflowError):
        return None


def size(value: float) -> str:
    """Bytes for people: 134217728 -> 128Mi."""
    for suffix in ("Ti", "Gi", "Mi", "Ki"):
        unit = _SUFFIXES[suffix]
        if abs(value) >= unit:
            return f"{value / unit:.4g}{suffix}"
    return f"{value:.0f}"
