"""Go's leavings: panics, goroutine dumps, collector traces, pools."""

from __future__ import annotations

import json

import pytest

from skills.contract import SkillContext, Symptom, ToolResult
from skills.faults import fault
from skills.golang.dumps import groups_in
from skills.golang.patterns import PATTERNS
from skills.golang.tools import connect
from skills.logfaults.sightings import see
from tests.skills.runtimes.logs import ORDERS, connected, context, lines

NIL_MAP = """panic: assignment to entry in nil map

goroutine 34 [running]:
main.(*Cache).put(...)
\t/src/orders/cache.go:31
main.handle({0x7f2a40, 0xc0000b2000})
\t/src/orders/main.go:88 +0x1d4
created by net/http.(*Server).Serve in goroutine 1
\t/usr/local/go/src/net/http/server.go:3285 +0x4b4
exit status 2"""
SERVED = """2026/11/24 14:00:00 http: panic serving 10.0.0.7:51234: runtime error: index out of range [5] with length 3
goroutine 71 [running]:
net/http.(*conn).serve.func1()
\t/usr/local/go/src/net/http/server.go:1947 +0xbe
panic({0x6a2b40?, 0xc00001c0d8?})
\t/usr/local/go/src/runtime/panic.go:785 +0x132
github.com/acme/orders/totals.Sum({0xc000014120, 0x3, 0x3})
\tgithub.com/acme/orders/totals/sum.go:42 +0x1a
github.com/jackc/pgx/v5.(*Conn).Query(0xc000126000)
\tgithub.com/jackc/pgx/v5@v5.7.1/conn.go:690 +0x2f"""
CONCURRENT = """fatal error: concurrent map writes

goroutine 18 [running]:
main.(*Sessions).add(0xc00009e000)
\t/go/src/orders/sessions.go:19 +0x5c
main.main.func1()
\t/go/src/orders/main.go:12 +0x30"""
ZAP = json.dumps({
    "level": "error", "ts": "2026-11-24T14:00:00.000Z", "caller": "httpx/recover.go:38", "msg": "request failed",
    "error": "runtime error: invalid memory address or nil pointer dereference",
    "stacktrace": "github.com/acme/orders/totals.Sum\n\t/src/orders/totals/sum.go:42\nnet/http.HandlerFunc.ServeHTTP\n"
    "\t/usr/local/go/src/net/http/server.go:2220",
})  # fmt: skip
ZEROLOG = json.dumps({
    "level": "error", "time": "2026-11-24T14:00:00Z", "message": "request failed", "error": "cannot total order",
    "stack": [{"func": "(*Totals).Sum", "line": "42", "source": "sum.go"},
              {"func": "main", "line": "9", "source": "main.go"}],
})  # fmt: skip
ONE_LINE = json.dumps(
    {"level": "error", "msg": "recovered", "error": "runtime error: index out of range [1] with length 1"}
)


def look(given: SkillContext, **settings: object) -> tuple[str, tuple[Symptom, ...]]:
    seen = connected(connect, **settings).first_look(given)
    return seen.text, seen.symptoms


def ask(tool: str, given: SkillContext, **arguments: object) -> ToolResult:
    found = next(t for t in connected(connect).tools if t.name == f"golang_{tool}")
    return found.run(found.input.model_validate(arguments), given)


@pytest.mark.parametrize(
    ("trace", "kind", "where"),
    [
        (NIL_MAP, "panic: assignment to entry in nil map", "at main.(*Cache).put (/src/orders/cache.go:31)"),
        (
            SERVED,
            "index out of range [5]",
            "at github.com/acme/orders/totals.Sum (github.com/acme/orders/totals/sum.go:42)",
        ),
        (CONCURRENT, "fatal error: concurrent map writes", "at main.(*Sessions).add (/go/src/orders/sessions.go:19)"),
        (ZAP, "nil pointer dereference", "at github.com/acme/orders/totals.Sum (/src/orders/totals/sum.go:42)"),
        (ZEROLOG, "error: cannot total order", "at (*Totals).Sum (sum.go:42)"),
        (ONE_LINE, "panic: runtime error: index out of range [1]", ", without a stack"),
    ],
    ids=["nil map", "net/http, trimpath", "concurrent map, GOPATH", "zap", "zerolog", "one line"],
)
def test_equal_panics_are_one_with_the_frame_that_is_ours(trace: str, kind: str, where: str) -> None:
    text, _ = look(context(*lines(trace, trace)))
    row = text.splitlines()[0]
    assert row.startswith("NEW orders x2 since 14:00:00 (before 0): ")
    assert kind in row
    assert row.endswith(where)


def test_a_new_panic_is_a_symptom_of_the_code_and_is_weighed_as_the_logs_weigh_it() -> None:
    (symptom,) = ask("traces", context(*lines(NIL_MAP, NIL_MAP))).symptoms
    assert (symptom.entity, symptom.faults[0], symptom.analyzer) == (ORDERS, "code_defect_in_release", "logs.crashes")
    assert 0.7 < symptom.specificity < 0.9
    assert look(context(*lines(ONE_LINE, ONE_LINE)))[1] == ()  # the common table has said it


def dump(*goroutines: str) -> str:
    return "SIGQUIT: quit\nPC=0x46f7e1 m=0 sigcode=0\n\n" + "\n\n".join(goroutines)


def goroutine(number: int, state: str, *frames: tuple[str, str]) -> str:
    rows = "\n".join(f"{function}\n\t{place} +0x1d" for function, place in frames)
    return f"goroutine {number} [{state}]:\n{rows}"


LOCK = (
    ("internal/sync.runtime_SemacquireMutex(0xc0001?, 0x0?, 0x1?)", "/usr/local/go/src/runtime/sema.go:95"),
    ("sync.(*Mutex).Lock(...)", "/usr/local/go/src/sync/mutex.go:46"),
    ("main.(*Ledger).book(0xc000)", "/src/orders/ledger.go:61"),
)
POOL = (
    ("database/sql.(*DB).conn(0xc0001, {0x7f, 0xc0}, 0x1)", "/usr/local/go/src/database/sql/sql.go:1369"),
    ("database/sql.(*DB).query(0xc0001)", "/usr/local/go/src/database/sql/sql.go:1751"),
    ("main.(*Store).find(0xc000)", "/src/orders/store.go:33"),
)
SEND = (("main.(*Feed).publish(0xc000)", "/src/orders/feed.go:20"),)
TRANSPORT = (
    ("net/http.(*Transport).getConn(0xc0001, 0xc0002, 0x0)", "/usr/local/go/src/net/http/transport.go:1511"),
    ("main.(*Client).price(0xc000)", "/src/orders/client.go:51"),
)
IDLE = (("runtime.gopark(0x0?)", "/usr/local/go/src/runtime/proc.go:424"),)


@pytest.mark.parametrize(
    ("state", "frames", "fault_name", "says"),
    [
        ("sync.Mutex.Lock, 12 minutes", LOCK, "code_defect_in_release", "wait for one lock that is never released at "
         "main.(*Ledger).book (/src/orders/ledger.go:61)"),
        ("semacquire, 12 minutes", LOCK, "code_defect_in_release", "wait for one lock"),
        ("select, 12 minutes", POOL, "connection_pool_exhausted", "wait for a connection of the database's pool at "
         "main.(*Store).find (/src/orders/store.go:33)"),
        ("select, 12 minutes", TRANSPORT, "connection_pool_exhausted", "wait for a connection of the HTTP transport"),
        ("chan send, 12 minutes", SEND, "code_defect_in_release", "are left behind at one channel"),
    ],
)  # fmt: skip
def test_a_dump_says_what_many_goroutines_wait_for_and_where(
    state: str, frames: tuple[tuple[str, str], ...], fault_name: str, says: str
) -> None:
    blocks = [goroutine(i, state, *frames) for i in range(20, 60)]
    text = dump(goroutine(2, "force gc (idle), 12 minutes", *IDLE), *blocks, goroutine(99, "IO wait", *SEND))
    told, (symptom,) = look(context(*lines(text)))
    assert "orders dumped 41 goroutines: 40 goroutines" in told
    assert (symptom.entity, symptom.faults[0]) == (ORDERS, fault_name)
    assert f"40 goroutines of orders {says}" in symptom.summary
    assert "for up to 12 min" in symptom.summary
    assert symptom.evidence[0].text.startswith(f"goroutine 20 [{state}]:")
    assert "12 min" in ask("runtime", context(*lines(text)), service="orders").text


def test_a_dump_too_long_for_one_record_is_counted_as_one() -> None:
    text = dump(*(goroutine(i, "sync.Mutex.Lock, 3 minutes", *LOCK) for i in range(20, 420)))
    told, (symptom,) = look(context(*lines(text)))
    assert "orders dumped 4" in told
    counted = int(symptom.summary.split()[0])
    assert 395 <= counted <= 400  # a goroutine may be cut where one record ends


def test_a_dump_of_a_healthy_program_is_no_symptom() -> None:
    text = dump(
        *(goroutine(i, "IO wait", *SEND) for i in range(30)), *(goroutine(i, "select", *POOL) for i in range(3))
    )
    assert look(context(*lines(text)))[1] == ()
    assert [(g.state, g.count, g.minutes) for g in groups_in(text)] == [("IO wait", 30, 0), ("select", 3, 0)]


def collection(number: int, seconds: float, percent: int, live: int) -> str:
    return (
        f"gc {number} @{seconds:.3f}s {percent}%: 0.018+1.2+0.007 ms clock, 0.14+0.35/1.1/0.49+0.056 ms cpu, "
        f"{live + 4}->{live + 6}->{live} MB, {live * 2} MB goal, 0 MB stacks, 0 MB globals, 8 P"
    )


def test_a_live_heap_that_only_grows_is_a_leak_and_a_sawtooth_is_none() -> None:
    growing = [collection(i, i * 30.0, 3, 20 + 25 * i) for i in range(1, 13)]
    _, (leak,) = look(context(*lines(*growing, step=30)))
    assert (leak.entity, leak.faults[0]) == (ORDERS, "memory_leak")
    assert "45 to 320 MB in 6 min, over 12 collections" in leak.summary
    assert leak.evidence[-1].text == growing[-1]
    sawtooth = [collection(i, i * 30.0, 3, 40 + 25 * (i % 4)) for i in range(1, 13)]
    text, symptoms = look(context(*lines(*sawtooth, step=30)))
    assert symptoms == ()
    assert "orders: 12 collections" in text


def test_a_collector_that_takes_much_of_the_cpu_stalls_the_program() -> None:
    busy = [collection(i, i * 2.0, 46, 480) for i in range(1, 10)]
    _, symptoms = look(context(*lines(*busy)))
    assert {s.faults[0] for s in symptoms} == {"garbage_collection_stalls"}
    assert "46% of its CPU" in symptoms[0].summary


def test_a_restart_begins_the_collectors_count_anew() -> None:
    made = [
        *(collection(i, i * 30.0, 3, 40 * i) for i in range(1, 9)),
        *(collection(i, i * 30.0, 3, 40) for i in range(1, 8)),
    ]
    assert look(context(*lines(*made, step=30)))[1] == ()


WORDINGS = [
    ("go pool exhausted", "failed to acquire connection: context deadline exceeded"),
    ("go pool exhausted", "pgxpool: acquire conn: context deadline exceeded"),
    ("go pool exhausted", "could not get conn from pool: timeout"),
    ("go pool exhausted", "redigo: connection pool exhausted"),
    ("go pool closed", "sql: database is closed"),
    ("go too many streams", "http2: server sent GOAWAY and closed the connection; LastStreamID=1, "
     'ErrCode=ENHANCE_YOUR_CALM, debug="too_many_pings"'),
    ("go dependencies conflict", 'plugin.Open("backend"): plugin was built with a different version of package '
     "google.golang.org/protobuf"),
    ("go dependencies conflict", 'panic: http: multiple registrations for /orders'),
    ("go configuration missing", 'Config File "config" Not Found in "[/etc/orders]"'),
    ("go configuration missing", "required key DATABASE_URL missing value"),
    ("go runtime stopped it", "fatal error: all goroutines are asleep - deadlock!"),
    ("go runtime stopped it", "runtime: goroutine stack exceeds 1000000000-byte limit"),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "text"), WORDINGS)
def test_a_real_wording_is_taken_for_what_it_is(pattern: str, text: str) -> None:
    assert [s.pattern.name for s in see(lines(text), "shop", PATTERNS).sightings] == [pattern]


def test_every_wording_has_an_example_and_names_faults_of_the_vocabulary() -> None:
    assert {p.name for p in PATTERNS} == {name for name, _ in WORDINGS}
    for pattern in PATTERNS:
        assert all(fault(name).is_cause for name in pattern.faults), pattern.name


@pytest.mark.parametrize(
    "text",
    [
        "INFO acquired connection in 2ms",
        "Get http://rate:8084/: dial tcp 10.96.1.1:8084: connect: connection refused",
        "Get http://rate:8084/: context deadline exceeded",
        "http: Server closed",
        "gc 18 @12.3s 2%: 0.01+2.1+0.02 ms clock, 0.1+0.80/2.00/10+0.2 ms cpu, 4->4->2 MB, 5 MB goal, 4 P",
    ],
)
def test_an_innocent_line_and_one_of_the_common_table_are_no_symptom(text: str) -> None:
    assert look(context(*lines(text, text, text)))[1] == ()


def test_a_pool_that_gives_no_connection_is_blamed_on_the_store_behind_it() -> None:
    said = (
        "INFO connecting to postgres://app@orders-db:5432/orders",
        *["acquire connection: context deadline exceeded"] * 3,
    )
    _, (symptom,) = look(context(*lines(*said)))
    assert (symptom.entity.name, symptom.faults[0]) == ("orders-db", "connection_pool_exhausted")
