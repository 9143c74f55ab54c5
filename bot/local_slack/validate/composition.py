"""The objects inside blocks and elements: text, options, confirmations, rich text, pictures."""

from __future__ import annotations

from typing import Any

from bot.local_slack.validate.checks import (
    Check,
    Problems,
    Shape,
    anything,
    at_least_one,
    boolean,
    by_type,
    exactly_one,
    integer,
    listed,
    one_of,
    string,
)


def plain_text(longest: int) -> Check:
    return by_type({"plain_text": Shape({"text": string(longest, 1)}, {"emoji": boolean})})


def any_text(longest: int) -> Check:
    """plain_text or mrkdwn. Slack reports a bad length twice: no schema fits, and why."""
    kinds: dict[str, Check] = {
        "plain_text": Shape({"text": string(longest, 1)}, {"emoji": boolean}),
        "mrkdwn": Shape({"text": string(longest, 1)}, {"verbatim": boolean, "emoji": boolean}),
    }
    inner = by_type(kinds)

    def check(value: Any, at: str, problems: Problems) -> None:
        within = Problems()
        inner(value, at, within)
        if any("characters" in problem for problem in within.found):
            problems.add("failed to match all allowed schemas", at)
        problems.found.extend(within.found)

    return check


OPTION = Shape({"text": any_text(75), "value": string(150, 1)}, {"description": any_text(75), "url": string(3000)})
OPTION_GROUP = Shape({"label": plain_text(75), "options": listed(OPTION, 100)})
CONFIRM = Shape(
    {"title": plain_text(100), "text": any_text(300), "confirm": plain_text(30), "deny": plain_text(30)},
    {"style": one_of("primary", "danger")},
)
SLACK_FILE = Shape({}, {"id": string(255), "url": string(3000)}, also=exactly_one("id", "url"))
SLACK_ICON = Shape({"name": string(255, 1)})
DISPATCH_CONFIG = Shape({}, {"trigger_actions_on": listed(one_of("on_enter_pressed", "on_character_entered"), 2)})
FEEDBACK_BUTTON = Shape({"text": plain_text(75), "value": string(2000)}, {"accessibility_label": string(75)})
CONVERSATION_FILTER = Shape(
    {},
    {
        "include": listed(one_of("im", "mpim", "private", "public"), 4),
        "exclude_external_shared_channels": boolean,
        "exclude_bot_users": boolean,
    },
    also=at_least_one("include", "exclude_external_shared_channels", "exclude_bot_users"),
)

_STYLE = Shape({}, dict.fromkeys(("bold", "italic", "strike", "code", "underline", "highlight"), boolean))
_RICH_PARTS: dict[str, Check] = {
    "text": Shape({"text": string(13_000, 1)}, {"style": _STYLE}),
    "link": Shape({"url": string(3000, 1)}, {"text": string(13_000), "unsafe": boolean, "style": _STYLE}),
    "user": Shape({"user_id": string(255, 1)}, {"style": _STYLE}),
    "usergroup": Shape({"usergroup_id": string(255, 1)}, {"style": _STYLE}),
    "team": Shape({"team_id": string(255, 1)}, {"style": _STYLE}),
    "channel": Shape({"channel_id": string(255, 1)}, {"style": _STYLE}),
    "emoji": Shape({"name": string(255, 1)}, {"unicode": string(100), "skin_tone": integer(1, 6), "style": _STYLE}),
    "date": Shape(
        {"timestamp": integer(0, 10**12)},
        {"format": string(255), "url": string(3000), "fallback": string(3000), "style": _STYLE},
    ),
    "broadcast": Shape({"range": one_of("here", "channel", "everyone")}, {"style": _STYLE}),
    "color": Shape({"value": string(255, 1)}, {"style": _STYLE}),
}
_PARTS = listed(by_type(_RICH_PARTS), 10_000, 0)
_SECTION = Shape({"elements": _PARTS})
RICH_TEXT_ELEMENTS: dict[str, Check] = {
    "rich_text_section": _SECTION,
    "rich_text_preformatted": Shape(
        {"elements": listed(by_type(_RICH_PARTS, ("text", "link")), 10_000, 0)},
        {"border": integer(0, 1), "language": string(100)},
    ),
    "rich_text_quote": Shape({"elements": _PARTS}, {"border": integer(0, 1)}),
    "rich_text_list": Shape(
        {"style": one_of("bullet", "ordered"), "elements": listed(by_type({"rich_text_section": _SECTION}), 1000)},
        {"indent": integer(0, 8), "offset": integer(0, 10_000), "border": integer(0, 1)},
    ),
}
RICH_TEXT = Shape(
    {"elements": listed(by_type(RICH_TEXT_ELEMENTS), 1000, 0)}, {"block_id": string(255), "type": anything}
)
