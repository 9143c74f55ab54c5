"""A face on a socket, asked by the standard library's client and by hand."""

from __future__ import annotations

import json
import socket
from collections import Counter
from collections.abc import Iterator
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from workers.simulation.faces.exchange import Ask, Reply, as_json
from workers.simulation.faces.serve import Served


class Echo:
    """Says what it was asked."""

    def __init__(self) -> None:
        self.refused: Counter[str] = Counter()

    def answer(self, ask: Ask) -> Reply:
        if ask.path == "/broken":
            raise ValueError("made up")
        return as_json(
            {
                "method": ask.method,
                "path": ask.path,
                "query": ask.query,
                "body": ask.body.decode(),
                "x": ask.headers.get("x"),
            },
            X_Elastic_Product="Elasticsearch",
        )


@pytest.fixture
def at() -> Iterator[tuple[str, int]]:
    served = Served({"echo": Echo()})
    parts = urlsplit(served.urls["echo"])
    yield str(parts.hostname), int(parts.port or 0)
    served.close()


def by_hand(at: tuple[str, int], *sent: bytes, until: bytes = b"}") -> bytes:
    with socket.create_connection(at, timeout=5) as it:
        got = b""
        for part in sent:
            it.sendall(part)
        while until not in got and (more := it.recv(65536)):
            got += more
        return got


def test_requests_follow_each_other_on_one_connection(at: tuple[str, int]) -> None:
    client = HTTPConnection(*at, timeout=5)
    seen = []
    for number in range(3):
        client.request("POST", f"/a%20b?q=x%2By&empty=&n={number}", body=b"[1]" * number, headers={"X": "y"})
        answer = client.getresponse()
        assert answer.headers["X-Elastic-Product"] == "Elasticsearch"
        seen.append((json.loads(answer.read()), client.sock))
    assert [told["body"] for told, _ in seen] == ["", "[1]", "[1][1]"]
    assert seen[0][0]["path"] == "/a b"
    assert seen[0][0]["query"] == [["q", "x+y"], ["empty", ""], ["n", "0"]]
    assert seen[0][1] is seen[2][1]
    client.close()


def test_a_head_has_the_length_and_no_body(at: tuple[str, int]) -> None:
    client = HTTPConnection(*at, timeout=5)
    client.request("HEAD", "/")
    answer = client.getresponse()
    assert int(answer.headers["Content-Length"]) > 0
    assert answer.read() == b""
    client.close()


def test_a_body_may_come_in_chunks_and_in_pieces(at: tuple[str, int]) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    told = by_hand(at, head, b"4\r\nabcd\r\n3;x=y\r", b"\nefg\r\n0\r\n", b"\r\n")
    assert b'"body":"abcdefg"' in told


def test_who_waits_to_be_asked_for_the_body_is_asked(at: tuple[str, int]) -> None:
    head = b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    assert by_hand(at, head, until=b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"


def test_two_requests_sent_at_once_are_answered_in_their_order(at: tuple[str, int]) -> None:
    one = b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n"
    told = by_hand(at, one % 1 + one % 2, until=b'"/2"')
    assert told.index(b'"/1"') < told.index(b'"/2"')


@pytest.mark.parametrize(
    "sent",
    [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: many\r\n\r\n", b"GET /" + b"x" * 70_000],
)
def test_what_is_no_request_is_refused_and_the_connection_closed(at: tuple[str, int], sent: bytes) -> None:
    told = by_hand(at, sent, until=b"never")
    assert told.startswith(b"HTTP/1.1 400 Bad Request")


def test_a_broken_answer_is_one_error_and_the_next_is_well(at: tuple[str, int]) -> None:
    client = HTTPConnection(*at, timeout=5)
    client.request("GET", "/broken")
    answer = client.getresponse()
    answer.read()
    assert answer.status == 500
    client.request("GET", "/")
    assert client.getresponse().status == 200
    client.close()


def test_nothing_tells_what_serves_it(at: tuple[str, int]) -> None:
    client = HTTPConnection(*at, timeout=5)
    client.request("GET", "/")
    assert client.getresponse().headers.get("Server") is None
    client.close()


def test_closing_twice_is_closing() -> None:
    served = Served({"echo": Echo()})
    served.close()
    served.close()
    parts = urlsplit(served.urls["echo"])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=1)
