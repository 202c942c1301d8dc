"""The listeners of one connection, each with a filter of its own.

The edge has one subscription for each connection. The client subscribes to the
union of all filters, and gives each listener the events that pass its filter.
"""

import re
from collections import deque
from typing import Any, Collection, Deque, Iterable, List, Optional, Set, \
    Tuple, Union

from .errors import BadRequest
from .model import (AnyEvent, Event, Gap, Message, NewNode, NodeClose, Path,
                    Synced)

Names = Union[None, str, Collection[str]]
Members = Any  # wire.Members

_WORDS = {NewNode: "join", NodeClose: "leave", Message: "message",
          Event: "event", Path: "path", Gap: "gap"}
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,62}\Z", re.ASCII)
MOST = 64  # names in one list that the edge accepts
TYPE_BYTES = 255


class Filter:
    """The events that one listener wants. None lets everything pass, and so
    does an empty list of types or groups. Invalid names raise BadRequest here:
    in the union they would make the edge refuse every listener's
    subscription."""

    def __init__(self, types: Names = None, events: Names = None,
                 groups: Names = None) -> None:
        self.types = _names("types", types) or None
        self.events = _names("events", events)
        self.groups = _names("groups", groups) or None
        for name in self.types or ():
            if not 0 < len(_utf8(name)) <= TYPE_BYTES or "\0" in name:
                raise BadRequest("a type is a text of 1 to 255 bytes")
        for name in self.events or ():
            if name not in _WORDS.values():
                raise BadRequest("events is a list of join leave message "
                                 f"event path gap; {name!r} is none")
        for name in self.groups or ():
            if not _NAME.match(name):
                raise BadRequest(f"{name!r} is no name of a group: 1 to 63 of "
                                 "A-Z a-z 0-9 . _ -")

    def wants(self, *words: str) -> bool:
        """True if the filter can let one of these kinds of events pass."""
        return self.events is None or any(w in self.events for w in words)

    def passes(self, event: AnyEvent) -> bool:
        word = _WORDS.get(type(event))
        if word is None:
            return True  # Synced, EdgeLost and EdgeBack pass every filter.
        if not self.wants(word):
            return False
        if isinstance(event, (Message, Event)) and self.types is not None \
                and event.type not in self.types:
            return False
        return not isinstance(event, Event) or self.groups is None or \
            event.group in self.groups


def _names(what: str, names: Names) -> Optional[Set[str]]:
    if names is None:
        return None
    if isinstance(names, str):
        names = [names]
    if isinstance(names, (bytes, bytearray, memoryview)) or \
            not isinstance(names, Collection) or \
            not all(isinstance(x, str) for x in names):
        raise BadRequest(f"{what} is a list of names")
    if len(set(names)) > MOST:
        raise BadRequest(f"{what} is a list of at most {MOST} names")
    return set(names)


def _utf8(name: str) -> bytes:
    try:
        return name.encode()
    except UnicodeEncodeError as e:
        raise BadRequest(f"a type is text: {e}") from e


class Listener:
    """A filter, and a queue of the events that passed it."""

    def __init__(self, filter: Filter, *, live: bool) -> None:
        self.filter = filter
        # False until its subscription is answered. Until then it gets no
        # events, so that a peer's join is its first event about the peer.
        self.live = live
        self.users = 0  # iterators that take from the queue
        self.queue: Deque[Tuple[AnyEvent, int]] = deque()
        self.queued = 0  # bytes
        self.restart()

    def restart(self) -> None:
        """The edge will now send a join for each present peer."""
        self.told: Set[str] = set()  # ids of the peers whose join it got
        self.synced = False

    def offer(self, event: AnyEvent, size: int) -> None:
        """Queues the event if this listener wants it. It does not want the
        joins of known peers, which another listener's subscription caused."""
        if not self.live or not self._is_new(event) or \
                not self.filter.passes(event):
            return
        self.queue.append((event, size))
        self.queued += size

    def _is_new(self, event: AnyEvent) -> bool:
        if isinstance(event, NewNode):
            new = event.id not in self.told
            self.told.add(event.id)
            return new
        if isinstance(event, NodeClose):
            known = event.id in self.told
            self.told.discard(event.id)
            return known or not self.filter.wants("join")
        if isinstance(event, Synced):
            was, self.synced = self.synced, True
            return not was
        return True

    def take(self) -> AnyEvent:
        event, size = self.queue.popleft()
        self.queued -= size
        return event


class Listeners:
    """All listeners of one connection. `default` serves subscribe(), run() and
    the first events() without a filter, and queues events before these are
    called."""

    def __init__(self) -> None:
        self.default = Listener(Filter(), live=True)
        self.subscribed = False  # `default` is subscribed
        self._others: List[Listener] = []

    def _active(self) -> Iterable[Listener]:
        if self.subscribed or not self._others:
            yield self.default
        yield from self._others

    @property
    def queued(self) -> int:
        """The bytes in the longest queue."""
        return max((x.queued for x in self._active()), default=0)

    def put(self, event: AnyEvent, size: int) -> None:
        for listener in self._active():
            listener.offer(event, size)

    def lost(self) -> None:
        """The connection broke; the next begins with a join of each peer."""
        for listener in (self.default, *self._others):
            listener.restart()

    def clear(self) -> None:
        for listener in (self.default, *self._others):
            listener.queue.clear()
            listener.queued = 0

    def subscribe(self, filter: Filter) -> None:
        """Replaces the subscription of `default`."""
        self._check(filter, but=self.default)
        self.default.filter = filter
        self.subscribed = True

    def add(self, filter: Filter) -> Listener:
        self._check(filter)
        listener = Listener(filter, live=False)
        self._others = [*self._others, listener]
        return listener

    def remove(self, listener: Listener) -> bool:
        """Returns False if the listener is not one that add() made."""
        rest = [x for x in self._others if x is not listener]
        gone = len(rest) < len(self._others)
        self._others = rest
        return gone

    @property
    def any(self) -> bool:
        return bool(self._wanted())

    def _wanted(self) -> List[Filter]:
        first = [self.default.filter] if self.subscribed else []
        return first + [x.filter for x in self._others]

    def _check(self, filter: Filter, but: Optional[Listener] = None) -> None:
        groups = set(filter.groups or ())
        for listener in self._active():
            if listener is not but:
                groups |= listener.filter.groups or set()
        if len(groups) > MOST:
            raise BadRequest(f"more than {MOST} groups are listened to")

    def members(self) -> Members:
        """The subscribe request for the union of all filters."""
        wanted = self._wanted()
        if not wanted:
            return {"op": "unsubscribe"}
        events = _union(f.events for f in wanted)
        types = _union(f.types for f in wanted if f.wants("message", "event"))
        groups = _union(f.groups for f in wanted if f.wants("event"))
        members: Members = {"op": "subscribe"}
        if events is not None:
            members["events"] = events
        if types and len(types) <= MOST:
            members["types"] = types
        named = sorted({x for f in wanted for x in f.groups or ()})
        if named:
            # If one listener wants all publications, the groups no longer
            # filter, but the node must still be in them.
            members["member_of" if groups is None else "groups"] = named
        return members


def _union(sets: Iterable[Optional[Set[str]]]) -> Optional[List[str]]:
    """The union; None if one of the sets is None and so lets all pass."""
    union: Set[str] = set()
    for one in sets:
        if one is None:
            return None
        union |= one
    return sorted(union)
