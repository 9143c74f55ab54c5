"""The words for trouble: short first, without credentials, and the first cause where libraries wrap one in another."""

from __future__ import annotations

import socket
import ssl
from itertools import pairwise

import pytest

from skills.contract import ToolError
from skills.silence import unanswered
from skills.trouble import Answered, Denied, Key, NotThere, Party, RateLimited, Refused, failed, refused

PARTY = Party(
    "Loki",
    "skills.loki",
    "https://reader:made-up-word@logs.example.com/loki",
    (Key("token_env", "LOKI_TOKEN", True),),
    secrets=("made-up-word",),
)


def test_an_address_is_shown_without_the_credentials_that_are_written_into_it() -> None:
    told = str(refused(PARTY, Answered(500, {}, b"made-up-word is wrong"), "labels"))
    assert told.endswith("; asked: labels at https://logs.example.com/loki")
    assert "made-up-word" not in told


@pytest.mark.parametrize(
    ("status", "headers", "kind"),
    [
        (401, {}, Denied),
        (403, {}, Denied),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1795608000"}, RateLimited),
        (403, {"retry-after": "30"}, RateLimited),
        (404, {}, NotThere),
        (429, {}, RateLimited),
        (418, {}, Refused),
    ],
)
def test_a_refusal_is_told_by_its_kind(status: int, headers: dict[str, str], kind: type[Refused]) -> None:
    assert type(refused(PARTY, Answered(status, headers, b""), "labels")) is kind


# Shapes: Kubernetes meta/v1 Status; GitHub; Argo CD's gRPC gateway; PagerDuty; Elasticsearch; Prometheus; AWS.
@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"kind": "Status", "message": "pods is forbidden"}', "pods is forbidden"),
        (b'{"message": "Bad credentials", "documentation_url": "x"}', "Bad credentials"),
        (b'{"error": "token is expired", "code": 16, "message": "token is expired"}', "token is expired"),
        (b'{"error": {"message": "Invalid", "code": 2001, "errors": ["a", "b"]}}', "Invalid: a; b"),
        (b'{"error": {"root_cause": [{"type": "t", "reason": "r"}], "type": "x"}, "status": 404}', "t: r"),
        (b'{"status": "error", "errorType": "bad_data", "error": "parse error"}', "bad_data: parse error"),
        (b'{"errors": [{"detail": "x"}]}', '{"errors": [{"detail": "x"}]}'),
        (b"<html><head><title>403\n Forbidden</title></head></html>", "403 Forbidden"),
        (b"404 page not found\n", "404 page not found"),
        (b'{"error": {"root_cause": "no list", "type": "t", "reason": null}}', "t"),
        (b'{"e": ' * 3000, '{"e": ' * 33 + "{…"),
        (b"", ""),
    ],
)
def test_the_servers_own_words_are_found_in_whatever_it_wraps_them(body: bytes, words: str) -> None:
    assert refused(PARTY, Answered(400, {}, body), "labels").words == words


def wrapped(*causes: BaseException) -> BaseException:
    """The first is raised from the second, and so on, as libraries do."""
    for above, below in pairwise(causes):
        above.__cause__ = below
    return causes[0]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (wrapped(RuntimeError("outer"), ConnectionRefusedError(111, "Connection refused")), "nobody listens at"),
        (ExceptionGroup("all", [OSError("x"), ConnectionRefusedError(111, "Connection refused")]), "nobody listens"),
        (wrapped(OSError("all failed"), socket.gaierror(-2, "Name or service not known")), "the host logs.example.com"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), "does not speak TLS"),
        (TimeoutError(), "Loki did not answer within 2 s"),
        (ConnectionResetError(104, "Connection reset by peer"), "Loki broke off the connection"),
        (RuntimeError("something new"), "Loki did not answer: something new"),
    ],
)
def test_the_cause_below_is_told_whatever_it_is_wrapped_in(error: BaseException, words: str) -> None:
    assert words in str(unanswered(PARTY, error, "labels", 2.0))


def test_the_doctor_takes_the_remedy_of_the_trouble_and_else_the_one_of_the_check() -> None:
    trouble = refused(PARTY, Answered(401, {}, b""), "labels")
    assert failed("labels", trouble, "other").remedy == "check the value of LOKI_TOKEN (skills.loki.token_env)"
    assert failed("labels", ToolError("no index"), "other").remedy == "other"
