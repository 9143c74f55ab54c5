"""The digest: small whatever goes in, and the line that matters is in it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from time import perf_counter

import pytest

from skills.contract import Entity, LogLine
from skills.digest import Digest, tokens
from skills.loglines import join, level_of_text, opened

AT = datetime(2025, 6, 1, 14, tzinfo=UTC)
ONSET = AT + timedelta(minutes=5)


def noise(count: int, seed: int = 1) -> Iterator[LogLine]:
    draw = random.Random(seed)
    for i in range(count):
        text = draw.choice((
            f"INFO handled request path=/cart/{draw.randrange(9999)} status=200 duration={draw.random() * 50:.2f}ms",
            f"INFO trace={draw.getrandbits(128):032x} GET /product/{draw.randrange(99)}",
            f"WARN slow answer of 10.244.{draw.randrange(9)}.{draw.randrange(255)}:8080 after {draw.randrange(900)}ms",
        ))  # fmt: skip
        yield LogLine(AT + timedelta(milliseconds=i * 600_000 / count), text, Entity(kind="Pod", name=f"cart-{i % 7}"))


@pytest.mark.parametrize("count", [100, 100_000])
def test_one_new_error_among_many_lines_comes_first_within_the_budget(count: int) -> None:
    digest = Digest(ONSET)
    for i, line in enumerate(noise(count)):
        digest.add(line)
        if i == count * 2 // 3:
            digest.add(LogLine(line.at, "ERROR KeyError: 'total_price'"))
    result = digest.result()
    assert result.templates[0].sample.text == "ERROR KeyError: 'total_price'"
    assert result.templates[0].is_new
    assert tokens(result.text()) <= 2000
    assert sum(t.count for t in result.templates) == result.lines == count + 1


def test_ten_thousand_different_lines_still_fit_and_the_error_is_among_them() -> None:
    draw = random.Random(3)
    words = ["".join(draw.choices("ghijklmnop", k=8)) for _ in range(3000)]
    digest = Digest(ONSET)
    for i in range(10_000):
        digest.add(LogLine(AT + timedelta(seconds=i / 20), f"INFO {' '.join(draw.choices(words, k=6))}"))
    digest.add(LogLine(AT + timedelta(seconds=450), "panic: no reachable servers"))
    result = digest.result(2000)
    assert "panic: no reachable servers" in result.text()
    assert tokens(result.text()) <= 2000
    assert result.left_out_lines > 0


def test_what_varies_is_one_template_and_what_differs_is_two() -> None:
    digest = Digest()
    for user in ("u1", "u22", "u333"):
        digest.add(LogLine(AT, f"INFO login of {user} from 10.0.0.{len(user)} took {len(user)}ms"))
    digest.add(LogLine(AT, "INFO logout"))
    assert sorted((t.text, t.count) for t in digest.result().templates) == [
        ("INFO login of u<n> from <ip> took <n>ms", 3),
        ("INFO logout", 1),
    ]


def test_lines_that_differ_in_the_letters_of_hexadecimal_digits_alone_are_two() -> None:
    digest = Digest()
    for word in ("add", "dead", "add", "bad"):
        digest.add(LogLine(AT, f"ERROR {word}"))
    assert sorted((t.text, t.count) for t in digest.result().templates) == [
        ("ERROR add", 2), ("ERROR bad", 1), ("ERROR dead", 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("good", "bad", "level"),
    [
        ('INFO GET /a HTTP/1.1" 200 3ms', 'INFO GET /a HTTP/2.0" 502 3ms', "error"),
        ("INFO done statusCode=200 in 3ms", "INFO done statusCode=404 in 9ms", "warning"),
        ('{"level":"info","code":200,"status":200}', '{"level":"info","code":200,"status":503}', "error"),
        ("INFO done STATUS: 201", "INFO done STATUS: 500", "error"),
    ],
)
def test_a_status_that_fails_is_seen_in_every_spelling(good: str, bad: str, level: str) -> None:
    digest = Digest()
    for text in (good, good, bad, good, bad):
        digest.add(LogLine(AT, text))
    assert [(t.level, t.count) for t in digest.result().templates] == [(level, 2), ("info", 3)]


def test_a_failed_request_is_not_hidden_among_those_that_succeed() -> None:
    digest = Digest()
    for i in range(100):
        digest.add(LogLine(AT, f"INFO request done status=200 path=/{i}"))
    digest.add(LogLine(AT, "INFO request done status=503 path=/7"))
    first = digest.result().templates[0]
    assert (first.level, first.count, "status=503" in first.sample.text) == ("error", 1, True)


def test_counts_are_compared_with_a_baseline_window() -> None:
    digest = Digest()
    digest.add_all(
        [LogLine(AT, text) for text in ["ERROR cannot reach rate"] * 50 + ["ERROR row is null"] * 5 + ["INFO ok"] * 45],
        [LogLine(AT, "ERROR row is null")] * 5 + [LogLine(AT, "INFO ok")] * 95,
    )
    new, old = (t for t in digest.result().templates if t.level == "error")
    assert (new.sample.text, new.is_new, new.count) == ("ERROR cannot reach rate", True, 50)
    assert (old.is_new, old.count, old.baseline) == (False, 5, 5)


def test_what_began_before_the_alert_fired_is_new_against_a_baseline() -> None:
    early = LogLine(ONSET - timedelta(minutes=3), "ERROR cannot reach rate")
    digest = Digest(ONSET).add_all([early], [LogLine(AT, "INFO ok")])
    assert digest.result().templates[0].is_new


def test_a_stack_trace_is_one_record_and_stays_whole() -> None:
    rows = ["ERROR no", "Traceback (most recent call last):", '  File "a.py", line 3, in f', "    g()", "KeyError: 1"]
    digest = Digest().add_all([LogLine(AT, row) for row in [*rows, "INFO next"]])
    assert digest.result().templates[0].sample.text == "\n".join(rows)


CHAINED = """Traceback (most recent call last):
  File "/app/a.py", line 3, in f
    return d["x"]
KeyError: 'x'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/b.py", line 9, in g
    f()
ValueError: no x"""
GROUP = """  + Exception Group Traceback (most recent call last):
  |   File "/app/a.py", line 7, in <module>
  |     raise ExceptionGroup("two", [ValueError(1), TypeError(2)])
  | ExceptionGroup: two (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | ValueError: 1
    +---------------- 2 ----------------
    | TypeError: 2
    +------------------------------------"""
GOROUTINES = """fatal error: all goroutines are asleep - deadlock!

goroutine 1 [chan receive]:
main.main()
\t/src/main.go:12 +0x1d

goroutine 18 [semacquire, 5 minutes]:
sync.runtime_Semacquire(0xc000012345?)
\t/usr/local/go/src/runtime/sema.go:62 +0x25
created by main.main in goroutine 1
\t/src/main.go:9 +0x85
exit status 2"""
DOTNET = """System.InvalidOperationException: no cart
   at cart.cartstore.ValkeyCartStore.GetCartAsync(String id) in /usr/src/app/cartstore/ValkeyCartStore.cs:line 211
   at cart.services.CartService.GetCart(GetCartRequest request)"""


@pytest.mark.parametrize("trace", [CHAINED, GROUP, GOROUTINES, DOTNET], ids=["chained", "group", "go", "dotnet"])
def test_rows_of_a_trace_are_joined_and_its_neighbours_left_alone(trace: str) -> None:
    texts = ["INFO before", *trace.split("\n"), "2025-06-01 14:00:00 INFO after"]
    joined = [line.text for line in join(LogLine(AT, text) for text in texts)]
    assert joined[-1] == "2025-06-01 14:00:00 INFO after"
    assert "\n".join(joined[:-1]) == "\n".join(texts[:-1])
    assert len(joined) <= 3


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "2026-11-24T14:00:00.123456789Z stderr F Traceback (most recent call last):",
            "Traceback (most recent call last):",
        ),
        ("2026-11-24T14:00:00.123+01:00 stdout P half", "half"),
        (
            '{"log":"  File \\"a.py\\", line 3\\n","stream":"stderr","time":"2026-11-24T14:00:00Z"}',
            '  File "a.py", line 3',
        ),
        ('{"log":"kept","stream":"stderr","level":"error"}', '{"log":"kept","stream":"stderr","level":"error"}'),
        ('{"log":"half', '{"log":"half'),
        ("2026-11-24T14:00:00Z ERROR no", "2026-11-24T14:00:00Z ERROR no"),
    ],
)
def test_a_line_is_taken_out_of_what_the_container_runtime_wrapped_it_in(text: str, line: str) -> None:
    assert opened(text) == line


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("E0601 14:03:07.123456       1 reflector.go:138] failed to list", "error"),
        ("W0601 14:03:07.123456       1 client.go:1] slow", "warning"),
        ('{"level":"fatal","time":"x","message":"boom"}', "fatal"),
        ('{"t":{"$date":"2025"},"s":"E","c":"NETWORK","msg":"no"}', "error"),
        ('{"level":50,"time":1748786587,"msg":"boom"}', "error"),
        ('time="2025-06-01T14:03:07Z" level=warning msg="slow"', "warning"),
        ("2025-06-01 14:03:07.123 UTC [71] FATAL:  no", "fatal"),
        ("2025-06-01T14:03:07.123Z 8 [Note] [MY-010914] [Server] Aborted", "info"),
        ("1:M 01 Jun 2025 14:03:07.000 # Server initialized", "warning"),
        ("2025/06/01 14:03:07 [error] 29#29: *5 connect() failed", "error"),
        ("2025-06-01 14:03:07.123  WARN 1 --- [main] o.s.B : slow", "warning"),
        ("ERROR:    Exception in ASGI application", "error"),
        ("panic: no reachable servers", "error"),
        ("Traceback (most recent call last):", "error"),
        ("2026-01-13T12:29:36Z PNC no reachable servers", "fatal"),
        ("GET / 200", ""),
        ("there was no error at all", ""),
    ],
)
def test_the_level_is_read_in_every_layout(text: str, level: str) -> None:
    assert level_of_text(text) == level


def test_it_is_fast_enough_for_a_million_lines() -> None:
    lines = list(noise(60_000))
    digest = Digest(ONSET)
    started = perf_counter()
    for line in lines:
        digest.add(line)
    assert len(lines) / (perf_counter() - started) > 100_000  # about 600,000 on an idle core; the machine is shared
