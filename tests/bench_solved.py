"""What a solved incident costs: requests to the systems, bytes of their answers, turns and tokens of the model, by the
offline investigator and by the transcripts that were played by hand."""

from __future__ import annotations

import logging
from collections.abc import Callable
from statistics import median

from skills import registry
from tests.agent.test_prefix import DEFAULT, prefix
from tests.transcripts.recited import Recited, all_of_them
from tests.transcripts.replay import Replay, investigated
from workers.llm.offline import Offline


def bench(say: Callable[[str, str], None]) -> None:
    logging.disable(logging.CRITICAL)
    for what, names in (("three skills", DEFAULT), (f"all {len(registry.names())} skills", registry.names())):
        tokens, offer = prefix(names)
        say(f"static prefix, {what}", f"~{tokens} tok, {len(offer.specs)} tools")
        say(f"  withheld, {what}", str(len(offer.withheld)))
    for who in ("offline", "transcript"):
        solved: list[Replay] = []
        for transcript in all_of_them():
            played = investigated(transcript, Offline() if who == "offline" else Recited(transcript))
            say(f"{who}, {transcript.scenario}{'' if played.right else ': NOT SOLVED'}", _cost(played))
            solved += [played] if played.right else []
        if solved:
            say(
                f"{who}, {len(solved)} solved, median",
                f"{median(p.requests for p in solved):.0f} req, {median(p.bytes for p in solved) / 1000:.0f} kB, "
                f"{median(p.turns for p in solved):.0f} turns, {median(p.finding.used.tokens for p in solved):.0f} tok",
            )
    logging.disable(logging.NOTSET)


def _cost(played: Replay) -> str:
    used = played.finding.used
    return f"{played.requests} req, {played.bytes / 1000:.0f} kB, {played.turns} turns, {used.tokens} tok"
