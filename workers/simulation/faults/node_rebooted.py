"""H8: a node was rebooted; its pods start anew, and a data store on it must first recover.

Event: pkg/kubelet/kubelet_node_status.go ("Node %s has been rebooted, boot id: %s"). Containers of the time before are
reported with exit code 255 and reason Unknown. PostgreSQL: "database system was not properly shut down; automatic
recovery in progress", "redo in progress, elapsed time".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf
from typing import Any

from workers.simulation import clock, dice
from workers.simulation.blow import Blow, Thing, node_named, node_note
from workers.simulation.cluster import Note, Pod, Run
from workers.simulation.company import Store
from workers.simulation.outage import not_ready
from workers.simulation.world import EdgeEffect, Gauge, LogNote, World

FAULT = "node_rebooted"
OPTIONS = {"away": 95, "recovery": 40}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    node, back = node_named(world, victim), at + float(options["away"])
    node.rebooted = back - 21
    not_ready(world, node, at + 40)
    node.conditions["Ready"] = (True, back, "KubeletReady", "kubelet is posting ready status")
    boot = dice.uid(node.name, node.rebooted)
    for reason, text, warning in (
        ("Starting", "Starting kubelet.", False),
        ("NodeHasSufficientMemory", f"Node {node.name} status is now: NodeHasSufficientMemory", False),
        ("Rebooted", f"Node {node.name} has been rebooted, boot id: {boot}", True),
        ("NodeReady", f"Node {node.name} status is now: NodeReady", False),
    ):
        when = back if reason == "NodeReady" else back - 9
        world.note(node_note(node, reason, text, when, when, warning=warning))
    labels = {"node": node.name}
    world.gauges.append(Gauge("node_boot_time_seconds", labels, lambda _t: float(int(node.rebooted)), node.rebooted))
    ready = {**labels, "condition": "Ready"}
    for status, value in (("true", 0.0), ("unknown", 1.0)):
        named = {**ready, "status": status}
        world.gauges.append(Gauge("kube_node_status_condition", named, _always(value), at + 40, back))
    for it in list(world.workloads.values()):
        mine = [p for p in it.pods if p.node == node.name and p.deleted == inf and p.failed > at and p.created < at]
        if mine and it.kind in ("Deployment", "StatefulSet"):
            share = len(mine) / max(1, len(it.present(at)))
            world.edges.append(EdgeEffect("*", it.name, "timeout", at, at + 40, share=share))
        for pod in mine:
            _again(world, pod, at, back, float(options["recovery"]))
    return Blow((Thing("Node", "", node.name),), at, None, evidence=("event.reason = Rebooted",))


def _always(value: float) -> Callable[[float], float]:
    return lambda _at: value


def _again(world: World, pod: Pod, at: float, back: float, recovery: float) -> None:
    part = pod.workload.part
    database = isinstance(part, Store) and part.engine == "postgres"
    wait = recovery if database else world.between(6, 19, "again", pod.name)
    for name, runs in pod.runs.items():
        if not runs or runs[-1].ended < inf:
            continue
        runs[-1].ended, runs[-1].reason, runs[-1].exit_code = at, "Unknown", 255
        runs[-1].unready = min(runs[-1].unready, at + 40)
        started = back + world.between(4, 13, "start", pod.name, name)
        if started < world.now:
            runs.append(Run(started, started + wait if started + wait < world.now else inf))
    text = "Pod sandbox changed, it will be killed and re-created."
    note = Note("Pod", pod.namespace, pod.name, pod.uid, "SandboxChanged", text, back + 2, back + 2, host=pod.node)
    world.note(note)
    if database:
        until = min(world.now, back + 14 + recovery)
        early = (
            f"database system was interrupted; last known up at {clock.seconds(at)[:19].replace('T', ' ')} UTC",
            "database system was not properly shut down; automatic recovery in progress",
            "redo starts at 2A/7C0001{n}",
        )
        world.log_notes.append(LogNote(part.name, back + 6, back + 60, 6, "info", early, pod=pod.name))
        going = ("redo in progress, elapsed time: {n}.00 s, current LSN: 2A/8{n}F0",)
        world.log_notes.append(LogNote(part.name, back + 30, until, 6, "info", going, pod=pod.name))
        refusing = ("the database system is starting up", "the database system is not yet accepting connections")
        world.log_notes.append(LogNote(part.name, back + 12, until, 11, "fatal", refusing, pod=pod.name))
