"""The answer to a person's question in the thread: the question, then the answer in the manner of a finding."""

from __future__ import annotations

from bot.blocks import limits
from bot.blocks.case import Case
from bot.blocks.finding import answer_lines, footer, vote_buttons
from bot.blocks.message import Message, context, message, section
from bot.blocks.progress import render as in_progress


def render(case: Case) -> Message:
    if not case.finding:
        return in_progress(case)
    question = case.investigation.question if case.investigation else ""
    asked = [f"&gt; {limits.quoted(question, 300)}"] if question else []
    lines, foot = answer_lines(case), footer(case)
    quote = [section(asked)] if asked else []
    return message([*asked, *lines, foot], [*quote, section(lines), context([foot]), vote_buttons(case)])
