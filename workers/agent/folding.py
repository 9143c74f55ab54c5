"""Keeps a long conversation within bounds: old results fold into their evidence lines; the full text is in the record.

What was cited stays readable under its number, what analyzers recognised stays, and the last results stay whole. Below
`FOLD_AT` nothing folds, so that a short conversation only grows at its end and its prefix is reused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from workers.llm.base import Block, Message, canonical, estimate_tokens

FOLD_AT = 24_000
"""Estimated tokens of a conversation from which old results are folded."""
WHOLE = 2
"""The last turns of results that stay as they were."""
WORTH_FOLDING = 1000
LINE_CHARACTERS = 200
UNCITED = 5
"""Lines of a result that stay although nobody has cited them."""
ROWS = 10
MARK = "(folded)"

_LINE = re.compile(r"\[(E\d+)\] ")
_NUMBER = re.compile(r"\bE\d+\b")
_KEPT_BLOCK = re.compile(r"^<symptoms>\n(?P<rows>.*?)\n</symptoms>$", re.MULTILINE | re.DOTALL)


def folded(messages: Sequence[Message]) -> list[Message]:
    """The same conversation, shorter if it is long. Equal input gives equal output, so a resumed run folds alike."""
    if estimate_tokens(messages) < FOLD_AT:
        return list(messages)
    turns = [i for i, m in enumerate(messages) if _has_results(m)]
    old = set(turns[:-WHOLE])
    cited = {n for m in messages if m["role"] == "assistant" for n in _NUMBER.findall(canonical(m["content"]).decode())}
    return [
        {**m, "content": [_fold(b, cited) for b in m["content"]]} if i in old else m for i, m in enumerate(messages)
    ]


def folded_calls(messages: Sequence[Message]) -> frozenset[str]:
    """Ids of the calls whose results are no longer whole."""
    return frozenset(
        str(block["tool_use_id"])
        for message in messages
        if message["role"] == "user"
        for block in message["content"]
        if block["type"] == "tool_result" and _is_folded(_text(block))
    )


def _has_results(message: Message) -> bool:
    return message["role"] == "user" and any(b["type"] == "tool_result" for b in message["content"])


def _fold(block: Block, cited: set[str]) -> Block:
    if block["type"] != "tool_result":
        return block
    text = _text(block)
    if _is_folded(text) or len(text) < WORTH_FOLDING:
        return block
    first, *lines = text.splitlines()
    kept = list(_kept(lines, cited))
    gone = sum(bool(_LINE.match(line)) for line in lines) - len(kept)
    more = [f"… {gone} lines folded away; the same call shows them again"] if gone else []
    short = "\n".join([f"{first[:LINE_CHARACTERS]} {MARK}", *kept, *more, *_symptoms(text)])
    return {**block, "content": [{"type": "text", "text": short}]} if len(short) < len(text) else block


def _kept(lines: Sequence[str], cited: set[str]) -> Iterator[str]:
    left = UNCITED
    for line in lines:
        if match := _LINE.match(line):
            if match[1] in cited:
                yield line[:LINE_CHARACTERS]
            elif left:
                left -= 1
                yield line[:LINE_CHARACTERS]


def _symptoms(text: str) -> Iterator[str]:
    """The strongest, which stand first."""
    for match in _KEPT_BLOCK.finditer(text):
        yield "\n".join(("<symptoms>", *match["rows"].splitlines()[:ROWS], "</symptoms>"))


def _text(block: Block) -> str:
    content: Any = block["content"]
    return content if isinstance(content, str) else "\n".join(part["text"] for part in content)


def _is_folded(text: str) -> bool:
    return MARK in text[: LINE_CHARACTERS + len(MARK) + 2].split("\n", 1)[0]
