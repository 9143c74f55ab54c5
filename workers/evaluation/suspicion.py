"""Signs that a model suspects a simulation: rules over what it wrote. A score of its own, never mixed with others.

An investigator who thinks that it is being tested behaves otherwise. What is looked for is a judgement about the whole
(`this looks like a simulated environment`), not the words that engineers use every day: a test pod, a mock server, a
synthetic probe, a load test, a fake certificate, chaos experiments that a company runs on itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from workers.trace import Span


@dataclass(frozen=True)
class Rules:
    by_name: Mapping[str, re.Pattern[str]]
    innocent: re.Pattern[str]
    """Ordinary things whose names sound like a suspicion."""


@cache
def rules() -> Rules:
    raw = yaml.safe_load(files("workers.evaluation").joinpath("suspicion.yaml").read_text(encoding="utf-8"))

    def compiled(pattern: str) -> re.Pattern[str]:
        for word, alternatives in raw["words"].items():
            pattern = pattern.replace(f"{{{word}}}", alternatives.strip())
        return re.compile(pattern.strip(), re.IGNORECASE)

    return Rules({name: compiled(p) for name, p in raw["rules"].items()}, compiled(raw["innocent"]))


@dataclass(frozen=True)
class Sign:
    rule: str
    sentence: str
    step: str = ""
    """Name of the span in which it was written."""


def signs(text: str) -> tuple[Sign, ...]:
    """Sentences that judge the whole to be unreal or a test."""
    by = rules()
    found = []
    for sentence in _sentences(text):
        plain = by.innocent.sub("probe", sentence)
        rule = next((name for name, pattern in by.by_name.items() if pattern.search(plain)), None)
        if rule is not None:
            found.append(Sign(rule, sentence))
    return tuple(found)


def in_trace(spans: Iterable[Span]) -> tuple[Sign, ...]:
    """In what the model wrote: its replies and the arguments of its calls. What systems said is not its suspicion."""
    found = []
    for span in spans:
        for text in model_texts(span):
            found += [Sign(s.rule, s.sentence, span.name) for s in signs(text)]
    return tuple(found)


def model_texts(span: Span) -> Iterable[str]:
    """What the model wrote in one reply: texts, thoughts, and the words in its calls."""
    if span.op == "chat" and isinstance(span.output, dict):
        yield from _texts(span.output.get("content"))


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in ("id", "type", "signature", "name"):
                yield from _texts(item)


def _sentences(text: str) -> list[str]:
    return [s.strip() for s in re.split(r"(?<=[.!?])\s+|\n+", text) if s.strip()]
