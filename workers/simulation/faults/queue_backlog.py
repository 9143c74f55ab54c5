"""I8: consumers meet a message that they cannot read, put it back, and meet it again; the queue grows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, workload_thing
from workers.simulation.company import Service, SimulationError
from workers.simulation.world import Gauge, LogNote, World

FAULT = "queue_backlog"
OPTIONS = {"per_second": 1.4}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    if not isinstance(it.part, Service) or not it.part.consumes:
        raise SimulationError(f"{victim} consumes no queue")
    queue, rate = it.part.consumes, float(options["per_second"])
    broker = next(s for s in world.company.stores if queue in s.queues)
    name = "rabbitmq_queue_messages_ready" if broker.engine == "rabbitmq" else "kafka_consumergroup_lag"
    labels = (
        {"queue": queue} if broker.engine == "rabbitmq" else {"topic": queue, "consumergroup": victim, "partition": "2"}
    )
    world.gauges.append(Gauge(name, labels, lambda t: float(int(3 + (t - at) * rate)), at))
    lines = (
        "cannot decode message {id}: json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0); requeueing",  # noqa: E501
        f"delivery {{n}} of {queue} rejected, requeue=true, redelivered {{n}} times",
    )
    world.log_notes.append(LogNote(victim, at, world.now, 34, "error", lines, logger=f"{victim}.consumer"))
    return Blow(
        (workload_thing(it),), at, None, evidence=(f"metric {name} of {queue} > 5x before", "log ~ JSONDecodeError")
    )
