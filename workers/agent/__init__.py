"""One run on an incident: first look, hypotheses, challenge, conclusion. Knows neither Slack nor the simulation."""

from workers.agent import charts
from workers.agent.conclude import finding_schema
from workers.agent.loop import investigate
from workers.agent.request import Journal, PastIncident, Request
from workers.agent.systems import ConnectedSkill, connect_all
from workers.domain import Instructions

__all__ = [
    "ConnectedSkill",
    "Instructions",
    "Journal",
    "PastIncident",
    "Request",
    "charts",
    "connect_all",
    "finding_schema",
    "investigate",
]
