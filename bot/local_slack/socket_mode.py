"""Socket Mode: hands envelopes to whichever connection is there, and hands them out again when nobody acknowledges.

Runs on a port of its own, as Slack's does, in threads. Order is kept as long as all goes well: one postman sends.
"""

from __future__ import annotations

import heapq
import itertools
import json
import logging
import secrets
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from bot.local_slack.misbehave import Misbehaviour
from bot.local_slack.records import Json
from bot.local_slack.timings import Timings

log = logging.getLogger(__name__)

APPROXIMATE_CONNECTION_SECONDS = 18_060


@dataclass(eq=False)
class Delivery:
    """One thing to be told to the app, over all the attempts at it."""

    type: str
    """events_api | interactive | slash_commands"""
    payload: Json
    answers: bool = False
    """accepts_response_payload: whether the acknowledgement may carry an answer."""
    attempts: int = 0
    last_chance: float | None = None
    """Monotonic time after which it is not sent (any more): an interaction that nobody took."""
    acknowledged: threading.Event = field(default_factory=threading.Event)
    answer: Json | None = None
    given_up: bool = False

    def wait(self, seconds: float) -> bool:
        return self.acknowledged.wait(seconds)


class SocketMode:
    def __init__(
        self, app_id: str, timings: Timings, misbehaviour: Misbehaviour, on_connections: Callable[[int], None]
    ) -> None:
        self._app_id = app_id
        self._timings = timings
        self._misbehaviour = misbehaviour
        self._on_connections = on_connections
        self._connections: list[ServerConnection] = []
        self._tickets: set[str] = set()
        self._sent: dict[str, Delivery] = {}
        self._due: list[tuple[float, int, Delivery]] = []
        self._order = itertools.count()
        self._lock = threading.RLock()
        self._wake = threading.Condition(self._lock)
        self._turn = 0
        self._closing = False
        self._server: Server | None = None
        self._threads: list[threading.Thread] = []

    # -- life --------------------------------------------------------------------------------------------------------

    def start(self, host: str) -> None:
        self._server = serve(self._attend, host, 0, ping_interval=None, compression=None, close_timeout=0.5)
        for run, name in ((self._server.serve_forever, "socket-mode"), (self._send_when_due, "socket-mode-postman")):
            thread = threading.Thread(target=run, name=name, daemon=True)
            thread.start()
            self._threads.append(thread)
        self._host = host

    def close(self) -> None:
        with self._lock:
            self._closing = True
            self._wake.notify_all()
        self.drop()
        if self._server:
            self._server.shutdown()
        for thread in self._threads:
            thread.join(timeout=2)

    # -- connections -------------------------------------------------------------------------------------------------

    def new_address(self) -> str:
        """The answer to apps.connections.open: good for one connection."""
        assert self._server is not None
        ticket = secrets.token_hex(16)
        with self._lock:
            self._tickets.add(ticket)
        port = self._server.socket.getsockname()[1]
        return f"ws://{self._host}:{port}/link/?ticket={ticket}&app_id={self._app_id}"

    @property
    def connected(self) -> int:
        return len(self._connections)

    def drop(self) -> None:
        """Cuts every connection without a word."""
        for connection in list(self._connections):
            _cut(connection)

    def refresh(self) -> None:
        """Asks every client to come back on a new connection, as Slack does every few hours, and then hangs up."""
        for connection in list(self._connections):
            self._tell(
                connection, {"type": "disconnect", "reason": "refresh_requested", "debug_info": {"host": "local"}}
            )
            threading.Timer(0.5, _cut, (connection,)).start()

    def _attend(self, connection: ServerConnection) -> None:
        path = connection.request.path if connection.request else ""
        ticket = parse_qs(urlsplit(path).query).get("ticket", [""])[0]
        with self._lock:
            if ticket not in self._tickets:
                connection.close(1008, "invalid ticket")
                return
            self._tickets.discard(ticket)
            self._connections.append(connection)
            number = len(self._connections)
        self._tell(connection, self._hello(number))
        self._on_connections(number)
        with self._lock:
            self._wake.notify_all()
        try:
            for text in connection:
                self._heard(json.loads(text))
        except ConnectionClosed:
            pass
        except (ValueError, TypeError):
            log.warning("a Socket Mode client sent something that is no JSON object; hanging up")
        finally:
            with self._lock:
                if connection in self._connections:
                    self._connections.remove(connection)
            self._on_connections(len(self._connections))

    def _hello(self, number: int) -> Json:
        return {
            "type": "hello",
            "num_connections": number,
            "debug_info": {
                "host": "local",
                "build_number": 1,
                "approximate_connection_time": APPROXIMATE_CONNECTION_SECONDS,
            },
            "connection_info": {"app_id": self._app_id},
        }

    def _heard(self, said: Json) -> None:
        with self._lock:
            delivery = self._sent.pop(str(said.get("envelope_id")), None)
            if delivery is None or delivery.acknowledged.is_set():
                return
            payload = said.get("payload")
            if delivery.answers and payload:
                delivery.answer = payload if isinstance(payload, dict) else {"text": str(payload)}
            delivery.acknowledged.set()

    # -- deliveries --------------------------------------------------------------------------------------------------

    def deliver(self, kind: str, payload: Json, *, answers: bool = False) -> Delivery:
        """Hands over as soon as a connection is there. Events wait and are repeated; an interaction has one chance."""
        delivery = Delivery(kind, payload, answers)
        now = time.monotonic()
        if kind != "events_api":
            delivery.last_chance = now + self._timings.ack_seconds
        fault = self._misbehaviour.next_delivery_fault(kind)
        if fault and fault.kind == "lose":
            delivery.attempts += 1
            now += self._pause_after(1)
        elif fault and fault.kind == "delay":
            now += fault.seconds
        self._schedule(delivery, now)
        if fault and fault.kind == "duplicate":
            self._schedule(Delivery(kind, payload, answers, last_chance=delivery.last_chance), now)
        return delivery

    def _schedule(self, delivery: Delivery, due: float) -> None:
        with self._lock:
            heapq.heappush(self._due, (due, next(self._order), delivery))
            self._wake.notify_all()

    def _send_when_due(self) -> None:
        while True:
            with self._lock:
                while not self._closing and not self._ready():
                    self._wake.wait(self._due[0][0] - time.monotonic() if self._due and self._connections else None)
                if self._closing:
                    return
                _, _, delivery = heapq.heappop(self._due)
            self._send(delivery)

    def _ready(self) -> bool:
        return bool(self._connections) and bool(self._due) and self._due[0][0] <= time.monotonic()

    def _send(self, delivery: Delivery) -> None:
        now = time.monotonic()
        tries = 1 + len(self._timings.retry_after_seconds)
        spent = delivery.type == "events_api" and delivery.attempts >= tries
        late = delivery.last_chance is not None and now > delivery.last_chance
        if delivery.acknowledged.is_set():
            return
        if spent or late:
            delivery.given_up = True
            return
        envelope: Json = {"envelope_id": secrets.token_hex(16), "payload": delivery.payload, "type": delivery.type}
        envelope["accepts_response_payload"] = delivery.answers
        if delivery.type == "events_api":
            envelope |= {"retry_attempt": delivery.attempts, "retry_reason": "timeout" if delivery.attempts else ""}
        with self._lock:
            if not self._connections:
                self._schedule(delivery, now)
                return
            connection = self._connections[self._turn % len(self._connections)]
            self._turn += 1
            self._sent[envelope["envelope_id"]] = delivery
        sent = self._tell(connection, envelope)
        delivery.attempts += 1
        if delivery.type == "events_api":
            self._schedule(delivery, now + (self._pause_after(delivery.attempts) if sent else 0.1))

    def _pause_after(self, attempts: int) -> float:
        """Seconds from sending to sending again: the time to acknowledge, then Slack's pause."""
        pauses = self._timings.retry_after_seconds
        return self._timings.ack_seconds + (pauses[attempts - 1] if attempts <= len(pauses) else 0.0)

    def _tell(self, connection: ServerConnection, message: Json) -> bool:
        try:
            connection.send(json.dumps(message))
        except (ConnectionClosed, OSError):
            return False
        return True


def _cut(connection: ServerConnection) -> None:
    try:
        connection.socket.shutdown(socket.SHUT_RDWR)
    except OSError:
        log.debug("a Socket Mode connection was gone already")
