"""A server that is a program: started for each question, asked over its pipes, ended before anybody waits for it."""

from __future__ import annotations

import functools
import re
import signal
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
import mcp_types as types
from mcp import Client, MCPError

from skills.contract import Access, LoadLimitReached, ToolError
from skills.mcp.child import Child, running, variables
from skills.mcp.pipes import Pipes
from skills.mcp.settings import Server
from skills.mcp.spoken import FAILURES, first_of, mode_of, refusal
from skills.redact import Redactor
from skills.said import one_line
from skills.silence import unanswered
from skills.trouble import Answered, Key, Party, Unanswered, secrets_of, unreadable

ENDING_SECONDS = 1.0
"""Of the time for a question, what is kept for ending the program; a quarter of a short time."""
_NO_HANDSHAKE = (types.UNSUPPORTED_PROTOCOL_VERSION, types.METHOD_NOT_FOUND, types.INVALID_REQUEST)

T = TypeVar("T")


class Local:
    """Asks a program."""

    list_seconds = 8.0
    """How long a server may take to start and list its tools: every investigation waits for it."""
    settings = "command and env"
    """What to look at when nothing better is known."""

    def __init__(self, name: str, server: Server, access: Access) -> None:
        self._command = server.command
        self._variables = variables(server.env, access.secret)
        self._meter = access.meter
        self._timeout = access.timeout_seconds
        self._party = _party(name, server, access)
        self.unset = tuple(
            f"{key.variable} ({self._party.setting(key.setting)})" for key in self._party.keys if not key.sent
        )
        """Variables that the customer's file names and that hold nothing."""
        # Servers that know only the handshake may end at the first word of another protocol, and most know only that.
        self._mode = "legacy"
        self._is_known = False
        """Whether it answered in this mode."""

    def ask(self, question: Callable[[Client], Awaitable[T]], what: str, seconds: float) -> T:
        seconds = min(seconds, self._timeout)
        ends = time.monotonic() + seconds
        try:
            return self._once(question, what, seconds)
        except ToolError as error:
            if self._is_known or self._mode != "legacy" or not _wants_no_handshake(error.__cause__):
                raise
            self._mode = "auto"
            return self._once(question, what, max(0.1, ends - time.monotonic()))

    def _once(self, question: Callable[[Client], Awaitable[T]], what: str, seconds: float) -> T:
        ending = min(ENDING_SECONDS, seconds / 4)
        began = time.monotonic()
        asked = f"{what} of {self._command[0]}"
        child: Child | None = None
        pipes: Pipes | None = None
        try:
            with running(self._command, self._variables, ending) as child:
                pipes = Pipes(child, self._meter)
                left = max(0.05, seconds - ending - (time.monotonic() - began))
                return anyio.run(functools.partial(self._connected, question, pipes, left))
        except ExceptionGroup as group:
            raise self._failed(first_of(group), asked, child, pipes, seconds) from first_of(group)
        except (*FAILURES, TimeoutError, anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
            raise self._failed(error, asked, child, pipes, seconds) from error

    async def _connected(self, question: Callable[[Client], Awaitable[T]], pipes: Pipes, seconds: float) -> T:
        with anyio.fail_after(seconds):
            async with Client(pipes, mode=self._mode, cache=None) as client:
                self._mode, self._is_known = mode_of(client), True
                return await question(client)
        raise AssertionError("the scope returns or raises")

    def _failed(
        self, error: BaseException, asked: str, child: Child | None, pipes: Pipes | None, seconds: float
    ) -> ToolError:
        """In the words of what became of the program; the client's own where it spoke the protocol well."""
        party = self._party
        if child is None or pipes is None:
            return self._not_started(error, asked)
        if isinstance(pipes.problem, LoadLimitReached):
            return pipes.problem
        if pipes.problem is not None:
            return unanswered(party, pipes.problem, asked, seconds)
        # Who still talks is cut off in the midst of a line.
        words = self._words(pipes.complaint if pipes.has_closed else _whole_lines(pipes.complaint))
        if pipes.has_closed and not _is_answer(error):
            told = words or self._words(pipes.noise)
            said = f"{party.system} {_end_of(child)} before it answered"
            return Unanswered(f"{said}: {told}" if told else said, self._remedy(), party.question(asked))
        if pipes.noise and not pipes.has_spoken:
            said_so_far = Answered(0, {}, self._quiet(pipes.noise).encode())
            return unreadable(party, said_so_far, asked, wanted="JSON-RPC messages")
        if isinstance(error, TimeoutError):
            late = unanswered(party, error, asked, seconds)
            return Unanswered(f"{late.said}: {words}", late.remedy, late.asked) if words else late
        return refusal(party, error, asked)

    def _not_started(self, error: BaseException, asked: str) -> Unanswered:
        party = self._party
        program = one_line(self._command[0], 100)
        if isinstance(error, FileNotFoundError):
            said = f"{party.system} was not started: there is no program {program}"
            remedy = f"install it or name its full path in {party.setting('command')}"
        else:
            reason = error.strerror if isinstance(error, OSError) else None
            said = f"{party.system} was not started: {program}: {reason or type(error).__name__}"
            remedy = f"check {party.setting('command')}"
        return Unanswered(said, remedy, party.question(asked))

    def _remedy(self) -> str:
        if self.unset:
            return f"{' and '.join(self.unset)} is empty: set it"
        sent = "".join(f", and the value of {k.variable} ({self._party.setting(k.setting)})" for k in self._party.keys)
        return f"check {self._party.setting('command')}{sent}"

    def _words(self, output: bytes) -> str:
        """The line that says what is wrong: the last that names an error and does not belong to a trace, else the
        last."""
        lines = [line for line in self._quiet(output).splitlines() if line.strip()]
        telling = [line for line in lines if _TELLING.search(line) and not line[0].isspace()]
        return one_line((telling or lines or [""])[-1])

    def _quiet(self, output: bytes) -> str:
        return Redactor().text(self._party.hushed(output.decode("utf-8", "replace")))


def _whole_lines(output: bytes) -> bytes:
    """Without a last line that has no end, where there is another."""
    head, end, _ = output.rpartition(b"\n")
    return head + end or output


_TELLING = re.compile(r"error|exception|fatal|panic|fail|denied|refused|not found|missing|required|invalid", re.I)


def _is_answer(error: BaseException) -> bool:
    """Whether the server itself said that something is wrong, and not the client that nobody is there any more."""
    return isinstance(error, MCPError) and error.code != types.CONNECTION_CLOSED


def _wants_no_handshake(error: BaseException | None) -> bool:
    return isinstance(error, MCPError) and error.code in _NO_HANDSHAKE


def _end_of(child: Child) -> str:
    code = child.exit_code
    if code is None:
        return "closed its output"
    if code < 0:
        return f"was ended by {_signal_name(-code)}"
    return f"ended (exit code {code})"


def _signal_name(number: int) -> str:
    return signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"


def _party(name: str, server: Server, access: Access) -> Party:
    held = {child: (variable, access.secret(variable)) for child, variable in server.env.items()}
    return Party(
        f"MCP server {name}",
        f"skills.mcp.servers.{name}",
        "",
        tuple(Key(f"env.{child}", variable, bool(value)) for child, (variable, value) in held.items()),
        address="command",
        secrets=secrets_of(*(value for _, value in held.values())),
    )
