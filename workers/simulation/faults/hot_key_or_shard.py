"""K3: one key gets most of a topic's messages; its partition falls behind while the others are idle.

kafka_exporter: kafka_topic_partition_current_offset and kafka_consumergroup_lag, by partition.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

from workers.simulation.blow import Blow, Thing, workload_thing
from workers.simulation.company import Service, SimulationError
from workers.simulation.world import Gauge, LogNote, OwnEffect, World

FAULT = "hot_key_or_shard"
OPTIONS = {"partition": 4, "per_second": 11.0, "key": "mmsi-244660713"}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    """The victim consumes a topic of a Kafka cluster."""
    it = world.workload(victim)
    if not isinstance(it.part, Service) or not it.part.consumes:
        raise SimulationError(f"{victim} consumes no topic")
    topic, partition, rate = it.part.consumes, str(options["partition"]), float(options["per_second"])
    store = next(s for s in world.company.stores if topic in s.queues)
    if store.engine != "kafka":
        raise SimulationError(f"{topic} of {store.name} has no partitions")
    labels = {"topic": topic, "partition": partition}
    behind = {**labels, "consumergroup": victim}
    world.gauges.append(Gauge("kafka_consumergroup_lag", behind, lambda t: float(int(4 + (t - at) * rate)), at))
    shape, born = world.shape, world.founded

    def written(t: float) -> float:
        usual = (shape.until(min(t, at)) - shape.until(born)) * 3.1
        return float(int(usual + max(0.0, t - at) * (rate + 14)))

    world.gauges.append(Gauge("kafka_topic_partition_current_offset", labels, written))
    pods = [p for p in it.pods if p.deleted == inf and p.is_ready(at)]
    owner = pods[int(partition) % len(pods)]
    world.own.append(OwnEffect(victim, "cpu", at, factor=0.86, node=owner.node))
    text = f"batch of 500 records from {topic}-{partition} took {{ms}}ms, 4{{n}} of them with key {options['key']}"
    world.log_notes.append(
        LogNote(victim, at + 8, world.now, 9, "warning", (text,), pod=owner.name, logger=f"{victim}.consumer")
    )
    broker, consumer = workload_thing(world.workload(store.name)), workload_thing(it)
    thing = Thing(broker.kind, broker.namespace, broker.name, (*broker.aliases, str(consumer), *consumer.aliases))
    return Blow(
        (thing,),
        at,
        None,
        evidence=(
            f"metric kafka_consumergroup_lag of {topic} > 500 and partition {partition}",
            f"log ~ {options['key']}",
        ),
    )
