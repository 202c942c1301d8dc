"""The local API without a socket: bytes in, events and answers out.

Both Edge and AsyncEdge drive one Wire for each connection.
"""

import base64
import json
from typing import Any, Callable, Dict, Iterator, List, Optional, Protocol, \
    Tuple

from .errors import BadRequest, Disconnected, ZsError, api_error
from .model import (AnyEvent, Data, Delivery, Event, Gap, Message, NewNode,
                    NodeClose, Path, Ping, Reply, Synced)

Members = Dict[str, Any]
Parse = Callable[[Members], Any]


class Waiting(Protocol):
    """A future of either kind."""

    def done(self) -> bool: ...
    def set_result(self, result: Any, /) -> None: ...
    def set_exception(self, exception: Any, /) -> None: ...


class Lines:
    """Cuts a stream into lines, however it comes in pieces."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._scanned = 0

    def feed(self, piece: bytes) -> Iterator[bytes]:
        self._rest += piece
        begin = 0
        end = self._rest.find(b"\n", self._scanned)
        while end >= 0:
            yield bytes(self._rest[begin:end])
            begin = end + 1
            end = self._rest.find(b"\n", begin)
        del self._rest[:begin]
        self._scanned = len(self._rest)


class Wire:
    """One connection. After `lost` is set nothing more is to be fed."""

    def __init__(self) -> None:
        self.lost: Optional[str] = None
        self._lines = Lines()
        self._last_ref = 0
        self._waiting: Dict[int, Tuple[Waiting, Parse, int]] = {}
        self._present: Dict[str, str] = {}

    @property
    def awaited(self) -> int:
        """How many answers are still to come."""
        return len(self._waiting)

    def ask(self, members: Members, parse: Parse,
            future: Waiting) -> Tuple[int, bytes]:
        """The line to send; the future gets its answer."""
        ref = self._last_ref + 1
        try:
            line = json.dumps({"ref": ref, **members}, allow_nan=False,
                              separators=(",", ":")).encode() + b"\n"
        except (TypeError, ValueError, RecursionError) as e:
            raise BadRequest(f"the data is not JSON: {e}") from e
        self._last_ref = ref
        self._waiting[ref] = (future, parse, len(line))
        return ref, line

    def feed(self, piece: bytes) -> List[Tuple[AnyEvent, int]]:
        """Events, each with the bytes it came in."""
        events = []
        for line in self._lines.feed(piece):
            if self.lost is not None:
                break
            event = self._take(line)
            if event is not None:
                events.append((event, len(line)))
        return events

    def end(self, reason: str) -> List[AnyEvent]:
        """The connection is gone: fails what was asked; who was present has
        left, as far as can be seen from here."""
        if self.lost is None:
            self.lost = reason
        waiting, self._waiting = self._waiting, {}
        for future, _, _ in waiting.values():
            _fail(future, Disconnected(self.lost))
        present, self._present = self._present, {}
        return [NodeClose(id, name, "edge") for id, name in present.items()]

    def _take(self, line: bytes) -> Optional[AnyEvent]:
        try:
            said = json.loads(line)
        except ValueError:
            said = None
        if not isinstance(said, dict):
            self.lost = "what answers there is no edge"
        elif "event" in said:
            return self._event(said)
        elif said.get("ref") is None:
            self._refused(said)
        else:
            self._answer(said)
        return None

    def _answer(self, said: Members) -> None:
        future, parse, _ = self._waiting.pop(said["ref"], (None, None, 0))
        if future is None or parse is None:
            return
        if not said.get("ok"):
            _fail(future, api_error(str(said.get("error", "")),
                                    str(said.get("message", ""))))
        elif not future.done():
            future.set_result(parse(said))

    def _refused(self, said: Members) -> None:
        """An error without a ref. Of a line that was too long the edge reads
        no ref: of those that await an answer it can only be the longest."""
        error, message = str(said.get("error")), str(said.get("message"))
        if error == "too_large" and self._waiting:
            ref = max(self._waiting, key=lambda x: self._waiting[x][2])
            _fail(self._waiting.pop(ref)[0], api_error(error, message))
        else:
            self.lost = f"{error}: {message}"

    def _event(self, said: Members) -> Optional[AnyEvent]:
        if said["event"] == "closed":
            self.lost = "the edge ended the connection: " + (
                "what came in was read too slowly"
                if said.get("reason") == "slow" else str(said.get("reason")))
            return None
        make = _EVENTS.get(said["event"])
        if make is None:
            return None  # Of a later version.
        event = make(said)
        if isinstance(event, NewNode):
            self._present[event.id] = event.name
        elif isinstance(event, NodeClose):
            self._present.pop(event.id, None)
        return event


def _fail(future: Waiting, error: ZsError) -> None:
    if not future.done():
        future.set_exception(error)


def _data(said: Members) -> Data:
    if "data_b64" in said:
        return base64.b64decode(said["data_b64"])
    return said.get("data")


_EVENTS: Dict[str, Callable[[Members], AnyEvent]] = {
    "join": lambda m: NewNode(m["id"], m["name"], m.get("info") or {},
                              m.get("groups") or [], m["path"]),
    "leave": lambda m: NodeClose(m["id"], m["name"], m["reason"]),
    "message": lambda m: Message(m["from"], m["name"], m["type"], _data(m),
                                 m.get("request")),
    "event": lambda m: Event(m["from"], m["name"], m["type"], _data(m),
                             m.get("group")),
    "path": lambda m: Path(m["id"], m["name"], m["path"], m["was"],
                           m.get("endpoint")),
    "gap": lambda m: Gap(m["from"], m["name"], m["missed"]),
    "synced": lambda m: Synced(),
}


# What each operation says, and what its answer is.

def op(name: str, data: Data = None, timeout: Optional[float] = None,
       wait: bool = True, **members: Any) -> Members:
    """A request's members; those that are None are left out."""
    line: Members = {"op": name}
    line.update((k, v) for k, v in members.items() if v is not None)
    if timeout is not None:
        line["timeout"] = max(1, round(timeout * 1000))
    if not wait:
        line["wait"] = False
    if isinstance(data, (bytes, bytearray, memoryview)):
        line["data_b64"] = base64.b64encode(data).decode()
    elif data is not None:
        line["data"] = data
    return line


def subscription(types: Optional[List[str]], events: Optional[List[str]],
                 groups: Optional[List[str]]) -> Members:
    return op("subscribe", types=types, events=events, groups=groups)


def as_delivery(answer: Members) -> Delivery:
    return Delivery(answer["path"], answer.get("rtt_ms"))


def as_reply(answer: Members) -> Reply:
    return Reply(answer["from"], answer["name"], answer["type"],
                 _data(answer))


def as_ping(answer: Members) -> Ping:
    return Ping(answer.get("name", ""), answer["path"], answer.get("rtt_ms"),
                answer.get("endpoint"))


def as_count(answer: Members) -> int:
    return int(answer["peers"])


def as_peers(answer: Members) -> List[Members]:
    return list(answer["peers"])


def as_status(answer: Members) -> Members:
    return {k: v for k, v in answer.items() if k not in ("ref", "ok")}


def as_nothing(answer: Members) -> None:
    return None


def retry_delays() -> Iterator[float]:
    """Seconds between tries to reach the edge again: 0.1 0.2 ... 5 5 5"""
    delay = 0.1
    while True:
        yield delay
        delay = min(2 * delay, 5.0)
