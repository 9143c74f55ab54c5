"""`make bench`: what an answer costs in seconds, memory, bytes and tokens. Prints figures, asserts nothing.

Seconds are those of this machine at this hour; ratios, counts, bytes and tokens are comparable.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import yaml

from bot.cli._house import House, Team
from bot.cli.demo import SCENARIOS
from bot.cli.investigate import MemoryJournal
from bot.intake import read
from config.customers import Customer
from skills import registry
from tests import bench_clusters, bench_digest, bench_first_look, bench_solved
from tests.llm.messages_api import Told, call, serve
from workers import agent, simulation
from workers.llm.base import canonical, estimate_tokens
from workers.llm.offline import Offline

CONCLUDE: dict[str, Any] = {
    "verdict": "inconclusive",
    "headline": {"text": "Nothing is concluded: this reply measures the way, not the answer.", "evidence": []},
}
PARTS = ("prefix", "one-shot", "way", "waiting", "digest", "solved", "first-look", "clusters")


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(PARTS))
def bench(parts: tuple[str, ...]) -> None:
    """Measure PARTS (default: all)."""
    for part in parts or PARTS:
        click.echo(f"\n{part}")
        {
            "prefix": prefix,
            "one-shot": one_shot,
            "way": way,
            "waiting": waiting,
            "digest": lambda: bench_digest.bench(say),
            "first-look": lambda: bench_first_look.bench(say),
            "clusters": lambda: bench_clusters.clusters(say),
            "solved": lambda: bench_solved.bench(say),
        }[part]()


def say(what: str, value: str) -> None:
    click.echo(f"  {what:<62}{value:>26}")


def prefix() -> None:
    """Bytes and tokens of the first request, of its static prefix, and of a whole investigation."""
    with serve(Told([call("conclude", CONCLUDE)])) as api, scenario(SCENARIOS[0]) as files:
        gumshoe_investigate(files, {"ANTHROPIC_API_KEY": "made-up", "ANTHROPIC_BASE_URL": api.url})
        first = api.requests[0]
        static = [first["system"], first["tools"]]
        say("tools offered", f"{len(first['tools'])}")
        say("static prefix (system and tools), three skills", size(static))
        say("first request", size({k: first[k] for k in ("system", "tools", "messages")}))
        whole = sum(estimate_tokens([r["system"], r["tools"], r["messages"]]) for r in api.requests)
        say(f"whole investigation, {len(api.requests)} requests with a model that concludes at once", f"{whole} tokens")
        say("prefix is marked for caching", "yes" if "cache_control" in json.dumps(static) else "no: below minimum")
    for name in SCENARIOS:
        with scenario(name) as files:
            gumshoe_investigate(files, {})
            used = json.loads(files["out"].read_text())["used"]
            say(f"offline, {name}", f"{used['tokens']} tokens, {used['tool_calls']} calls")


def size(value: Any) -> str:
    return f"{len(canonical(value))} B, ~{estimate_tokens(value)} tok"


def one_shot() -> None:
    """Process time and peak memory of `gumshoe investigate`."""
    with scenario(SCENARIOS[0]) as files:
        for run in ("cold", "warm"):
            say(f"offline, {run}: whole, CPU, peak", "{:.2f} s, {:.2f} s, {:.0f} MB".format(*measured(files, {})))
        with serve(Told([call("conclude", CONCLUDE)])) as api:
            environment = {"ANTHROPIC_API_KEY": "made-up", "ANTHROPIC_BASE_URL": api.url}
            for run in ("cold", "warm"):
                figures = "{:.2f} s, {:.2f} s, {:.0f} MB".format(*measured(files, environment))
                say(f"Claude with a model that answers at once, {run}", figures)


def way() -> None:
    """From the alert in Slack to the eyes on it, to the answer in its thread, and to the last word of the rest: with a
    model that concludes at once, and with the offline investigator, who looks again where he is not sure."""
    with serve(Told([call("conclude", CONCLUDE)])) as api:
        timed_way("at once", {"ANTHROPIC_API_KEY": "made-up", "ANTHROPIC_BASE_URL": api.url})
    timed_way("offline", {})


def timed_way(model: str, environment: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        with House(Path(folder) / "house", SCENARIOS, {**clean(), **environment}) as house:
            say(f"{model}: everything started", f"{time.monotonic() - began:.2f} s")
            for team in house.teams:
                read_once(team)
            for team in house.teams:
                times = ", ".join(f"{seconds:.2f} s" for seconds in timed_alert(house, team))
                say(f"{model}, {team.scenario}: eyes, answer, all said", times)
            parent = house.family.children["worker"].pid
            for pid in (parent, *descendants(parent)):
                say("worker parent" if pid == parent else "worker", memory(pid))


def read_once(team: Team) -> None:
    """As an investigation reads it: the simulated systems make up their past when it is first asked for, real ones
    have it. What is measured is Gumshoe."""
    customer = Customer(name="bench", skills=team.world.skills)
    skills = agent.connect_all(customer, registry.toggles(customer), lambda _name: None)
    request = agent.Request(
        customer=customer,
        incident_id="bench",
        investigation_id="bench",
        trace_id="0" * 32,
        alerts=read(team.world.alert).alerts,
        now=datetime.now(UTC),
    )
    journal = MemoryJournal(quiet=True)
    agent.investigate(request, Offline(), skills, journal, clock=lambda: datetime.now(UTC), monotonic=time.monotonic)


def timed_alert(house: House, team: Team) -> tuple[float, float, float]:
    began = time.monotonic()
    ts = house.post_alert(team)
    house.control.wait_for(lambda s: "eyes" in s.reactions(team.channel, ts), 30)
    eyes = time.monotonic() - began
    house.wait(lambda: house.finding(team), 60, "no finding")
    found = house.finding(team)
    headline = found.headline.text[:40] if found else ""
    house.control.wait_for(
        lambda s: any(headline in json.dumps(m, ensure_ascii=False) for m in s.replies(team.channel, ts)), 60
    )
    answer = time.monotonic() - began
    house.wait(house.quiet, 60, "no last word")
    return eyes, answer, time.monotonic() - began


def waiting() -> None:
    """Memory of twenty investigations that wait for their model."""
    with tempfile.TemporaryDirectory() as folder, serve(Told([], silence_seconds=120)) as api:
        environment = {
            **clean(),
            "GUMSHOE_WORKERS": "20",
            "ANTHROPIC_API_KEY": "made-up",
            "ANTHROPIC_BASE_URL": api.url,
        }
        with House(Path(folder) / "house", (SCENARIOS[0],), environment) as house:
            (team,) = house.teams
            for number in range(20):
                house.control.say("amira", team.channel, f"<@{house.slack.bot_user_id}> look at service{number}")
            with contextlib.suppress(TimeoutError):
                house.wait(lambda: len(api.requests) >= 20, 150, "")
            parent = house.family.children["worker"].pid
            pids = (parent, *descendants(parent))
            total = sum(proportional(pid) for pid in pids)
            say(f"{len(api.requests)} investigations waiting in {len(pids)} processes", f"{total / 1024:.0f} MB in all")
            say("proportional memory for each", f"{total / 1024 / max(1, len(api.requests)):.1f} MB")


@contextlib.contextmanager
def scenario(name: str) -> Iterator[dict[str, Path]]:
    """A served company, and the files that `gumshoe investigate` takes."""
    world = simulation.start(name)
    with tempfile.TemporaryDirectory() as folder:
        files = {part: Path(folder) / f"{part}.json" for part in ("alert", "customer", "out")}
        files["alert"].write_text(json.dumps(world.alert))
        files["customer"].write_text(yaml.safe_dump({"name": "bench", "skills": world.skills}))
        files["now"] = Path(world.now.isoformat())
        try:
            yield files
        finally:
            world.close()


def command(files: dict[str, Path]) -> list[str]:
    return [
        *(sys.executable, "-m", "bot.cli.main", "investigate", "--quiet"),
        *("--alert", str(files["alert"]), "--customer", str(files["customer"])),
        *("--out", str(files["out"]), "--now", str(files["now"])),
    ]


def gumshoe_investigate(files: dict[str, Path], environment: dict[str, str]) -> None:
    subprocess.run(command(files), env={**clean(), **environment}, check=True, stdout=subprocess.DEVNULL)


# A process's peak counts what its parent held when it was forked, so the parent must be a small one.
STOPWATCH = """
import resource, subprocess, sys, time
began = time.monotonic()
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
seconds, used = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
print(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
"""


def measured(files: dict[str, Path], environment: dict[str, str]) -> tuple[float, float, float]:
    """Seconds, seconds of CPU and peak megabytes of one process."""
    watch = [sys.executable, "-S", "-E", "-c", STOPWATCH, *command(files)]
    told = subprocess.run(watch, env={**clean(), **environment}, check=True, capture_output=True, text=True)
    seconds, cpu, peak = map(float, told.stdout.split())
    return seconds, cpu, peak


def clean() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith(("ANTHROPIC_", "SLACK_", "GUMSHOE_"))}


def descendants(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += [int(child), *descendants(int(child))]
    return found


def memory(pid: int) -> str:
    return f"{proportional(pid) / 1024:.1f} MB"


def proportional(pid: int) -> int:
    """Proportional set size in KiB: shared pages count by their share (proc(5), smaps_rollup)."""
    try:
        rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(row.split()[1]) for row in rows if row.startswith("Pss:")), 0)


if __name__ == "__main__":
    bench()
