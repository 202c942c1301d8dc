"""The local API without a socket: bytes in, events and answers out.

Both Edge and AsyncEdge drive one Wire for each connection.
"""

import asyncio
import base64
import json
import logging
from collections import deque
from concurrent.futures import InvalidStateError
from typing import Any, Callable, Deque, Dict, Iterator, List, Optional, \
    Protocol, Tuple, Union

from .errors import BadRequest, Disconnected, HandlerFailed, ZsError, \
    api_error
from .model import (AnyEvent, Data, Delivery, Event, Gap, Message, NewNode,
                    NodeClose, Path, Ping, Reply, Synced)

Members = Dict[str, Any]
Parse = Callable[[Members], Any]

log = logging.getLogger("zeroservices")


class Waiting(Protocol):
    """A future of asyncio or of concurrent.futures."""

    def set_result(self, result: Any, /) -> None: ...
    def set_exception(self, exception: Any, /) -> None: ...


class Lines:
    """Cuts a stream, which comes in pieces of any size, into lines."""

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
    """One connection. Once `lost` is set the caller feeds nothing more.

    feed() and end() give futures their results, which runs the futures'
    callbacks. With `later` only settle() does so, which the caller calls
    without holding a lock."""

    def __init__(self, later: bool = False) -> None:
        self.lost: Optional[str] = None
        self._later = later
        self._settled: Deque[Tuple[Callable[[Any], None], Any]] = deque()
        self._lines = Lines()
        self._last_ref = 0
        self._waiting: Dict[int, Tuple[Waiting, Parse, int]] = {}
        self._present: Dict[str, str] = {}

    @property
    def awaited(self) -> int:
        """The number of requests without an answer."""
        return len(self._waiting)

    def ask(self, members: Union[Members, bytes], parse: Parse,
            future: Waiting) -> Tuple[int, bytes]:
        """Returns the ref and the line to send for these members, or for the
        result of encode() on them. `future` will get the answer."""
        line = members if isinstance(members, bytes) else encode(members)
        self._last_ref += 1
        ref = self._last_ref
        line = b'{"ref":%d,' % ref + line[1:]
        self._waiting[ref] = (future, parse, len(line))
        return ref, line

    def feed(self, piece: bytes) -> List[Tuple[AnyEvent, int]]:
        """Handles received bytes; returns the events, each with its size in
        bytes."""
        events = []
        for line in self._lines.feed(piece):
            if self.lost is not None:
                break
            event = self._take(line)
            if event is not None:
                events.append((event, len(line)))
        if not self._later:
            self.settle()
        return events

    def settle(self) -> None:
        """Gives the futures their answers."""
        while self._settled:
            _settle(*self._settled.popleft())

    def end(self, reason: str) -> List[AnyEvent]:
        """The connection broke: fails all open requests, and returns a
        NodeClose for each peer that was present."""
        if self.lost is None:
            self.lost = reason
        waiting, self._waiting = self._waiting, {}
        for future, _, _ in waiting.values():
            self._fail(future, Disconnected(self.lost))
        if not self._later:
            self.settle()
        present, self._present = self._present, {}
        return [NodeClose(id, name, "edge") for id, name in present.items()]

    def _take(self, line: bytes) -> Optional[AnyEvent]:
        try:
            said = _decode(line)
        except (ValueError, RecursionError):
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
            self._fail(future, _error_of(said))
            return
        try:
            result = parse(said)
        except ZsError as e:
            self._fail(future, e)
        except (KeyError, TypeError, ValueError) as e:
            self._fail(future,
                       api_error("failed", f"the answer is no such: {e!r}"))
        else:
            self._settled.append((future.set_result, result))

    def _refused(self, said: Members) -> None:
        """Handles an error without a ref: the edge could not parse the line.
        If a line was too long, it must be the longest open request. Otherwise
        the request is known only if just one is open."""
        refs = list(self._waiting)
        if said.get("error") == "too_large" and refs:
            ref = max(refs, key=lambda x: self._waiting[x][2])
        elif said.get("error") == "bad_request" and len(refs) == 1:
            ref = refs[0]
        else:
            self.lost = f"{said.get('error')}: {said.get('message')}"
            return
        self._fail(self._waiting.pop(ref)[0], _error_of(said))

    def _fail(self, future: Waiting, error: ZsError) -> None:
        self._settled.append((future.set_exception, error))

    def _event(self, said: Members) -> Optional[AnyEvent]:
        if said["event"] == "closed":
            self.lost = "the edge ended the connection: " + (
                "what came in was read too slowly"
                if said.get("reason") == "slow" else str(said.get("reason")))
            return None
        make = _EVENTS.get(said["event"])
        if make is None:
            return None  # An event of a later version.
        try:
            event = make(said)
        except (KeyError, TypeError, ValueError, AttributeError) as e:
            log.error("an event of the edge cannot be understood: %r", e)
            return None
        if isinstance(event, NewNode):
            self._present[event.id] = event.name
        elif isinstance(event, NodeClose):
            self._present.pop(event.id, None)
        return event


def _settle(how: Callable[[Any], None], what: Any) -> None:
    """Gives a future its result. Another thread may cancel the future at this
    moment, and the future's callbacks run here."""
    try:
        how(what)
    except (InvalidStateError, asyncio.InvalidStateError):
        pass
    except SystemExit:
        log.exception("a callback wants to end this thread")


def _error_of(said: Members) -> ZsError:
    return api_error(str(said.get("error", "")), str(said.get("message", "")))


def _integer(digits: str) -> Any:
    """Parses an integer; by default int() refuses more than 4,300 digits."""
    try:
        return int(digits)
    except ValueError:
        return float(digits)


def _decode(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return json.loads(line, parse_int=_integer)


def encode(members: Members) -> bytes:
    """The line of a request, without its ref. Raises BadRequest if the members
    are not JSON. The data may run code of the caller's, so no lock may be held
    during the call."""
    try:
        return json.dumps(members, allow_nan=False, ensure_ascii=False,
                          separators=(",", ":")).encode() + b"\n"
    except UnicodeEncodeError as e:
        raise BadRequest("the data is no text that UTF-8 can say (a file's "
                         f"name? send os.fsencode's bytes): {e}") from e
    except (TypeError, ValueError, RecursionError, RuntimeError) as e:
        raise BadRequest(f"the data is not JSON: {e}") from e


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


# The operations: their requests and their answers.

def op(name: str, data: Data = None, timeout: Optional[float] = None,
       wait: bool = True, **members: Any) -> Members:
    """The members of a request, without those that are None."""
    line: Members = {"op": name}
    line.update((k, v) for k, v in members.items() if v is not None)
    if timeout is not None:
        line["timeout"] = _milliseconds(timeout)
    if not wait:
        line["wait"] = False
    if isinstance(data, (bytes, bytearray, memoryview)):
        try:
            line["data_b64"] = base64.b64encode(data).decode()
        except (BufferError, ValueError) as e:
            raise BadRequest(f"the data are no bytes: {e}") from e
    elif data is not None:
        line["data"] = data
    return line


def _milliseconds(timeout: float) -> int:
    try:
        ms = round(timeout * 1000)
    except (TypeError, ValueError, OverflowError) as e:
        raise BadRequest(f"timeout is a number of seconds: {e}") from e
    return max(1, ms)


# The reply to a request whose handler failed. It says nothing about the
# exception, whose text may be confidential.
FAILED_TYPE = "error"


def failure(message: Message) -> Members:
    return op("reply", {"error": HandlerFailed.error,
                        "message": "the program that answers failed"},
              to=message.sender, request=message.request, type=FAILED_TYPE)


def as_delivery(answer: Members) -> Delivery:
    return Delivery(answer["path"], answer.get("rtt_ms"))


def as_reply(answer: Members) -> Reply:
    data = answer.get("data")
    if answer["type"] == FAILED_TYPE and isinstance(data, dict) and \
            data.get("error") == HandlerFailed.error:
        raise HandlerFailed(str(data.get("message")))
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
    """The delays between attempts to connect, in seconds: 0.1 0.2 ... 5 5 5"""
    delay = 0.1
    while True:
        yield delay
        delay = min(2 * delay, 5.0)
