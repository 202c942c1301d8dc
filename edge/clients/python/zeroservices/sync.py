"""Edge: the client for programs with threads, or with nothing of the kind."""

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
    """A connection to the edge on this host; safe to use from all threads.

    A thread of its own reads the socket. Events wait for events() or run();
    when more than `backlog` bytes of them wait for one of those, no more is
    read until some are taken, or an answer is awaited; at four times as much
    the connection is ended.

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
        self._wire = wire.Wire(later=True)
        self._outgoing = Outgoing()
        self._reconnect = reconnect
        self._backlog = backlog
        self._listeners = Listeners()
        self._state = threading.Condition()  # of all the above
        self._writing = threading.Lock()
        self._closing = threading.Event()
        self._ended: Optional[str] = None
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
        return self._result(wire.op("send", data, timeout, wait, to=to,
                                    type=type), wire.as_delivery)

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
        return self._result(wire.op("request", data, timeout, wait, to=to,
                                    type=type), wire.as_reply)

    def reply(self, message: Message, data: Data = None, *,
              type: Optional[str] = None) -> Delivery:
        """Once for each message that has a request."""
        return self._result(wire.op("reply", data, to=message.sender,
                                    request=message.request or "", type=type),
                            wire.as_delivery)

    def publish(self, type: str, data: Data = None, *,
                group: Optional[str] = None, wait: bool = True) -> int:
        """To everyone present, or in the group: how many that were."""
        return self._result(wire.op("publish", data, wait=wait, type=type,
                                    group=group), wire.as_count)

    def join(self, group: str) -> None:
        """The node is in the group, also when this program has gone."""
        self._result(wire.op("join", group=group), wire.as_nothing)

    def leave(self, group: str) -> None:
        self._result(wire.op("leave", group=group), wire.as_nothing)

    def ping(self, to: str, *, timeout: float = 5.0) -> Ping:
        return self._result(wire.op("ping", timeout=timeout, to=to),
                            wire.as_ping)

    def peers(self) -> List[wire.Members]:
        """As `zs peers --json`."""
        return self._result(wire.op("peers"), wire.as_peers)

    def status(self) -> wire.Members:
        """As `zs status --json`."""
        return self._result(wire.op("status"), wire.as_status)

    def subscribe(self, types: Names = None, events: Names = None,
                  groups: Names = None) -> None:
        """Only these types of messages, these events (join leave message
        event path gap), these groups (the node is in them as long as this
        program listens). In place of a former subscription; for run() and
        events() without a filter of its own."""
        filter = Filter(types, events, groups)
        with self._state:
            self._listeners.subscribe(filter)
        self._subscribe(self._listeners.default)

    # What comes in

    def next_event(self, timeout: Optional[float] = None) -> AnyEvent:
        """The next event; Timeout after so many seconds without one."""
        return self._next(self._listeners.default, timeout)

    def events(self, types: Names = None, events: Names = None,
               groups: Names = None) -> "Events":
        """All that comes in, until close(). With a filter: only what fits it,
        whatever others on this connection listen to. Without: what subscribe()
        was told, or everything. Raises Disconnected at the end of a connection
        that is not to be made again."""
        return Events(self, self._listen(types, events, groups))

    def run(self) -> None:
        """Calls the handlers for what comes in, until close(). What a handler
        raises is logged, and a request answered with an error."""
        for event in self.events():
            for handler in self._for(event):
                try:
                    handler(event)
                except Exception:
                    self._failed(handler, event, self._closing.is_set(),
                                 self._tell_failure)

    def start(self) -> threading.Thread:
        """run() in a thread of its own, which ends with the program."""
        thread = threading.Thread(target=self._serve, daemon=True,
                                  name="zeroservices-handlers")
        thread.start()
        return thread

    # Inside

    def _serve(self) -> None:
        """run(), where nobody sees an exception and nothing else is to end by
        sys.exit()."""
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
        """Asks for what all want together. What comes after the answer is for
        this listener, beginning with the list of peers."""
        def begin(answer: wire.Members) -> None:
            listener.restart()
            listener.live = True
        self._wait(self._ask(self._listeners.members, begin))

    def _unlisten(self, listener: Listener) -> None:
        """Also called by the garbage collector, at any time in any thread: it
        never waits for the connection. Without it the filters do what the
        edge was not asked for."""
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
            pass  # It takes no more now; the rest goes with the next line.
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
        """Members that are a function's are asked for in the order in which
        they go out."""
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
                pass  # The reader sees it as well, and fails the future.
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
            # Nobody may wait for what will not come.
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
            pass  # The edge was faster.

    def _read_and_end(self) -> bool:
        """One connection, and what comes of its end; False: it was the
        last."""
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
                lost = self._wire.lost
            self._wire.settle()
            if lost is not None:
                return lost

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
                    pass  # It is gone again: the reader will see.
            return not self._closing.is_set()
        return False


class Events:
    """What events() gives: an iterator. Its subscription ends with it: by
    close(), at the end of a `with`, or when nothing refers to it any more."""

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
