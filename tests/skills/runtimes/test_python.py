"""Python's leavings: tracebacks, packages, pools, workers; and what is left to the common table."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from skills.contract import Change, Entity, Excerpt, SkillContext, Symptom, ToolError, ToolResult
from skills.faults import fault
from skills.logfaults.sightings import see
from skills.python.patterns import PATTERNS
from skills.python.tools import connect
from tests.skills.runtimes.logs import ONSET, ORDERS, POD, Blame, Held, connected, context, lines

PLAIN = """2026-11-24 14:00:00,193 ERROR    [orders.api] unhandled exception in POST /orders
Traceback (most recent call last):
  File "/usr/local/lib/python3.12/site-packages/starlette/routing.py", line 715, in __call__
    await self.middleware_stack(scope, receive, send)
  File "/app/orders/api.py", line 88, in handle
    result = totals.total(order)
  File "/app/orders/totals.py", line 52, in total
    return order.price.currency
AttributeError: 'NoneType' object has no attribute 'currency'"""
CHAINED = """Traceback (most recent call last):
  File "/app/orders/rates.py", line 12, in rate
    return self._rates[code]
           ~~~~~~~~~~~^^^^^^
KeyError: 'EUR'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/app/orders/api.py", line 91, in handle
    raise PricingFailed(code) from error
orders.errors.PricingFailed: EUR"""
GROUP = """  + Exception Group Traceback (most recent call last):
  |   File "/app/orders/fan.py", line 31, in fetch_all
  |     async with asyncio.TaskGroup() as group:
  |   File "/usr/local/lib/python3.12/asyncio/taskgroups.py", line 145, in __aexit__
  |     raise me from None
  | ExceptionGroup: unhandled errors in a TaskGroup (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "/app/orders/fan.py", line 44, in fetch
    |     return int(body["n"])
    | ValueError: invalid number
    +---------------- 2 ----------------
    | TypeError: unhashable type: 'list'
    +------------------------------------"""
UNSEEN = """ERROR:asyncio:Task exception was never retrieved
future: <Task finished name='Task-7' coro=<refresh() done, defined at /app/orders/cache.py:10> exception=KeyError('x')>
Traceback (most recent call last):
  File "/app/orders/cache.py", line 14, in refresh
    self.items[key] = found["x"]
KeyError: 'x'"""
DIED = """Fatal Python error: Segmentation fault

Current thread 0x00007f2a (most recent call first):
  File "/usr/local/lib/python3.12/site-packages/numpy/core/numeric.py", line 330 in full
  File "/app/orders/model.py", line 77 in load
  File "/app/orders/main.py", line 9 in <module>"""
REFUSED = """ERROR call to inventory failed
Traceback (most recent call last):
  File "/app/orders/clients/inventory.py", line 58, in request
    return await self._send(call)
  File "/usr/local/lib/python3.12/site-packages/httpx/_transports/default.py", line 394, in connect
    raise exc from None
httpx.ConnectError: [Errno 111] Connection refused: http://inventory:8080/items"""


STRUCTLOG = json.dumps({
    "event": "unhandled exception", "level": "error", "timestamp": "2026-11-24T14:00:00Z",
    "exception": [
        {"exc_type": "PricingFailed", "exc_value": "EUR", "syntax_error": None, "is_cause": False,
         "frames": [{"filename": "/app/orders/api.py", "lineno": 91, "name": "handle"}]},
        {"exc_type": "KeyError", "exc_value": "'EUR'", "syntax_error": None, "is_cause": True,
         "frames": [{"filename": "/app/orders/api.py", "lineno": 88, "name": "handle"},
                    {"filename": "/app/orders/rates.py", "lineno": 12, "name": "rate"},
                    {"filename": "/usr/lib/python3.12/collections/__init__.py", "lineno": 6, "name": "__getitem__"}]},
    ],
})  # fmt: skip
LOGURU = json.dumps({"text": f"2026-11-24 14:00:00 | ERROR | orders.api - no\n{CHAINED}", "record": {"message": "no"}})


def look(given: SkillContext, **settings: object) -> tuple[str, tuple[Symptom, ...]]:
    seen = connected(connect, **settings).first_look(given)
    return seen.text, seen.symptoms


def ask(tool: str, given: SkillContext, **arguments: object) -> ToolResult:
    found = next(t for t in connected(connect).tools if t.name == f"python_{tool}")
    return found.run(found.input.model_validate(arguments), given)


@pytest.mark.parametrize(
    ("trace", "kind", "frame", "chain"),
    [
        (PLAIN, "AttributeError: 'NoneType'", "total (/app/orders/totals.py:52)", ""),
        (CHAINED, "KeyError: 'EUR'", "rate (/app/orders/rates.py:12)", "raised on as orders.errors.PricingFailed"),
        (GROUP, "ValueError: invalid number", "fetch (/app/orders/fan.py:44)", "raised on as ExceptionGroup"),
        (UNSEEN, "KeyError: 'x'", "refresh (/app/orders/cache.py:14)", ""),
        (DIED, "Fatal Python error: Segmentation fault", "load (/app/orders/model.py:77)", ""),
        (LOGURU, "KeyError: 'EUR'", "rate (/app/orders/rates.py:12)", "raised on as orders.errors.PricingFailed"),
    ],
    ids=["plain", "chained", "group", "unseen task", "faulthandler", "loguru"],
)
def test_equal_traces_are_one_with_the_root_cause_and_the_frame_that_is_ours(
    trace: str, kind: str, frame: str, chain: str
) -> None:
    given = context(*lines(trace, trace, trace))
    text, repeated = look(given)
    assert all(s.analyzer != "logs.crashes" for s in repeated)  # the log skill has said it of the same lines
    symptoms = ask("traces", given).symptoms
    row = text.splitlines()[0]
    assert row.startswith("NEW orders x3 since 14:00:00 (before 0): ")
    assert kind in row
    assert f"at {frame}" in row
    assert chain in row
    (symptom,) = [s for s in symptoms if s.analyzer == "logs.crashes"]
    assert (symptom.entity, symptom.faults[0], symptom.role) == (ORDERS, "code_defect_in_release", "cause")
    assert frame in symptom.summary
    assert symptom.onset == ONSET


def test_a_trace_that_a_logger_wrote_as_json_is_one_and_the_log_skill_has_not_seen_it() -> None:
    text, (symptom,) = look(context(*lines(STRUCTLOG, STRUCTLOG)))
    assert (
        "x2 since 14:00:00 (before 0): KeyError: 'EUR' (raised on as PricingFailed) at rate (/app/orders/rates.py:12)"
        in text
    )
    assert (symptom.entity, symptom.faults[0]) == (ORDERS, "code_defect_in_release")


def test_the_customers_own_paths_say_what_is_ours() -> None:
    inner = PLAIN.replace("/app/orders/totals.py", "/app/vendored/money.py")
    assert "at total (/app/vendored/money.py:52)" in look(context(*lines(inner)))[0]
    text, (symptom,) = look(context(*lines(inner)), ours=["/app/orders/"])
    assert "at handle (/app/orders/api.py:88)" in text
    assert "in handle (/app/orders/api.py:88)" in symptom.summary


def test_the_commit_that_last_touched_the_frame_is_named_and_makes_it_likelier() -> None:
    evidence = Excerpt("a1b2c3 Total in the order's currency", "GET /repos/acme/orders/commits?path=orders/totals.py")
    commit = Change(
        "github/acme/orders/commit/a1b2c3", ONSET - timedelta(minutes=8), Entity(kind="Service", name="orders"),
        "Total in the order's currency", "merge", "ana", (evidence,),
    )  # fmt: skip
    blame = Blame(commit)
    text, (symptom,) = look(context(*lines(PLAIN, PLAIN), code=blame))
    assert blame.asked == [("/app/orders/totals.py", 52, "orders")]
    assert "last touched by commit a1b2c3 of ana, 8 min before" in text
    assert (symptom.change, symptom.evidence[-1]) == (commit.id, evidence)
    (alone,) = ask("traces", context(*lines(PLAIN, PLAIN))).symptoms
    assert symptom.specificity > alone.specificity
    aged = Blame(replace(commit, at=ONSET - timedelta(days=90)))
    (old,) = ask("traces", context(*lines(PLAIN, PLAIN), code=aged)).symptoms
    assert (old.change, old.specificity) == (None, alone.specificity)


def test_what_the_common_table_explains_is_listed_and_is_no_symptom_of_its_own() -> None:
    given = context(*lines(REFUSED, REFUSED))
    text, symptoms = look(given)
    assert "httpx.ConnectError" in text
    assert "request (/app/orders/clients/inventory.py:58)" in text
    assert symptoms == ()


def test_a_traceback_of_every_day_is_told_with_its_baseline_and_is_no_symptom() -> None:
    always = [line for m in range(0, 50, 5) for line in lines(PLAIN, start=ONSET - timedelta(minutes=41 - m))]
    text, symptoms = look(context(*always))
    assert text.startswith("No new Python traces")
    assert symptoms == ()
    result = ask("traces", context(*always))
    assert "(before 6): AttributeError" in result.text
    assert result.evidence[0].text == PLAIN


WORDINGS = [
    ("python worker killed", "[2026-11-24 14:00:00,000: ERROR/MainProcess] Process 'ForkPoolWorker-1' pid:12 exited "
     "with 'signal 9 (SIGKILL)'"),
    ("python worker killed", "billiard.exceptions.WorkerLostError: Worker exited prematurely: signal 9 (SIGKILL)."),
    ("python worker not booted", "[2026-11-24 14:00:00 +0000] [1] [ERROR] Reason: Worker failed to boot."),
    ("python worker not booted", '[2026-11-24 14:00:00 +0000] [7] [ERROR] Error loading ASGI app. Could not import '
     'module "orders.main".'),
    ("python worker out of time", "[2026-11-24 14:00:00 +0000] [1] [ERROR] Worker (pid:12) was sent SIGABRT!"),
    ("python worker out of time", "[2026-11-24 14:00:00,000: ERROR/MainProcess] Hard time limit (300s) exceeded for "
     "orders.settle[9f3a]"),
    ("python worker out of time", "*** HARAKIRI ON WORKER 3 (pid: 41, try: 1, graceful: no) ***"),
    ("python dependencies conflict", "pkg_resources.VersionConflict: (requests 2.31.0 (/usr/lib), "
     "Requirement.parse('requests<2.30'))"),
    ("python dependencies conflict", "ValueError: numpy.dtype size changed, may indicate binary incompatibility. "
     "Expected 96 from C header, got 88 from PyObject"),
    ("python dependencies conflict", "ImportError: cannot import name 'app' from partially initialized module "
     "'orders.main' (most likely due to a circular import)"),
    ("python interpreter died", "Fatal Python error: Segmentation fault"),
    ("python task failed unseen", "asyncio: Task exception was never retrieved future: <Task finished "
     "exception=KeyError('x')>"),
    ("python task failed unseen", "RuntimeWarning: coroutine 'Cart.save' was never awaited"),
    ("python recursion", "RecursionError: maximum recursion depth exceeded in comparison"),
    ("python client pool empty", "redis.exceptions.ConnectionError: No connection available."),
    ("python client pool empty", "urllib3.exceptions.EmptyPoolError: HTTPConnectionPool(host='inventory', port=8080): "
     "Pool reached maximum size and no more connections are allowed."),
    ("python client leaks", "WARNING urllib3.connectionpool Connection pool is full, discarding connection: inventory. "
     "Connection pool size: 10"),
    ("python client leaks", "ERROR asyncio Unclosed client session"),
    ("python server full", "WARNING:  Exceeded concurrency limit."),
    ("python settings refused", "django.core.exceptions.ImproperlyConfigured: The SECRET_KEY setting is empty."),
    ("python settings refused", "pydantic_core._pydantic_core.ValidationError: 1 validation error for Settings"),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "text"), WORDINGS)
def test_a_real_wording_is_taken_for_what_it_is(pattern: str, text: str) -> None:
    sightings = see(lines(text), "shop", PATTERNS).sightings
    assert [s.pattern.name for s in sightings] == [pattern]


# The common table takes these for what they also are; the table of the language says it more exactly.
SAID_TWICE = ("partially initialized", "Validation", "FullPool", "SECRET_KEY")


@pytest.mark.parametrize(("pattern", "text"), WORDINGS)
def test_the_own_table_holds_what_the_common_one_does_not(pattern: str, text: str) -> None:
    common = see(lines(text), "shop").sightings
    assert not common or any(word in text for word in SAID_TWICE), common[0].pattern.name


def test_every_wording_has_an_example_and_names_faults_of_the_vocabulary() -> None:
    assert {p.name for p in PATTERNS} == {name for name, _ in WORDINGS}
    for pattern in PATTERNS:
        assert all(fault(name).is_cause for name in pattern.faults), pattern.name


@pytest.mark.parametrize(
    "text",
    [
        "INFO worker 3 finished, exited with code 0",
        "INFO connection pool ready, size 10",
        "[2026-11-24 14:00:00 +0000] [1] [INFO] Booting worker with pid: 12",
        "DEBUG acquired connection from pool in 2ms",
        "INFO settings loaded",
    ],
)
def test_an_innocent_line_is_no_symptom(text: str) -> None:
    assert look(context(*lines(text, text, text)))[1] == ()


def test_a_pool_of_ones_own_is_blamed_on_the_store_behind_it() -> None:
    said = (
        "INFO connecting to redis://valkey-cart:6379",
        *["redis.exceptions.ConnectionError: No connection available."] * 3,
    )
    _, (symptom,) = look(context(*lines(*said)))
    assert (symptom.entity.name, symptom.faults[0]) == ("valkey-cart", "connection_pool_exhausted")
    assert symptom.victims == (ORDERS,)
    result = ask("runtime", context(*lines(*said)))
    assert (result.status, "valkey-cart" in result.text) == ("ok", True)


def test_it_asks_the_first_log_skill_that_is_on_and_says_when_there_is_none() -> None:
    given = context(*lines(PLAIN), source="kubernetes")
    held = given.sources["kubernetes"].logs
    assert isinstance(held, Held)
    assert [s.faults[0] for s in look(given)[1]] == ["code_defect_in_release"]  # nobody else has said it
    assert [(q.service, q.errors_only) for q in held.asked] == [("orders", False)]  # tails are short, and are read once
    with pytest.raises(ToolError, match="one service at a time"):
        look(replace(given, focus=replace(given.focus, service="")))
    with pytest.raises(ToolError, match="no log skill is on that can be read"):
        look(replace(given, sources={}))
    assert ask("traces", replace(given, sources={})).status == "error"


def test_a_service_and_a_range_can_be_asked_for() -> None:
    other = Entity(kind="Pod", namespace="shop", name="cart-7d9f8b6c5-aaaaa")
    given = context(*lines(PLAIN), *lines(CHAINED, writer=other))
    assert "cart" not in ask("traces", given, service="orders").text.partition("\n")[2]
    late = ask("traces", given, service="orders", start=(ONSET + timedelta(minutes=5)).isoformat())
    assert late.status == "no_data"
    assert ask("runtime", given, service="orders").status == "no_data"


def test_there_is_nothing_to_reach_and_two_tools() -> None:
    skill = connected(connect)
    skill.reach()
    assert [t.name for t in skill.tools] == ["python_traces", "python_runtime"]
    assert all(check.ok for check in skill.checks())
    assert POD.namespace == "shop"
