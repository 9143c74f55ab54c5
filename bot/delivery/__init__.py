"""The poster: takes posts from the outbox, renders them from the records, and says them in Slack, once and in order."""

from bot.delivery.channels import Channels
from bot.delivery.poster import Poster

__all__ = ["Channels", "Poster"]
