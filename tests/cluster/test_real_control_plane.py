"""Faults in a cluster whose control plane is real: every object, event and message that is read is Kubernetes' own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import monitoring, recordings, staging
from tests.cluster.control_plane import TOKEN, ControlPlane, binaries
from tests.cluster.investigating import investigate, judged, wanted
from tests.cluster.kubelets import Kubelets
from tests.cluster.monitoring import Monitoring
from workers.domain import Finding

pytestmark = pytest.mark.cluster
CASES = {c["name"]: c for c in staging.cases()}
Answer = Callable[[str], tuple[str, Finding]]


@pytest.fixture(scope="module")
def answers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answer]:
    """The finding of a case by its name; its whole batch is staged at the first question."""
    programs = binaries()
    if programs is None:
        pytest.skip("the programs are not here: `make cluster` builds them")
    chosen = [i.callspec.params["name"] for i in request.session.items if hasattr(i, "callspec")]
    waiting = list(staging.batches([CASES[name] for name in chosen if name in CASES]))
    found: dict[str, tuple[str, Finding]] = {}
    cluster = ControlPlane(programs, tmp_path_factory.mktemp("cluster"))
    kubelets = Kubelets(cluster.url, TOKEN)
    watching = monitoring.programs(programs)
    monitor = monitoring.Monitoring(watching, cluster, tmp_path_factory.mktemp("series")) if watching else None

    def answer(name: str) -> tuple[str, Finding]:
        while name not in found:
            found.update(_investigated(cluster, kubelets, monitor, waiting.pop(0)))
        return found[name]

    try:
        staging.furnish(cluster)
        # All of the investigator is loaded before the first fault, which takes a while on a busy machine.
        now = datetime.now(UTC)
        investigate({"kubernetes": cluster.url}, CASES["healthy"], "chaos-mesh", now, now)
        yield answer
    finally:
        kubelets.close()
        if monitor:
            monitor.close()
        cluster.close()
    assert not kubelets.failures


def _investigated(
    cluster: ControlPlane, kubelets: Kubelets, monitor: Monitoring | None, batch: list[staging.Case]
) -> dict[str, tuple[str, Finding]]:
    order = list(CASES)
    placed = [(f"shop-{order.index(case['name'])}", case) for case in batch]
    staging.settle(cluster, kubelets, placed)
    staged = [staging.break_it(cluster, kubelets, namespace, case) for namespace, case in placed]
    time.sleep(max(float(case.get("seconds", staging.SHOWS)) for case in batch))
    found = {}
    for it in [staging.matured(cluster, each) for each in staged]:
        now = datetime.now(UTC)
        urls = {"kubernetes": cluster.url, **({"prometheus": monitor.url} if monitor else {})}
        fired = monitor.alert(wanted(it.case, it.namespace)) if monitor else None
        finding = investigate(urls, it.case, it.namespace, it.began, now, fired)
        if folder := os.environ.get("GUMSHOE_CLUSTER_KEEP"):
            recordings.keep(cluster, Path(folder), it, now, fired)
        found[it.case["name"]] = (it.namespace, finding)
    for namespace, case in placed:
        staging.mend(cluster, kubelets, namespace, case)
    return found


@pytest.mark.parametrize("name", CASES)
def test_the_fault_is_named(answers: Answer, name: str) -> None:
    case: dict[str, Any] = CASES[name]
    namespace, finding = answers(name)
    wrong = judged(case, namespace, finding)
    if case.get("open") and wrong:
        assert not wrong.startswith("high"), wrong
        pytest.xfail(wrong)
    assert not wrong, wrong
