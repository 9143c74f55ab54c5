"""Slack's limits and text rules. The only place that knows 3,000, and that `<` must never come from outside.

Sources: docs.slack.dev (Block Kit reference, chat.postMessage, formatting message text).
Lengths are measured in UTF-16 units, the strictest reading of Slack's "characters".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

SECTION = 3000
BLOCKS = 50
MODAL_BLOCKS = 100
CONTEXT_ELEMENTS = 10
ACTION_ELEMENTS = 25
HEADER = 150
BUTTON = 75
BUTTON_VALUE = 2000
BUTTON_URL = 3000
OPTION_TEXT = 75
OPTIONS = 100
"""Of a list, and of each of its groups; and so many groups."""
TITLE = 24
LABEL = 2000
METADATA = 3000
MESSAGE_TEXT = 3900
"""chat.update refuses a `text` above 4,000."""
MESSAGE_SUM = 10_000
"""All text of a message; one project measured msg_too_long from 13,202 on."""
LINK = 1500

_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_TOKEN = re.compile(r"<[^<>\n]*>|&(?:amp|lt|gt);|.", re.DOTALL)
_SPACE = re.compile(r"\s+")


def measure(text: str) -> int:
    return len(text) + sum(1 for c in text if c > "\uffff")


def clean(text: str) -> str:
    """Without control characters and the marks that reverse the direction of what follows."""
    return _INVISIBLE.sub("", text.replace("\r\n", "\n").encode("utf-8", "replace").decode())


def escape(text: str) -> str:
    """Text from outside, safe in mrkdwn: it can form no mention, no channel-wide call and no link."""
    return clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def one_line(text: str) -> str:
    return _SPACE.sub(" ", clean(text)).strip()


def cut(text: str, limit: int) -> str:
    """At most `limit` long, cut visibly and never inside a link or an escape."""
    if measure(text) <= limit:
        return text
    tokens = _TOKEN.findall(text)
    room = limit - measure(f"… ({len(text):,} more)")
    kept, used = 0, 0
    for token in tokens:
        used += measure(token)
        if used > room:
            break
        kept += 1
    head = "".join(tokens[:kept]).rstrip()
    if head.count("`") % 2:
        head += "`"
    return f"{head}… ({len(tokens) - kept:,} more)"


def quoted(text: str, limit: int) -> str:
    """One line of text from outside, escaped and short."""
    return cut(escape(one_line(text)), limit)


def brief(text: str, limit: int) -> str:
    """As `quoted`, cut at a word and without a count: for what can be read whole one click away."""
    line = escape(one_line(text))
    if measure(line) <= limit:
        return line
    kept = cut(line, limit).rpartition("… (")[0]
    words = kept.rpartition(" ")[0] if " " in kept[len(kept) * 2 // 3 :] else kept
    return words.rstrip(" ,:") + ("`" if words.count("`") % 2 else "") + "…"


def code(text: str, limit: int = 300) -> str:
    """One line of text from outside as inline code; a back-tick in it cannot end the code early."""
    return f"`{cut(escape(one_line(text)).replace('`', 'ʹ'), limit - 2)}`"


def unlinked(text: str) -> str:
    """mrkdwn in which only our own links are links: where Slack offers no `verbatim`, it would make more of them."""
    parts = re.split(r"(<[^<>\n]*>)", text)
    return "".join(part if part.startswith("<") else part.replace("://", ":\u2060//") for part in parts)


def plain(text: str, limit: int) -> str:
    """For plain_text objects, where Slack interprets nothing."""
    text = clean(text)
    if measure(text) <= limit:
        return text
    return text[: max(0, limit - 1 - (measure(text) - len(text)))].rstrip() + "…"


def link(url: str | None, label: str) -> str:
    """A link to http(s); anything else is its label alone."""
    safe = escape(one_line(label)).replace("|", "¦")
    if not url or not re.match(r"https?://[^\s<>|]", url) or len(url) > LINK:
        return safe
    address = clean(url).replace("<", "%3C").replace(">", "%3E").replace("|", "%7C").replace(" ", "%20")
    return f"<{address.replace('&', '&amp;').replace(chr(10), '')}|{safe}>"


def some(items: Sequence[str], limit: int, separator: str = ", ") -> str:
    """The first items, and how many more there are."""
    shown = separator.join(items[:limit])
    return shown + (f" … ({len(items) - limit} more)" if len(items) > limit else "")


def lines_within(lines: Iterable[str], limit: int, where: str = "") -> list[str]:
    """As many whole lines as fit into `limit`; the last one says how many were left out, and where they are."""
    given = list(lines)
    if sum(measure(line) + 1 for line in given) <= limit:
        return given
    tail = f"… ({{}} more{where})"
    room = limit - measure(tail) - 10
    kept: list[str] = []
    for line in given:
        room -= measure(line) + 1
        if room < 0:
            break
        kept.append(line)
    if not kept:
        return [cut(given[0], limit)]
    return [*kept, tail.format(len(given) - len(kept))]
