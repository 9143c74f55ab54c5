"""The workspace that one gets without asking: a team of four, their channels, and the apps that alert them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.local_slack.records import App, Channel, Person, Team

PEOPLE = (
    Person("U0AMIRA", "amira", "Amira Haddad", "Site reliability", "2f7d6b"),
    Person("U0JONAS", "jonas", "Jonas Keller", "Platform", "8a5a2b"),
    Person("U0PRIYA", "priya", "Priya Raman", "Payments", "7a3e8c"),
    Person("U0TOMAS", "tomas", "Tomás Ferreira", "Engineering manager", "35618f"),
)

ALERTING = (
    # Posting through incoming webhooks, hence without a user of their own.
    App("A0ALERTMAN", "Alertmanager", "B0ALERTMAN", None, "c2410c"),
    App("A0GRAFANA", "Grafana", "B0GRAFANA", None, "d97706"),
    App("A0CLOUDW", "CloudWatch", "B0CLOUDW", None, "b4437a"),
    # Apps with a bot user.
    App("A0PAGERDUTY", "PagerDuty", "B0PAGERDUTY", "U0PAGERDUTY", "15803d"),
    App("A0DATADOG", "Datadog", "B0DATADOG", "U0DATADOG", "6d28d9"),
    App("A0SENTRY", "Sentry", "B0SENTRY", "U0SENTRY", "4c3a6b"),
    App("A0OPSGENIE", "Opsgenie", "B0OPSGENIE", "U0OPSGENIE", "1d4ed8"),
)

GUMSHOE = App("A0GUMSHOE", "Gumshoe", "B0GUMSHOE", "U0GUMSHOE", "1f4e5f")

ACME = Team("T0ACME", "Acme", "acme")

CHANNELS = ("alerts", "alerts-shadow", "general")


@dataclass(frozen=True)
class Company:
    """What a workspace starts with."""

    team: Team = ACME
    people: Sequence[Person] = PEOPLE
    alerting: Sequence[App] = ALERTING
    installed: App = GUMSHOE
    channels: Sequence[str | Channel] = CHANNELS
    """Names become public channels with everybody in them; a Channel is taken as it is."""
    invited_to: Sequence[str] | None = None
    """Names of the channels that the installed app is a member of; None: all that are given by name."""
    ids: dict[str, str] = field(default_factory=dict)
    """Channel name -> id, where a test wants a certain one."""

    def rooms(self, created: int) -> list[Channel]:
        everybody = frozenset(person.id for person in self.people)
        bot = str(self.installed.bot_user_id)
        rooms = []
        for item in self.channels:
            if isinstance(item, Channel):
                rooms.append(item)
                continue
            invited = self.invited_to is None or item in self.invited_to
            rooms.append(
                Channel(
                    self.ids.get(item) or "C0" + "".join(c for c in item.upper() if c.isalnum()),
                    item,
                    members=everybody | {bot} if invited else everybody,
                    created=created,
                )
            )
        return rooms
