"""Typed readings of what a person wrote as guidance: by rules here, or proposed by a model and checked here.

A reading is shown to its writer and confirmed before it counts, so the rules may be plain: they read the sentences
that people write about alerts and leave alone what they do not understand. Claude also gets the text itself; the
offline investigator obeys the readings alone.

    Nightly batch makes cart OOM between 02:00 and 04:00 UTC, that is expected   expected
    check the payments redis first                                              look_first
    ignore ImagePullBackOff in namespace dev                                    ignore
    checkout depends on cart                                                    depends_on
    owner: team-cart                                                            owner
    runbook https://wiki.example.com/cart                                       runbook
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from workers.domain import EntityPattern, Reading
from workers.fault_words import fault_of, known_fault

_MOST = 20
_NAME = r"[A-Za-z][\w.-]*[A-Za-z0-9*]|[A-Za-z]"
_KINDS = {
    "deployment": "Deployment",
    "deploy": "Deployment",
    "statefulset": "StatefulSet",
    "daemonset": "DaemonSet",
    "cronjob": "CronJob",
    "job": "Job",
    "service": "Service",
    "pod": "Pod",
    "node": "Node",
    "ingress": "Ingress",
    "pvc": "PersistentVolumeClaim",
}
_KIND_WORDS = "|".join(_KINDS)
_STORES = "|".join(
    (
        "redis",
        "postgres(?:ql)?",
        "mysql",
        "mongo(?:db)?",
        "kafka",
        "rabbitmq",
        "database",
        "db",
        "cache",
        "queue",
        "api",
    )
)
_DAY = r"(?:mon|tues?|wed(?:nes)?|thurs?|fri|satur|sun)(?:day)?s?"
_CLOCK = r"\d{1,2}(?::\d{2})?\s*(?:am|pm)?"
_ZONE = r"[A-Z][a-z]+/\w+|(?-i:[A-Z]{2,5})"
_WINDOWS = (
    re.compile(rf"\b(?:between|from)\s+({_CLOCK})\s+(?:and|to|until|-)\s+({_CLOCK})(?:\s+({_ZONE}))?", re.I),
    re.compile(rf"\b(\d{{1,2}}:\d{{2}})\s*(?:-|–|to)\s*(\d{{1,2}}:\d{{2}})(?:\s+({_ZONE}))?", re.I),
)
_TIMES = re.compile(
    r"\b(weekends?|weekdays|at night|nightly|overnight|during deploys?|after (?:a )?deploys?|month[- ]end"
    rf"|every {_DAY}|on {_DAY})\b",
    re.I,
)
_EXPECTED = re.compile(r"\b(?:expected|normal|harmless|by design|fine|known|usual|ok|no (?:problem|incident))\b", re.I)
_NOT_EXPECTED = re.compile(
    r"\b(?:un|not (?:be )?|never )(?:expected|normal|harmless|fine|ok)\b|\bunexpected\b|\babnormal\b", re.I
)
_IGNORE = re.compile(
    r"^(?:please |you can |always )?(?:ignore|disregard|mute|skip)\s+(.+)$|^(.+?)\s+(?:can|should|may) be ignored$",
    re.I,
)
_DEPENDS = re.compile(
    rf"\b(?:the )?({_NAME})(?: service)? "
    r"(?:depends on|needs|relies on|calls|talks to|reads from|writes to|uses) (?:the )?(.+)$",
    re.I,
)
_FIRST = re.compile(
    r"^(?:please |always |then )*(?:first,? )?"
    r"(?:check|look at|look into|inspect|start (?:with|at))\s+(.+?)(?:\s+first)?$|^first (.+)$",
    re.I,
)
_OWNER = re.compile(
    r"\b(?:owner|owned by|owners|team|on-?call|escalate to|ask|contact|belongs to)\s*(?:is|are|:|=)?\s+(?:the )?"
    r"([#@]?\w[\w.@#-]*)",
    re.I,
)
_OWNER_START = re.compile(
    r"^\W*(?:the )?(?:owner|owned by|owners|team|escalate to|ask|contact)\b|\b(?:is owned by|belongs to|owner is)\b",
    re.I,
)
_CLAUSE = re.compile(
    r"[.!?](?:\s+|$)|[;\n]+|,?\s+but\s+|(?<=\w),\s+(?=(?:owner|runbook|check|look at|ignore|escalate)\b)", re.I
)
_URL = re.compile(r"<?(https?://[^\s<>|]+)(?:\|[^<>]*)?>?")
_NAMESPACE = re.compile(
    r"\b(?:in|of) (?:the )?(?:namespace|ns) ([a-z0-9][a-z0-9-]*)|\bin (?:the )?([a-z0-9][a-z0-9-]*) namespace\b", re.I
)
_ABOUT = re.compile(
    rf"\b(?:(?:makes?|lets?|causes?|of|for|in|on|by)\s+(?:the )?)?({_KIND_WORDS})\s+({_NAME})(?=\s|$|[,.;:])"
    rf"|\b(?:makes?|lets?|causes?|of|for|in|on|by)\s+(?:the )?({_NAME})(?=\s|$|[,.;:])",
    re.I,
)
_NO_NAMES_TEXT = (
    "the a an it this that these those is are be was will can may not no and or to at during between from when while"
    " namespace every some all any high low memory cpu node nodes pod pods service deployment utc night weekends"
    " weekdays longer alert alerts incident deploy deploys restarts restart errors error latency oom expected normal"
    " our we production"
    " monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays thursdays fridays saturdays"
    " sundays nightly batch which if its purpose design"
)
_NO_NAMES = frozenset(_NO_NAMES_TEXT.split())


def readings_by_rules(text: str) -> tuple[Reading, ...]:
    """What the rules understand of a guidance text, in its order; nothing for what they do not."""
    found: list[Reading] = []
    for sentence in _sentences(text):
        for reading in _of_sentence(sentence):
            if reading not in found and len(found) < _MOST:
                found.append(reading)
    return tuple(found)


def say(reading: Reading) -> str:
    """The reading in one plain line, for the writer to confirm."""
    about = _named(reading.entity)
    name = reading.fault.replace("_", " ") if reading.fault else ""
    when = f" {_spoken(reading.window)}" if reading.window else ""
    match reading.kind:
        case "expected":
            what = name.capitalize() if name else "This alert"
            return f"{what} on {about or 'whatever alerted'} is expected{when or ' at any time'}."
        case "ignore":
            what = f"{name} on {about}" if name and about else name or reading.text or f"this alert on {about}"
            return f"Ignore {what}{when}."
        case "look_first":
            return f"Look first at {_named(reading.target) or reading.text}."
        case "depends_on":
            return f"{about or 'Whatever alerted'} depends on {_named(reading.target) or reading.text}."
        case "owner":
            return f"The owner is {reading.text}."
        case "runbook":
            return f"The runbook is {reading.text}."


def parse_model_readings(raw: object) -> tuple[Reading, ...]:
    """The valid ones among the readings that a model proposed: a list, or an object with `readings`.

    A fault that is not in the closed vocabulary, or is one of the verdicts in it, makes a reading invalid, as does a
    kind without what it speaks of.
    """
    proposed = raw.get("readings") if isinstance(raw, Mapping) else raw
    if not isinstance(proposed, (list, tuple)):
        return ()
    found: list[Reading] = []
    for item in proposed[:_MOST]:
        reading = _valid(item)
        if reading is not None and reading not in found:
            found.append(reading)
    return tuple(found)


def _of_sentence(sentence: str) -> Iterator[Reading]:
    if url := _URL.search(sentence):
        if re.search(r"\b(?:runbook|playbook|wiki|docs?|documentation|see)\b", sentence, re.I) or sentence == url[0]:
            yield Reading(kind="runbook", text=url[1].rstrip(".,)"))
        sentence = _URL.sub("", sentence).strip(" :,.")
        if re.fullmatch(r"(?:see |the )?(?:runbook|playbook|wiki|docs?)?(?: is| at)?", sentence, re.I):
            return
    if _OWNER_START.search(sentence) and (owner := _OWNER.search(sentence)) and owner[1].lower() not in _NO_NAMES:
        yield Reading(kind="owner", text=owner[1].rstrip(".,"))
        return
    if ignored := _IGNORE.match(sentence):
        what = (ignored[1] or ignored[2]).strip()
        yield Reading(kind="ignore", entity=_entity(what), fault=fault_of(what), window=_window(what), text=what[:200])
    elif depends := _DEPENDS.search(sentence):
        yield from _dependencies(depends[1], depends[2])
    elif first := _FIRST.match(sentence):
        what = re.sub(r"\s+first\b", "", (first[1] or first[2])).strip()
        yield Reading(kind="look_first", target=_looked_at(what), text=what[:200])
    elif _EXPECTED.search(sentence) and not _NOT_EXPECTED.search(sentence):
        yield Reading(kind="expected", entity=_entity(sentence), fault=fault_of(sentence), window=_window(sentence))


def _dependencies(source: str, targets: str) -> Iterator[Reading]:
    for name in re.split(r"\s*(?:,|\band\b)\s*(?:the )?", targets):
        clean = re.match(rf"(?:the )?({_NAME})(?: service)?$", name.strip())
        if clean and source.lower() not in _NO_NAMES and clean[1].lower() not in _NO_NAMES:
            yield Reading(kind="depends_on", entity=EntityPattern(name=source), target=EntityPattern(name=clean[1]))


def _sentences(text: str) -> Iterator[str]:
    """Sentences and clauses; a full stop inside a name, number or address ends none."""
    held = _URL.sub(lambda m: m[0].replace(".", "\x01").replace(";", "\x02"), text[:4000])
    for part in _CLAUSE.split(held):
        if sentence := part.replace("\x01", ".").replace("\x02", ";").strip(" \t-*•,"):
            yield sentence


def _entity(words: str) -> EntityPattern | None:
    place = _NAMESPACE.search(words)
    namespace = (place[1] or place[2]) if place else None
    rest = _NAMESPACE.sub("", words)
    for found in _ABOUT.finditer(rest):
        name = found[2] or found[3]
        if name.lower() not in _NO_NAMES and not _fault_word(name):
            kind = _KINDS.get(found[1].lower()) if found[1] else None
            return EntityPattern(kind=kind, namespace=namespace, name=name)
    subject = re.match(
        rf"(?:the )?({_NAME})\s+(?:is|gets|has|restarts|runs|oom|leaks|may|can|will|being|latency|errors|alerts)\b",
        rest,
        re.I,
    )
    if subject and subject[1].lower() not in _NO_NAMES and not _fault_word(subject[1]):
        return EntityPattern(namespace=namespace, name=subject[1])
    return EntityPattern(namespace=namespace, name="*") if namespace else None


def _looked_at(words: str) -> EntityPattern | None:
    """`the payments redis` -> payments-redis, as such a thing is called in a cluster; else the one name there is."""
    clean = re.sub(r"^(?:the|our)\s+", "", words.strip(), flags=re.I)
    kind, _, rest = clean.partition(" ")
    if kind.lower() in _KINDS and re.fullmatch(_NAME, rest):
        return EntityPattern(kind=_KINDS[kind.lower()], name=rest)
    if pair := re.fullmatch(rf"({_NAME})(?:'s)?\s+({_STORES})", clean, re.I):
        return EntityPattern(name=f"{pair[1]}-{pair[2]}".lower())
    return EntityPattern(name=clean) if re.fullmatch(_NAME, clean) and clean.lower() not in _NO_NAMES else None


def _window(words: str) -> str | None:
    """`02:00-04:00 UTC`, with the day or occasion in front where one is named; None: always."""
    day = _TIMES.search(words)
    named = day[1].lower() if day else ""
    for pattern in _WINDOWS:
        if found := pattern.search(words):
            hours = f"{_clock(found[1])}-{_clock(found[2])} {found[3] or 'UTC'}"
            return hours if named in ("", "nightly", "at night", "overnight") else f"{named} {hours}"
    return named or None


def _clock(written: str) -> str:
    found = re.match(r"(\d{1,2})(?::(\d{2}))?\s*(am|pm)?", written.strip(), re.I)
    if found is None:
        return written.strip()
    hour = int(found[1]) % 12 + 12 * (found[3].lower() == "pm") if found[3] else int(found[1])
    return f"{hour:02d}:{found[2] or '00'}"


def _fault_word(name: str) -> bool:
    return fault_of(name) is not None


def _valid(item: Any) -> Reading | None:
    try:
        reading = Reading.model_validate(item)
    except ValidationError:
        return None
    if reading.fault is not None:
        name = known_fault(reading.fault)
        if name is None:
            return None
        reading = reading.model_copy(update={"fault": name})
    needed = {
        "owner": bool(reading.text.strip()),
        "runbook": bool(re.match(r"https?://\S+$", reading.text.strip())),
        "look_first": bool(reading.target or reading.text.strip()),
        "depends_on": bool(reading.entity and reading.target),
        "ignore": bool(reading.fault or reading.entity or reading.text.strip()),
        "expected": True,
    }
    return reading if needed[reading.kind] and len(reading.text) <= 1000 else None


def _named(entity: EntityPattern | None) -> str:
    if entity is None:
        return ""
    if entity.name == "*":
        return f"everything in namespace {entity.namespace}" if entity.namespace else "everything"
    name = f"{entity.namespace}/{entity.name}" if entity.namespace else entity.name
    return f"{entity.kind} {name}" if entity.kind else name


def _spoken(window: str) -> str:
    """`02:00-04:00 UTC` as "between 02:00 and 04:00 UTC", `weekends` as "on weekends"."""
    words = re.sub(r"(\d\d:\d\d)-(\d\d:\d\d)", r"between \1 and \2", window)
    return f"on {words}" if words.startswith("week") else words
