"""What a change and the trouble right after it say together: leads that no single system can offer.

Each rule is a reason an engineer would give. A lead is a symptom like any other, resting on the evidence of both; it
weighs less than what an analyzer saw with its own eyes, and never convicts alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from skills.contract import Entity
from skills.logfaults.places import store_kind
from workers.llm.entities import same_thing
from workers.llm.offline.culprits import Scene
from workers.llm.offline.notes import Alteration, Notes, Sign

ANALYZER = "timeline"
SOON = timedelta(minutes=15)
"""From a change to trouble that it explains: a rolling update, the kubelet's refresh of a mounted ConfigMap (a minute
or two) and the caches before it lie within."""
RELEASE = timedelta(minutes=30)
SLACK = timedelta(minutes=2)
"""Clocks, scrape intervals and lines that were read late."""
CRASHES = ("code_defect_in_release", "contract_broken_between_services", "feature_flag_harmful")
BREAKING = ("KeyError", "422", "400", "json", "schema", "field", "parse", "decod", "unmarshal", "UNIMPLEMENTED")


def leads(notes: Notes, about: Sequence[Entity], signs: Sequence[Sign], seen: Scene) -> list[Sign]:
    rules: tuple[Callable[[Notes, Sequence[Entity], Sequence[Sign], Scene], Iterator[Sign]], ...] = (
        _own_release,
        _rewired,
        _configured,
        _contract,
        _flag,
        _scaled_away,
        _retries,
        _silent,
    )
    return [lead for rule in rules for lead in rule(notes, about, signs, seen)]


# --- the sufferer itself changed ------------------------------------------------------------------------------------


def _own_release(notes: Notes, about: Sequence[Entity], signs: Sequence[Sign], seen: Scene) -> Iterator[Sign]:
    """A new image, or new settings, of something on the alert's path that suffers since minutes later."""
    for change in notes.changes:
        if notes.onset is None or not change.evidence or "->" not in change.what:
            continue
        near = -SLACK <= notes.onset - change.at <= RELEASE
        on_path = any(seen.graph.distance(a, change.entity) is not None for a in about)
        if not (near and on_path and _suffers(change.entity, signs)):
            continue
        image = is_release(change)
        fault = "code_defect_in_release" if image else "config_value_harmful"
        says = f"{change.entity.name} suffers since shortly after its release: {change.what}"[:400]
        yield _lead(change.entity, (fault,), says, 0.85, change, role="change")


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


def _rewired(notes: Notes, about: Sequence[Entity], signs: Sequence[Sign], seen: Scene) -> Iterator[Sign]:
    """A setting of a caller was changed to the very host or port that it cannot reach since: the address is wrong."""
    for change in notes.changes:
        for match in _VALUES.finditer(change.what):
            tokens = _parts(match["after"]) - _parts(match["before"])
            if _NO_ADDRESS.match(match["name"]):
                continue
            for sign in signs:
                unreachable = sign.role == "effect" and any(f in UNREACHABLE for f in sign.faults)
                if not unreachable or not same_thing(sign.entity, change.entity) or not _follows(sign, change):
                    continue
                if not tokens & _parts(sign.says.removeprefix(change.entity.name)):
                    continue
                store = _STORE_SETTING.search(match["name"]) or any(store_kind(t) for t in tokens)
                faults = ("datastore_endpoint_wrong", "dependency_address_wrong")
                says = f"{sign.says.rstrip('.')}, since its setting {match[0]}"
                yield _lead(
                    change.entity, faults if store else faults[::-1], says, 0.92, change, sign, role="cause",
                    onset=sign.onset,
                )  # fmt: skip
                break


def _parts(address: str) -> set[str]:
    """Hosts and ports of an address, a URL or a sentence about one."""
    return {part for part in re.split(r"[/:@?=\"'\s,()]+", address) if len(part) > 3}


def _configured(notes: Notes, about: Sequence[Entity], signs: Sequence[Sign], seen: Scene) -> Iterator[Sign]:
    """A workload's configuration was written, it was not released, and its own calls fail from minutes later on.

    A mounted ConfigMap reaches a program without any rollout; what fails then is all that it does at once.
    """
    for written in signs:
        if written.role != "change" or written.faults[:1] != ("config_value_harmful",) or written.onset is None:
            continue
        user = written.entity
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
            role="cause", points_at=(), victims=(), evidence=_both(written, strongest), change=written.change,
            ongoing=True, analyzer=ANALYZER,
        )  # fmt: skip


# --- somebody else changed ------------------------------------------------------------------------------------------


def _contract(notes: Notes, about: Sequence[Entity], signs: Sequence[Sign], seen: Scene) -> Iterator[Sign]:
    """A caller that was not released trips over an answer since something that it calls was: two versions disagree.

    A program that nobody touched does not break by itself; the last release of what it calls is what is new.
    """
    for crash in _crashes(signs):
        if crash.onset is None or released(crash.entity, crash.onset, notes):
            continue
        candidates = [
            (change, hops)
            for change in notes.changes
            if is_release(change)
            and -SLACK <= crash.onset - change.at <= SOON
            and (hops := seen.graph.distance(crash.entity, change.entity))
            and hops <= 2
        ]
        for change, hops in candidates:
            told = change.entity.name in _words(crash, notes)
            shape = any(word.casefold() in _words(crash, notes).casefold() for word in BREAKING)
            says = (
                f"{crash.says.rstrip('.')}; {crash.entity.name} itself was not released,"
                f" {change.entity.name}, which it calls, was: {change.what}"
            )
            weight = 0.6 + 0.2 * told + 0.08 * shape - 0.1 * (hops - 1)
            yield _lead(
                change.entity, ("contract_broken_between_services", "code_defect_in_release"), says, weight, change,
                crash, role="cause", onset=crash.onset, victims=(crash.entity,),
            )  # fmt: skip


_FLAGS = re.compile(r"flag|toggle|feature|experiment|rollout-config|unleash|launchdarkly", re.IGNORECASE)


def _flag(notes: Notes, about: Sequence[Entity], signs: Sequence[Sign], seen: Scene) -> Iterator[Sign]:
    """A flag was flipped, and minutes later something that nobody released begins to throw."""
    for crash in _crashes(signs):
        if crash.onset is None or released(crash.entity, crash.onset, notes):
            continue
        for change in notes.changes:
            is_flag = change.kind == "flag" or change.entity.kind == "feature_flag" or _names_flags(change)
            if not is_flag or not -SLACK <= crash.onset - change.at <= SOON:
                continue
            told = change.entity.kind == "feature_flag" and change.entity.name in _words(crash, notes)
            says = (
                f"{crash.says.rstrip('.')}, without a release, since {change.entity.name} was changed at"
                f" {change.at:%H:%M}: {change.what}"
            )
            yield _lead(
                change.entity, ("feature_flag_harmful",), says, 0.9 if told else 0.8, change, crash, role="cause",
                onset=crash.onset, victims=(crash.entity,),
            )  # fmt: skip


def _names_flags(change: Alteration) -> bool:
    return change.entity.kind == "ConfigMap" and _FLAGS.search(change.entity.name) is not None


_TO_ZERO = re.compile(r"Scaled down replica set (?P<set>\S+) (?:from \d+ )?to 0|replicas \d+ -> 0\b")
_UP = re.compile(r"Scaled up replica set (?P<set>\S+)|replicas 0 -> [1-9]")


def _scaled_away(notes: Notes, about: Sequence[Entity], signs: Sequence[Sign], seen: Scene) -> Iterator[Sign]:
    """Something was scaled to nothing when its callers began to be refused; it is over where it was scaled up again.

    A rollout also takes its old ReplicaSet to 0, but has just brought up another one.
    """
    for change in notes.changes:
        if not (match := _TO_ZERO.search(change.what)):
            continue
        others = [c for c in notes.changes if same_thing(c.entity, change.entity) and _UP.search(c.what)]
        if any(_set_of(c.what) != match["set"] and abs(c.at - change.at) <= RELEASE for c in others):
            continue
        again = next((c for c in others if c.at > change.at), None)
        suffering = [
            s
            for s in signs
            if s.role == "effect" and s.onset and -SLACK <= s.onset - change.at <= SOON
            and any(same_thing(p, change.entity) for p in s.points_at)
        ]  # fmt: skip
        if not suffering:
            continue
        back = f", and up again at {again.at:%H:%M}" if again else ""
        says = f"{change.entity.name} was scaled to 0 at {change.at:%H:%M}{back}; {suffering[0].says}"
        evidence = _numbers(change.evidence, *(s.evidence for s in suffering[:1]), again.evidence if again else ())
        yield Sign(
            entity=change.entity, faults=("scaled_to_zero",), says=says[:480], specificity=0.9, onset=change.at,
            role="cause", points_at=(), victims=tuple(dict.fromkeys(s.entity for s in suffering)), evidence=evidence,
            change=change.id, ongoing=again is None, analyzer=ANALYZER,
        )  # fmt: skip


def _set_of(what: str) -> str | None:
    found = _UP.search(what)
    return found["set"] if found else None


# --- load -----------------------------------------------------------------------------------------------------------


def _retries(notes: Notes, about: Sequence[Entity], signs: Sequence[Sign], seen: Scene) -> Iterator[Sign]:
    """A callee gets far more requests than before, no caller does, and one of them says that it retries: the load is
    made of retries (K2). With more visitors the callers would have more as well (K1)."""
    surging = [s for s in signs if s.role == "cause" and "traffic_surge" in s.faults and s.analyzer != ANALYZER]
    retrying = [s for s in signs if "retry_storm" in s.faults and s.role == "effect" and s.ongoing]
    for surge in surging:
        callers = [s for s in retrying if seen.graph.distance(s.entity, surge.entity) == 1]
        above = any(seen.graph.distance(s.entity, surge.entity) for s in surging if s is not surge)
        if callers and not above:
            says = f"{surge.says.rstrip('.')}, while no caller of it gets more; {callers[0].says}"
            yield Sign(
                entity=surge.entity, faults=("retry_storm",), says=says[:480], specificity=0.82, onset=surge.onset,
                role="cause", points_at=(), victims=tuple(dict.fromkeys(s.entity for s in callers)),
                evidence=_both(surge, callers[0]), change=None, ongoing=True, analyzer=ANALYZER,
            )  # fmt: skip


# --- nothing fails --------------------------------------------------------------------------------------------------

_LESS = re.compile(
    r"\b(?:drop(?:ped|s)?|fell|falls?|fewer|less than|decreas\w+|declin\w+|below|low(?:er)?|missing|plunge\w*)\b", re.I
)
_MACHINERY = re.compile(
    r"replica|disk|memory|free|space|pods?\b|instances?\b|certificate|quota|hit ra|availab|success|slo\b|budget", re.I
)


def _silent(notes: Notes, about: Sequence[Entity], signs: Sequence[Sign], seen: Scene) -> Iterator[Sign]:
    """What people do became less, and nothing fails or is slow: answers are wrong since the last release (J5)."""
    words = " ".join(str(a.get(k) or "") for a in notes.alerts for k in ("type", "title", "summary"))
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", words)
    if notes.onset is None or not _LESS.search(spaced) or _MACHINERY.search(spaced):
        return
    failing = [s for s in signs if s.ongoing and s.role == "effect" and s.specificity >= 0.2]
    if any(s.analyzer != "prometheus.alert" for s in failing):
        return
    reach = timedelta(minutes=45)
    recent = [c for c in notes.changes if is_release(c) and timedelta() <= notes.onset - c.at <= reach]
    for place, change in enumerate(sorted(recent, key=lambda c: c.at, reverse=True)[:3]):
        title = notes.alerts[0].get("title")
        says = f"{title}, without errors, after the release of {change.entity.name}: {change.what}"
        yield _lead(change.entity, ("silent_wrong_result",), says, (0.75, 0.55, 0.4)[place], change, role="cause")


# --- words ----------------------------------------------------------------------------------------------------------


def is_release(change: Alteration) -> bool:
    """A new version of a program, as ReplicaSets, deploy tools or forges tell it."""
    image = "image" in change.what and "->" in change.what
    return image or change.kind in ("deployment", "release", "sync")


def released(entity: Entity, onset: datetime | None, notes: Notes) -> bool:
    """Whether a thing got a new version or template shortly before; True as well when changes could not be seen."""
    if onset is None or not looked_for_changes(notes):
        return True
    own = [c for c in notes.changes if same_thing(c.entity, entity) and (is_release(c) or c.kind == "rollout")]
    return any(-SLACK <= onset - c.at <= 2 * RELEASE for c in own)


def looked_for_changes(notes: Notes) -> bool:
    return bool(notes.changes) or any(s.analyzer.startswith(("kubernetes.releases", "changes")) for s in notes.signs)


def _crashes(signs: Sequence[Sign]) -> list[Sign]:
    """Programs that throw by their own code, one for each workload: the strongest."""
    best: dict[str, Sign] = {}
    for sign in signs:
        thrown = sign.role == "cause" and sign.ongoing and sign.faults[:1] and sign.faults[0] in CRASHES
        if thrown and sign.analyzer != ANALYZER:
            kept = best.get(str(sign.entity))
            if kept is None or sign.specificity > kept.specificity:
                best[str(sign.entity)] = sign
    return list(best.values())


def _words(sign: Sign, notes: Notes) -> str:
    return " ".join((sign.says, *(notes.evidence.get(n, "") for n in sign.evidence)))


def _suffers(entity: Entity, signs: Sequence[Sign]) -> bool:
    return any(s.role == "effect" and s.ongoing and same_thing(s.entity, entity) for s in signs)


def _follows(sign: Sign, change: Alteration) -> bool:
    return sign.onset is not None and -SLACK <= sign.onset - change.at <= RELEASE


def _lead(
    entity: Entity,
    faults: tuple[str, ...],
    says: str,
    specificity: float,
    change: Alteration,
    sign: Sign | None = None,
    *,
    role: str,
    onset: datetime | None = None,
    victims: tuple[Entity, ...] = (),
) -> Sign:
    return Sign(
        entity=entity,
        faults=faults,
        says=says[:480],
        specificity=specificity,
        onset=onset or change.at,
        role="change" if role == "change" else "cause",
        points_at=(),
        victims=victims,
        evidence=_numbers(sign.evidence[:3] if sign else (), change.evidence),
        change=change.id,
        ongoing=True,
        analyzer=ANALYZER,
    )


def _both(one: Sign, other: Sign) -> tuple[str, ...]:
    return _numbers(one.evidence[:3], other.evidence[:3])


def _numbers(*groups: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(n for group in groups for n in group))[:6]
