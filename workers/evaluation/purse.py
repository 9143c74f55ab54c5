"""A hard limit on dollars over all processes: each paid call reserves its dearest possible price before it is made.

What a call really cost is written down at once, so that a killed run remembers what it has spent.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

from workers.llm.base import Message, Model, ModelError, Reply, ToolSpec, canonical
from workers.llm.prices import Price, price_of

EMPTY = "limit_dollars"
"""Kind of the ModelError that says that the limit is reached."""
BYTES_PER_TOKEN = 2.5
"""Fewer than any text has in practice, so that a reservation is never too small."""


class Purse:
    """Shared by all processes of a run; `held` counts what is spent and what is reserved."""

    def __init__(self, held: Synchronized[float], limit: float | None, ledger: Path) -> None:
        self._held = held
        self._limit = limit
        self._ledger = ledger

    def reserve(self, dollars: float) -> bool:
        with self._held.get_lock():
            if self._limit is not None and self._held.value + dollars > self._limit:
                return False
            self._held.value += dollars
            return True

    def settle(self, reserved: float, spent: float) -> None:
        with self._held.get_lock():
            self._held.value += spent - reserved
        if spent:
            append(self._ledger, {"kind": "spent", "dollars": spent})

    @property
    def held(self) -> float:
        return float(self._held.value)


class Metered:
    """A model that asks the purse before each call."""

    def __init__(self, model: Model, purse: Purse, tell: Callable[[], None]) -> None:
        """`tell` is called once a call was refused."""
        self._model = model
        self._purse = purse
        self._price = price_of(model.name)
        self._tell = tell

    @property
    def name(self) -> str:
        return self._model.name

    def reply(
        self,
        system: str,
        tools: Sequence[ToolSpec],
        messages: Sequence[Message],
        *,
        max_tokens: int = 4000,
        timeout_seconds: float = 60,
        force_tool: str | None = None,
    ) -> Reply:
        most = dearest(self._price, [system, [vars(t) for t in tools], list(messages)], max_tokens)
        if not self._purse.reserve(most):
            self._tell()
            raise ModelError(EMPTY, f"another call may cost {most:.4f} dollars, more than is left of the limit")
        spent = 0.0
        try:
            reply = self._model.reply(
                system,
                tools,
                messages,
                max_tokens=max_tokens,
                timeout_seconds=timeout_seconds,
                force_tool=force_tool,
            )
            spent = reply.usage.dollars
            return reply
        except ModelError as error:
            # An answer that cannot be read was paid for all the same.
            spent = most if error.kind == "malformed" else 0.0
            raise
        finally:
            self._purse.settle(most, spent)


def dearest(price: Price, request: object, max_tokens: int) -> float:
    """What a call can cost at most: every input token written to the cache for an hour, every output token used."""
    return price.dollars(fresh=0, output=max_tokens, written_1h=int(len(canonical(request)) / BYTES_PER_TOKEN) + 1)


def append(path: Path, record: dict[str, object]) -> None:
    """One line, durable when this returns. Lines of several processes do not mix: one write each, at the end."""
    line = (json.dumps(record, ensure_ascii=False) + "\n").encode()
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, line)
        os.fsync(descriptor)
    finally:
        with suppress(OSError):
            os.close(descriptor)
