"""The whole house, started once for a module; every process is real and talks over loopback."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from bot.cli._house import House


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with House(tmp_path_factory.mktemp("house"), ("oom-after-deploy", "selector-mismatch"), environ()) as started:
        yield started


def environ() -> dict[str, str]:
    """This environment without anybody's keys, so that the offline investigator answers."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("ANTHROPIC_", "SLACK_", "GUMSHOE_"))}
