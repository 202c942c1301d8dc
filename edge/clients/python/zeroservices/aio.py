"""AsyncEdge: the client for asyncio."""

import asyncio
import inspect
from collections import deque
from typing import Any, AsyncIterator, Deque, List, Optional, Tuple, Type

from . import wire
from .errors import Disconnected, NoEdge
from .handlers import Handlers
from .model import (AnyEvent, Data, Delivery, EdgeBack, EdgeLost, Message,
                    Ping, Reply)
from .place import find_socket
from .sync import BACKLOG, READ_SIZE


class AsyncEdge(Handlers):
    """A connection to the edge on this host, for one event loop.

        async with AsyncEdge() as edge:
            await edge.send("bob", "greeting", "hello")
            async for event in edge.events():
                ...

    Queue, backlog and reconnection are as with Edge. A task that is cancelled
    while it waits for an answer cancels what it asked for, as far as the node
    does not have it yet.
    """

    def __init__(self, socket: Optional[str] = None, *,
                 reconnect: bool = False, backlog: int = BACKLOG) -> None:
        super().__init__()
        self.socket = socket or ""
        self._reconnect = reconnect
        self._backlog = backlog
        self._queue: Deque[Tuple[AnyEvent, int]] = deque()
        self._queued = 0
        self._changed: asyncio.Event  # of the queue, or of what is awaited
        self._wire = wire.Wire()
        self._writer: Optional[asyncio.StreamWriter] = None
        self._task: Optional["asyncio.Task[None]"] = None
        self._ended: Optional[str] = None
        self._closed = False
        self._subscription: Optional[wire.Members] = None

    async def open(self) -> "AsyncEdge":
        """What `async with` does at its begin."""
        self._changed = asyncio.Event()  # Python 3.9 binds it to this loop.
        self.socket = find_socket(self.socket or None)
        try:
            reader, self._writer = await self._connect()
        except OSError as e:
            raise NoEdge(f"no edge is reachable at {self.socket}: "
                         f"{e.strerror or e}") from e
        self._task = asyncio.ensure_future(self._read(reader))
        return self

    async def close(self) -> None:
        """Hangs up. What still waits at the edge goes with it."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._writer is not None:
            self._writer.close()
        self._wire.end("closed")
        self._queue.clear()
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

    async def subscribe(self, types: Optional[List[str]] = None,
                        events: Optional[List[str]] = None,
                        groups: Optional[List[str]] = None) -> None:
        members = wire.subscription(types, events, groups)
        await self._ask(members, wire.as_nothing)
        self._subscription = members

    # What comes in

    async def next_event(self) -> AnyEvent:
        """The next event; for one loop or task at a time."""
        while not self._queue:
            if self._ended is not None:
                raise Disconnected(self._ended)
            self._changed.clear()
            await self._changed.wait()
        event, size = self._queue.popleft()
        self._queued -= size
        self._changed.set()
        return event

    async def events(self) -> AsyncIterator[AnyEvent]:
        """All that comes in, until close(); see Edge.events."""
        if self._subscription is None:
            await self.subscribe()
        while True:
            try:
                event = await self.next_event()
            except Disconnected:
                if self._closed:
                    return
                raise
            yield event

    async def run(self) -> None:
        """Calls the handlers, and awaits those that are async, until
        close()."""
        async for event in self.events():
            for handler in self._for(event):
                result = handler(event)
                if inspect.isawaitable(result):
                    await result

    # Inside

    async def _connect(self) -> Tuple[asyncio.StreamReader,
                                      asyncio.StreamWriter]:
        return await asyncio.open_unix_connection(self.socket)

    async def _ask(self, members: wire.Members, parse: wire.Parse) -> Any:
        if self._writer is None or self._closed or \
                self._wire.lost is not None:
            raise Disconnected(self._wire.lost or "closed")
        used, writer = self._wire, self._writer
        future: "asyncio.Future[Any]" = \
            asyncio.get_running_loop().create_future()
        ref, line = used.ask(members, parse, future)
        writer.write(line)
        self._changed.set()
        try:
            try:
                await writer.drain()
            except OSError:
                pass  # The reader sees it as well, and fails the future.
            return await future
        except asyncio.CancelledError:
            self._cancel(used, writer, ref)
            raise

    def _cancel(self, used: wire.Wire, writer: asyncio.StreamWriter,
                ref: int) -> None:
        if used.lost is not None or writer.is_closing():
            return
        ignored = asyncio.get_running_loop().create_future()
        ignored.add_done_callback(lambda f: f.cancelled() or f.exception())
        writer.write(used.ask({"op": "cancel", "request": ref},
                              wire.as_nothing, ignored)[1])

    def _put(self, events: List[Tuple[AnyEvent, int]]) -> None:
        self._queue.extend(events)
        self._queued += sum(size for _, size in events)
        self._changed.set()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while True:
            reason = await self._read_one(reader)
            left = self._wire.end(reason)
            reason = self._wire.lost or reason
            self._put([(x, 0) for x in (*left, EdgeLost(reason))])
            if self._writer is not None:
                self._writer.close()
            if not self._reconnect:
                self._ended = reason
                return
            reader = await self._again()

    async def _read_one(self, reader: asyncio.StreamReader) -> str:
        """Until the connection ends; why it did."""
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
        """Connects and subscribes again, however long it takes."""
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
        if self._subscription is not None:
            answer = asyncio.get_running_loop().create_future()
            answer.add_done_callback(lambda f: f.cancelled() or f.exception())
            writer.write(self._wire.ask(
                self._subscription, wire.as_nothing, answer)[1])
        return reader
