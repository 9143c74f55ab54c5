"""What is computed together or taken over must come out as if each were computed by itself."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from workers.simulation import running
from workers.simulation.metrics.series import Series
from workers.simulation.scene import Scene

FAMILIES = (
    "http_requests_total",
    "http_request_duration_seconds_sum",
    "container_cpu_usage_seconds_total",
    "container_cpu_cfs_throttled_periods_total",
)


@pytest.fixture(scope="module")
def scene() -> Scene:
    """Containers that are killed and start again, and a release in the midst."""
    return running.stage("oom-after-deploy").scene


@pytest.mark.parametrize("family", FAMILIES)
def test_samples_that_are_read_together_are_those_that_are_read_one_by_one(scene: Scene, family: str) -> None:
    for series in scene.metrics.named(family):
        newest = series.number(scene.world.now)
        numbers = range(newest - 240, newest + 1)
        together = series.scrapes(numbers)
        one_by_one = [series.value(sample[0]) for sample in together if sample is not None]
        assert [sample[1] for sample in together if sample is not None] == one_by_one
        for number, sample in zip(numbers, together, strict=True):
            at = round(number * 30 + series.offset, 3)
            exposed = any(start <= at < end for start, end in series.spans)
            assert (sample[0] if sample else None) == (at if exposed else None)


def test_a_container_that_was_killed_counts_anew_whatever_was_read_before(scene: Scene) -> None:
    pods = scene.world.workload("cart").pods
    restarted = next(pod for pod in pods if len(pod.runs[pod.main]) > 2)
    used = scene.cpu.of(restarted)
    second = restarted.runs[restarted.main][1]
    moments = (second.started - 5, second.started + 1, second.started + 20)
    assert used.many(moments) == [used(at) for at in moments]
    assert used(second.started + 1) < used(second.started - 5)


def test_a_segment_that_takes_over_from_the_last_one_says_what_it_would_say_alone(scene: Scene) -> None:
    traffic = scene.traffic
    taken = 0
    for before, segment in zip(traffic.segments, traffic.segments[1:], strict=False):
        alone = traffic._segment(segment.start, segment.end, None)
        assert (alone.rates, alone.edges, alone.mixes) == (segment.rates, segment.edges, segment.mixes)
        taken += segment.mixes is before.mixes
    assert taken > 20


def test_faces_that_read_a_series_at_once_read_the_same() -> None:
    """Each face has a thread of its own, and they share the world's series."""
    numbers = range(100, 900)
    alone = Series({}, lambda at: at * 2, ((4000.0, 9000.0),)).scrapes(numbers)
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(20):
            series = Series({}, lambda at: at * 2, ((4000.0, 9000.0),))
            with ThreadPoolExecutor(4) as pool:
                read = [pool.submit(series.scrapes, range(100 + shift, 900)) for shift in (0, 7, 0, 200)]
            assert [r.result() for r in read] == [alone, alone[7:], alone, alone[200:]]
    finally:
        sys.setswitchinterval(usual)
