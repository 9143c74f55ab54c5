"""The scenarios of the demo, started once for all tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from workers.simulation import Running, start


@pytest.fixture(scope="module")
def oom() -> Iterator[Running]:
    running = start("oom-after-deploy")
    yield running
    running.close()


@pytest.fixture(scope="module")
def mismatch() -> Iterator[Running]:
    running = start("selector-mismatch")
    yield running
    running.close()


@pytest.fixture(scope="module")
def defect() -> Iterator[Running]:
    running = start("exception-in-release")
    yield running
    running.close()
