"""A Slack workspace on this machine: Web API, Socket Mode and a browser page, for the demo and for tests.

`start()` gives a running one. It knows nothing of the rest of Gumshoe and could serve any Slack app.
"""

from bot.local_slack.company import Company
from bot.local_slack.control import Control, Person
from bot.local_slack.server import LocalSlackError, Running, start
from bot.local_slack.timings import Timings

__all__ = ["Company", "Control", "LocalSlackError", "Person", "Running", "Timings", "start"]
