"""From a Slack event, a Slack message or a webhook body to alerts. Pure: no network, no store, no clock."""

from bot.intake.read import read, read_bytes
from bot.intake.redaction import masked
from bot.intake.shapes import Read

__all__ = ["Read", "masked", "read", "read_bytes"]
