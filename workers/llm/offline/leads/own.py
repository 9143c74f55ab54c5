"""The sufferer itself changed: a new version, another address, another setting."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from skills.contract import Entity
from skills.logfaults.places import store_kind
from workers.llm.entities import family, same_thing
from workers.llm.offline.culprits import Scene
from workers.llm.offline.leads.reading import (
    ANALYZER,
    RELEASE,
    SLACK,
    SOON,
    both,
    follows,
    is_release,
    lead,
    released,
    suffers,
)
from workers.llm.offline.notes import Notes, Sign


def own_release(notes: Notes, about: Sequence[Entity], signs: Sequence[Sign], seen: Scene) -> Iterator[Sign]:
    """A new image, or new settings, of something on the alert's path that suffers since minutes later."""
    for change in notes.changes:
        if notes.onset is None or not change.evidence or "->" not in change.what:
            continue
        near = -SLACK <= notes.onset - change.at <= RELEASE
        on_path = any(seen.graph.distance(a, change.entity) is not None for a in about)
        if not (near and on_path and suffers(change.entity, signs)):
            continue
        image = is_release(change)
        fault = "code_defect_in_release" if image else "config_value_harmful"
        says = f"{change.entity.name} suffers since shortly after its release: {change.what}"[:400]
        yield lead(change.entity, (fault,), says, 0.85, change, role="change")


_VALUES = re.compile(r"(?P<name>[\w.\-]+) (?P<before>\S+) -> (?P<after>[^;,]+)")
_NO_ADDRESS = re.compile(r"^(?:image|replicas|revision|(?:limits|requests)\..*)$")
UNREACHABLE = (
    "service_selects_no_pods",
    "service_deleted",
    "network_policy_blocks",
    "dependency_address_wrong",
    "datastore_endpoint_wrong",
)
_STORE_SETTING = re.compile(
    r"(?:^|_)(?:DB|DATABASE|PG\w*|POSTGRES\w*|MYSQL|MARIADB|MONGO\w*|REDIS|CACHE|MEMCACHED?|KAFKA|RABBIT\w*|AMQP|DSN|JDBC"
    r"|ELASTIC\w*|CASSANDRA)(?:_|$)",
    re.IGNORECASE,
)


def rewired(notes: Notes, about: Sequence[Entity], signs: Sequence[Sign], seen: Scene) -> Iterator[Sign]:
    """A setting of a caller was changed to the very host or port that it cannot reach since: the address is wrong."""
    for change in notes.changes:
        for match in _VALUES.finditer(change.what):
            tokens = _parts(match["after"]) - _parts(match["before"])
            if _NO_ADDRESS.match(match["name"]):
                continue
            for sign in signs:
                unreachable = sign.role == "effect" and any(f in UNREACHABLE for f in sign.faults)
                if not unreachable or not same_thing(sign.entity, change.entity) or not follows(sign, change):
                    continue
                if not tokens & _parts(sign.says.removeprefix(change.entity.name)):
                    continue
                store = _STORE_SETTING.search(match["name"]) or any(store_kind(t) for t in tokens)
                faults = ("datastore_endpoint_wrong", "dependency_address_wrong")
                says = f"{sign.says.rstrip('.')}, since its setting {match[0]}"
                yield lead(
                    change.entity, faults if store else faults[::-1], says, 0.92, change, sign, role="cause",
                    onset=sign.onset,
                )  # fmt: skip
                break


def _parts(address: str) -> set[str]:
    """Hosts and ports of an address, a URL or a sentence about one."""
    return {part for part in re.split(r"[/:@?=\"'\s,()]+", address) if len(part) > 3}


def configured(notes: Notes, about: Sequence[Entity], signs: Sequence[Sign], seen: Scene) -> Iterator[Sign]:
    """A workload's configuration was written, it was not released, and its own calls fail from minutes later on.

    A mounted ConfigMap reaches a program without any rollout; what fails then is all that it does at once.
    """
    for written in signs:
        if written.role != "change" or written.faults[:1] != ("config_value_harmful",) or written.onset is None:
            continue
        users = [e for e in (written.entity, *written.victims) if family(e.kind) == "app"]
        if len(users := list(dict.fromkeys(users))) != 1:
            continue
        user = users[0]
        failing = [
            s
            for s in signs
            if s.role == "effect" and s.ongoing and s.onset and same_thing(s.entity, user)
            and s.specificity >= 0.25
            and -SLACK <= s.onset - written.onset <= SOON
        ]  # fmt: skip
        first = min(failing, key=lambda s: (s.onset or written.onset, -s.specificity), default=None)
        if first is None or released(user, first.onset, notes):
            continue
        strongest = max(failing, key=lambda s: s.specificity)
        says = f"{strongest.says.rstrip('.')}, minutes after its configuration was written: {written.says}"
        yield Sign(
            entity=user, faults=("config_value_harmful",), says=says[:480], specificity=0.7, onset=first.onset,
            role="cause", points_at=(), victims=(), evidence=both(written, strongest), change=written.change,
            ongoing=True, analyzer=ANALYZER,
        )  # fmt: skip
