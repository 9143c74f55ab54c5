"""The closed vocabulary of root-cause faults, read from faults.yaml. Ids never change their meaning."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml


@dataclass(frozen=True)
class Fault:
    id: str
    """Letter of the group and a number: E1."""
    name: str
    group: str
    """Letter and title: "E Container runtime and resources"."""
    summary: str
    culprit: tuple[str, ...]
    """Kinds of the culprit entity, the usual one first; empty for group L, which are verdicts and never a cause."""

    @property
    def is_cause(self) -> bool:
        return not self.id.startswith("L")


class UnknownFault(KeyError):
    """No such fault in skills/faults.yaml."""


@cache
def all_faults() -> tuple[Fault, ...]:
    text = files("skills").joinpath("faults.yaml").read_text(encoding="utf-8")
    rows = yaml.load(
        text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    )  # in C where there is one: a tenth of the time
    return tuple(Fault(r["id"], r["name"], r["group"], r["summary"], tuple(r["culprit"])) for r in rows)


@cache
def _by_key() -> dict[str, Fault]:
    return {key: fault for fault in all_faults() for key in (fault.id, fault.name)}


def fault(key: str) -> Fault:
    """The fault with this id or name. Raises UnknownFault."""
    try:
        return _by_key()[key]
    except KeyError:
        raise UnknownFault(key) from None
