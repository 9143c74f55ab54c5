"""A Valkey of our own: one for each state directory, and none left behind."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from workers.queue import QueueError
from workers.valkey import Valkey, start

FORK = multiprocessing.get_context("fork")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Valkey]:
    started = start(tmp_path)
    yield started
    started.stop()


def test_a_server_that_runs_is_used_again(server: Valkey, tmp_path: Path) -> None:
    again = start(tmp_path)
    assert (again.url, again.pid) == (server.url, server.pid)
    again.stop()
    assert redis.Redis.from_url(server.url).ping()


def test_stop_leaves_no_process_and_no_record(tmp_path: Path) -> None:
    server = start(tmp_path)
    server.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(server.pid, 0)
    assert not (tmp_path / "valkey.json").exists()
    server.stop()


def test_what_was_written_survives_a_kill(tmp_path: Path) -> None:
    first = start(tmp_path)
    client = redis.Redis.from_url(first.url)
    client.set("kept", "yes")
    client.config_set("appendfsync", "always")
    client.set("kept-too", "yes")
    os.kill(first.pid, signal.SIGKILL)
    assert first.process is not None
    first.process.wait()
    second = start(tmp_path)
    assert redis.Redis.from_url(second.url).mget("kept", "kept-too") == [b"yes", b"yes"]
    second.stop()


def test_a_record_of_a_dead_server_is_not_believed(tmp_path: Path) -> None:
    child = FORK.Process(target=time.sleep, args=(0,))
    child.start()
    child.join()
    (tmp_path / "valkey.json").write_text(json.dumps({"pid": child.pid, "port": 1}))
    server = start(tmp_path)
    assert server.process is not None
    assert server.pid != child.pid
    server.stop()


def test_a_port_that_somebody_else_took_is_not_believed(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        record = {"pid": os.getpid(), "port": stranger.getsockname()[1]}
        (tmp_path / "valkey.json").write_text(json.dumps(record))
        server = start(tmp_path)
    assert not server.url.endswith(f":{record['port']}/0")
    server.stop()


@pytest.mark.parametrize("nonsense", ["", "[]", "{", '{"pid": null, "port": "x"}'])
def test_a_damaged_record_is_not_believed(tmp_path: Path, nonsense: str) -> None:
    (tmp_path / "valkey.json").write_text(nonsense)
    server = start(tmp_path)
    assert redis.Redis.from_url(server.url).ping()
    server.stop()


def test_starters_at_the_same_moment_end_with_one_server(tmp_path: Path) -> None:
    gate, told = FORK.Barrier(4), FORK.SimpleQueue()
    children = [FORK.Process(target=_start_and_tell, args=(gate, told, tmp_path)) for _ in range(4)]
    for child in children:
        child.start()
    answers = {told.get() for _ in children}
    for child in children:
        child.join(20)
    assert len(answers) == 1
    os.kill(answers.pop(), signal.SIGTERM)


def test_a_state_directory_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(QueueError) as told:
        start(tmp_path / "file" / "state")
    assert "GUMSHOE_STATE" in str(told.value)
    assert "\n" not in str(told.value)


def test_data_that_valkey_refuses_is_one_line_with_its_own_words(tmp_path: Path) -> None:
    broken = tmp_path / "valkey" / "appendonlydir"
    broken.mkdir(parents=True)
    (broken / "appendonly.aof.manifest").write_text("no manifest at all\n")
    with pytest.raises(QueueError) as told:
        start(tmp_path)
    assert "valkey.log" in str(told.value)
    assert "\n" not in str(told.value)


def _start_and_tell(gate, told, state_dir: Path) -> None:  # type: ignore[no-untyped-def]
    gate.wait(20)
    told.put(start(state_dir).pid)
    os._exit(0)  # without stopping it: a starter that died
