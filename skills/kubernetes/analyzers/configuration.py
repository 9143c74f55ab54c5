"""ConfigMaps that were written near the onset: a value (J3) or a feature flag (J2). Suspects, no more: that a value was
altered explains nothing until its users suffer.

Which keys the last writer set stands in metadata.managedFields (`f:data: {f:KEY: {}}`, Server-Side Apply reference).
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta

from skills.contract import Entity, Focus, Symptom, Window
from skills.kubernetes import cite, references
from skills.kubernetes.differences import Write, last_write, plain_value
from skills.kubernetes.objects import Object, created, entity, mapping, name, namespace, text
from skills.kubernetes.rollouts import id_of_write
from skills.kubernetes.snapshot import Snapshot

NAME = "kubernetes.configuration"
_BEFORE, _AFTER, _NEAR = timedelta(hours=2), timedelta(minutes=5), timedelta(minutes=15)
_FLAGS = re.compile(r"flag|toggle|feature|experiment|unleash|flipt", re.IGNORECASE)
_FLAG_FILE = re.compile(r"^\s*\"?flags\"?\s*:|\"defaultVariant\"|\"toggles\"", re.MULTILINE)
_OF_THE_CLUSTER = ("kube-root-ca.crt", "openshift-service-ca.crt", "istio-ca-root-cert")


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    onset = focus.started_at or window.end
    found = [_written(snapshot, c, onset) for c in snapshot.of("ConfigMap") if name(c) not in _OF_THE_CLUSTER]
    return [s for s in found if s]


def _written(snapshot: Snapshot, config: Object, onset: datetime) -> Symptom | None:
    write = last_write(config, "data")
    at = write.at or created(config)
    recent = at is not None and onset - _BEFORE <= at <= onset + _AFTER
    raised = [f for value in mapping(config, "data").values() if isinstance(value, str) for f in _raised(value)]
    if raised:
        return _flag(snapshot, config, raised, write, 0.6 if recent else 0.45)
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


def _flag(snapshot: Snapshot, config: Object, raised: list[str], write: Write, specificity: float) -> Symptom:
    words = f"ConfigMap {name(config)}: flag(s) not at their off variant: {', '.join(raised[:5])}"
    return Symptom(
        analyzer=NAME,
        entity=Entity(kind="feature_flag", namespace=namespace(config), name=raised[0].partition("=")[0]),
        faults=("feature_flag_harmful",),
        summary=f"{words}.",
        specificity=specificity,
        evidence=(cite.seen(snapshot, "ConfigMap", config, words, verb="get", at=write.at),),
        onset=write.at or created(config),
        victims=tuple(references.users_of_config_map(snapshot, config)),
    )


def _raised(value: str) -> list[str]:
    """flagd's JSON: every flag reads ENABLED; what counts is a defaultVariant other than off."""
    if '"defaultVariant"' not in value:
        return []
    try:
        flags = mapping(json.loads(value), "flags")
    except ValueError:
        return []
    return [
        f"{called}={text(flag, 'defaultVariant')}"
        for called, flag in flags.items()
        if "off" in mapping(flag, "variants")
        and text(flag, "defaultVariant") not in ("off", "")
        and text(flag, "state") == "ENABLED"
    ]
