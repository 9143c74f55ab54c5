"""Feature-flag events: LaunchDarkly's webhook and a plain JSON of our own. Pure; no alert, and never one.

LaunchDarkly: docs, "Webhooks" (the payload is an audit log entry: _id, date in milliseconds, accesses with action and
resource `proj/P:env/E:flag/F;tags`, member, titleVerb, currentVersion, previousVersion).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.intake.moments import moment
from workers.domain import FlagEvent

_RESOURCE = re.compile(r"^proj/(?P<project>[^:;]+)(?:;[^:]*)?:env/(?P<env>[^:;]+)(?:;[^:]*)?:flag/(?P<flag>[^:;]+)")
_COSMETIC = re.compile(
    r"^(updateName|updateDescription|updateTags|updateMaintainer|updateFlagLink|createFlagLink|deleteFlagLink|"
    r"updateFlagCustomProperties|updateFlagFollowers|createFlagImport|viewFlag)$"
)
"""Actions that change nothing of what a flag answers."""
_LONGEST = 400


def read(payload: Mapping[str, Any], customer: str, received_at: datetime) -> tuple[FlagEvent | None, str]:
    """The event, or the reason why there is none. Never raises for what a payload holds."""
    if isinstance(payload.get("accesses"), list) or "_accountId" in payload:
        return _launchdarkly(payload, customer, received_at)
    if isinstance(payload.get("flag"), str) and payload["flag"].strip():
        return _plain(payload, customer, received_at), ""
    return None, "neither a LaunchDarkly event nor an object with `flag`"


def _launchdarkly(payload: Mapping[str, Any], customer: str, received_at: datetime) -> tuple[FlagEvent | None, str]:
    accesses = [a for a in payload.get("accesses") or () if isinstance(a, Mapping)]
    matched = [(m, _text(a.get("action"))) for a in accesses if (m := _RESOURCE.match(_text(a.get("resource"))))]
    if _text(payload.get("kind")) not in ("flag", "") or not matched:
        return None, f"an event about a {_text(payload.get('kind')) or 'thing'} that is no flag"
    if all(_COSMETIC.match(action) for _, action in matched):
        return None, "nothing of what the flag answers was changed"
    where = matched[0][0]
    environment = "" if where["env"] in ("*", "") else where["env"]
    now, before = payload.get("currentVersion"), payload.get("previousVersion")
    tags = [_text(t) for t in now.get("tags") or ()] if isinstance(now, Mapping) else []
    target = payload.get("target")
    link = _link(target if isinstance(target, Mapping) else {}) or _link(payload)
    return (
        FlagEvent(
            id=_text(payload.get("_id")) or _hash(payload),
            customer=customer,
            at=moment(payload.get("date")) or received_at,
            flag=where["flag"],
            summary=_said(payload, [a for _, a in matched], _switched(before, now, environment)),
            environment=environment,
            services=tuple(dict.fromkeys(t.rpartition(":")[2] for t in tags if t))[:8],
            author=_member(payload.get("member")),
            link=link,
        ),
        "",
    )


def _said(payload: Mapping[str, Any], actions: list[str], switched: str) -> str:
    verb = _text(payload.get("titleVerb")) or ", ".join(dict.fromkeys(a for a in actions if a))
    description = re.sub(r"[*~_`]+|\s+", " ", _text(payload.get("description"))).strip(" -")
    comment = _text(payload.get("comment"))
    parts = [verb, switched, description if description.casefold() not in verb.casefold() else "", comment]
    return "; ".join(p for p in parts if p)[:_LONGEST]


def _switched(before: object, now: object, environment: str) -> str:
    """`on: false -> true`, where both versions tell."""

    def is_on(version: object) -> object:
        found = version.get("environments") if isinstance(version, Mapping) else None
        here = found.get(environment) if isinstance(found, Mapping) else None
        return here.get("on") if isinstance(here, Mapping) else None

    old, new = is_on(before), is_on(now)
    return (
        f"on: {_shown(old)} -> {_shown(new)}" if isinstance(old, bool) and isinstance(new, bool) and old != new else ""
    )


def _member(member: object) -> str:
    if not isinstance(member, Mapping):
        return ""
    name = " ".join(p for p in (_text(member.get("firstName")), _text(member.get("lastName"))) if p)
    return (name or _text(member.get("email")).partition("@")[0])[:120]


def _link(holder: Mapping[str, Any]) -> str:
    links = holder.get("_links")
    for name in ("site", "canonical"):
        found = links.get(name) if isinstance(links, Mapping) else None
        href = _text(found.get("href")) if isinstance(found, Mapping) else ""
        if href.startswith("https://"):
            return href
    return ""


def _plain(payload: Mapping[str, Any], customer: str, received_at: datetime) -> FlagEvent:
    told = _text(payload.get("summary"))
    if "from" in payload or "to" in payload:
        switched = f"{_shown(payload.get('from'))} -> {_shown(payload.get('to'))}"
        told = f"{switched}; {told}" if told else switched
    services = payload.get("services") or payload.get("service") or ()
    named = [services] if isinstance(services, str) else services if isinstance(services, list) else []
    url = _text(payload.get("url"))
    return FlagEvent(
        id=_text(payload.get("id")) or _hash(payload),
        customer=customer,
        at=moment(payload.get("at")) or received_at,
        flag=_text(payload.get("flag")).strip()[:200],
        summary=(told or "changed")[:_LONGEST],
        environment=_text(payload.get("environment"))[:100],
        services=tuple(dict.fromkeys(s.strip() for s in named if isinstance(s, str) and s.strip()))[:8],
        author=_text(payload.get("author"))[:120],
        link=url if url.startswith(("https://", "http://")) else "",
    )


def _shown(value: object) -> str:
    return value[:80] if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)[:80]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _hash(payload: Mapping[str, Any]) -> str:
    """Senders without ids of their own repeat the same bytes."""
    return hashlib.sha256(json.dumps(payload, sort_keys=True, default=str).encode()).hexdigest()[:24]
