"""No scenario gives itself away; and each planted tell is found."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from itertools import islice

import pytest

from workers.simulation import names
from workers.simulation.realism import tells
from workers.simulation.running import stage
from workers.simulation.sampling import Sample, sample
from workers.simulation.scenario import load


def one_of_each_fault() -> list[str]:
    found: dict[str, str] = {}
    for name in names():
        for each in load(name).faults or ():
            found.setdefault(each.fault, name)
    return sorted({*found.values(), *(n for n in names() if load(n).verdict == "false_alarm")})


@pytest.mark.parametrize("name", list(islice(one_of_each_fault(), 0, None, 11)))
def test_a_scenario_has_no_tell(name: str) -> None:
    """Every eleventh here; `gumshoe simulate --tells` asks all of the library."""
    assert tells(sample(stage(name))) == []


def test_the_systems_beside_the_default_ones_have_no_tell_either() -> None:
    skills = ("kubernetes", "loki", "prometheus", "changes", "pagerduty")
    asked = sample(stage("psp-down", of=load("psp-down").model_copy(update={"skills": skills})))
    assert {where.split()[0] for where in asked.bodies} == {"github", "argocd", "pagerduty", "alertmanager", "loki"}
    assert tells(asked) == []


@pytest.fixture(scope="module")
def honest() -> Sample:
    return sample(stage("oom-after-deploy"))


def _pod(it: Sample, app: str = "payment") -> dict:  # type: ignore[type-arg]
    return next(p for p in it.objects["pods"] if p["metadata"]["labels"].get("app") == app)


def born_tomorrow(it: Sample) -> None:
    _pod(it)["metadata"]["creationTimestamp"] = "2026-11-25T14:20:37Z"


def event_before_its_pod(it: Sample) -> None:
    there = {p["metadata"]["uid"] for p in it.objects["pods"]}
    event = next(e for e in it.objects["events"] if e["involvedObject"]["uid"] in there)
    event["firstTimestamp"] = "2026-01-02T03:04:05Z"


def line_from_tomorrow(it: Sample) -> None:
    it.lines[0]["@timestamp"] = "2026-11-25T14:20:37.000Z"


def ended_before_it_started(it: Sample) -> None:
    state = _pod(it, "cart")["status"]["containerStatuses"][0]["lastState"]["terminated"]
    state["finishedAt"], state["startedAt"] = state["startedAt"], state["finishedAt"]


def one_uid_for_two(it: Sample) -> None:
    it.objects["pods"][1]["metadata"]["uid"] = it.objects["pods"][0]["metadata"]["uid"]


def one_address_for_two(it: Sample) -> None:
    _pod(it, "orders")["status"]["podIP"] = _pod(it)["status"]["podIP"]


def named_for_a_test(it: Sample) -> None:
    it.objects["configmaps"][0]["metadata"]["name"] = "test-1"


def talks_of_a_simulation(it: Sample) -> None:
    it.lines[3]["message"] = "simulated failure injected"


def own_machine(it: Sample) -> None:
    it.lines[5]["message"] = "dial tcp 127.0.0.1:5432: connect: connection refused"


def another_network(it: Sample) -> None:
    it.lines[7]["message"] = "dial tcp 192.168.7.13:5432: connect: connection refused"


def no_address_at_all(it: Sample) -> None:
    it.lines[9]["message"] = "read udp 10.0.612.4:53: i/o timeout"


def no_node(it: Sample) -> None:
    _pod(it)["spec"]["nodeName"] = "ip-10-0-99-99.eu-central-1.compute.internal"


def no_replica_set(it: Sample) -> None:
    owner = _pod(it)["metadata"]["ownerReferences"][0]["name"]
    it.objects["replicasets"] = [r for r in it.objects["replicasets"] if r["metadata"]["name"] != owner]


def restarts_without_a_count(it: Sample) -> None:
    _pod(it, "cart")["status"]["containerStatuses"][0]["restartCount"] = 0


def unknown_endpoint(it: Sample) -> None:
    full = next(e for e in it.objects["endpoints"] if e.get("subsets"))
    full["subsets"][0]["addresses"][0]["ip"] = "10.0.77.77"


def says_nothing(it: Sample) -> None:
    it.lines = [x for x in it.lines if x["service"]["name"] != "catalog"]


def says_one_thing(it: Sample) -> None:
    for line in it.lines:
        if line["service"]["name"] == "catalog":
            line["message"] = "GET /products 200"


def merged_tomorrow(it: Sample) -> None:
    it.bodies["github /repos/hollybrook/cart/pulls"] = '[{"merged_at":"2026-11-25T09:00:00Z"}]'


def smooth_numbers(it: Sample) -> None:
    name = "container_memory_working_set_bytes"
    it.measured[name] = [(m, v // 2**20 * 2**20) for m, v in it.measured[name]]


PLANTED: tuple[tuple[Callable[[Sample], None], str], ...] = (
    (born_tomorrow, "impossible clock"),
    (event_before_its_pod, "impossible clock"),
    (line_from_tomorrow, "impossible clock"),
    (ended_before_it_started, "impossible clock"),
    (one_uid_for_two, "repeated id"),
    (one_address_for_two, "repeated id"),
    (named_for_a_test, "unlikely name"),
    (talks_of_a_simulation, "unlikely name"),
    (own_machine, "loopback"),
    (another_network, "foreign address"),
    (no_address_at_all, "foreign address"),
    (no_node, "missing neighbour"),
    (no_replica_set, "missing neighbour"),
    (restarts_without_a_count, "accounts differ"),
    (unknown_endpoint, "accounts differ"),
    (says_nothing, "silent service"),
    (says_one_thing, "logs without noise"),
    (smooth_numbers, "round number"),
    (merged_tomorrow, "impossible clock"),
)


@pytest.mark.parametrize(("plant", "kind"), PLANTED, ids=[p.__name__ for p, _ in PLANTED])
def test_a_planted_tell_is_found(honest: Sample, plant: Callable[[Sample], None], kind: str) -> None:
    assert tells(honest) == []
    planted = deepcopy(honest)
    plant(planted)
    assert kind in {t.kind for t in tells(planted)}
