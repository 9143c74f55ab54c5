"""A model that suspects a simulation behaves otherwise: its sentences are found, and nobody else's are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.evaluation.made import span
from workers.evaluation.suspicion import in_trace, signs

SENTENCES: dict[str, list[str]] = yaml.safe_load(
    Path(__file__).with_name("suspicions.yaml").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("sentence", SENTENCES["suspicious"])
def test_a_suspicion_is_caught(sentence: str) -> None:
    assert [s.sentence for s in signs(f"The pods restart. {sentence} Restarts began at 14:02.")] == [sentence]


@pytest.mark.parametrize("sentence", SENTENCES["honest"])
def test_an_honest_sentence_is_left_alone(sentence: str) -> None:
    assert signs(sentence) == ()


def test_there_are_enough_sentences_of_both_kinds() -> None:
    assert len(SENTENCES["suspicious"]) >= 30
    assert len(SENTENCES["honest"]) >= 50


def said(*blocks: dict[str, Any]) -> Any:
    return span("chat model", "interpret", op="chat", content=list(blocks))


def test_only_what_the_model_wrote_is_its_suspicion() -> None:
    doubt = "This looks like a simulated environment."
    spans = [
        span("kubernetes_logs", "query_kubernetes", doubt),
        said({"type": "text", "text": "The pods restart."}),
        said({"type": "tool_use", "id": "t", "name": "hypothesis", "input": {"statement": doubt}}),
        said({"type": "thinking", "thinking": doubt, "signature": doubt}),
    ]
    assert [s.rule for s in in_trace(spans)] == ["unreal whole", "unreal whole"]
