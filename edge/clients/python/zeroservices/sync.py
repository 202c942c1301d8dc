"""Edge: the client for programs with threads, or with nothing of the kind."""

import socket as sockets
import threading
import time
from collections import deque
from concurrent.futures import Future
from typing import Any, Deque, Iterator, List, Optional, Tuple, Type

from . import wire
from .errors import Disconnected, Timeout
from .handlers import Handlers
from .model import (AnyEvent, Data, Delivery, EdgeBack, EdgeLost, Message,
                    Ping, Reply)
from .place import connect, connect_named, find_socket

READ_SIZE = 256 * 1024
BACKLOG = 32 * 1024 * 1024


class Edge(Handlers):
    """A connection to the edge on this host; safe to use from all threads.

    A thread of its own reads the socket. Events wait in a queue for events()
    or run(); when more than `backlog` bytes of them wait, no more is read
    until some are taken, or an answer is awaited; at four times as much the
    connection is ended.

    With `reconnect` a lost edge is looked for again at the same place, after
    0.1 s, 0.2 s, ... 5 s each, and the subscription is renewed. What was
    under way has failed with Disconnected, and so does what is asked
    meanwhile: nothing is ever sent again by itself.
    """

    def __init__(self, socket: Optional[str] = None, *,
                 reconnect: bool = False, backlog: int = BACKLOG) -> None:
        super().__init__()
        self.socket = find_socket(socket)
        self._connection = connect_named(self.socket)
        self._wire = wire.Wire()
        self._reconnect = reconnect
        self._backlog = backlog
        self._queue: Deque[Tuple[AnyEvent, int]] = deque()
        self._queued = 0
        self._state = threading.Condition()  # of all the above
        self._writing = threading.Lock()
        self._closing = threading.Event()
        self._ended: Optional[str] = None
        self._subscription: Optional[wire.Members] = None
        self._reader = threading.Thread(target=self._read, daemon=True,
                                        name="zeroservices")
        self._reader.start()

    def close(self) -> None:
        """Hangs up. What still waits at the edge goes with it."""
        self._closing.set()
        with self._state:
            self._state.notify_all()
        try:
            self._connection.shutdown(sockets.SHUT_RDWR)
        except OSError:
            pass  # The edge was faster.
        if threading.current_thread() is not self._reader:
            self._reader.join()
        self._connection.close()

    def __enter__(self) -> "Edge":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], *rest: Any) \
            -> None:
        self.close()

    # Operations

    def send(self, to: str, type: str, data: Data = None, *,
             timeout: Optional[float] = None, wait: bool = True) -> Delivery:
        """Returns once the peer's node has it. A full window is waited for,
        or with wait=False is Busy."""
        return self.post(to, type, data, timeout=timeout, wait=wait).result()

    def post(self, to: str, type: str, data: Data = None, *,
             timeout: Optional[float] = None, wait: bool = True) \
            -> "Future[Delivery]":
        """The same without waiting for it: many may be under way, and arrive
        in their order. Blocks while the edge takes no more."""
        return self._ask(wire.op("send", data, timeout, wait, to=to,
                                   type=type), wire.as_delivery)

    def request(self, to: str, type: str, data: Data = None, *,
                timeout: float = 5.0, wait: bool = True) -> Reply:
        """Sends, and waits for the reply."""
        return self._ask(wire.op("request", data, timeout, wait, to=to,
                                   type=type), wire.as_reply).result()

    def reply(self, message: Message, data: Data = None, *,
              type: Optional[str] = None) -> Delivery:
        """Once for each message that has a request."""
        return self._ask(wire.op("reply", data, to=message.sender,
                                   request=message.request or "", type=type),
                         wire.as_delivery).result()

    def publish(self, type: str, data: Data = None, *,
                group: Optional[str] = None, wait: bool = True) -> int:
        """To everyone present, or in the group: how many that were."""
        return self._ask(wire.op("publish", data, wait=wait, type=type,
                                   group=group), wire.as_count).result()

    def join(self, group: str) -> None:
        """The node is in the group, also when this program has gone."""
        self._ask(wire.op("join", group=group), wire.as_nothing).result()

    def leave(self, group: str) -> None:
        self._ask(wire.op("leave", group=group), wire.as_nothing).result()

    def ping(self, to: str, *, timeout: float = 5.0) -> Ping:
        return self._ask(wire.op("ping", timeout=timeout, to=to),
                         wire.as_ping).result()

    def peers(self) -> List[wire.Members]:
        """As `zs peers --json`."""
        return self._ask(wire.op("peers"), wire.as_peers).result()

    def status(self) -> wire.Members:
        """As `zs status --json`."""
        return self._ask(wire.op("status"), wire.as_status).result()

    def subscribe(self, types: Optional[List[str]] = None,
                  events: Optional[List[str]] = None,
                  groups: Optional[List[str]] = None) -> None:
        """Only these types of messages, these events (join leave message
        event path gap), these groups (the node is in them as long as this
        program listens). In place of a former subscription."""
        members = wire.subscription(types, events, groups)
        self._ask(members, wire.as_nothing).result()
        with self._state:
            self._subscription = members

    # What comes in

    def next_event(self, timeout: Optional[float] = None) -> AnyEvent:
        """The next event; Timeout after so many seconds without one."""
        until = None if timeout is None else time.monotonic() + timeout
        with self._state:
            while not self._queue:
                if self._ended is not None or self._closing.is_set():
                    raise Disconnected(self._ended or "closed")
                left = None if until is None else until - time.monotonic()
                if left is not None and left <= 0:
                    raise Timeout("no event came in time")
                self._state.wait(left)
            event, size = self._queue.popleft()
            self._queued -= size
            self._state.notify_all()
            return event

    def events(self) -> Iterator[AnyEvent]:
        """All that comes in, until close(). Subscribes to everything, if
        nothing was subscribed to. Raises Disconnected at the end of a
        connection that is not to be made again."""
        if self._subscription is None:
            self.subscribe()
        while True:
            try:
                event = self.next_event()
            except Disconnected:
                if self._closing.is_set():
                    return
                raise
            yield event

    def run(self) -> None:
        """Calls the handlers for what comes in, until close()."""
        for event in self.events():
            for handler in self._for(event):
                handler(event)

    def start(self) -> threading.Thread:
        """run() in a thread of its own, which ends with the program."""
        thread = threading.Thread(target=self.run, daemon=True)
        thread.start()
        return thread

    # Inside

    def _ask(self, members: wire.Members, parse: wire.Parse) -> "Future[Any]":
        future: "Future[Any]" = Future()
        with self._writing:
            with self._state:
                if self._wire.lost is not None or self._closing.is_set():
                    raise Disconnected(self._wire.lost or "closed")
                _, line = self._wire.ask(members, parse, future)
                connection = self._connection
                self._state.notify_all()
            try:
                connection.sendall(line)
            except OSError:
                pass  # The reader sees it as well, and fails the future.
        return future

    def _put(self, events: List[Tuple[AnyEvent, int]]) -> None:
        self._queue.extend(events)
        self._queued += sum(size for _, size in events)
        self._state.notify_all()

    def _may_read(self) -> bool:
        return self._queued <= self._backlog or self._wire.awaited > 0 \
            or self._closing.is_set()

    def _read(self) -> None:
        while True:
            reason = self._read_one()
            with self._state:
                left = self._wire.end(reason)
                if self._closing.is_set():
                    self._queue.clear()
                    return
                reason = self._wire.lost or reason
                self._put([(x, 0) for x in (*left, EdgeLost(reason))])
                if not self._reconnect:
                    self._ended = reason
                    return
            if not self._again():
                return

    def _read_one(self) -> str:
        """Until the connection ends; why it did."""
        while True:
            with self._state:
                self._state.wait_for(self._may_read)
            try:
                piece = self._connection.recv(READ_SIZE)
            except OSError as e:
                piece, why = b"", str(e.strerror)
            else:
                why = "the edge ended the connection"
            if self._closing.is_set():
                return "closed"
            if not piece:
                return why
            with self._state:
                self._put(self._wire.feed(piece))
                if self._queued > 4 * self._backlog:
                    self._wire.lost = "what came in was not taken in time"
                if self._wire.lost is not None:
                    return self._wire.lost

    def _again(self) -> bool:
        """Connects and subscribes again; False: it is closed meanwhile."""
        self._connection.close()
        for delay in wire.retry_delays():
            if self._closing.wait(delay):
                return False
            try:
                connection = connect(self.socket)
            except OSError:
                continue
            with self._state:
                self._connection = connection
                self._wire = wire.Wire()
                self._put([(EdgeBack(), 0)])
                members = self._subscription
                line = b"" if members is None else self._wire.ask(
                    members, wire.as_nothing, Future())[1]
            try:
                connection.sendall(line)
            except OSError:
                pass  # It is gone again: the reader will see.
            return not self._closing.is_set()
        return False
