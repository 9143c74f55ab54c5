"""The cheapest command that would confirm or refute a fault, for a person to paste. Gumshoe runs none of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

import yaml

from skills.contract import Entity
from workers.agent.conclude import Draft
from workers.domain import Cause, Guidance

_ANY_REVISION = re.compile(r"`(kubectl [^`]*rollout history [^`]*)`, then `--revision=N` of the last two compares")


@cache
def _table() -> dict[str, str]:
    loaded: dict[str, str] = yaml.safe_load(
        files("workers.agent").joinpath("next_checks.yaml").read_text(encoding="utf-8")
    )
    return loaded


def check_of(fault_id: str, entity: Entity) -> str:
    """For a leaf, else for its group, with the entity's names filled in."""
    table = _table()
    text = table.get(fault_id) or table[fault_id[0]]
    scope = f"-n {entity.namespace} " if entity.namespace else ""
    return text.format(n=scope, kind=_resource(entity.kind), name=entity.name, ns=entity.namespace or entity.name)


def all_of(draft: Draft, causes: Iterable[Cause], guidance: Iterable[Guidance], owner: str = "") -> tuple[str, ...]:
    """The model's own checks, a command for the leading cause when it gave none, then owner and runbook as people told;
    `owner`: as a system knows it, where nobody told."""
    said = list(draft.next[:3])
    lead = next(iter(causes), None)
    if lead is not None and not any("`" in s for s in said):
        said.insert(0, _at_revision(check_of(lead.fault_id, lead.entity), lead.change))
    for reading in (r for g in guidance for r in g.readings if r.kind in ("owner", "runbook") and r.text):
        said.append(f"{reading.kind}: {reading.text}")
    if owner and not any(s.startswith("owner: ") for s in said):
        said.append(f"owner: {owner}")
    return tuple(dict.fromkeys(said))


def _at_revision(text: str, change: str) -> str:
    """The command with the revision's number, where the cause is a rollout that is known by it."""
    number = change.rpartition("/")[2] if change.startswith("rollout/") else ""
    if not number.isdigit():
        return text
    return _ANY_REVISION.sub(rf"`\1 --revision={number}` against the one before compares", text)


def _resource(kind: str) -> str:
    short = {"Deployment": "deploy", "StatefulSet": "sts", "DaemonSet": "ds", "PersistentVolumeClaim": "pvc"}
    return short.get(kind, kind.lower() if kind else "deploy")
