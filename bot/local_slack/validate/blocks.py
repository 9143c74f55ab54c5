"""Blocks, and the lists of them that make messages, modals and Home tabs. The only place that knows 50 and 3,000."""

from __future__ import annotations

from typing import Any

from bot.local_slack.validate import elements
from bot.local_slack.validate.checks import (
    Check,
    Fields,
    Problems,
    Shape,
    anything,
    at_least_one,
    boolean,
    by_type,
    exactly_one,
    listed,
    one_of,
    string,
)
from bot.local_slack.validate.composition import (
    RICH_TEXT,
    RICH_TEXT_ELEMENTS,
    SLACK_FILE,
    SLACK_ICON,
    any_text,
    plain_text,
)

_ID: Fields = {"block_id": string(255)}
_CONTEXT_PARTS = by_type(
    {
        "mrkdwn": Shape({"text": string(3000, 1)}, {"verbatim": boolean, "emoji": boolean}),
        "plain_text": Shape({"text": string(3000, 1)}, {"emoji": boolean}),
        "image": elements.IMAGE,
    }
)
_CELL = by_type(
    {
        "raw_text": Shape({"text": string(12_000, 1)}),
        "raw_number": Shape({"value": anything}, {"text": string(255)}),
        "rich_text": RICH_TEXT,
    }
)
_COLUMN = Shape({}, {"align": one_of("left", "center", "right"), "is_wrapped": boolean})


def _column_or_none(value: Any, at: str, problems: Problems) -> None:
    """A column without settings may be skipped with null."""
    if value is not None:
        _COLUMN(value, at, problems)


_IMAGE: Fields = {"image_url": string(3000, 1), "slack_file": SLACK_FILE}
_TASK = Shape(
    {
        "task_id": string(255, 1),
        "title": string(255, 1),
        "status": one_of("pending", "in_progress", "complete", "error"),
    },
    {**_ID, "details": RICH_TEXT, "output": RICH_TEXT, "sources": listed(elements.SOURCE, 10, 0)},
)
_CARD = Shape(
    {},
    {
        **_ID,
        "title": any_text(150),
        "subtitle": any_text(150),
        "body": any_text(200),
        "hero_image": elements.IMAGE,
        "icon": elements.IMAGE,
        "slack_icon": SLACK_ICON,
        "actions": listed(elements.BUTTON, 5),
    },
    also=at_least_one("hero_image", "title", "actions", "body"),
)

MESSAGE_BLOCKS: dict[str, Check] = {
    "section": Shape(
        {},
        {
            **_ID,
            "text": any_text(3000),
            "fields": listed(any_text(2000), 10),
            "accessory": elements.IN_SECTION,
            "expand": boolean,
        },
        also=at_least_one("text", "fields"),
    ),
    "header": Shape({"text": plain_text(150)}, {**_ID, "level": anything}),
    "divider": Shape({}, _ID),
    "image": Shape(
        {"alt_text": string(2000)},
        {**_ID, **_IMAGE, "title": plain_text(2000)},
        also=exactly_one("image_url", "slack_file"),
    ),
    "actions": Shape({"elements": listed(elements.IN_ACTIONS, 25)}, _ID),
    "context": Shape({"elements": listed(_CONTEXT_PARTS, 10)}, _ID),
    "context_actions": Shape({"elements": listed(elements.IN_CONTEXT_ACTIONS, 5)}, _ID),
    "input": Shape(
        {"label": plain_text(2000), "element": elements.IN_INPUT},
        {**_ID, "hint": plain_text(2000), "optional": boolean, "dispatch_action": boolean},
    ),
    "markdown": Shape({"text": string(12_000, 1)}, _ID),
    "rich_text": Shape({"elements": listed(by_type(RICH_TEXT_ELEMENTS), 1000, 0)}, _ID),
    "plan": Shape({"title": string(255, 1)}, {**_ID, "tasks": listed(by_type({"task_card": _TASK}), 50, 0)}),
    "task_card": _TASK,
    "table": Shape({"rows": listed(listed(_CELL, 20), 100)}, {**_ID, "column_settings": listed(_column_or_none, 20)}),
    "card": _CARD,
    "carousel": Shape({"elements": listed(by_type({"card": _CARD}), 10)}, _ID),
    "video": Shape(
        {"alt_text": string(2000), "title": plain_text(200), "thumbnail_url": string(3000), "video_url": string(3000)},
        {
            **_ID,
            "author_name": string(50),
            "description": plain_text(200),
            "provider_icon_url": string(3000),
            "provider_name": string(50),
            "title_url": string(3000),
        },
    ),
    "file": Shape({"external_id": string(255), "source": one_of("remote")}, _ID),
}
_CHILDREN = listed(by_type(MESSAGE_BLOCKS), 10)
MESSAGE_BLOCKS["container"] = Shape(
    {"child_blocks": _CHILDREN},
    {
        **_ID,
        "title": plain_text(150),
        "rich_text_title": RICH_TEXT,
        "subtitle": plain_text(150),
        "icon": elements.IMAGE,
        "width": one_of("narrow", "standard", "wide", "full"),
        "is_collapsible": boolean,
        "default_collapsed": boolean,
        "has_header_divider": boolean,
    },
    also=at_least_one("title", "rich_text_title"),
)
_ALERT = Shape({"text": any_text(3000)}, {**_ID, "level": one_of("default", "info", "warning", "error", "success")})
_IN_VIEWS = (
    "section", "header", "divider", "image", "actions", "context", "context_actions", "input", "rich_text", "video",
    "card", "carousel", "container", "table", "markdown",
)  # fmt: skip
MODAL_BLOCKS: dict[str, Check] = {**{kind: MESSAGE_BLOCKS[kind] for kind in _IN_VIEWS}, "alert": _ALERT}
HOME_BLOCKS: dict[str, Check] = {kind: MESSAGE_BLOCKS[kind] for kind in _IN_VIEWS}


def message_blocks(blocks: Any, at: str = "/blocks") -> list[str]:
    """What is wrong with the blocks of a message; empty when Slack would take them."""
    problems = Problems()
    listed(by_type(MESSAGE_BLOCKS), 50, 0)(blocks, at, problems)
    _unique_ids(blocks, at, problems)
    kinds = [block.get("type") for block in blocks if isinstance(block, dict)] if isinstance(blocks, list) else []
    if "plan" in kinds and "task_card" in kinds:
        problems.add("a plan block and task_card blocks cannot be in the same message", at)
    if kinds.count("table") > 1:
        problems.add("only one table allowed", at)
    texts = [block.get("text") for block in blocks or () if isinstance(block, dict) and block.get("type") == "markdown"]
    if sum(len(text) for text in texts if isinstance(text, str)) > 12_000:
        problems.add("markdown blocks must be less than 12001 characters in total", at)
    return problems.found


def view_blocks(blocks: Any, kind: str, problems: Problems, at: str = "/view/blocks") -> None:
    listed(by_type(HOME_BLOCKS if kind == "home" else MODAL_BLOCKS), 100, 0)(blocks, at, problems)
    _unique_ids(blocks, at, problems)


def _unique_ids(blocks: Any, at: str, problems: Problems) -> None:
    """A block_id is there once in a message, an action_id once in a block."""
    seen: set[str] = set()
    for number, block in enumerate(blocks if isinstance(blocks, list) else ()):
        if not isinstance(block, dict):
            continue
        block_id = block.get("block_id")
        if block_id and block_id in seen:
            problems.add(f'`block_id` "{block_id}" already exists', f"{at}/{number}/block_id")
        seen.add(str(block_id))
        acts: set[str] = set()
        for place, element in enumerate(block.get("elements") or ()):
            action = element.get("action_id") if isinstance(element, dict) else None
            if action and action in acts:
                problems.add(f'`action_id` "{action}" already exists', f"{at}/{number}/elements/{place}/action_id")
            acts.add(str(action))
