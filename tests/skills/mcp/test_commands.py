"""An MCP server that is a program: started for a question, and gone after it, whatever it does."""

import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.customers import Customer
from skills import registry
from skills.contract import Access, Focus, LoadLimitReached, QueryMeter, SkillContext, SkillError, ToolError, Window
from skills.mcp.settings import Settings
from skills.mcp.tools import connect
from tests.agent.company import MemoryJournal, request
from workers.agent import connect_all, investigate
from workers.llm.offline import Offline

PROGRAM = str(Path(__file__).with_name("program.py"))
NOW = datetime(2026, 3, 4, 14, 10, tzinfo=UTC)
SECRET = "made-up-value-of-the-wiki"
HELD = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "LANG": "C.UTF-8",
    "SLACK_BOT_TOKEN": "made-up-of-slack",
    "ACME_WIKI": SECRET,
}
PATIENCE = 1.2
"""Seconds, for programs that never answer."""


class Started:
    """A program of one kind as a skill, and the processes that were seen of it."""

    def __init__(self, folder, way="good", seconds=8.0, meter=None, held=HELD, **more):
        self.file = folder / "pids"
        self.file.touch()
        self.server = {"command": [sys.executable, "-S", PROGRAM, way, str(self.file)], **more}
        settings = Settings.model_validate({"servers": {"wiki": self.server}})
        self.skill = connect(Access(settings, held.get, meter or QueryMeter("mcp"), seconds))

    @property
    def pids(self):
        return [int(pid) for pid in self.file.read_text().split()]

    def ask(self, name, seconds=None, **arguments):
        window = Window(NOW - timedelta(minutes=36), NOW)
        until = datetime.now(UTC) + timedelta(seconds=seconds) if seconds else None
        context = SkillContext(Focus(), NOW, window, window.before(3600), deadline=until)
        tool = next(t for t in self.skill.tools if t.name == f"mcp_wiki_{name}")
        return tool.run(tool.input.model_validate(arguments), context)

    def silence(self):
        with pytest.raises(ToolError) as error:
            self.skill.reach()
        return str(error.value)


def is_left(pid):
    """Whether a process is there; one that only waits to be counted by the machine's first process is not ours."""
    try:
        state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z" or int(parent) == os.getpid()


def assert_nothing_is_left(started, processes=1):
    assert len(started.pids) >= processes
    until = time.monotonic() + 1  # the kernel takes a moment to end what was killed
    while any(map(is_left, started.pids)) and time.monotonic() < until:
        time.sleep(0.01)
    assert [pid for pid in started.pids if is_left(pid)] == []


def test_a_program_lists_its_tools_and_answers(tmp_path):
    started = Started(tmp_path)
    started.skill.reach()
    assert "mcp_wiki_search" in [t.name for t in started.skill.tools]
    assert "mcp_wiki_delete" not in [t.name for t in started.skill.tools]
    told = started.ask("search", query="cart")
    assert told.status == "ok"
    assert [e.text for e in told.evidence] == ["cart: its limit was lowered (cart)"]
    assert len(started.pids) == 2
    assert_nothing_is_left(started)


def test_a_server_of_the_protocols_own_making_is_asked_over_its_pipes():
    code = "from tests.skills.mcp.servers import wiki; wiki().run('stdio')"
    root = str(Path(__file__).parents[3])
    server = {"command": [sys.executable, "-c", code], "env": {"PYTHONPATH": "ROOT"}}
    settings = Settings.model_validate({"servers": {"wiki": server}})
    skill = connect(Access(settings, (HELD | {"ROOT": root}).get, QueryMeter("mcp"), 30))
    skill.reach()
    assert len(skill.tools) == 5


def test_a_server_that_knows_no_handshake_is_asked_without(tmp_path):
    started = Started(tmp_path, "modern")
    started.skill.reach()
    assert len(started.pids) == 2
    assert started.ask("search", query="cart").status == "ok"
    assert len(started.pids) == 3


def test_the_program_sees_what_the_file_names_and_no_secret_of_ours(tmp_path):
    started = Started(tmp_path, env={"WIKI_TOKEN": "ACME_WIKI"})
    started.skill.reach()
    seen = dict(e.text.split("=", 1) for e in started.ask("environment").evidence)
    assert set(seen) - {"LC_CTYPE"} == {"PATH", "HOME", "LANG", "TMPDIR", "WIKI_TOKEN"}
    assert seen["WIKI_TOKEN"] == SECRET


def test_it_runs_in_a_directory_of_its_own_that_goes_with_it(tmp_path):
    started = Started(tmp_path)
    started.skill.reach()
    folder = Path(started.ask("folder").evidence[0].text)
    assert folder != Path.cwd()
    assert not folder.exists()


def test_words_before_the_first_message_are_passed_over(tmp_path):
    started = Started(tmp_path, "banner")
    started.skill.reach()
    assert started.skill.tools


@pytest.mark.parametrize(
    ("way", "words"),
    [
        (
            "exits",
            "MCP server wiki ended (exit code 1) before it answered: ModuleNotFoundError: No module named 'wiki'; "
            f"check skills.mcp.servers.wiki.command; asked: tools/list of {sys.executable}",
        ),
        ("exits in silence", "MCP server wiki ended (exit code 3) before it answered; check skills.mcp.servers.wiki."),
        ("is killed", "MCP server wiki was ended by SIGKILL before it answered; check skills.mcp.servers.wiki.command"),
        (
            "garbage",
            "MCP server wiki answered with 23 bytes that are not JSON-RPC messages: 'Listening on port 8080'; "
            "check skills.mcp.servers.wiki.command",
        ),
        ("garbage for ever", "MCP server wiki answers with more than 8 MB, reading stopped; ask for less"),
        ("stubborn", "MCP server wiki did not answer within 1.2 s; look at the health of MCP server wiki"),
        ("complains for ever", "MCP server wiki did not answer within 1.2 s: Error: still not ready; look at"),
    ],
)
def test_a_program_that_does_not_answer_is_a_gap_with_what_to_change_and_is_gone_in_time(tmp_path, way, words):
    started = Started(tmp_path, way, seconds=PATIENCE)
    began = time.monotonic()
    told = started.silence()
    assert time.monotonic() - began < PATIENCE + 1
    assert told.startswith(words)
    assert_nothing_is_left(started, 3 if way == "stubborn" else 1)


def test_what_a_program_started_and_left_behind_is_ended_too(tmp_path):
    started = Started(tmp_path, "leaves a child")
    started.skill.reach()
    assert_nothing_is_left(started, 2)


def test_a_tool_that_hangs_is_cut_off_at_the_deadline_of_the_investigation(tmp_path):
    started = Started(tmp_path)
    started.skill.reach()
    began = time.monotonic()
    with pytest.raises(ToolError, match=r"did not answer within 1\.\d+ s.*asked: hang of "):
        started.ask("hang", seconds=1.5)
    assert time.monotonic() - began < 2.5
    assert_nothing_is_left(started, 2)


def test_a_huge_result_is_refused_by_its_bytes(tmp_path):
    meter = QueryMeter("mcp")
    started = Started(tmp_path, meter=meter)
    started.skill.reach()
    with pytest.raises(ToolError, match="answers with more than 8 MB, reading stopped; ask for less"):
        started.ask("huge")
    assert 8_000_000 < meter.bytes < 9_000_000
    assert_nothing_is_left(started, 2)


def test_a_secret_that_a_program_says_as_it_dies_is_not_repeated(tmp_path):
    started = Started(tmp_path, env={"WIKI_TOKEN": "ACME_WIKI"})
    started.skill.reach()
    with pytest.raises(ToolError) as error:
        started.ask("die")
    assert "ended (exit code 1) before it answered: Error: the page server is gone; token [redacted]" in str(
        error.value
    )
    assert "check skills.mcp.servers.wiki.command, and the value of ACME_WIKI (skills.mcp.servers.wiki.env." in str(
        error.value
    )
    assert SECRET not in str(error.value)


def test_a_variable_that_holds_nothing_is_named_when_the_program_fails(tmp_path):
    started = Started(tmp_path, "exits", env={"WIKI_TOKEN": "NOT_SET"})
    assert "; NOT_SET (skills.mcp.servers.wiki.env.WIKI_TOKEN) is empty: set it; asked: " in started.silence()


def test_a_program_that_is_not_there_is_said_to_be_missing(tmp_path):
    started = Started(tmp_path)
    settings = Settings.model_validate({"servers": {"wiki": {"command": ["no-such-server", "-y"]}}})
    started.skill = connect(Access(settings, HELD.get, QueryMeter("mcp"), 5))
    assert started.silence() == (
        "MCP server wiki was not started: there is no program no-such-server; install it or name its full path in "
        "skills.mcp.servers.wiki.command; asked: tools/list of no-such-server"
    )


def test_messages_are_counted_and_the_limit_is_kept(tmp_path):
    meter = QueryMeter("mcp", 4)
    started = Started(tmp_path, meter=meter)
    started.skill.reach()
    assert meter.requests == 3  # initialize, initialized, tools/list
    with pytest.raises(LoadLimitReached, match="limit of 4 requests"):
        started.ask("search", query="cart")
    assert_nothing_is_left(started, 2)


def test_the_doctor_says_what_a_program_offers_and_what_it_lacks(tmp_path):
    (good, empty) = Started(tmp_path, env={"WIKI_TOKEN": "NOT_SET"}).skill.checks()
    assert (good.what, good.ok) == ("server wiki", True)
    assert "refused: delete" in good.detail
    assert (empty.what, empty.ok, empty.detail) == (
        "server wiki, env",
        False,
        "empty: NOT_SET (skills.mcp.servers.wiki.env.WIKI_TOKEN)",
    )
    (bad,) = Started(tmp_path, "exits").skill.checks()
    assert not bad.ok
    assert "ended (exit code 1) before it answered: ModuleNotFoundError" in bad.detail
    assert bad.remedy == "check skills.mcp.servers.wiki.command"


def test_an_investigation_ends_in_time_with_the_gap(tmp_path):
    started = Started(tmp_path, "stubborn")
    customer = Customer(name="acme", skills={"mcp": {"servers": {"wiki": started.server}}})
    began = time.monotonic()
    connected = connect_all(customer, registry.toggles(customer), HELD.get, timeout_seconds=PATIENCE)
    found = investigate(
        request(customer=customer),
        Offline(),
        connected,
        MemoryJournal(),
        clock=lambda: datetime.now(UTC),
        monotonic=time.monotonic,
    )
    assert time.monotonic() - began < 6
    assert "MCP server wiki did not answer within 1.2 s" in "\n".join(gap.why for gap in found.gaps)
    assert_nothing_is_left(started, 3)


@pytest.mark.parametrize(
    ("server", "words"),
    [
        ({"url": "http://wiki/mcp", "command": ["uvx"]}, "wiki: give either url or command; both are given"),
        ({"allow": ["search"]}, "wiki: give either url or command; neither is given"),
        (
            {"command": "uvx some-server"},
            r"wiki.command: give a list of words, the program first: \[uvx, some-server\]",
        ),
        ({"command": [""]}, "wiki.command: give a list of words"),
        ({"command": []}, "wiki.command: give a list of words"),
        ({"command": ["uvx"], "token_env": "WIKI"}, "wiki: token_env belongs to url, and command is given"),
        ({"url": "http://wiki/mcp", "env": {"A": "B"}}, "wiki: env belongs to command, and url is given"),
        ({"command": ["uvx"], "env": {"TOKEN": "a value of its own"}}, "wiki.env.TOKEN: String should match"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_file_and_key(server, words):
    customer = Customer(name="acme", skills={"mcp": {"servers": {"wiki": server}}})
    with pytest.raises(SkillError, match=f"^acme.yaml: skills.mcp.servers.{words}") as error:
        registry.validate(customer, "acme.yaml")
    assert "a value of its own" not in str(error.value)
