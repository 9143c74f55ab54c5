"""Messages that wait: a consumer that does not keep up, or meets a message it cannot read (I8).

Metrics: RabbitMQ's own exporter (rabbitmq_queue_messages_ready, and its detailed endpoint), kafka_exporter
(kafka_consumergroup_lag). A consumer group is called after its consumer by habit, so the culprit has a name there; of
RabbitMQ only the broker is known.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from skills.contract import Entity, Series, Symptom
from skills.prometheus.look import Look, Question, workload
from skills.series import change_point, compare, last, shown

QUESTIONS = (
    Question(
        "queue_ready",
        "max by (namespace, pod, service, queue, vhost) (rabbitmq_queue_messages_ready)"
        " or max by (namespace, pod, service, queue, vhost) (rabbitmq_detailed_queue_messages_ready)",
        "messages that wait",
    ),
    Question(
        "group_lag",
        "sum by (namespace, service, consumergroup, topic, partition) (kafka_consumergroup_lag)",
        "messages behind",
    ),
)
TIMES, LEAST = 5.0, 100.0
"""Five times the baseline, and a hundred messages: below that a queue breathes."""


def analyze(look: Look) -> list[Symptom]:
    found = []
    for series in look.ask("queue_ready"):
        if symptom := _behind(look, "queue_ready", series):
            found.append(symptom)
    for partitions in _topics(look).values():
        if symptom := _behind(look, "group_lag", _sum(partitions)):
            found += [*_uneven(look, partitions), symptom]
    return found


def _topics(look: Look) -> dict[tuple[str, str], list[Series]]:
    topics: dict[tuple[str, str], list[Series]] = defaultdict(list)
    for series in look.ask("group_lag"):
        topics[(series.labels.get("consumergroup", ""), series.labels.get("topic", ""))].append(series)
    return topics


def _sum(partitions: Sequence[Series]) -> Series:
    """The lag of a group on a topic: of all partitions together."""
    at: dict[datetime, float] = defaultdict(float)
    for series in partitions:
        for moment, value in series.points:
            at[moment] += value if math.isfinite(value) else 0.0
    labels = {k: v for k, v in partitions[0].labels.items() if k != "partition"}
    return Series(labels, tuple(sorted(at.items())))


def _uneven(look: Look, partitions: Sequence[Series]) -> list[Symptom]:
    """Nearly all that waits is in one of several partitions: one key is hot (K3). A message that cannot be read blocks
    one partition as well; its consumer says so in its log."""
    waiting = sorted(((last(s) or 0.0, s) for s in partitions), key=lambda pair: -pair[0])
    total = sum(lag for lag, _ in waiting)
    if len(waiting) < 3 or total <= 0 or waiting[0][0] < 0.8 * total:
        return []
    lag, series = waiting[0]
    labels, moment = series.labels, change_point(series.points)
    group = labels.get("consumergroup", "")
    text = (
        f"{shown(lag)} of {shown(total)} messages that {group} is behind on {labels.get('topic', '?')}"
        f" wait in partition {labels.get('partition', '?')}, one of {len(waiting)}"
    )
    broker = _broker(labels.get("namespace", ""), labels.get("pod", ""), labels.get("service", ""))
    return [
        Symptom(
            analyzer="prometheus.queues",
            entity=broker,
            faults=("hot_key_or_shard", "queue_backlog"),
            summary=text,
            specificity=0.7,
            evidence=(look.excerpt("group_lag", text, broker, moment.at if moment else None),),
            onset=moment.at if moment else None,
            victims=(Entity(kind="Deployment", name=group),),
        )
    ]


def _behind(look: Look, question: str, series: Series) -> Symptom | None:
    waiting, level = last(series), compare(series, look.window, look.baseline)
    before = level.before or 0.0
    if waiting is None or waiting < LEAST or waiting < TIMES * before or waiting < 0.7 * (level.peak or 0.0):
        return None
    labels, moment = series.labels, change_point(series.points)
    group = labels.get("consumergroup", "")
    what = f"{group} is {shown(waiting)} messages behind on {labels.get('topic', '?')}"
    if not group:
        what = f"queue {labels.get('queue', '?')} holds {shown(waiting)} messages"
    text = f"{what}, {shown(before)} in the baseline, and does not shrink"
    broker = _broker(labels.get("namespace", ""), labels.get("pod", ""), labels.get("service", ""))
    entity = Entity(kind="Deployment", name=group) if group else broker
    return Symptom(
        analyzer="prometheus.queues",
        entity=entity,
        faults=("queue_backlog",),
        summary=text,
        specificity=0.6 if group else 0.4,
        evidence=(look.excerpt(question, text, entity, moment.at if moment else None),),
        onset=moment.at if moment else None,
        role="cause" if group else "effect",
        victims=(broker,) if group else (),
    )


def _broker(namespace: str, pod: str, service: str) -> Entity:
    if pod:
        return workload(namespace, pod)
    return Entity(kind="Service", namespace=namespace or None, name=service or "kafka")
