"""What people put into elements: Slack's value object for each kind, and the `state.values` of a view or message."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.local_slack.records import Json, Message, View
from bot.local_slack.workspace import Workspace

_FIELD = {
    "plain_text_input": "value",
    "email_text_input": "value",
    "url_text_input": "value",
    "number_input": "value",
    "rich_text_input": "rich_text_value",
    "static_select": "selected_option",
    "external_select": "selected_option",
    "radio_buttons": "selected_option",
    "multi_static_select": "selected_options",
    "multi_external_select": "selected_options",
    "checkboxes": "selected_options",
    "users_select": "selected_user",
    "multi_users_select": "selected_users",
    "channels_select": "selected_channel",
    "multi_channels_select": "selected_channels",
    "conversations_select": "selected_conversation",
    "multi_conversations_select": "selected_conversations",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
    "file_input": "files",
}
"""Element type -> where its value object keeps the value. These have a state; buttons and menus have none."""

_INITIAL = {"value": "initial_value", "rich_text_value": "initial_value", "selected_date_time": "initial_date_time"}


class UnknownChoice(Exception):
    """There is no such option."""


def elements_in(blocks: Sequence[Json]) -> Iterator[tuple[Json, Json]]:
    """(block, element) for everything in the blocks that can be acted on."""
    for block in blocks:
        inside = [*(block.get("elements") or ()), block.get("accessory"), block.get("element")]
        for element in inside:
            if isinstance(element, dict) and "action_id" in element:
                yield block, element
        yield from elements_in(block.get("child_blocks") or ())
        yield from elements_in(block.get("elements") if block.get("type") == "carousel" else ())  # type: ignore[arg-type]  # a list of cards
        if block.get("type") == "card":
            yield from ((block, element) for element in block.get("actions") or () if "action_id" in element)


def find(blocks: Sequence[Json], action_id: str, block_id: str = "") -> tuple[Json, Json] | None:
    for block, element in elements_in(blocks):
        if element["action_id"] == action_id and block_id in {"", block["block_id"]}:
            return block, element
    return None


def options_of(element: Json) -> list[Json]:
    groups: list[Json] = element.get("option_groups") or []
    return [*(element.get("options") or ()), *(option for group in groups for option in group["options"])]


def value_object(element: Json, given: Any) -> Json:
    """Slack's value object for what was given: text, the `value` of an option, ids, or a list of them."""
    kind = element["type"]
    field = _FIELD[kind]
    if field == "selected_option":
        chosen: Any = None if given in (None, "") else _option(element, given)
    elif field == "selected_options":
        chosen = [_option(element, value) for value in given or ()]
    elif field == "rich_text_value" and isinstance(given, str):
        section = {"type": "rich_text_section", "elements": [{"type": "text", "text": given}]}
        chosen = {"type": "rich_text", "elements": [section]}
    elif field in {"value", "selected_date", "selected_time"} and given is not None:
        chosen = str(given) or None
    else:
        chosen = given
    return {"type": kind, field: chosen}


def _option(element: Json, given: Any) -> Json:
    wanted = given.get("value") if isinstance(given, dict) else given
    for option in options_of(element):
        if option["value"] == wanted:
            return dict(option)
    if isinstance(given, dict) and "external" in element["type"]:
        return given
    raise UnknownChoice(f"{element['action_id']} has no option {wanted!r}")


def _initially(element: Json) -> Json:
    field = _FIELD[element["type"]]
    initial = element.get(_INITIAL.get(field, field.replace("selected", "initial")))
    many = field.endswith("s") and field != "files"
    return {"type": element["type"], field: initial if initial is not None else ([] if many else None)}


def is_empty(value: Json) -> bool:
    field = _FIELD[value["type"]]
    return value.get(field) in (None, "", [])


def values_of(workspace: Workspace, user: str, shown: View | Message) -> Json:
    """`state.values`: what stands in every element that has a state, as this person sees it."""
    given: Mapping[str, Any] = workspace.inputs.get((user, _container(shown)), {})
    blocks = shown.definition["blocks"] if isinstance(shown, View) else shown.blocks
    values: Json = {}
    for block, element in elements_in(blocks):
        if element["type"] in _FIELD:
            block_id, action_id = block["block_id"], element["action_id"]
            value = given.get(block_id, {}).get(action_id) or _initially(element)
            values.setdefault(block_id, {})[action_id] = value
    return values


def put_in(workspace: Workspace, user: str, shown: View | Message, block: Json, element: Json, given: Any) -> Json:
    """Remembers what a person put into an element."""
    value = value_object(element, given)
    with workspace.lock:
        held = workspace.inputs.setdefault((user, _container(shown)), {})
        held.setdefault(block["block_id"], {})[element["action_id"]] = value
    return value


def has_state(element: Json) -> bool:
    return element["type"] in _FIELD


def _container(shown: View | Message) -> str:
    return shown.id if isinstance(shown, View) else f"{shown.channel}/{shown.ts}"
