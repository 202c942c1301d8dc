"""AsyncEdge: the client for asyncio."""

import asyncio
import inspect
from typing import Any, AsyncIterator, Callable, List, Optional, Tuple, Type

from . import wire
from .errors import Disconnected, Misuse
from .handlers import Handlers
from .listeners import Filter, Listener, Listeners, Names
from .model import (AnyEvent, Data, Delivery, EdgeBack, EdgeLost, Message,
                    Ping, Reply)
from .place import find_socket, unreachable
from .sync import BACKLOG, READ_SIZE


class AsyncEdge(Handlers):
    """A connection to the edge on this host, for one event loop.

        async with AsyncEdge() as edge:
            await edge.send("bob", "greeting", "hello")
            async for event in edge.events():
                ...

    Queue, backlog and reconnection are those of Edge. If a task is cancelled
    while it waits for an answer, its operation is cancelled too, unless the
    peer's node has the message already.
    """

    def __init__(self, socket: Optional[str] = None, *,
                 reconnect: bool = False, backlog: int = BACKLOG) -> None:
        super().__init__()
        self.socket = socket or ""
        self._reconnect = reconnect
        self._backlog = backlog
        self._listeners = Listeners()
        self._changed: asyncio.Event  # set when a queue or an answer changed
        self._draining: asyncio.Lock  # Python 3.9 lets one task do it.
        self._loop: asyncio.AbstractEventLoop
        self._wire = wire.Wire()
        self._writer: Optional[asyncio.StreamWriter] = None
        self._task: Optional["asyncio.Task[None]"] = None
        self._ended: Optional[str] = None
        self._closed = False

    async def open(self) -> "AsyncEdge":
        """Connects; `async with` calls it."""
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()  # Python 3.9 binds it to this loop.
        self._draining = asyncio.Lock()
        self.socket = find_socket(self.socket or None)
        try:
            reader, self._writer = await self._connect()
        except (OSError, ValueError) as e:
            raise unreachable(self.socket, e) from e
        self._task = asyncio.ensure_future(self._read(reader))
        return self

    async def close(self) -> None:
        """Closes the connection. The edge drops this program's messages that
        it has not sent yet."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._writer is not None:
            self._writer.close()
        self._wire.end("closed")
        self._listeners.clear()
        self._ended = self._ended or "closed"
        if self._task is not None:
            self._changed.set()

    async def __aenter__(self) -> "AsyncEdge":
        return await self.open()

    async def __aexit__(self, kind: Optional[Type[BaseException]],
                        *rest: Any) -> None:
        await self.close()

    # Operations: see Edge

    async def send(self, to: str, type: str, data: Data = None, *,
                   timeout: Optional[float] = None,
                   wait: bool = True) -> Delivery:
        return await self._ask(wire.op("send", data, timeout, wait, to=to,
                                         type=type), wire.as_delivery)

    async def request(self, to: str, type: str, data: Data = None, *,
                      timeout: float = 5.0, wait: bool = True) -> Reply:
        return await self._ask(wire.op("request", data, timeout, wait,
                                         to=to, type=type), wire.as_reply)

    async def reply(self, message: Message, data: Data = None, *,
                    type: Optional[str] = None) -> Delivery:
        return await self._ask(wire.op(
            "reply", data, to=message.sender, request=message.request or "",
            type=type), wire.as_delivery)

    async def publish(self, type: str, data: Data = None, *,
                      group: Optional[str] = None, wait: bool = True) -> int:
        return await self._ask(wire.op("publish", data, wait=wait,
                                         type=type, group=group),
                               wire.as_count)

    async def join(self, group: str) -> None:
        await self._ask(wire.op("join", group=group), wire.as_nothing)

    async def leave(self, group: str) -> None:
        await self._ask(wire.op("leave", group=group), wire.as_nothing)

    async def ping(self, to: str, *, timeout: float = 5.0) -> Ping:
        return await self._ask(wire.op("ping", timeout=timeout, to=to),
                               wire.as_ping)

    async def peers(self) -> List[wire.Members]:
        return await self._ask(wire.op("peers"), wire.as_peers)

    async def status(self) -> wire.Members:
        return await self._ask(wire.op("status"), wire.as_status)

    async def subscribe(self, types: Names = None, events: Names = None,
                        groups: Names = None) -> None:
        self._listeners.subscribe(Filter(types, events, groups))
        await self._subscribe(self._listeners.default)

    # What comes in

    async def next_event(self) -> AnyEvent:
        """The next event; for one loop or task at a time."""
        return await self._next(self._listeners.default)

    def events(self, types: Names = None, events: Names = None,
               groups: Names = None) -> "AsyncEvents":
        """All events from now on, until close(); see Edge.events. With a
        filter the subscription is requested at once."""
        filter = Filter(types, events, groups)
        shared = self._listeners
        if (types, events, groups) != (None, None, None):
            own = shared.add(filter)
        elif shared.default.users > 0:
            own = shared.add(shared.default.filter)
        else:
            shared.default.users += 1
            return AsyncEvents(self, shared.default, None)
        try:
            asked = self._write(shared.members(), self._begin(own))
        except BaseException:
            shared.remove(own)
            raise
        asked[0].add_done_callback(_ignore)
        return AsyncEvents(self, own, asked[0])

    async def run(self) -> None:
        """Calls the handlers for each event, and awaits those that are async,
        until close(). An exception of a handler is logged; if the event was a
        request, an error is its reply."""
        async for event in self.events():
            for handler in self._for(event):
                try:
                    await self._call(handler, event)
                except Exception:
                    self._failed(handler, event, self._closed,
                                 self._tell_failure)

    # Inside

    async def _call(self, handler: Callable[..., Any],
                    event: AnyEvent) -> None:
        result = handler(event)
        if not inspect.isawaitable(result):
            return
        # In a task of its own, so that cancelling a handler does not end
        # run().
        task = asyncio.ensure_future(result)
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            task.cancel()
            raise
        if task.cancelled():
            raise RuntimeError("it was cancelled")
        task.result()

    def _tell_failure(self, message: Message) -> None:
        self._write(wire.failure(message), wire.as_nothing)[0] \
            .add_done_callback(_ignore)

    def _begin(self, listener: Listener) -> wire.Parse:
        def begin(answer: wire.Members) -> None:
            listener.restart()
            listener.live = True
        return begin

    async def _subscribe(self, listener: Listener) -> None:
        await self._ask(self._listeners.members(), self._begin(listener))

    def _unlisten(self, listener: Listener) -> None:
        if listener is self._listeners.default:
            listener.users -= 1
        elif self._listeners.remove(listener):
            self._changed.set()
            if self._wire.lost is None and not self._closed:
                self._write(self._listeners.members(), wire.as_nothing)[0] \
                    .add_done_callback(_ignore)

    async def _next(self, listener: Listener) -> AnyEvent:
        while not listener.queue:
            if self._ended is not None:
                raise Disconnected(self._ended)
            self._changed.clear()
            await self._changed.wait()
        event = listener.take()
        self._changed.set()
        return event

    async def _connect(self) -> Tuple[asyncio.StreamReader,
                                      asyncio.StreamWriter]:
        return await asyncio.open_unix_connection(self.socket)

    def _write(self, members: wire.Members, parse: wire.Parse) \
            -> Tuple["asyncio.Future[Any]", int]:
        """Sends a request; returns the future of its answer, and its ref."""
        if self._writer is None or self._closed or \
                self._wire.lost is not None:
            raise Disconnected(self._wire.lost or "closed")
        if asyncio.get_running_loop() is not self._loop:
            raise Misuse("this AsyncEdge was opened in another event loop")
        future: "asyncio.Future[Any]" = self._loop.create_future()
        ref, line = self._wire.ask(wire.encode(members), parse, future)
        self._writer.write(line)
        self._changed.set()
        return future, ref

    async def _ask(self, members: wire.Members, parse: wire.Parse) -> Any:
        future, ref = self._write(members, parse)
        used, writer = self._wire, self._writer
        assert writer is not None
        try:
            try:
                async with self._draining:
                    await writer.drain()
            except OSError:
                pass  # The reader sees the error too, and fails the future.
            return await future
        except asyncio.CancelledError:
            self._cancel(used, writer, ref)
            raise

    def _cancel(self, used: wire.Wire, writer: asyncio.StreamWriter,
                ref: int) -> None:
        if used.lost is not None or writer.is_closing():
            return
        ignored = self._loop.create_future()
        ignored.add_done_callback(_ignore)
        writer.write(used.ask({"op": "cancel", "request": ref},
                              wire.as_nothing, ignored)[1])

    @property
    def _queued(self) -> int:
        return self._listeners.queued

    def _put(self, events: List[Tuple[AnyEvent, int]]) -> None:
        for event, size in events:
            self._listeners.put(event, size)
        self._changed.set()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            await self._read_all(reader)
        except Exception as e:
            # The reader ends, so every waiting task must fail.
            wire.log.exception("the task that reads fails")
            self._wire.end(f"the client failed: {e!r}")
            self._ended = self._wire.lost
            self._changed.set()

    async def _read_all(self, reader: asyncio.StreamReader) -> None:
        while True:
            reason = await self._read_one(reader)
            left = self._wire.end(reason)
            reason = self._wire.lost or reason
            self._put([(x, 0) for x in (*left, EdgeLost(reason))])
            self._listeners.lost()
            if self._writer is not None:
                self._writer.close()
            if not self._reconnect:
                self._ended = reason
                return
            reader = await self._again()

    async def _read_one(self, reader: asyncio.StreamReader) -> str:
        """Reads until the connection ends; returns why it ended."""
        while True:
            while self._queued > self._backlog and not self._wire.awaited:
                self._changed.clear()
                await self._changed.wait()
            try:
                piece = await reader.read(READ_SIZE)
            except OSError as e:
                return str(e.strerror)
            if not piece:
                return "the edge ended the connection"
            self._put(self._wire.feed(piece))
            if self._queued > 4 * self._backlog:
                self._wire.lost = "what came in was not taken in time"
            if self._wire.lost is not None:
                return self._wire.lost

    async def _again(self) -> asyncio.StreamReader:
        """Tries to connect until it succeeds, then subscribes again."""
        delays = wire.retry_delays()
        while True:
            await asyncio.sleep(next(delays))
            try:
                reader, writer = await self._connect()
                break
            except OSError:
                continue
        self._writer, self._wire = writer, wire.Wire()
        self._put([(EdgeBack(), 0)])
        if self._listeners.any:
            answer = self._loop.create_future()
            answer.add_done_callback(_ignore)
            writer.write(self._wire.ask(self._listeners.members(),
                                        wire.as_nothing, answer)[1])
        return reader


def _ignore(future: "asyncio.Future[Any]") -> None:
    """Reads an answer that nothing awaits, so that asyncio logs no error."""
    if not future.cancelled():
        future.exception()


class AsyncEvents:
    """The asynchronous iterator that events() returns. Its subscription ends
    with close(), with the end of a `with`, or when the iterator is collected
    as garbage."""

    def __init__(self, edge: AsyncEdge, listener: Listener,
                 asked: "Optional[asyncio.Future[Any]]") -> None:
        self._edge = edge
        self._listener: Optional[Listener] = listener
        self._asked = asked

    def __aiter__(self) -> AsyncIterator[AnyEvent]:
        return self

    async def __anext__(self) -> AnyEvent:
        edge = self._edge
        if self._listener is None:
            raise StopAsyncIteration
        try:
            if self._asked is not None:
                await asyncio.shield(self._asked)
                self._asked = None
            elif self._listener is edge._listeners.default and \
                    not edge._listeners.subscribed:
                await edge.subscribe()
            return await edge._next(self._listener)
        except Disconnected:
            if edge._closed:
                raise StopAsyncIteration from None
            raise

    def close(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            self._edge._unlisten(listener)

    async def aclose(self) -> None:
        self.close()

    def __enter__(self) -> "AsyncEvents":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __del__(self) -> None:
        # The garbage collector may run in any thread.
        if self._listener is None:
            return
        try:
            self._edge._loop.call_soon_threadsafe(self.close)
        except RuntimeError:
            pass  # The loop has ended.
