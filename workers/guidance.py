"""Typed readings of guidance: what a person's words are understood to say. By rules, and by checking a model's.

Nothing is guessed: words that fit no rule give no reading, and the writer sees and confirms what was understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from skills.faults import UnknownFault, all_faults, fault
from workers.domain import EntityPattern, Reading

MOST_READINGS = 12

# Words that engineers use for a fault, the more specific first. Leaves named by their own id or name come before.
_FAULT_WORDS: tuple[tuple[str, str], ...] = (
    (r"memory leak|leaks? memory|leaking", "memory_leak"),
    (r"oom[- ]?kill\w*|\bOOMs?\b|out of memory|memory limit", "memory_limit_too_low"),
    (r"throttl\w+", "cpu_throttled_by_limit"),
    (r"cpu quota", "cpu_quota_exhausted"),
    (r"memory quota", "memory_quota_exhausted"),
    (r"ImagePullBackOff|ErrImagePull|image (?:not found|pull)\w*", "image_not_found"),
    (r"liveness", "liveness_probe_too_aggressive"),
    (r"readiness", "readiness_probe_misconfigured"),
    (r"scaled? (?:down )?to (?:zero|0)", "scaled_to_zero"),
    (r"node(?:s)? (?:are |is )?(?:cordoned|drained)", "nodes_cordoned"),
    (r"reboot\w*", "node_rebooted"),
    (r"disk (?:is )?full|no space left|volume (?:is )?full", "volume_full"),
    (r"\bDNS\b", "dns_resolution_failing"),
    (r"certificate\w*|\bTLS\b", "tls_certificate_invalid"),
    (r"connection pool|too many connections", "connection_pool_exhausted"),
    (r"slow quer\w+|lock wait\w*", "slow_query_or_lock"),
    (r"replica(?:tion)? lag|read[- ]only", "datastore_read_only_or_lagging"),
    (r"backlog|consumer lag|queue (?:grows|is long)", "queue_backlog"),
    (r"retry storm", "retry_storm"),
    (r"traffic (?:spike|surge|peak)|campaign|load test", "traffic_surge"),
    (r"garbage collection|GC pauses?", "garbage_collection_stalls"),
    (r"cron ?job|batch job|nightly job", "scheduled_job_failing"),
)
_NAME = r"`?(?P<{}>[A-Za-z0-9][A-Za-z0-9._/-]*[A-Za-z0-9])`?"
_KINDS = {
    "deployment": "Deployment", "statefulset": "StatefulSet", "daemonset": "DaemonSet", "cronjob": "CronJob",
    "job": "Job", "service": "Service", "svc": "Service", "pod": "Pod", "node": "Node", "namespace": "Namespace",
    "configmap": "ConfigMap", "secret": "Secret", "ingress": "Ingress", "pvc": "PersistentVolumeClaim",
}  # fmt: skip
_KIND = r"(?:(?P<kind>" + "|".join(_KINDS) + r")s?\s+)?"
_TIME = re.compile(
    r"(?:between|from)?\s*(\d{1,2}:\d{2})\s*(?:-|–|to|and|until)\s*(\d{1,2}:\d{2})(?:\s*(UTC|[A-Z][a-z]+/[A-Z][A-Za-z_]+))?",
    re.I,
)
_DAYS = re.compile(
    r"\b(weekends?|weekdays|(?:mon|tues|wednes|thurs|fri|satur|sun)days?(?:\s*(?:-|to)\s*(?:mon|tues|wednes|thurs|fri|satur|sun)days?)?)\b",
    re.I,
)
_NAMESPACE = re.compile(r"\bnamespace\s+`?([a-z0-9][a-z0-9-]*)`?|\bin\s+`?([a-z0-9][a-z0-9-]*)`?\s+namespace", re.I)
_STOP = frozenset(
    "the a an it is are be been this that these those when while if and or for of to in on at by with from as not no "
    "expected normal known fine ok harmless noise always usually often during between every any all our we you please "
    "first check look ignore nightly daily weekly batch then there here because after before".split()
)


def readings_by_rules(text: str) -> tuple[Reading, ...]:
    """What the sentences say, in their order, each reading once."""
    found: dict[str, Reading] = {}
    for sentence in _sentences(text):
        for reading in _read(sentence):
            found.setdefault(reading.model_dump_json(), reading)
    return tuple(found.values())[:MOST_READINGS]


def parse_model_readings(raw: Any) -> tuple[Reading, ...]:
    """A model's proposal, reduced to what is valid: known kinds, faults of the vocabulary, and something said."""
    rows = raw.get("readings", []) if isinstance(raw, Mapping) else raw
    if not isinstance(rows, list):
        return ()
    readings = []
    for row in rows[:MOST_READINGS]:
        try:
            reading = Reading.model_validate(row)
        except ValidationError:
            continue
        valid = reading.fault is None or _is_cause(reading.fault)
        if valid and (reading.entity or reading.target or reading.fault or reading.window or reading.text):
            readings.append(reading)
    return tuple(readings)


def say(reading: Reading) -> str:
    """The reading in one plain line, for its writer to confirm."""
    who = _shown(reading.entity) if reading.entity else "whatever alerted"
    what = f"`{reading.fault}`" if reading.fault else "trouble"
    if reading.kind == "expected":
        return f"{what} of {who} is expected" + (f" ({reading.window})" if reading.window else "")
    if reading.kind == "ignore":
        if not reading.fault and reading.text:
            what = f'"{reading.text}"'
        return f"ignore {what}" + (f" of {who}" if reading.entity else "")
    if reading.kind == "look_first":
        return f"look first at {_shown(reading.target) if reading.target else reading.text}"
    if reading.kind == "depends_on":
        return f"{who} depends on {_shown(reading.target) if reading.target else reading.text}"
    return f"{reading.kind} of {who}: {reading.text}"


def _read(sentence: str) -> Iterator[Reading]:
    if address := re.search(r"https?://[^\s<>|)\"']+", sentence):
        if re.search(r"run ?book|playbook|docs?\b|wiki", sentence, re.I):
            yield Reading(kind="runbook", text=address[0].rstrip(".,;"))
            return
    if owner := re.search(r"\bowne[rd](?:\s+(?:is|by)|:)\s*@?([\w./-]*\w)", sentence, re.I):
        yield Reading(kind="owner", text=owner[1])
    if depends := re.search(
        _NAME.format("user") + r"\s+(?:depends on|needs|relies on|calls|talks to)\s+(?:the\s+)?" + _NAME.format("used"),
        sentence,
        re.I,
    ):
        yield Reading(kind="depends_on", entity=_pattern(depends["user"]), target=_pattern(depends["used"]))
        return
    if re.search(r"\bignore\b|\b(?:means|mean) nothing\b|\bis noise\b|\bharmless\b", sentence, re.I):
        yield _ignore(sentence)
    elif re.search(r"\bexpected\b|\bis (?:normal|fine|known|ok)\b|\bknown issue\b", sentence, re.I):
        yield Reading(kind="expected", entity=_subject(sentence), fault=_fault(sentence), window=_window(sentence))
    elif look := re.search(
        r"\b(?:check|look at|start with|inspect)\s+(?:the\s+)?(?P<what>.+?)(?:\s+first)?$", sentence, re.I
    ):
        what = look["what"].strip(" .")
        names = [w for w in re.findall(r"[A-Za-z0-9][\w./-]*", what) if w.casefold() not in _STOP]
        kind = next((_KINDS[w.casefold()] for w in names if w.casefold() in _KINDS), None)
        names = [w for w in names if w.casefold() not in _KINDS]
        target = EntityPattern(kind=kind, name="-".join(names).casefold()) if 0 < len(names) <= 2 else None
        yield Reading(kind="look_first", target=target, text=what)


def _ignore(sentence: str) -> Reading:
    namespace = _NAMESPACE.search(sentence)
    place = next((g for g in namespace.groups() if g), None) if namespace else None
    name = _subject(_NAMESPACE.sub("", sentence))
    entity = name.model_copy(update={"namespace": place}) if name else None
    if entity is None and place:
        entity = EntityPattern(namespace=place, name="*")
    quoted = re.search(r"[\"“”'`]([^\"“”'`]{3,})[\"“”'`]", sentence)
    named = _fault(sentence)
    plain = re.sub(r"^.*?\bignore\b\s*", "", sentence, flags=re.I).strip(" .")
    return Reading(kind="ignore", entity=entity, fault=named, text="" if named else (quoted[1] if quoted else plain))


def _subject(sentence: str) -> EntityPattern | None:
    """The thing that the sentence is about: one with its kind said, in backticks, or a name with a dash."""
    kinded = re.search(r"\b(?P<kind>" + "|".join(_KINDS) + r")\s+`?(?P<name>[a-z0-9][a-z0-9.-]*)`?", sentence, re.I)
    if kinded and kinded["name"].casefold() not in _STOP:
        return EntityPattern(kind=_KINDS[kinded["kind"].casefold()], name=kinded["name"])
    if ticked := re.search(r"`([A-Za-z0-9][\w./-]*)`", sentence):
        return _pattern(ticked[1])
    made = re.search(r"\b(?:makes?|causes?|lets?|restarts?)\s+(?:the\s+)?([a-z][a-z0-9-]+)", sentence)
    if made and made[1] not in _STOP:
        return _pattern(made[1])
    first = re.match(r"(?:the\s+)?([a-z][a-z0-9-]*)\s+(?:is|are|goes|gets|will|may|can|has|restarts)\b", sentence)
    if first and first[1] not in _STOP:
        return _pattern(first[1])
    dashed = [w for w in re.findall(r"\b[a-z][a-z0-9]*(?:-[a-z0-9]+)+\b", sentence) if w not in _STOP]
    return _pattern(dashed[0]) if dashed else None


def _pattern(name: str) -> EntityPattern:
    namespace, _, rest = name.rpartition("/")
    return EntityPattern(namespace=namespace or None, name=rest)


def _fault(sentence: str) -> str | None:
    for known in all_faults():
        if known.is_cause and re.search(rf"\b{known.name}\b", sentence):
            return known.name
    return next((name for words, name in _FAULT_WORDS if re.search(words, sentence, re.I)), None)


def _window(sentence: str) -> str | None:
    parts = []
    if days := _DAYS.search(sentence):
        parts.append(days[1].lower())
    if hours := _TIME.search(sentence):
        parts.append(f"{hours[1].zfill(5)}-{hours[2].zfill(5)} {hours[3] or 'UTC'}")
    return " ".join(parts) or None


def _sentences(text: str) -> Iterator[str]:
    for part in re.split(r"(?<=[.!?;])\s+|\n+", text):
        if part.strip(" .;!?"):
            yield part.strip().rstrip(";!?.")


def _is_cause(name: str) -> bool:
    try:
        return fault(name).is_cause
    except UnknownFault:
        return False


def _shown(pattern: EntityPattern) -> str:
    place = f"{pattern.namespace}/" if pattern.namespace else ""
    return f"{pattern.kind + ' ' if pattern.kind else ''}{place}{pattern.name}"
