"""A scenario's alert, as intake reads it: the evaluation itself knows no sources of alerts."""

from __future__ import annotations

from typing import Any

from bot.intake import read
from config.settings import ConfigError
from workers.domain import Alert


def alerts(body: dict[str, Any]) -> tuple[Alert, ...]:
    found = read(body).alerts
    if not found:
        raise ConfigError("the scenario's alert is none that intake can read")
    return found
