"""A few questions at once: Loki answers each from its own part of the store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def side_by_side(asked: Sequence[Callable[[], T]]) -> list[T]:
    """Answers in the order of the questions. Raises what the first of them raised."""
    if len(asked) == 1:
        return [asked[0]()]
    with ThreadPoolExecutor(len(asked), thread_name_prefix="loki") as pool:
        return [future.result() for future in [pool.submit(each) for each in asked]]
