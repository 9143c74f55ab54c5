"""Keeps a long conversation within bounds: old results fold into their evidence lines; the full text is in the record.

What was numbered stays citable, what analyzers recognised stays readable, and the last results stay whole.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from workers.llm.base import Block, Message, estimate_tokens

FOLD_AT = 40_000
"""Estimated tokens of a conversation from which old results are folded."""
WHOLE = 2
"""The last turns of results that stay as they were."""
LINE_CHARACTERS = 200
MARK = "(folded)"

_KEPT_BLOCK = re.compile(r"^<symptoms>\n.*?\n</symptoms>$", re.MULTILINE | re.DOTALL)


def folded(messages: Sequence[Message]) -> list[Message]:
    """The same conversation, shorter if it is long. Equal input gives equal output, so a resumed run folds alike."""
    if estimate_tokens(messages) < FOLD_AT:
        return list(messages)
    turns = [i for i, m in enumerate(messages) if _has_results(m)]
    old = set(turns[:-WHOLE])
    return [{**m, "content": [_fold(b) for b in m["content"]]} if i in old else m for i, m in enumerate(messages)]


def _has_results(message: Message) -> bool:
    return message["role"] == "user" and any(b["type"] == "tool_result" for b in message["content"])


def _fold(block: Block) -> Block:
    if block["type"] != "tool_result":
        return block
    text = "\n".join(part["text"] for part in block["content"])
    if MARK in text[:200] or len(text) < 1000:
        return block
    first, *lines = text.splitlines()
    cited = [line[:LINE_CHARACTERS] for line in lines if re.match(r"\[E\d+\] ", line)]
    kept = [match.group() for match in _KEPT_BLOCK.finditer(text)]
    short = "\n".join([f"{first[:LINE_CHARACTERS]} {MARK}", *cited, *kept])
    return {**block, "content": [{"type": "text", "text": short}]} if len(short) < len(text) else block
