"""A Slack message laid flat: titles, lines, named fields, links, colours. Knows Slack's shapes, no alert source.

Content may stand in `text`, `blocks`, `attachments[]` and `attachments[].blocks`, all at once; `fallback` is read
only where an attachment has nothing else. Link previews that Slack adds (unfurls) are not the message and are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.intake import mrkdwn
from bot.intake.shapes import Origin, first_text, table, tables, text

_MOST_LINES = 1500
_MOST_PARTS = 100
_DEEPEST = 8
_LONGEST_LINE = 4000
_NAMED = re.compile(r"^[\s•▪‣*>-]*([^\W\d_][\w .()/&-]{0,40}?)\s*[:=]\s+(\S.*)$")
_NAME_ALONE = re.compile(r"^[\s•*>-]*([^\W\d_][\w .()/&-]{0,40}?)\s*:\s*$")


@dataclass(frozen=True)
class Message:
    origin: Origin
    sender: str
    """Name of the app or user name that the post was made under."""
    titles: tuple[tuple[str, str], ...]
    """(title, url) of attachments, headers and the first line, in this order; never empty."""
    lines: tuple[str, ...]
    """Everything that a reader sees, top-down, without markup; emoji codes stay."""
    fields: Mapping[str, str]
    """Lower-case name -> value, of fields and of lines like `Name: value`; the first of a name counts."""
    links: tuple[tuple[str, str], ...]
    """(url, label)"""
    colours: tuple[str, ...] = ()
    footers: tuple[str, ...] = ()
    fallbacks: tuple[str, ...] = ()
    block_ids: tuple[str, ...] = field(default=())

    @property
    def title(self) -> str:
        return self.titles[0][0]

    @property
    def title_url(self) -> str:
        return self.titles[0][1]

    @property
    def body(self) -> str:
        return "\n".join(line for line in self.lines if line != self.title)

    def told(self, *besides: str) -> str:
        """The body without the lines of these fields, which are kept elsewhere (`Status: Firing`)."""
        names = {f"{name}:" for name in besides}
        values = {self.fields[name] for name in besides if name in self.fields}
        kept = []
        for line in self.lines:
            name = mrkdwn.without_emoji(line).lower()
            if line == self.title or name in names or line in values or name.startswith(tuple(f"{n} " for n in names)):
                continue
            kept.append(mrkdwn.without_emoji(line))
        return "\n".join(kept)

    @property
    def typed_links(self) -> list[tuple[str, str]]:
        """(kind, url) of the links."""
        return [(_link_kind(url.lower(), label.lower()), url) for url, label in self.links]

    def says(self, pattern: str) -> re.Match[str] | None:
        """The first match in the lines, case ignored."""
        return re.search(pattern, "\n".join(self.lines), re.I | re.M)


def flatten(post: Mapping[str, Any], origin: Origin) -> Message | None:
    """The message laid flat; None when there is nothing to read in it."""
    parts = [p for p in tables(post.get("attachments")) if not is_unfurl(p)][:_MOST_PARTS]
    top = [*_raw_lines(text(post.get("text")))] if not post.get("blocks") else []
    top += _block_lines(post.get("blocks"))
    if not top and not parts:
        top = _raw_lines(text(post.get("text")))
    attached = [_attachment_lines(part) for part in parts]
    raw = (top + [line for lines in attached for line in lines])[:_MOST_LINES]
    lines = tuple(line for line in (mrkdwn.plain(r).strip() for r in raw) if line)
    titles = tuple(_titles(post, parts, raw))
    if not titles:
        return None
    fields: dict[str, str] = {}
    for part in (post, *parts):
        for name, value in _fields(part):
            fields.setdefault(_folded(name), mrkdwn.plain(value).strip())
    for name, value in _named_lines(lines):
        fields.setdefault(_folded(name), value)
    return Message(
        origin=origin,
        sender=_sender(post),
        titles=titles,
        lines=lines,
        fields={name: value for name, value in fields.items() if name},
        links=tuple(_links(parts, raw)),
        colours=tuple(c for p in parts if (c := text(p.get("color")).strip())),
        footers=tuple(f for p in parts if (f := mrkdwn.plain(text(p.get("footer"))).strip())),
        fallbacks=tuple(f for p in parts if (f := mrkdwn.plain(text(p.get("fallback"))).strip())),
        block_ids=tuple(text(b.get("block_id")) for p in (post, *parts) for b in tables(p.get("blocks"))),
    )


def is_unfurl(attachment: Mapping[str, Any]) -> bool:
    return any(
        attachment.get(k) for k in ("from_url", "original_url", "is_app_unfurl", "is_msg_unfurl", "app_unfurl_url")
    )


def _sender(post: Mapping[str, Any]) -> str:
    return first_text(table(post.get("bot_profile")), "name") or first_text(post, "username")


def _titles(post: Mapping[str, Any], parts: list[Mapping[str, Any]], raw: list[str]) -> Iterator[tuple[str, str]]:
    for part in parts:
        if title := mrkdwn.plain(text(part.get("title"))).strip():
            yield title, mrkdwn.unescape(text(part.get("title_link")))
    for part in (post, *parts):
        for block in tables(part.get("blocks")):
            if block.get("type") == "header" and (title := mrkdwn.plain(_block_text(block.get("text"))).strip()):
                yield title, ""
    for line in raw:
        if title := mrkdwn.plain(line).strip():
            found = mrkdwn.links(line)
            yield title, found[0][0] if found else ""
            return


def _attachment_lines(part: Mapping[str, Any]) -> list[str]:
    lines = _raw_lines(text(part.get("pretext"))) + _raw_lines(text(part.get("title")))
    lines += _raw_lines(text(part.get("text"))) + _block_lines(part.get("blocks"))
    for item in tables(part.get("fields")):
        name, value = text(item.get("title")), text(item.get("value"))
        # A template that found no value leaves the name alone; a name that is a sentence is the message itself.
        if value or len(name.split()) > 3:
            lines += _raw_lines(": ".join(filter(None, (name, value))))
    lines += _raw_lines(text(part.get("footer"))) if lines else _raw_lines(text(part.get("fallback")))
    return lines


def _block_lines(blocks: object, depth: int = 0) -> list[str]:
    lines: list[str] = []
    for block in tables(blocks):
        if depth > _DEEPEST or len(lines) > _MOST_LINES:
            break
        kind = block.get("type")
        if kind in ("actions", "image", "divider", "input", "context_actions"):
            continue
        lines += _raw_lines(_block_text(block.get("text")))
        for item in tables(block.get("fields")):
            lines += _raw_lines(_block_text(item))
        if kind in ("rich_text", "rich_text_list"):
            lines += _block_lines(block.get("elements"), depth + 1)
        elif str(kind).startswith("rich_text_"):
            lines += _raw_lines("".join(_inline(element) for element in tables(block.get("elements"))))
        elif kind == "context":
            for item in tables(block.get("elements")):
                lines += _raw_lines(_block_text(item))
        elif kind in ("card", "container", "alert"):
            lines += _raw_lines(_block_text(block.get("title"))) + _block_lines(block.get("blocks"), depth + 1)
    return lines


def _block_text(value: object) -> str:
    """A text object, or a plain string where an app took a short cut."""
    return text(table(value).get("text")) if isinstance(value, Mapping) else text(value)


def _inline(element: Mapping[str, Any]) -> str:
    kind = element.get("type")
    if kind == "link":
        return f"<{text(element.get('url'))}|{text(element.get('text')) or text(element.get('url'))}>"
    if kind == "emoji":
        return f":{text(element.get('name'))}:"
    if kind == "user":
        return f"<@{text(element.get('user_id'))}>"
    return text(element.get("text"))


def _raw_lines(block: str) -> list[str]:
    return [line[:_LONGEST_LINE] for line in block[:100_000].splitlines() if line.strip()]


def _fields(part: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for item in tables(part.get("fields")):
        if text(item.get("title")) and text(item.get("value")):
            yield mrkdwn.plain(text(item["title"])), text(item["value"])
    for block in tables(part.get("blocks")):
        for item in tables(block.get("fields")):
            name, _, value = _block_text(item).partition("\n")
            if value.strip():
                yield mrkdwn.plain(name), value


def _named_lines(lines: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """`Name: value`, `Name:` with the value on the next line, and several of them in one line, two blanks between."""
    waiting = ""
    for line in lines:
        if waiting:
            yield waiting, line
        waiting = ""
        if alone := _NAME_ALONE.match(line):
            waiting = alone[1]
            continue
        parts = re.split(r"\s{2,}", line)
        for part in parts if len(parts) > 1 and all(_NAMED.match(p) for p in parts) else [line]:
            if named := _NAMED.match(part):
                yield named[1], named[2].strip()


def _links(parts: list[Mapping[str, Any]], raw: list[str]) -> Iterator[tuple[str, str]]:
    for part in parts:
        if url := text(part.get("title_link")):
            yield mrkdwn.unescape(url), mrkdwn.plain(text(part.get("title")))
        for action in tables(part.get("actions")):
            if url := text(action.get("url")):
                yield mrkdwn.unescape(url), mrkdwn.without_emoji(mrkdwn.plain(text(action.get("text"))))
    for line in raw:
        yield from mrkdwn.links(line)
        for bare in re.findall(r"(?<![<|\w])https?://[^\s<>|`]+", line):
            yield mrkdwn.unescape(bare).rstrip(").,"), ""


def _link_kind(url: str, label: str) -> str:
    known = (
        ("runbook", ("runbook", "playbook", "spiral_note_pad")),
        ("silence", ("silence",)),
        ("dashboard", ("dashboard", "/d/")),
        ("source", ("/graph?",)),
    )
    for kind, words in known:
        if any(word in url or word in label for word in words):
            return kind
    return "alert"


def _folded(name: str) -> str:
    return re.sub(r"\s+", " ", mrkdwn.without_emoji(name)).strip(" :*_`").lower()
