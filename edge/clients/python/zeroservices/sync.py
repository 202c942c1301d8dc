"""Edge: the client for programs without asyncio, with threads or without."""

import socket as sockets
import threading
import time
from concurrent.futures import Future
from typing import Any, Callable, Iterator, List, Optional, Tuple, Type, Union

from . import wire
from .errors import Disconnected, Misuse, Timeout
from .handlers import Handlers
from .listeners import Filter, Listener, Listeners, Names
from .model import (AnyEvent, Data, Delivery, EdgeBack, EdgeLost, Message,
                    Ping, Reply)
from .outgoing import Outgoing
from .place import connect, connect_named, find_socket

READ_SIZE = 256 * 1024
BACKLOG = 32 * 1024 * 1024


class Edge(Handlers):
    """A connection to the edge on this host; all threads may use it.

    An internal thread reads the socket and queues events for events() and
    run(). If a queue holds more than `backlog` bytes, the thread stops reading
    until events are taken, except while an answer is awaited; at four times
    `backlog` it closes the connection.

    With `reconnect`, the client tries to connect to the same socket again
    after the connection broke, after 0.1 s, 0.2 s, ... 5 s each, and
    subscribes again. Operations without an answer fail with Disconnected, and
    so do new ones until then: the client never sends a message again by
    itself.
    """

    def __init__(self, socket: Optional[str] = None, *,
                 reconnect: bool = False, backlog: int = BACKLOG) -> None:
        super().__init__()
        self.socket = find_socket(socket)
        self._connection = connect_named(self.socket)
        self._wire = wire.Wire(later=True)
        self._outgoing = Outgoing()
        self._reconnect = reconnect
        self._backlog = backlog
        self._listeners = Listeners()
        self._state = threading.Condition()  # guards everything above
        self._writing = threading.Lock()
        self._closing = threading.Event()
        self._ended: Optional[str] = None
        self._reader = threading.Thread(target=self._read, daemon=True,
                                        name="zeroservices")
        self._reader.start()

    def close(self) -> None:
        """Closes the connection. The edge drops this program's messages that
        it has not sent yet."""
        self._closing.set()
        with self._state:
            self._state.notify_all()
        try:
            self._connection.shutdown(sockets.SHUT_RDWR)
        except OSError:
            pass  # The edge closed it first.
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
        """Sends a message to a peer; returns once the peer's node has
        acknowledged it. While the window to the peer is full it waits, or with
        wait=False raises Busy."""
        return self._result(wire.op("send", data, timeout, wait, to=to,
                                    type=type), wire.as_delivery)

    def post(self, to: str, type: str, data: Data = None, *,
             timeout: Optional[float] = None, wait: bool = True) \
            -> "Future[Delivery]":
        """The same, but returns a future at once. Messages posted one after
        the other arrive in this order. Blocks while the edge's socket is
        full."""
        return self._ask(wire.op("send", data, timeout, wait, to=to,
                                   type=type), wire.as_delivery)

    def request(self, to: str, type: str, data: Data = None, *,
                timeout: float = 5.0, wait: bool = True) -> Reply:
        """Sends a request to a peer, and waits for the reply."""
        return self._result(wire.op("request", data, timeout, wait, to=to,
                                    type=type), wire.as_reply)

    def reply(self, message: Message, data: Data = None, *,
              type: Optional[str] = None) -> Delivery:
        """Replies to a message whose `request` is set, once."""
        return self._result(wire.op("reply", data, to=message.sender,
                                    request=message.request or "", type=type),
                            wire.as_delivery)

    def publish(self, type: str, data: Data = None, *,
                group: Optional[str] = None, wait: bool = True) -> int:
        """Publishes to all present nodes, or to those in the group; returns
        how many they are."""
        return self._result(wire.op("publish", data, wait=wait, type=type,
                                    group=group), wire.as_count)

    def join(self, group: str) -> None:
        """Puts the node into the group. It stays there when this program
        ends."""
        self._result(wire.op("join", group=group), wire.as_nothing)

    def leave(self, group: str) -> None:
        self._result(wire.op("leave", group=group), wire.as_nothing)

    def ping(self, to: str, *, timeout: float = 5.0) -> Ping:
        return self._result(wire.op("ping", timeout=timeout, to=to),
                            wire.as_ping)

    def peers(self) -> List[wire.Members]:
        """The peers, as `zs peers --json` prints them."""
        return self._result(wire.op("peers"), wire.as_peers)

    def status(self) -> wire.Members:
        """The status, as `zs status --json` prints it."""
        return self._result(wire.op("status"), wire.as_status)

    def subscribe(self, types: Names = None, events: Names = None,
                  groups: Names = None) -> None:
        """Subscribes to these types of messages, these kinds of events (join
        leave message event path gap) and these groups (the node is in them as
        long as this program listens). Replaces the former subscription.
        Applies to run(), and to events() without a filter."""
        filter = Filter(types, events, groups)
        with self._state:
            self._listeners.subscribe(filter)
        self._subscribe(self._listeners.default)

    # What comes in

    def next_event(self, timeout: Optional[float] = None) -> AnyEvent:
        """Returns the next event; raises Timeout if none comes within
        `timeout` seconds."""
        return self._next(self._listeners.default, timeout)

    def events(self, types: Names = None, events: Names = None,
               groups: Names = None) -> "Events":
        """Iterates over all events, until close(). With a filter: the events
        that pass it, whatever other listeners of this connection want. Without
        one: the events of subscribe(), or else all. Raises Disconnected when
        the connection ends and `reconnect` is not set."""
        return Events(self, self._listen(types, events, groups))

    def run(self) -> None:
        """Calls the handlers for each event, until close(). An exception of a
        handler is logged; if the event was a request, an error is its
        reply."""
        for event in self.events():
            for handler in self._for(event):
                try:
                    handler(event)
                except Exception:
                    self._failed(handler, event, self._closing.is_set(),
                                 self._tell_failure)

    def start(self) -> threading.Thread:
        """Calls run() in a new thread, which ends with the program."""
        thread = threading.Thread(target=self._serve, daemon=True,
                                  name="zeroservices-handlers")
        thread.start()
        return thread

    # Inside

    def _serve(self) -> None:
        """The thread of start(): logs exceptions, and lets no sys.exit() of a
        handler end the thread."""
        while not self._closing.is_set():
            try:
                self.run()
            except Disconnected as e:
                wire.log.error("handlers are called no more: %s", e)
                return
            except SystemExit:
                wire.log.exception("a handler wants to end this thread")

    def _tell_failure(self, message: Message) -> None:
        self._ask(wire.failure(message), wire.as_nothing)

    def _listen(self, types: Names, events: Names,
                groups: Names) -> Listener:
        filter = Filter(types, events, groups)
        own = (types, events, groups) != (None, None, None)
        with self._state:
            shared = self._listeners
            default = shared.default
            if not own and default.users == 0:
                default.users += 1
                listener = default
                ready = shared.subscribed
                if not ready:
                    shared.subscribe(filter)
            else:
                listener = shared.add(filter if own else default.filter)
                ready = False
        try:
            if not ready:
                self._subscribe(listener)
        except BaseException:
            self._unlisten(listener)
            raise
        return listener

    def _subscribe(self, listener: Listener) -> None:
        """Subscribes to the union of all filters. From the answer on this
        listener gets events, first a join for each present peer."""
        def begin(answer: wire.Members) -> None:
            listener.restart()
            listener.live = True
        self._wait(self._ask(self._listeners.members, begin))

    def _unlisten(self, listener: Listener) -> None:
        """Removes the listener and narrows the subscription. The garbage
        collector calls this too, at any time in any thread, so it never waits
        for the connection. If the subscription cannot be narrowed now, the
        filters still drop the events that no listener wants."""
        with self._state:
            if listener is self._listeners.default:
                listener.users -= 1
                return
            if not self._listeners.remove(listener):
                return
            self._state.notify_all()
        if not self._writing.acquire(blocking=False):
            return
        try:
            with self._state:
                if self._wire.lost is None and not self._closing.is_set():
                    line = self._wire.ask(self._listeners.members(),
                                          wire.as_nothing, Future())[1]
                    self._outgoing.add(line)
            self._outgoing.push(self._connection, sockets.MSG_DONTWAIT)
        except OSError:
            pass  # The socket is full; the next line sends the rest.
        finally:
            self._writing.release()

    def _next(self, listener: Listener,
              timeout: Optional[float] = None) -> AnyEvent:
        until = None if timeout is None else time.monotonic() + timeout
        with self._state:
            while not listener.queue:
                if self._ended is not None or self._closing.is_set():
                    raise Disconnected(self._ended or "closed")
                left = None if until is None else until - time.monotonic()
                if left is not None and left <= 0:
                    raise Timeout("no event came in time")
                self._no_reader()
                self._state.wait(left)
            event = listener.take()
            self._state.notify_all()
            return event

    def _no_reader(self) -> None:
        if threading.current_thread() is self._reader:
            raise Misuse("a future's callback cannot wait: the thread that "
                         "runs it reads what it would wait for")

    def _result(self, members: wire.Members, parse: wire.Parse) -> Any:
        return self._wait(self._ask(members, parse))

    def _wait(self, future: "Future[Any]") -> Any:
        if not future.done():
            self._no_reader()
        return future.result()

    def _ask(self, members: Union[wire.Members, Callable[[], wire.Members]],
             parse: wire.Parse) -> "Future[Any]":
        """Sends a request; returns the future of its answer. If `members` is a
        function, it is called with the lock held, so that requests are sent in
        the order of these calls."""
        future: "Future[Any]" = Future()
        line = b"" if callable(members) else wire.encode(members)
        with self._writing:
            with self._state:
                if self._wire.lost is not None or self._closing.is_set():
                    raise Disconnected(self._wire.lost or "closed")
                _, line = self._wire.ask(line or members(), parse, future)
                self._outgoing.add(line)
                connection = self._connection
                self._state.notify_all()
            try:
                self._outgoing.push(connection)
            except OSError:
                pass  # The reader sees the error too, and fails the future.
        return future

    @property
    def _queued(self) -> int:
        return self._listeners.queued

    def _put(self, events: List[Tuple[AnyEvent, int]]) -> None:
        for event, size in events:
            self._listeners.put(event, size)
        self._state.notify_all()

    def _may_read(self) -> bool:
        return self._queued <= self._backlog or self._wire.awaited > 0 \
            or self._closing.is_set()

    def _read(self) -> None:
        try:
            while self._read_and_end():
                pass
        except BaseException as e:
            # The reader ends, so every waiting thread must fail.
            wire.log.exception("the thread that reads fails")
            with self._state:
                self._wire.end(f"the client failed: {e!r}")
                self._ended = self._wire.lost
                self._state.notify_all()
            self._wire.settle()
        finally:
            self._hang_up()

    def _hang_up(self) -> None:
        try:
            self._connection.shutdown(sockets.SHUT_RDWR)
        except OSError:
            pass  # The edge closed it first.

    def _read_and_end(self) -> bool:
        """Reads one connection to its end and reconnects. Returns False if
        there will be no other connection."""
        reason = self._read_one()
        with self._state:
            left = self._wire.end(reason)
            if self._closing.is_set():
                self._listeners.clear()
            else:
                reason = self._wire.lost or reason
                self._put([(x, 0) for x in (*left, EdgeLost(reason))])
                self._listeners.lost()
                if not self._reconnect:
                    self._ended = reason
        self._wire.settle()
        return self._ended is None and not self._closing.is_set() and \
            self._again()

    def _read_one(self) -> str:
        """Reads until the connection ends; returns why it ended."""
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
                lost = self._wire.lost
            self._wire.settle()
            if lost is not None:
                return lost

    def _again(self) -> bool:
        """Connects and subscribes again; False after close()."""
        self._connection.close()
        for delay in wire.retry_delays():
            if self._closing.wait(delay):
                return False
            try:
                connection = connect(self.socket)
            except OSError:
                continue
            with self._writing, self._state:
                self._connection = connection
                self._wire = wire.Wire(later=True)
                self._outgoing = Outgoing()
                self._put([(EdgeBack(), 0)])
                if self._listeners.any:
                    self._outgoing.add(self._wire.ask(
                        self._listeners.members(), wire.as_nothing,
                        Future())[1])
                try:
                    self._outgoing.push(connection, sockets.MSG_DONTWAIT)
                except OSError:
                    pass  # Broken again: the reader will see it.
            return not self._closing.is_set()
        return False


class Events:
    """The iterator that events() returns. Its subscription ends with close(),
    with the end of a `with`, or when the iterator is collected as garbage."""

    def __init__(self, edge: Edge, listener: Listener) -> None:
        self._edge = edge
        self._listener: Optional[Listener] = listener

    def __iter__(self) -> Iterator[AnyEvent]:
        return self

    def __next__(self) -> AnyEvent:
        if self._listener is None:
            raise StopIteration
        try:
            return self._edge._next(self._listener)
        except Disconnected:
            if self._edge._closing.is_set():
                raise StopIteration from None
            raise

    def close(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            self._edge._unlisten(listener)

    def __enter__(self) -> "Events":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()
