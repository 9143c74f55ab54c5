"""ConfigMaps that were written near the onset: a value (J3) or a feature flag (J2). Suspects, no more: that a value was
altered explains nothing until its users suffer.

Which keys the last writer set stands in metadata.managedFields (`f:data: {f:KEY: {}}`, Server-Side Apply reference).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from skills.contract import Entity, Focus, Symptom, Window
from skills.kubernetes import cite, references
from skills.kubernetes.differences import Write, last_write, plain_value
from skills.kubernetes.objects import Object, created, entity, mapping, name, namespace, text
from skills.kubernetes.snapshot import Snapshot
from skills.kubernetes.writes import id_of_write

NAME = "kubernetes.configuration"
_BEFORE, _AFTER, _NEAR = timedelta(hours=2), timedelta(minutes=5), timedelta(minutes=15)
_FLAGS = re.compile(r"flag|toggle|feature|experiment|unleash|flipt", re.IGNORECASE)
_FLAG_FILE = re.compile(r"^\s*\"?flags\"?\s*:|\"defaultVariant\"|\"toggles\"", re.MULTILINE)
_OF_THE_CLUSTER = ("kube-root-ca.crt", "openshift-service-ca.crt", "istio-ca-root-cert")


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    onset = focus.started_at or window.end
    configs = [c for c in snapshot.of("ConfigMap") if name(c) not in _OF_THE_CLUSTER]
    found = [s for c in configs if (s := _written(snapshot, c, onset))]
    return found + [s for c in configs for s in _waiting(snapshot, c, onset)]


def _written(snapshot: Snapshot, config: Object, onset: datetime) -> Symptom | None:
    write = last_write(config, "data")
    at = write.at or created(config)
    recent = at is not None and onset - _BEFORE <= at <= onset + _AFTER
    raised = [f for value in mapping(config, "data").values() if isinstance(value, str) for f in _raised(value)]
    if raised:
        return _flag(snapshot, config, raised, write, recent=recent)
    born = created(config)
    made_together = at is None or born is None or abs((at - born).total_seconds()) < 5
    if not recent or at is None or made_together:
        return None
    users = references.users_of_config_map(snapshot, config)
    keys = write.keys or tuple(mapping(config, "data"))
    is_flags = bool(_FLAGS.search(name(config)) or any(_holds_flags(config, k) for k in keys))
    if not users and not is_flags:
        return None
    words = told(config, write)
    used = f"; used by {', '.join(u.name for u in users[:5])}" if users else ""
    target = users[0] if len(users) == 1 else entity("ConfigMap", config)
    if is_flags:
        target = _flag_entity(config, write) or entity("ConfigMap", config)
    near = onset - _NEAR <= at <= onset + _AFTER
    return Symptom(
        analyzer=NAME,
        entity=target,
        faults=("feature_flag_harmful", "config_value_harmful") if is_flags else ("config_value_harmful",),
        summary=f"{words}{used}.",
        specificity=0.6 if is_flags and near else 0.5 if near else 0.4,
        evidence=(cite.seen(snapshot, "ConfigMap", config, words, verb="get", at=at),),
        onset=at,
        role="change",
        victims=tuple(users),
        change=id_of_write("ConfigMap", config),
    )


_WAITS = timedelta(hours=12)
_ON = re.compile(
    r"^[ \t]*\"?(?P<name>[A-Za-z][\w.\-]+)\"?[ \t]*:[ \t]*(?:\{[^}\n]*?|\n[ \t]+(?:\w+:[^\n]*\n[ \t]+)?)"
    r"\"?enabled\"?[ \t]*:[ \t]*true",
    re.MULTILINE,
)


def _waiting(snapshot: Snapshot, config: Object, onset: datetime) -> list[Symptom]:
    """A flag that was switched half a day ago may wait for the first request that comes by it: each that is on, with
    hardly any weight, since by itself it explains nothing."""
    write, born = last_write(config, "data"), created(config)
    at = write.at
    if at is None or born == at or not onset - _WAITS <= at < onset - _BEFORE:
        return []
    texts = [text(config, "data", k) for k in write.keys or tuple(mapping(config, "data")) if _holds_flags(config, k)]
    flags = list(dict.fromkeys(m["name"] for t in texts for m in _ON.finditer(t)))
    users = tuple(references.users_of_config_map(snapshot, config))
    found = []
    for flag in flags[:12]:
        words = f"flag {flag} is on in ConfigMap {name(config)}, which was written {at:%Y-%m-%dT%H:%M:%SZ}"
        shown = cite.seen(snapshot, "ConfigMap", config, words, verb="get", at=at)
        found.append(
            Symptom(
                analyzer=NAME,
                entity=Entity(kind="feature_flag", name=flag),
                faults=("feature_flag_harmful",),
                summary=words,
                specificity=0.1,
                evidence=(shown,),
                onset=at,
                role="change",
                victims=users,
                change=id_of_write("ConfigMap", config),
            )
        )
    return found


def told(config: Object, write: Write) -> str:
    """`ConfigMap cart-config was written 14:09:35Z by argocd: TIMEOUT_MS = 20`; what looks secret is hidden."""
    when = f" {write.at:%Y-%m-%dT%H:%M:%SZ}" if write.at else ""
    by = f" by {write.manager}" if write.manager else ""
    data = mapping(config, "data")
    keys = [k for k in write.keys if k in data][:5]
    values = ", ".join(f"{k} = {plain_value(k, data[k])}" for k in keys)
    return f"ConfigMap {name(config)} was written{when}{by}" + (f": {values}" if values else "")


def _holds_flags(config: Object, key: str) -> bool:
    value = text(config, "data", key)
    return bool(_FLAG_FILE.search(value)) or (bool(_FLAGS.search(key)) and not value.startswith(("file:", "http", "/")))


def _flag_entity(config: Object, write: Write) -> Entity | None:
    """Where each key is a flag of its own, the one that was written."""
    is_file = any(_FLAG_FILE.search(text(config, "data", k)) for k in write.keys)
    return None if is_file or len(write.keys) != 1 else Entity(kind="feature_flag", name=write.keys[0])


@dataclass(frozen=True)
class _Raised:
    """A flag that does not stand at its off variant."""

    name: str
    variant: str
    words: str
    """Its name and description."""

    @property
    def harms(self) -> bool:
        """Says of itself that it breaks something: nobody leaves such a one on by intent."""
        return bool(_HARM.search(self.words))


# Names are camelCase or kebab-case, so that a word ends where the next begins.
_HARM = re.compile(
    r"[Ff]ail|[Uu]nreachable|[Uu]navailable|\bslow|Slow|\bcrash|Crash|\bleak|Leak|overload|\bproblem|Problem|\bflood|Flood"
    r"|\bbreak|\bbroken|high cpu|HighCpu|garbage collection|outage|degrade|chaos|inject|\berror|Error\b"
)


def _flag(snapshot: Snapshot, config: Object, raised: list[_Raised], write: Write, *, recent: bool) -> Symptom:
    raised = sorted(raised, key=lambda f: not f.harms)
    shown = ", ".join(f"{f.name}={f.variant}" for f in raised[:5])
    words = f"ConfigMap {name(config)}: flag(s) not at their off variant: {shown}"
    users = references.users_of_config_map(snapshot, config)
    meant = _meant(snapshot, config, raised[0])
    return Symptom(
        analyzer=NAME,
        entity=Entity(kind="feature_flag", namespace=namespace(config), name=raised[0].name),
        faults=("feature_flag_harmful",),
        summary=f"{words}.",
        specificity=0.8 if raised[0].harms and meant else 0.6 if recent or raised[0].harms else 0.3,
        evidence=(cite.seen(snapshot, "ConfigMap", config, words, verb="get", at=write.at),),
        onset=write.at,  # when the object was made says nothing of when the flag was raised
        victims=tuple(dict.fromkeys((*meant, *users))),
    )


def _meant(snapshot: Snapshot, config: Object, flag: _Raised) -> tuple[Entity, ...]:
    """The workloads that the flag's name begins with or its description names: adFailure, "Fail cart service"."""
    place = namespace(config)
    spoken = set(re.findall(r"[a-z0-9]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", flag.words).lower()))
    found = []
    for each in snapshot.workloads:
        parts = set(each.entity.name.lower().removesuffix("service").strip("-").split("-")) - {"service"}
        if each.entity.namespace == place and parts and parts <= spoken:
            found.append(each.entity)
    return tuple(found)


def _raised(value: str) -> list[_Raised]:
    """flagd's JSON: every flag reads ENABLED; what counts is a defaultVariant other than off."""
    if '"defaultVariant"' not in value:
        return []
    try:
        flags = mapping(json.loads(value), "flags")
    except ValueError:
        return []
    return [
        _Raised(called, text(flag, "defaultVariant"), f"{called} {text(flag, 'description')}")
        for called, flag in flags.items()
        if "off" in mapping(flag, "variants")
        and text(flag, "defaultVariant") not in ("off", "")
        and text(flag, "state") == "ENABLED"
    ]
