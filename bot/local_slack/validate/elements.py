"""Block elements: what can be pressed, chosen or filled in."""

from __future__ import annotations

import re
from typing import Any

from bot.local_slack.validate.checks import (
    Check,
    Fields,
    Problems,
    Shape,
    anything,
    boolean,
    by_type,
    exactly_one,
    integer,
    listed,
    one_of,
    string,
)
from bot.local_slack.validate.composition import (
    CONFIRM,
    CONVERSATION_FILTER,
    DISPATCH_CONFIG,
    FEEDBACK_BUTTON,
    OPTION,
    OPTION_GROUP,
    RICH_TEXT,
    SLACK_FILE,
    plain_text,
)

_ID: Fields = {"action_id": string(255)}
_CONFIRM: Fields = {**_ID, "confirm": CONFIRM}
_FIELD: Fields = {**_CONFIRM, "placeholder": plain_text(150), "focus_on_load": boolean}
_TYPED: Fields = {**_FIELD, "dispatch_action_config": DISPATCH_CONFIG, "initial_value": string(3000)}
_MANY: Fields = {**_FIELD, "max_selected_items": integer(1, 100)}
_IDS = listed(string(255, 1), 100)


def _matching(pattern: str, example: str) -> Check:
    def check(value: Any, at: str, problems: Problems) -> None:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            problems.add(f"must match the format {example}", at)

    return check


def _options(initial: str) -> Check:
    """Options or groups of them, and whatever is chosen to begin with must be among them."""

    def check(value: Any, at: str, problems: Problems) -> None:
        exactly_one("options", "option_groups")(value, at, problems)
        _initial_among_options(initial)(value, at, problems)

    return check


def _initial_among_options(initial: str) -> Check:
    def check(value: Any, at: str, problems: Problems) -> None:
        chosen = value.get(initial)
        if not chosen:
            return
        groups = [group for group in value.get("option_groups") or () if isinstance(group, dict)]
        offered = [*(value.get("options") or ()), *(o for group in groups for o in group.get("options") or ())]
        for option in chosen if isinstance(chosen, list) else [chosen]:
            if option not in offered:
                problems.add(f"`{initial}` must exactly match one of the provided options", f"{at}/{initial}")

    return check


_DATE = _matching(r"\d{4}-\d{2}-\d{2}", "YYYY-MM-DD")
_TIME = _matching(r"\d{2}:\d{2}", "HH:mm")
_CHOICE: Fields = {"options": listed(OPTION, 100), "option_groups": listed(OPTION_GROUP, 100)}
_IMAGE: Fields = {"image_url": string(3000, 1), "slack_file": SLACK_FILE}

ELEMENTS: dict[str, Check] = {
    "button": Shape(
        {"text": plain_text(75)},
        {
            **_CONFIRM,
            "url": string(3000),
            "value": string(2000),
            "style": one_of("primary", "danger"),
            "accessibility_label": string(75),
            "visible_to_user_ids": _IDS,
            "agent_prompt": string(4000),
            "agent_prompt_display": anything,
        },
    ),
    "workflow_button": Shape(
        {"text": plain_text(75), "workflow": anything},
        {**_ID, "style": one_of("primary", "danger"), "accessibility_label": string(75)},
    ),
    "icon_button": Shape(
        {"icon": one_of("trash"), "text": plain_text(75)},
        {**_CONFIRM, "value": string(2000), "accessibility_label": string(75), "visible_to_user_ids": _IDS},
    ),
    "feedback_buttons": Shape({"positive_button": FEEDBACK_BUTTON, "negative_button": FEEDBACK_BUTTON}, _ID),
    "overflow": Shape({"options": listed(OPTION, 5)}, _CONFIRM),
    "image": Shape({"alt_text": string(2000)}, _IMAGE, also=exactly_one("image_url", "slack_file")),
    "static_select": Shape({}, {**_FIELD, **_CHOICE, "initial_option": OPTION}, also=_options("initial_option")),
    "multi_static_select": Shape(
        {}, {**_MANY, **_CHOICE, "initial_options": listed(OPTION, 100)}, also=_options("initial_options")
    ),
    "external_select": Shape({}, {**_FIELD, "initial_option": OPTION, "min_query_length": integer(0, 100)}),
    "multi_external_select": Shape(
        {}, {**_MANY, "initial_options": listed(OPTION, 100), "min_query_length": integer(0, 100)}
    ),
    "users_select": Shape({}, {**_FIELD, "initial_user": string(255)}),
    "multi_users_select": Shape({}, {**_MANY, "initial_users": _IDS}),
    "channels_select": Shape({}, {**_FIELD, "initial_channel": string(255), "response_url_enabled": boolean}),
    "multi_channels_select": Shape({}, {**_MANY, "initial_channels": _IDS}),
    "conversations_select": Shape(
        {},
        {
            **_FIELD,
            "initial_conversation": string(255),
            "default_to_current_conversation": boolean,
            "response_url_enabled": boolean,
            "filter": CONVERSATION_FILTER,
        },
    ),
    "multi_conversations_select": Shape(
        {},
        {
            **_MANY,
            "initial_conversations": _IDS,
            "default_to_current_conversation": boolean,
            "filter": CONVERSATION_FILTER,
        },
    ),
    "datepicker": Shape({}, {**_FIELD, "initial_date": _DATE}),
    "timepicker": Shape({}, {**_FIELD, "initial_time": _TIME, "timezone": string(100)}),
    "datetimepicker": Shape({}, {**_CONFIRM, "focus_on_load": boolean, "initial_date_time": integer(10**9, 10**10)}),
    "checkboxes": Shape(
        {"options": listed(OPTION, 10)},
        {**_CONFIRM, "focus_on_load": boolean, "initial_options": listed(OPTION, 10)},
        also=_initial_among_options("initial_options"),
    ),
    "radio_buttons": Shape(
        {"options": listed(OPTION, 10)},
        {**_CONFIRM, "focus_on_load": boolean, "initial_option": OPTION},
        also=_initial_among_options("initial_option"),
    ),
    "plain_text_input": Shape(
        {},
        {**_TYPED, "multiline": boolean, "min_length": integer(0, 3000), "max_length": integer(1, 3000)},
    ),
    "email_text_input": Shape({}, _TYPED),
    "url_text_input": Shape({}, _TYPED),
    "number_input": Shape(
        {"is_decimal_allowed": boolean}, {**_TYPED, "min_value": string(100), "max_value": string(100)}
    ),
    "rich_text_input": Shape(
        {},
        {
            **_FIELD,
            "dispatch_action_config": DISPATCH_CONFIG,
            "initial_value": RICH_TEXT,
            "min_lines": integer(1, 100),
            "max_lines": integer(1, 100),
        },
    ),
    "file_input": Shape({}, {**_ID, "filetypes": _IDS, "max_files": integer(1, 10)}),
    "url": Shape({"url": string(3000, 1), "text": string(255, 1)}),
}

_SELECTS = tuple(f"{many}{kind}_select" for kind in ("static", "external", "users", "channels", "conversations")
                 for many in ("", "multi_"))  # fmt: skip
_PICKERS = ("datepicker", "timepicker")
_BOXES = ("checkboxes", "radio_buttons")
_PRESSED = ("button", "workflow_button", "overflow")

IN_ACTIONS = by_type(
    ELEMENTS, (*_PRESSED, *_PICKERS, "datetimepicker", *_BOXES, *(s for s in _SELECTS if not s.startswith("multi_")))
)
IN_SECTION = by_type(ELEMENTS, (*_PRESSED, *_PICKERS, *_BOXES, *_SELECTS, "image"))
IN_CONTEXT_ACTIONS = by_type(ELEMENTS, ("feedback_buttons", "icon_button"))
IN_INPUT = by_type(
    ELEMENTS,
    (
        *_SELECTS,
        *_PICKERS,
        "datetimepicker",
        *_BOXES,
        "plain_text_input",
        "email_text_input",
        "url_text_input",
        "number_input",
        "rich_text_input",
        "file_input",
    ),
)
SOURCE = by_type(ELEMENTS, ("url",))
BUTTON = by_type(ELEMENTS, ("button",))
OVERFLOW = by_type(ELEMENTS, ("overflow",))
IMAGE = by_type(ELEMENTS, ("image",))
