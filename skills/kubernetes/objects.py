"""Raw Kubernetes objects, read with care: any field may be absent, null, or of a type that nobody promised.

Objects stay the dicts that the API served (its own casing, unknown fields kept), so that recorded clusters replay
unchanged. Everything that digs into them goes through these few words.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from skills.contract import Entity

Object = dict[str, Any]

POD_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")


def dig(obj: Any, *keys: str) -> Any:
    """The value at the path, or None."""
    for key in keys:
        if not isinstance(obj, dict):
            return None
        obj = obj.get(key)
    return obj


def text(obj: Any, *keys: str) -> str:
    value = dig(obj, *keys)
    return value if isinstance(value, str) else ""


def number(obj: Any, *keys: str) -> int:
    value = dig(obj, *keys)
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
        return 0
    return int(value)


def mapping(obj: Any, *keys: str) -> Object:
    value = dig(obj, *keys)
    return value if isinstance(value, dict) else {}


def maps(obj: Any, *keys: str) -> list[Object]:
    """The objects in the list at the path."""
    value = dig(obj, *keys)
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def strings(obj: Any, *keys: str) -> list[str]:
    value = dig(obj, *keys)
    return [v for v in value if isinstance(v, str)] if isinstance(value, list) else []


def name(obj: Any) -> str:
    return text(obj, "metadata", "name")


def namespace(obj: Any) -> str:
    return text(obj, "metadata", "namespace")


def labels(obj: Any) -> dict[str, str]:
    return {k: str(v) for k, v in mapping(obj, "metadata", "labels").items()}


def notes(obj: Any) -> dict[str, str]:
    return {k: str(v) for k, v in mapping(obj, "metadata", "annotations").items()}


def entity(kind: str, obj: Any) -> Entity:
    return Entity(kind=kind, namespace=namespace(obj) or None, name=name(obj))


def condition(obj: Any, kind: str) -> Object:
    """The status condition of that type; empty when there is none."""
    return next((c for c in maps(obj, "status", "conditions") if c.get("type") == kind), {})


def holds(obj: Any, kind: str) -> bool:
    return bool(condition(obj, kind).get("status") == "True")


def controller(obj: Any) -> Object:
    """The owner reference that controls the object (else the first one)."""
    owners = maps(obj, "metadata", "ownerReferences")
    return next((o for o in owners if o.get("controller")), owners[0] if owners else {})


def time_of(value: Any) -> datetime | None:
    """An API timestamp (RFC 3339, with or without microseconds), aware UTC; None for absent, odd or zero ones.

    A container that never started is dated 1970-01-01 by the kubelet: that is no time.
    """
    if not isinstance(value, str) or len(value) < 19:
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return at if at.year > 1970 else None


def created(obj: Any) -> datetime | None:
    return time_of(dig(obj, "metadata", "creationTimestamp"))


def is_terminating(obj: Any) -> bool:
    return bool(text(obj, "metadata", "deletionTimestamp"))


def earliest(times: Iterable[datetime | None]) -> datetime | None:
    return min((t for t in times if t is not None), default=None)


def latest(times: Iterable[datetime | None]) -> datetime | None:
    return max((t for t in times if t is not None), default=None)


def one_line(value: str, limit: int = 400) -> str:
    """The text on one line, shortened visibly."""
    flat = re.sub(r"\s+", " ", value).strip()
    return flat if len(flat) <= limit else f"{flat[: limit - 2]} …"
