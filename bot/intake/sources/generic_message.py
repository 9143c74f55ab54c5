"""Any other app's Slack message that reads as an alert; asked last. `bot.intake.judgement` has the rule."""

from __future__ import annotations

import re

from bot.intake import build, words
from bot.intake.alert_type import bare_title, masked_title, only_state
from bot.intake.judgement import judge
from bot.intake.label_text import label_sets
from bot.intake.message import Message
from bot.intake.mrkdwn import without_emoji
from bot.intake.shapes import Read

RANK = 900
SOURCE = "generic"
_SERVICE_FIELDS = (
    "service",
    "service name",
    "app",
    "application",
    "component",
    "workload",
    "deployment",
    "job",
    "host",
    "monitor",
)
_GREETING = re.compile(
    r"^\W*(?:@\w+\W*|new alert|alert|notification|a new message|aws notification|message|[\w ]{2,30} alert)?\W*$", re.I
)


def of_message(message: Message) -> Read:
    title, heading = _title(message)
    judged = judge(heading, message.lines, message.fields.items(), message.colours)
    if judged.why_not:
        return Read(reason=judged.why_not)
    sets = label_sets(message.lines)
    labels = (
        dict(sets[0].labels) if sets else {n: v for n, v in message.fields.items() if len(n) <= 30 and len(v) <= 200}
    )
    name = masked_title(_named(title))
    return build.read(
        [
            build.alert(
                source=SOURCE,
                status=judged.status,
                alert_type=name,
                title=without_emoji(title) or title,
                summary=message.body,
                severity=judged.severity,
                service=next((labels[n] for n in _SERVICE_FIELDS[:-2] if labels.get(n)), ""),
                environment=words.environment(labels)
                or words.environment({"env": message.fields.get("environment", "")}),
                labels=labels,
                fingerprint=build.key(SOURCE, name, message.origin.channel),
                links=message.typed_links,
            )
        ]
    )


def _title(message: Message) -> tuple[str, str]:
    """The first title that names something, and the same with the state in front that was said before it.

    A greeting ("New alert"), the app's own name or a bare state ("Alert firing, high") names nothing.
    """
    said = ""
    for title in [*(title for title, _ in message.titles), *message.lines[:5]]:
        spoken = without_emoji(title)
        if only_state(spoken):
            said = said or spoken
        elif not (_GREETING.match(spoken) or spoken.lower() == message.sender.lower()):
            return title, f"{said}: {title}" if said else title
    return message.title, message.title


def _named(title: str) -> str:
    """Without the name of the app in front: "AWS GuardDuty Finding - port is probed" is about the port."""
    bare = bare_title(title)
    found = re.match(r"^(?:AWS )?[\w ]{3,30}(?:Finding|notification|Alert)\s+[-–|]\s+(?=\S{2})", bare, re.I)
    return bare[found.end() :] if found else bare
