"""Events in one shape, whichever API wrote them.

core/v1 Event: involvedObject, count, firstTimestamp, lastTimestamp, source.component. events.k8s.io/v1 (and core
events written through it): regarding, note, eventTime, series {count, lastObservedTime}, deprecatedCount, deprecated
timestamps. client-go tools/record writes the first, tools/events (scheduler, controllers of later versions) the second.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from skills.kubernetes.objects import Object, created, dig, earliest, latest, mapping, number, one_line, text, time_of


@dataclass(frozen=True)
class Event:
    kind: str
    namespace: str
    name: str
    """Of the object that it is about."""
    reason: str
    message: str
    is_warning: bool
    count: int
    first: datetime | None
    last: datetime | None
    field: str = ""
    """`spec.containers{app}` for events about one container."""

    @property
    def container(self) -> str:
        return self.field.partition("{")[2].rstrip("}")

    def __str__(self) -> str:
        times = f" (x{self.count})" if self.count > 1 else ""
        return f"{self.reason} {self.kind.lower()}/{self.name}: {one_line(self.message, 600)}{times}"


def read(raw: Object) -> Event:
    about = mapping(raw, "involvedObject") or mapping(raw, "regarding")
    series = mapping(raw, "series")
    first = (
        time_of(dig(raw, "firstTimestamp"))
        or time_of(dig(raw, "deprecatedFirstTimestamp"))
        or time_of(dig(raw, "eventTime"))
        or created(raw)
    )
    last = latest(
        [
            time_of(dig(raw, "lastTimestamp")),
            time_of(dig(raw, "deprecatedLastTimestamp")),
            time_of(dig(series, "lastObservedTime")),
            time_of(dig(raw, "eventTime")),
        ]
    )
    count = max(number(raw, "count"), number(raw, "deprecatedCount"), number(series, "count"), 1)
    return Event(
        kind=text(about, "kind"),
        namespace=text(about, "namespace") or text(raw, "metadata", "namespace"),
        name=text(about, "name"),
        reason=text(raw, "reason"),
        message=(text(raw, "message") or text(raw, "note")).strip(),
        is_warning=text(raw, "type") == "Warning",
        count=count,
        first=earliest([first, last]),
        last=last or first,
        field=text(about, "fieldPath"),
    )
