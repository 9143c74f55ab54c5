"""Containers that run, are not ready, and are not what was asked for."""

from __future__ import annotations

from skills.contract import Symptom
from tests.skills.kubernetes.shapes import (
    NODES,
    UNREADY,
    Obj,
    container,
    deployment,
    event,
    found_in,
    pod,
    pod_spec,
    replica_set,
    running,
)

OURS, PAUSE = "registry.example.com/shop/cart:1.4.1", "registry.k8s.io/pause:3.9"
CHANGED = "Container app definition changed, will be restarted"


def run(wanted: str, runs: str, *, ready: bool = False) -> list[Symptom]:
    """A pod whose container was made from one image and runs another."""
    labels = {"app": "cart", "pod-template-hash": "5d9c7b"}
    made = [
        *NODES,
        deployment("cart", spec=pod_spec(container(image=wanted)), ready=int(ready)),
        replica_set("cart", "5d9c7b", spec=pod_spec(container(image=wanted))),
        pod(
            "cart-5d9c7b-ax7k2",
            labels=labels,
            replica_set="cart-5d9c7b",
            spec=pod_spec(container(image=runs)),
            statuses=[running(ready=ready, image=runs, since=8)],
            conds=None if ready else UNREADY,
        ),
        event("Pod", "cart-5d9c7b-ax7k2", "Killing", CHANGED, minutes=8, warning=False),
    ]
    return [s for s in found_in(*made) if s.analyzer == "kubernetes.replaced"]


def seen(found: list[Symptom]) -> list[tuple[str, str]]:
    return [(s.faults[0], f"{s.entity.kind} {s.entity.name}") for s in found]


def test_a_pod_that_only_sleeps_is_named_with_the_words_of_the_kubelet() -> None:
    found = run(OURS, PAUSE)
    assert seen(found) == [("container_command_invalid", "Deployment cart")]
    assert any(CHANGED in e.text for e in found[0].evidence)


def test_an_image_that_was_replaced_in_the_living_pod_is_named() -> None:
    assert seen(run(OURS, "registry.example.com/shop/other:1.4.1")) == [
        ("container_command_invalid", "Deployment cart")
    ]


def test_a_mirror_of_the_same_image_is_no_replacement() -> None:
    assert not run(OURS, "mirror.example.net/cache/cart:1.4.1@sha256:0f")


def test_a_placeholder_that_is_ready_is_as_meant() -> None:
    fine: list[Obj] = []
    assert run(PAUSE, PAUSE, ready=True) == fine
