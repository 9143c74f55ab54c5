"""Label sets that a message lists in its text, as the templates of Alertmanager and Grafana write them.

**Firing**                       status of the sets below
*Alert:* Disk is full - `critical`
*Details:*  |  Labels:           a set begins
 - alertname = DiskFull          a label; also `• *alertname:* `DiskFull``
Annotations:
 - summary = Disk is full
Source: https://...              links of the set
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from workers.domain import AlertStatus

_MOST_SETS = 600
_HEADER = re.compile(r"^\W*(labels|details|annotations|common labels|group labels)\W*$", re.I)
_SECTION = re.compile(r"^\W*(?:alerts? )?(firing|resolved)\b(?:\s+alerts?)?\W*(?:\d+\W*)?$", re.I)
_LINK = re.compile(r"^(source|silence|dashboard|panel|graph|runbook)\s*:\s*<?(https?://\S+?)>?$", re.I)
_BULLET = re.compile(r"^\s*[-•▪‣*·>]+\s*\*?([A-Za-z_][\w.:/-]*?)\*?\s*(?:=|:)\s*(.*)$")
_SPOKEN = re.compile(r"^\W*(alert|description|summary)\s*:\W*\s*(\S.*)$", re.I)
_SEVERITY_TAIL = re.compile(r"\s+-\s+`?([A-Za-z]+)`?$")


@dataclass
class Listed:
    """One listed alert. `status` is None where the text does not say it."""

    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    status: AlertStatus | None = None


def label_sets(lines: Iterable[str]) -> tuple[Listed, ...]:
    """The label sets in these lines, in order; sets without a label are not sets."""
    found: list[Listed] = []
    status: AlertStatus | None = None
    spoken: dict[str, str] = {}
    into: dict[str, str] | None = None
    last = ""
    for line in lines:
        if section := _SECTION.match(line):
            status = "firing" if section[1].lower() == "firing" else "resolved"
            into = None
        elif header := _HEADER.match(line):
            if header[1].lower() == "annotations":
                into = found[-1].annotations if found else None
            elif len(found) < _MOST_SETS:
                found.append(Listed(status=status, annotations=_unbundled(spoken)))
                spoken, into = {}, found[-1].labels
        elif into is not None and (bullet := _BULLET.match(line)):
            last = bullet[1]
            into.setdefault(last, bullet[2].strip().strip("`"))
        elif link := _LINK.match(line):
            if found:
                found[-1].links.setdefault(link[1].lower(), link[2])
            into = None
        elif words := _SPOKEN.match(line):
            spoken[words[1].lower()] = words[2].strip()
            into = None
        elif into is not None and found and into is found[-1].annotations and last in into:
            into[last] += "\n" + line.strip()
        else:
            into = None
    return tuple(listed for listed in found if listed.labels)


def common(sets: Iterable[Listed]) -> dict[str, str]:
    """The labels that all sets share: what Alertmanager calls the common labels of a group."""
    pairs = [set(listed.labels.items()) for listed in sets]
    shared = set.intersection(*pairs) if pairs else set()
    return dict(sorted(shared))


def _unbundled(spoken: dict[str, str]) -> dict[str, str]:
    """`*Alert:* Disk is full - `critical`` holds the summary and, behind the dash, the severity."""
    annotations = {name: value for name, value in spoken.items() if name != "alert"}
    if alert := spoken.get("alert"):
        annotations.setdefault("summary", _SEVERITY_TAIL.sub("", alert))
        if tail := _SEVERITY_TAIL.search(alert):
            annotations["severity"] = tail[1]
    return annotations
