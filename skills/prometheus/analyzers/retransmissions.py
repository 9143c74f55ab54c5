"""Segments that had to be sent again: packets are lost on the way (G2), at one node (H6) or at several.

Metrics: node_exporter's netstat collector (Tcp RetransSegs of /proc/net/snmp) and netclass errors and drops. A few
retransmissions a second are normal; what counts is that they multiplied.
"""

from __future__ import annotations

from skills.contract import Entity, Symptom
from skills.prometheus.look import Look, Question
from skills.series import change_point, last, shown

QUESTIONS = (
    Question(
        "retransmissions",
        "sum by (node, nodename, instance) (rate(node_netstat_Tcp_RetransSegs[5m]))",
        "TCP segments sent again",
        "/s",
    ),
)
TIMES, LEAST = 5.0, 2.0
"""Five times as many as before, and two a second."""


def analyze(look: Look) -> list[Symptom]:
    rows = []
    everything = look.ask("retransmissions")
    for series in everything:
        moment = change_point(series.points)
        now = last(series)
        if moment is None or now is None or moment.explained < 0.5 or moment.after < LEAST:
            continue
        if moment.after >= TIMES * max(moment.before, 0.1) and now >= 0.5 * moment.after:
            labels = series.labels
            name = labels.get("node") or labels.get("nodename") or labels.get("instance", "").rpartition(":")[0]
            rows.append((name, moment))
    if not rows:
        return []
    name, first = max(rows, key=lambda row: row[1].after)
    names = sorted(n for n, _ in rows)
    text = (
        f"{len(rows)} of {len(everything)} nodes ({', '.join(names[:4])}) send TCP segments again,"
        f" {shown(first.after)}/s against {shown(first.before)}/s before"
    )
    alone = len(rows) == 1 and len(everything) >= 3
    node = Entity(kind="Node", name=name)
    return [
        Symptom(
            analyzer="prometheus.retransmissions",
            entity=node,
            faults=("node_link_degraded", "packet_loss") if alone else ("packet_loss",),
            summary=text,
            specificity=0.4,
            evidence=(look.excerpt("retransmissions", text, node, first.at),),
            onset=min(moment.at for _, moment in rows),
            role="effect",
        )
    ]
