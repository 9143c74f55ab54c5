"""`python -m tests.bench_digest`, and the part `digest` of `make bench`: lines a second and tokens out.

The lines are of programs as they write: access lines of two languages, JSON and plain, ids and durations that vary, a
store's chatter, stack traces in rows; among them one new error whose place in the digest is checked and printed.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from skills.contract import Entity, LogLine
from skills.digest import Digest, tokens

AT = datetime(2026, 11, 24, 14, tzinfo=UTC)
ONSET = AT + timedelta(minutes=10)
SIZES = (10_000, 100_000, 1_000_000)
NEEDLE = "ERROR    [orders.api] cannot price order: KeyError: 'total_price'"
CHUNK = 50_000


def bench(say: Callable[[str, str], None], sizes: tuple[int, ...] = SIZES) -> None:
    for size in sizes:
        rate, spent, place = measure(size)
        found = f"the new error at {place}" if place else "THE NEW ERROR IS LOST"
        say(f"{size:>9,} lines, {found}", f"{rate:,.0f}/s, {spent} tok")


def measure(size: int) -> tuple[float, int, int]:
    """Lines a second of processor time, tokens of the digest, and the place of the new error in it (0: lost)."""
    digest = Digest(ONSET)
    clock = _Clock()
    digest.add_all(clock.through(written(size)))
    result = digest.result()
    text = result.text()
    spent = clock.stop()
    place = next((i for i, t in enumerate(result.templates, 1) if "total_price" in t.sample.text), 0)
    return size / spent, tokens(text), place


class _Clock:
    """Processor time of the digest alone: making the lines is not its work."""

    def __init__(self) -> None:
        self._making = 0.0
        self._began = time.process_time()

    def through(self, lines: Iterator[LogLine]) -> Iterator[LogLine]:
        while True:
            began = time.process_time()
            chunk = [line for _, line in zip(range(CHUNK), lines, strict=False)]
            self._making += time.process_time() - began
            if not chunk:
                return
            yield from chunk

    def stop(self) -> float:
        return time.process_time() - self._began - self._making


def written(size: int, seed: int = 7) -> Iterator[LogLine]:
    draw = random.Random(seed)
    pods = [
        Entity(kind="Pod", namespace="shop", name=f"{service}-6c5f8b7d9-{suffix}")
        for service in ("orders", "cart", "checkout", "geo", "storefront")
        for suffix in ("x2k4p", "b9wzt", "m4kqd")
    ]
    step = 1200 / size
    needle = size * 2 // 3
    count = 0
    while count < size:
        at = AT + timedelta(seconds=count * step)
        pod = draw.choice(pods)
        if count >= needle:
            needle = size + 1
            yield LogLine(at, f"{at:%Y-%m-%d %H:%M:%S},118 {NEEDLE}", pod, "app", "error")
            count += 1
            continue
        made = _one(draw, at)
        for i, (level, text) in enumerate(made):
            yield LogLine(at + timedelta(microseconds=i), text, pod, "app", level)
        count += len(made)


def _one(draw: random.Random, at: datetime) -> list[tuple[str, str]]:
    what = draw.random()
    stamp = f"{at:%Y-%m-%d %H:%M:%S},{draw.randrange(1000):03d}"
    path = f"/cart/{draw.getrandbits(40):010x}"
    client = f"10.244.{draw.randrange(9)}.{draw.randrange(255)}:{draw.randrange(32768, 60999)}"
    if what < 0.34:
        record = {
            "level": "info",
            "ts": f"{at:%Y-%m-%dT%H:%M:%S}.{draw.randrange(1000):03d}Z",
            "caller": "httpx/middleware.go:71",
            "msg": "request",
            "method": "GET",
            "path": path,
            "status": draw.choices((200, 201, 404, 500), (90, 6, 3, 1))[0],
            "duration_ms": round(draw.random() * 90, 2),
            "remote": client,
            "trace_id": f"{draw.getrandbits(128):032x}",
        }
        return [("info", json.dumps(record, separators=(",", ":")))]
    if what < 0.62:
        code = draw.choices((200, 404, 503), (95, 4, 1))[0]
        text = f'{stamp} INFO     [uvicorn.access] {client} - "GET {path} HTTP/1.1" {code} {draw.random() * 90:.1f}ms'
        return [("info", text)]
    if what < 0.9:
        level, text = draw.choice((
            ("info", f"refreshed {draw.randrange(9000)} entries in {draw.randrange(400)}ms"),
            ("info", f"flag snapshot {draw.getrandbits(32):08x} loaded"),
            ("warning", f"slow response: {draw.randrange(400)}0ms for client {draw.getrandbits(32):08x}"),
            ("error", f"rejected payload {draw.getrandbits(32):08x}: field 'postcode' is null"),
            ("debug", f"pushed {draw.randrange(9000)} samples"),
            ("info", f"order {draw.getrandbits(40):010x} of u{draw.randrange(99999)} moved to {draw.choice('abcdef')}"),
        ))  # fmt: skip
        return [(level, f"{stamp} {level.upper():<8} [shop.tasks] {text}")]
    if what < 0.985:
        pid = draw.randrange(40, 99999)
        return [("", draw.choice((
            f"{at:%Y-%m-%d %H:%M:%S}.118 UTC [{pid}] LOG:  checkpoint complete: wrote {draw.randrange(900)} buffers",
            f"{pid}:M 24 Nov 2026 {at:%H:%M:%S}.118 * Background saving started by pid {pid}",
            f"I1124 {at:%H:%M:%S}.118123       1 controller.go:{pid}] syncing endpoint {draw.randrange(99)}",
        )))]  # fmt: skip
    number = draw.randrange(40)
    rows = (
        f"{stamp} ERROR    [shop.clients.rates] call to rates failed: timed out",
        "Traceback (most recent call last):",
        f'  File "/app/shop/clients/rates.py", line {58 + number % 3}, in request',
        "    response = await self._send(call)",
        '  File "/usr/local/lib/python3.12/site-packages/httpx/_transports/default.py", line 394, in connect',
        "    raise exc from None",
        "httpx.ReadTimeout: timed out",
    )
    return [("error", row) for row in rows]


def main() -> None:
    bench(lambda what, value: print(f"  {what:<62}{value:>24}"))


if __name__ == "__main__":
    main()
