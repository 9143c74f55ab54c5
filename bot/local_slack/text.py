"""Slack's text rules: what is escaped, what stays markup, and the rich text that a person's client sends.

The only place that knows how angle brackets are read. Stored text is what every Slack client receives: `&`, `<` and `>`
of the writer are entities, and what is left in angle brackets is a link, a mention or a date.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from bot.local_slack.records import Json

_CONTROL = re.compile(r"<(?:[@#!][^<>\s|]+(?:\|[^<>]*)?|![^<>]+|(?:https?://|mailto:|tel:)[^<>|]+(?:\|[^<>]*)?)>")
_ENTITY = re.compile(r"&(?:amp|lt|gt);")
_URL = re.compile(r"https?://[^\s<>|`\"\\]*[^\s<>|`\"\\.,;:!?)\]'*_~]")


def as_stored(text: str, *, link: bool = True) -> str:
    """The text of an app as Slack stores it: stray control characters escaped, bare addresses made links."""
    return "".join(piece if is_markup else _outside(piece, link) for piece, is_markup in _split(text))


def escaped(text: str) -> str:
    """Text without any markup of its own (plain_text, what a person typed): entities are kept, the rest is escaped."""
    return "".join(
        piece if is_entity else piece.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        for piece, is_entity in _cut(_ENTITY, text)
    )


def unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def from_person(text: str, mentions: Mapping[str, str], channels: Mapping[str, str]) -> str:
    """What a client sends for what a person typed: @name and #channel become ids, the rest is escaped.

    `mentions` and `channels` map lower-case names to ids. `<@U…>` and the like are taken as they are, so that tests
    can say exactly whom they mean.
    """

    def named(match: re.Match[str]) -> str:
        sign, name = match[1], match[2]
        found = (mentions if sign == "@" else channels).get(name.lower())
        if found:
            return f"<@{found}>" if sign == "@" else f"<#{found}|{name}>"
        return f"<!{name}>" if sign == "@" and name in {"here", "channel", "everyone"} else match[0]

    pieces = []
    for piece, is_markup in _split(text):
        if is_markup:
            pieces.append(piece)
        else:
            linked = _outside(piece, link=True)
            pieces.append(re.sub(r"(?<![\w<|@#/&])([@#])([\w][\w.-]*\w|\w)", named, linked))
    return "".join(pieces)


def _split(text: str) -> Iterator[tuple[str, bool]]:
    return _cut(_CONTROL, text)


def _cut(pattern: re.Pattern[str], text: str) -> Iterator[tuple[str, bool]]:
    end = 0
    for match in pattern.finditer(text):
        if match.start() > end:
            yield text[end : match.start()], False
        yield match[0], True
        end = match.end()
    if end < len(text):
        yield text[end:], False


def _outside(piece: str, link: bool) -> str:
    if not link:
        return escaped(piece)
    return "".join(f"<{escaped(part)}>" if is_url else escaped(part) for part, is_url in _cut(_URL, piece))


# -- rich text -------------------------------------------------------------------------------------------------------

_INLINE = re.compile(
    r"`(?P<code>[^`\n]+)`"
    r"|(?<![\w*])\*(?P<bold>[^*\n]+)\*(?![\w*])"
    r"|(?<![\w_])_(?P<italic>[^_\n]+)_(?![\w_])"
    r"|(?<![\w~])~(?P<strike>[^~\n]+)~(?![\w~])"
    r"|(?<!\w):(?P<emoji>(?:[+-]1|100|(?=[^:]*[a-z])[a-z0-9_+'-]+)(?:::skin-tone-[2-6])?):"
    r"|<(?P<markup>[^<>]+)>"
)


def rich_text(stored: str, block_id: str) -> Json:
    """The `rich_text` block that a person's client sends along with the text."""
    elements: list[Json] = []
    for piece, is_code in _cut(re.compile(r"```.*?```", re.DOTALL), stored):
        if is_code:
            code = unescaped(piece[3:-3].strip("\n"))
            elements.append(
                {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": code}], "border": 0}
            )
        else:
            elements.extend(_paragraphs(piece))
    return {"type": "rich_text", "block_id": block_id, "elements": elements}


def _paragraphs(piece: str) -> list[Json]:
    found: list[Json] = []
    for line in piece.strip("\n").split("\n"):
        kind, body = _line(line)
        inline = list(_elements(body, {}))
        if kind == "rich_text_list":
            item = {"type": "rich_text_section", "elements": inline}
            if found and found[-1]["type"] == kind:
                found[-1]["elements"].append(item)
            else:
                found.append({"type": kind, "style": "bullet", "indent": 0, "border": 0, "elements": [item]})
        elif found and found[-1]["type"] == kind:
            found[-1]["elements"].extend([{"type": "text", "text": "\n"}, *inline])
        elif body:
            found.append({"type": kind, "elements": inline})
    return found


def _line(line: str) -> tuple[str, str]:
    if line.startswith("&gt; "):
        return "rich_text_quote", line[5:]
    if line.startswith(("• ", "- ")):
        return "rich_text_list", line[2:]
    return "rich_text_section", line


def _elements(text: str, style: Json) -> Iterator[Json]:
    end = 0
    for match in _INLINE.finditer(text):
        if match.start() > end:
            yield _styled({"type": "text", "text": unescaped(text[end : match.start()])}, style)
        kind = str(match.lastgroup)
        if kind == "markup":
            yield _styled(_markup(match[kind]), style)
        elif kind == "emoji":
            yield _styled({"type": "emoji", "name": match[kind]}, style)
        elif kind == "code":
            yield _styled({"type": "text", "text": unescaped(match[kind])}, {**style, "code": True})
        else:
            yield from _elements(match[kind], {**style, kind: True})
        end = match.end()
    if end < len(text):
        yield _styled({"type": "text", "text": unescaped(text[end:])}, style)


def _styled(element: Json, style: Json) -> Json:
    return {**element, "style": style} if style else element


def _markup(inside: str) -> Json:
    target, _, label = inside.partition("|")
    if target.startswith("@"):
        return {"type": "user", "user_id": target[1:]}
    if target.startswith("#"):
        return {"type": "channel", "channel_id": target[1:]}
    if target in {"!here", "!channel", "!everyone"}:
        return {"type": "broadcast", "range": target[1:]}
    if target.startswith("!"):
        return {"type": "text", "text": unescaped(label or target)}
    link: Json = {"type": "link", "url": unescaped(target)}
    return {**link, "text": unescaped(label)} if label else link
