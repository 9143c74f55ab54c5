"""Messages that wait: a consumer that does not keep up, or meets a message it cannot read (I8).

Metrics: RabbitMQ's own exporter (rabbitmq_queue_messages_ready, and its detailed endpoint), kafka_exporter
(kafka_consumergroup_lag). A consumer group is called after its consumer by habit, so the culprit has a name there; of
RabbitMQ only the broker is known.
"""

from __future__ import annotations

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
        "sum by (namespace, service, consumergroup, topic) (kafka_consumergroup_lag)",
        "messages behind",
    ),
)
TIMES, LEAST = 5.0, 100.0
"""Five times the baseline, and a hundred messages: below that a queue breathes."""


def analyze(look: Look) -> list[Symptom]:
    found = []
    for question in ("queue_ready", "group_lag"):
        for series in look.ask(question):
            if symptom := _behind(look, question, series):
                found.append(symptom)
    return found


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
