"""Telling twins apart: faults that show the same symptom, and what else must be seen for the one or the other.

Each rule is a doubt: a factor on a suspect's score, 1 where the rule has nothing to say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from skills.faults import fault
from workers.llm.entities import is_claim_of, same_thing
from workers.llm.offline.culprits import by_lines
from workers.llm.offline.leads.reading import ANALYZER, is_release, looked_for_changes, released
from workers.llm.offline.notes import Notes, Sign
from workers.llm.offline.suspects import Suspect

RECENT = timedelta(hours=1)


def doubt(suspect: Suspect, others: Sequence[Suspect], notes: Notes) -> float:
    factor = 1.0
    for rule in RULES:
        factor *= rule(suspect, others, notes)
    return factor


Rule = Callable[[Suspect, Sequence[Suspect], Notes], float]


def _batch(suspect: Suspect, others: Sequence[Suspect], notes: Notes) -> float:
    """J6 against D9 and J: a job that fails is a failing job, whatever its program's last words are; those tell why."""
    if suspect.entity.kind not in ("Job", "CronJob") or fault(suspect.fault).id not in ("D9", "J1", "J2", "J3", "J4"):
        return 1.0
    return 0.6 if _of_same(suspect, others, "scheduled_job_failing", 0.5) else 1.0


def _unreleased(suspect: Suspect, others: Sequence[Suspect], notes: Notes) -> float:
    """J1 against J2, J3, J4: a program that was not released does not break by itself, where something else that it
    uses was just changed."""
    if suspect.fault != "code_defect_in_release" or not looked_for_changes(notes):
        return 1.0
    onset = _onset(suspect)
    if onset is None or released(suspect.entity, onset, notes):
        return 1.0
    blamed = [
        o
        for o in others
        if o.fault in ("contract_broken_between_services", "feature_flag_harmful", "config_value_harmful")
        and any(s.analyzer == ANALYZER and s.role == "cause" for s in o.signs)
        and (same_thing(o.entity, suspect.entity) or _names(o, suspect))
    ]
    return 0.55 if blamed else 0.9


def _second_guess(suspect: Suspect, others: Sequence[Suspect], notes: Notes) -> float:
    """J4 and J2 of the very program that throws are second guesses: the culprit is whoever changed."""
    if suspect.fault not in ("contract_broken_between_services", "feature_flag_harmful"):
        return 1.0
    alone = all(s.faults[0] != suspect.fault for s in suspect.signs)
    return 0.8 if alone else 1.0


def _only_released(suspect: Suspect, others: Sequence[Suspect], notes: Notes) -> float:
    """A release for which nothing speaks but its time, where what it did is shown: its CPU, memory, probe, limits."""
    if any(s.role == "cause" and s.faults[0] == suspect.fault for s in suspect.signs) or suspect.fault not in _RELEASED:
        return 1.0
    shown = [
        o for o in others
        if same_thing(o.entity, suspect.entity) and o.fault != suspect.fault and o.strength * o.timing >= 0.45
        and any(s.role == "cause" for s in o.signs)
    ]  # fmt: skip
    return 0.6 if shown else 1.0


_RELEASED = ("code_defect_in_release", "contract_broken_between_services", "config_value_harmful")


def _load_or_retries(suspect: Suspect, others: Sequence[Suspect], notes: Notes) -> float:
    """K1 against K2: the same load, and somebody is known to retry while nobody above gets more."""
    if suspect.fault != "traffic_surge":
        return 1.0
    blind = [o for o in others if o.fault == "autoscaler_misconfigured" and o.decisive and o.closeness >= 0.85]
    if blind:
        return 0.6  # E11: an autoscaler that cannot scale is what keeps demand from being met
    return 0.6 if _timeline(suspect, others, "retry_storm") else 1.0


def _refused(suspect: Suspect, others: Sequence[Suspect], notes: Notes) -> float:
    """F5 and F7 against A4: the name is right, and the quota refused the Service that should bear it."""
    if suspect.fault not in ("service_deleted", "dependency_address_wrong", "datastore_endpoint_wrong"):
        return 1.0
    quota = [o for o in others if o.fault == "service_object_quota_exhausted"]
    return 0.6 if any(s.analyzer == ANALYZER for o in quota for s in o.signs) else 1.0


def _hot_or_poisoned(suspect: Suspect, others: Sequence[Suspect], notes: Notes) -> float:
    """K3 against I8: a message that nobody can read stops one partition as well, and its consumer says so."""
    if suspect.fault != "hot_key_or_shard":
        return 1.0
    poisoned = [
        o for o in others
        if o.fault == "queue_backlog" and _names(suspect, o) and any(by_lines(s) and s.role == "cause" for s in o.signs)
    ]  # fmt: skip
    return 0.6 if poisoned else 1.0


def _made_by(suspect: Suspect, others: Sequence[Suspect], notes: Notes) -> float:
    """H4 against E13, I5 against C7: the pressure of a node that a workload without limits makes; the queries that are
    slow on a disk that hangs. What is underneath explains both."""
    makers = {"node_cpu_or_memory_pressure": "unlimited_neighbour", "slow_query_or_lock": "disk_io_slow_or_failing"}
    maker = makers.get(suspect.fault)
    if maker is None or (suspect.decisive and maker == "disk_io_slow_or_failing"):
        return 1.0
    below = [
        o for o in others
        if o.fault == maker and not same_thing(o.entity, suspect.entity) and o.strength * o.timing >= 0.45
        and _names(o, suspect) and any(s.role == "cause" and s.faults[:1] == (maker,) for s in o.signs)
    ]  # fmt: skip
    return 0.6 if below else 1.0


def _slow_or_lossy(suspect: Suspect, others: Sequence[Suspect], notes: Notes) -> float:
    """G1 and F10 against G2: calls to the same thing are both late and broken off."""
    if suspect.fault not in ("link_latency", "mesh_policy_blocks"):
        return 1.0
    return 0.6 if _timeline(suspect, others, "packet_loss") else 1.0


def _late_or_barred(suspect: Suspect, others: Sequence[Suspect], notes: Notes) -> float:
    """G1 and G2 against what bars the way altogether: a call that nobody answers takes as long as its caller
    waits, and looks slow to whoever times it."""
    if suspect.fault not in ("link_latency", "packet_loss"):
        return 1.0
    barring = [
        o for o in others
        if o.fault in _BARS and o.strength * o.timing >= 0.5 and any(s.role == "cause" for s in o.signs)
        and (_names(o, suspect) or same_thing(o.entity, suspect.entity))
    ]  # fmt: skip
    return 0.5 if barring else 1.0


def _some_pass(suspect: Suspect, others: Sequence[Suspect], notes: Notes) -> float:
    """F4 and F9 against G2: what bars a way lets no connection through; where connections are broken off as well, or
    segments are sent again, some were made."""
    if suspect.fault not in ("service_transport_wrong", "network_policy_blocks"):
        return 1.0
    if not all(by_lines(s) for s in suspect.signs):
        return 1.0
    ongoing = [s for s in notes.signs if s.role == "effect" and s.ongoing and "packet_loss" in s.faults]
    again = any(s.analyzer == "prometheus.retransmissions" for s in ongoing)
    callers = {s.entity for s in suspect.signs} | {s.entity for s in ongoing if s.points_at == (suspect.entity,)}
    broken = [s for s in ongoing if by_lines(s) and s.faults[0] != suspect.fault and _broken_off(s)]
    met = any(same_thing(s.entity, suspect.entity) or s.entity in callers for s in broken)
    return 0.6 if again else 0.75 if met else 1.0


def _broken_off(sign: Sign) -> bool:
    return "service_transport_wrong" not in sign.faults and "link_latency" not in sign.faults


_BARS = (
    "network_policy_blocks",
    "mesh_policy_blocks",
    "service_transport_wrong",
    "service_target_port_wrong",
    "service_selects_no_pods",
    "service_selects_foreign_pods",
    "scaled_to_zero",
    "traffic_locality_imbalance",
    "connection_tracking_full",
    "node_link_degraded",
)


_SURGE = "traffic_surge"


def _processor(suspect: Suspect, others: Sequence[Suspect], notes: Notes) -> float:
    """E3 against E4 and K1: a CPU limit throttles when it was lowered; at an equal limit the program needs more than
    before, by a release or by more traffic."""
    if suspect.fault not in ("cpu_throttled_by_limit", "cpu_hot_loop"):
        return 1.0
    before = [c for c in notes.changes if same_thing(c.entity, suspect.entity) and _is_before(c.at, suspect, notes)]
    if _timeline(suspect, others, "api_server_overload"):
        return 0.6  # A10: it burns because it asks without end
    limited = any("limits.cpu" in c.what for c in before)
    surging = any(
        s.role == "cause" and s.faults[:1] == (_SURGE,) and same_thing(s.entity, suspect.entity) for s in notes.signs
    )
    if suspect.fault == "cpu_hot_loop":
        return 0.7 if limited or surging or _collects(suspect, notes) else 1.0
    if limited or suspect.decisive:
        return 1.0
    return 0.6 if surging or any(is_release(c) for c in before) else 1.0


def _collects(suspect: Suspect, notes: Notes) -> bool:
    """K4 against E4: the CPU burns in the collector, and the collector says so."""
    return any(
        s.role == "cause" and s.faults[:1] == ("garbage_collection_stalls",) and same_thing(s.entity, suspect.entity)
        for s in notes.signs
    )


def _ceiling(suspect: Suspect, others: Sequence[Suspect], notes: Notes) -> float:
    """E11 against K1: an autoscaler at its maximum under several times the usual traffic does what it can."""
    if suspect.fault != "autoscaler_misconfigured" or suspect.decisive:
        return 1.0
    surging = [s for s in notes.signs if s.role == "cause" and s.faults[:1] == (_SURGE,) and s.ongoing]
    return 0.5 if surging else 1.0


def _unmissed(suspect: Suspect, others: Sequence[Suspect], notes: Notes) -> float:
    """F5: a Service that is inferred to be missing is missed by somebody, or never was."""
    if suspect.fault != "service_deleted" or suspect.decisive:
        return 1.0
    missed = any(
        any(same_thing(p, suspect.entity) for p in s.points_at) for s in notes.signs if s.role == "effect" and s.ongoing
    )
    return 1.0 if missed or any(s.victims for s in suspect.signs) else 0.4


def _selects(suspect: Suspect, others: Sequence[Suspect], notes: Notes) -> float:
    """F1, F4, E10 and E7 as callers guess them, whom all of these refuse or keep waiting: whoever reads the objects
    sees a selector that matches, a protocol, replicas and probes, and says by itself what is wrong with them."""
    if suspect.fault not in _SEEN_IN_OBJECTS or not all(by_lines(s) for s in suspect.signs):
        return 1.0
    pointed = [p for s in suspect.signs for p in s.points_at] or [suspect.entity]
    selected = [e for e in notes.edges if e.via == "selector" and any(same_thing(e.source, p) for p in pointed)]
    if not selected:
        return 1.0
    if suspect.entity.kind == "Service":
        return 0.5
    return 0.6 if any(same_thing(e.target, suspect.entity) for e in selected) else 0.3


_SEEN_IN_OBJECTS = (
    "service_selects_no_pods",
    "service_transport_wrong",
    "scaled_to_zero",
    "readiness_probe_misconfigured",
)


def _nobody_listens(suspect: Suspect, others: Sequence[Suspect], notes: Notes) -> float:
    """F3 as callers guess it, who are refused: what keeps the program behind the Service from listening is seen."""
    if suspect.fault != "service_target_port_wrong" or not all(by_lines(s) for s in suspect.signs):
        return 1.0
    selected = [e for e in notes.edges if e.via == "selector" and same_thing(e.source, suspect.entity)]
    behind = [suspect.entity, *(e.target for e in selected)]
    broken = [
        o for o in others
        if o.fault != suspect.fault and o.strength * o.timing >= 0.5 and any(s.role == "cause" for s in o.signs)
        and any(same_thing(o.entity, b) or is_claim_of(o.entity, b) for b in behind)
    ]  # fmt: skip
    return 0.5 if broken else 1.0


def _rebooted(suspect: Suspect, others: Sequence[Suspect], notes: Notes) -> float:
    """H1, H2 and G3 against H8: a node that reports a new boot was away because it started again."""
    if suspect.fault not in ("kubelet_stopped", "container_runtime_stopped", "network_partition"):
        return 1.0
    booted = [
        s for s in notes.signs
        if s.role == "cause" and s.faults[:1] == ("node_rebooted",) and same_thing(s.entity, suspect.entity) and s.onset
    ]  # fmt: skip
    away = _onset(suspect)
    # A reboot much later than the node went away is somebody's remedy.
    return 0.6 if any(away is None or abs(s.onset - away) <= BOOT for s in booted if s.onset) else 1.0


BOOT = timedelta(minutes=10)


def never_was(suspect: Suspect, others: Sequence[Suspect]) -> bool:
    """Whether a Service is missed only by a start-up that waits for it: then it was never there, as far as is known."""
    if suspect.fault != "service_deleted":
        return False
    missed_by = [v for s in suspect.signs for v in s.victims]
    waits = [o for o in others if o.fault == "init_container_stuck" and any(s.role == "cause" for s in o.signs)]
    return bool(missed_by) and all(any(same_thing(v, o.entity) for o in waits) for v in missed_by)


def _never_was(suspect: Suspect, others: Sequence[Suspect], notes: Notes) -> float:
    """F5 against D7."""
    return 0.5 if never_was(suspect, others) else 1.0


RULES: tuple[Rule, ...] = (
    _rebooted,
    _selects,
    _batch,
    _unreleased,
    _second_guess,
    _only_released,
    _load_or_retries,
    _slow_or_lossy,
    _late_or_barred,
    _some_pass,
    _made_by,
    _hot_or_poisoned,
    _refused,
    _processor,
    _ceiling,
    _unmissed,
    _nobody_listens,
    _never_was,
)


def _of_same(suspect: Suspect, others: Sequence[Suspect], name: str, strength: float) -> Suspect | None:
    return next(
        (o for o in others if o.fault == name and same_thing(o.entity, suspect.entity) and o.strength >= strength), None
    )


def _timeline(suspect: Suspect, others: Sequence[Suspect], name: str) -> bool:
    return any(
        o.fault == name and same_thing(o.entity, suspect.entity) and any(s.analyzer == ANALYZER for s in o.signs)
        for o in others
    )


def _names(other: Suspect, suspect: Suspect) -> bool:
    return any(same_thing(v, suspect.entity) for s in other.signs for v in s.victims)


def _onset(suspect: Suspect) -> datetime | None:
    return next((s.onset for s in suspect.signs if s.onset is not None and s.role != "change"), None)


def _is_before(at: datetime, suspect: Suspect, notes: Notes) -> bool:
    reference = _onset(suspect) or notes.onset
    return reference is not None and -timedelta(minutes=5) <= reference - at <= RECENT
