"""What is said to Slack: a message, a modal, and the few elements that they are built from. Everything is measured.

mrkdwn is sent `verbatim`, so that Slack turns nothing in it into a mention or a link that we did not write.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.blocks import limits

Block = dict[str, Any]


@dataclass(frozen=True)
class Message:
    text: str
    """The notification, and all that is shown when Slack refuses the blocks."""
    blocks: tuple[Block, ...]


def message(lines: Iterable[str], blocks: Sequence[Block]) -> Message:
    """`lines` are the same content as the blocks, in mrkdwn."""
    text = "\n".join(limits.lines_within(map(limits.unlinked, lines), limits.MESSAGE_TEXT)) or "Gumshoe"
    return Message(text=text, blocks=tuple(_within(blocks)))


def _within(blocks: Sequence[Block]) -> list[Block]:
    """What fits into one message. The first block and the buttons at the end stay; what goes, goes visibly."""
    kept = list(blocks)
    dropped = 0
    while len(kept) > 2 and (len(kept) > limits.BLOCKS - 1 or sum(map(_size, kept)) > limits.MESSAGE_SUM):
        last = max((i for i, b in enumerate(kept) if i and b["type"] in ("section", "divider")), default=0)
        if not last:
            break
        del kept[last]
        dropped += 1
    if dropped:
        at = max(i for i, b in enumerate(kept) if b["type"] == "section" or i == 0) + 1
        kept.insert(at, context([f"… ({dropped} more parts, on the evidence page)"]))
    return kept


def _size(block: Block) -> int:
    texts = [block.get("text"), *block.get("elements", ()), *block.get("fields", ())]
    return sum(_length(t) for t in texts if isinstance(t, dict))


def _length(part: dict[str, Any]) -> int:
    text = part.get("text", "")
    return _length(text) if isinstance(text, dict) else limits.measure(text)


def mrkdwn(text: str, limit: int = limits.SECTION) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": limits.cut(text, limit) or " ", "verbatim": True}


def plain_text(text: str, limit: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": limits.plain(text, limit) or " ", "emoji": False}


def section(lines: Iterable[str], accessory: dict[str, Any] | None = None) -> Block:
    block: Block = {"type": "section", "text": mrkdwn("\n".join(limits.lines_within(lines, limits.SECTION)))}
    return block | ({"accessory": accessory} if accessory else {})


def sections(lines: Sequence[str]) -> list[Block]:
    """As many sections as the lines need, broken between lines."""
    blocks: list[Block] = []
    page: list[str] = []
    size = 0
    for line in (limits.cut(line, limits.SECTION) for line in lines):
        if page and size + limits.measure(line) + 1 > limits.SECTION:
            blocks.append(section(page))
            page, size = [], 0
        page.append(line)
        size += limits.measure(line) + 1
    return [*blocks, section(page)] if page else blocks


def context(texts: Sequence[str]) -> Block:
    return {"type": "context", "elements": [mrkdwn(t) for t in texts[: limits.CONTEXT_ELEMENTS]]}


def header(text: str) -> Block:
    return {"type": "header", "text": plain_text(text, limits.HEADER)}


def divider() -> Block:
    return {"type": "divider"}


def actions(block_id: str, elements: Sequence[dict[str, Any]]) -> Block:
    """`block_id` must be new at each update of a message, or Slack keeps the state of the old elements."""
    return {"type": "actions", "block_id": block_id[:255], "elements": list(elements[: limits.ACTION_ELEMENTS])}


def button(
    label: str, action_id: str, value: str = "", *, url: str | None = None, style: str = "", confirm: str = ""
) -> dict[str, Any]:
    element: dict[str, Any] = {
        "type": "button",
        "action_id": action_id,
        "text": plain_text(label, limits.BUTTON),
    }
    if value:
        element["value"] = value[: limits.BUTTON_VALUE]
    if url and len(url) <= limits.BUTTON_URL:
        element["url"] = url
    if style:
        element["style"] = style
    if confirm:
        element["confirm"] = {
            "title": plain_text("Are you sure?", 100),
            "text": plain_text(confirm, 300),
            "confirm": plain_text("Yes", 30),
            "deny": plain_text("No", 30),
        }
    return element


def modal(callback_id: str, title: str, blocks: Sequence[Block], *, submit: str = "", metadata: str = "") -> Block:
    view: Block = {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain_text(title, limits.TITLE),
        "close": plain_text("Cancel" if submit else "Close", limits.TITLE),
        "blocks": list(blocks[: limits.MODAL_BLOCKS]),
    }
    if submit:
        view["submit"] = plain_text(submit, limits.TITLE)
    if metadata:
        if len(metadata) > limits.METADATA:
            raise ValueError(f"private_metadata of {len(metadata)} characters; keep records in the store, ids here")
        view["private_metadata"] = metadata
    return view


def field(block_id: str, label: str, element: dict[str, Any], *, optional: bool = False, hint: str = "") -> Block:
    """An input block; its value arrives at view.state.values[block_id]["value"]."""
    block: Block = {
        "type": "input",
        "block_id": block_id,
        "label": plain_text(label, limits.LABEL),
        "element": element | {"action_id": "value"},
        "optional": optional,
    }
    return block | ({"hint": plain_text(hint, limits.LABEL)} if hint else {})


def text_input(
    initial: str = "", *, multiline: bool = False, longest: int = 0, placeholder: str = ""
) -> dict[str, Any]:
    element: dict[str, Any] = {"type": "plain_text_input", "multiline": multiline}
    if initial:
        element["initial_value"] = initial[:3000]
    if longest:
        element["max_length"] = longest
    if placeholder:
        element["placeholder"] = plain_text(placeholder, 150)
    return element


def option(value: str, text: str) -> dict[str, Any]:
    return {"text": plain_text(text, limits.OPTION_TEXT), "value": value[:150]}


def select(options: Sequence[dict[str, Any]], placeholder: str) -> dict[str, Any]:
    """One of them, or none."""
    return {
        "type": "static_select",
        "options": list(options[: limits.OPTIONS]),
        "placeholder": plain_text(placeholder, 150),
    }


def grouped_select(groups: Mapping[str, Sequence[dict[str, Any]]], placeholder: str) -> dict[str, Any]:
    """One of them, or none; the groups have a line of their own."""
    shown = [
        {"label": plain_text(label, limits.OPTION_TEXT), "options": list(options[: limits.OPTIONS])}
        for label, options in groups.items()
    ]
    return {
        "type": "static_select",
        "option_groups": shown[: limits.OPTIONS],
        "placeholder": plain_text(placeholder, 150),
    }


def checkboxes(options: Sequence[dict[str, Any]], chosen: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    element: dict[str, Any] = {"type": "checkboxes", "options": list(options[:10])}
    return element | ({"initial_options": list(chosen)} if chosen else {})
