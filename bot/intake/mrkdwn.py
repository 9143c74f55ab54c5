"""Slack's text markup, taken off. The only place of intake that knows `<url|label>`, `&lt;` and `:emoji:`."""

from __future__ import annotations

import re

_TOKEN = re.compile(r"<((?:https?://|mailto:|tel:|ftp://)[^<>|]*|[@#!][^<>|]*)(?:\|([^<>]*))?>")
_EMOJI_CODE = re.compile(r"(?<![\w:]):(?=[\w+'-]*[a-z])[a-z0-9_+'-]{2,}:(?::skin-tone-\d:)?(?!\w)")
_EMOJI_SIGN = re.compile(
    "[\U0001f000-\U0001faff\u2190-\u21ff\u2300-\u23ff\u2460-\u24ff\u25a0-\u27bf\u2b00-\u2bff\ufe0f\u200d]"
)
_EMPHASIS = re.compile(r"(?<![\w*_~])([*_~]{1,2})(?=\S)(.+?)(?<=\S)\1(?![\w*_~])")
_CODE = re.compile(r"`+([^`]*)`+")


def links(raw: str) -> tuple[tuple[str, str], ...]:
    """(url, label) of every link in Slack text, in order; the label is empty where there is none."""
    return tuple(
        (unescape(target), plain(label or "")) for target, label in _TOKEN.findall(raw) if target[:1] not in "@#!"
    )


def plain(raw: str) -> str:
    """Slack text as a person reads it: labels for links, names for mentions, entities resolved, emphasis gone."""
    return _without_emphasis(unescape(_TOKEN.sub(_spoken, raw)))


def unescape(raw: str) -> str:
    # Slack escapes these three and no others; &amp; last, so that "&amp;lt;" stays the text "&lt;".
    return raw.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def without_emoji(words: str) -> str:
    """Text without emoji codes and signs, blanks closed up."""
    return re.sub(r"[ \t]{2,}", " ", _EMOJI_SIGN.sub("", _EMOJI_CODE.sub("", words))).strip()


def emoji(words: str) -> frozenset[str]:
    """The emoji codes (without colons) and signs in a text."""
    return frozenset(code.strip(":") for code in _EMOJI_CODE.findall(words)) | frozenset(_EMOJI_SIGN.findall(words))


def _spoken(token: re.Match[str]) -> str:
    target, label = token[1], token[2]
    if target.startswith("@"):
        return "@" + (label or target[1:]).removeprefix("@")
    if target.startswith("#"):
        return "#" + (label or target[1:]).removeprefix("#")
    if target.startswith("!"):
        # <!date^1700000000^{date}|fallback>, <!subteam^S1|@team>, <!channel>
        return label or "@" + target[1:].split("^")[0]
    return label or target


def _without_emphasis(words: str) -> str:
    return _EMPHASIS.sub(r"\2", _CODE.sub(r"\1", words))
