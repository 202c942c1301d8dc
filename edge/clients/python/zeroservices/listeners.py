"""Who listens on one connection, and to what.

The edge knows one subscription for each connection: it is asked for what all
listeners want together, and each gets what fits its own filter.
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
MOST = 64  # names that the edge takes in one list
TYPE_BYTES = 255


class Filter:
    """What one listener wants. None, and an empty list but of events, lets
    everything pass. BadRequest here, so that nothing the edge would refuse
    gets into what all listeners ask for together."""

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
        """True if it lets one of these events pass at all."""
        return self.events is None or any(w in self.events for w in words)

    def passes(self, event: AnyEvent) -> bool:
        word = _WORDS.get(type(event))
        if word is None:
            return True  # Synced, EdgeLost and EdgeBack are for everyone.
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
    """A filter, and the events that passed it and wait to be taken."""

    def __init__(self, filter: Filter, *, live: bool) -> None:
        self.filter = filter
        # False: its subscription is not answered yet, and what comes in for
        # others is not for it, so that it hears of a peer's join first.
        self.live = live
        self.users = 0  # iterators that take from it
        self.queue: Deque[Tuple[AnyEvent, int]] = deque()
        self.queued = 0  # bytes
        self.restart()

    def restart(self) -> None:
        """A list of all peers present is to come."""
        self.told: Set[str] = set()  # ids of peers that it knows as present
        self.synced = False

    def offer(self, event: AnyEvent, size: int) -> None:
        """Puts the event into the queue, if it is for this listener. The list
        of peers that another's subscription brings has nothing new for it."""
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
    """All of one connection. `default` is what subscribe() is for, run() and
    the first events() without a filter; it waits for them."""

    def __init__(self) -> None:
        self.default = Listener(Filter(), live=True)
        self.subscribed = False  # the default is
        self._others: List[Listener] = []

    def _active(self) -> Iterable[Listener]:
        if self.subscribed or not self._others:
            yield self.default
        yield from self._others

    @property
    def queued(self) -> int:
        """Bytes that wait for whoever is furthest behind."""
        return max((x.queued for x in self._active()), default=0)

    def put(self, event: AnyEvent, size: int) -> None:
        for listener in self._active():
            listener.offer(event, size)

    def lost(self) -> None:
        """The connection is: the next begins with a list of all peers."""
        for listener in (self.default, *self._others):
            listener.restart()

    def clear(self) -> None:
        for listener in (self.default, *self._others):
            listener.queue.clear()
            listener.queued = 0

    def subscribe(self, filter: Filter) -> None:
        """The default's subscription, from now on."""
        self._check(filter, but=self.default)
        self.default.filter = filter
        self.subscribed = True

    def add(self, filter: Filter) -> Listener:
        self._check(filter)
        listener = Listener(filter, live=False)
        self._others = [*self._others, listener]
        return listener

    def remove(self, listener: Listener) -> bool:
        """False: it is none of those with a filter of their own."""
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
        """The request for what all want together."""
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
            # Where one hears all publications the groups are no filter, but
            # the node is in them all the same.
            members["member_of" if groups is None else "groups"] = named
        return members


def _union(sets: Iterable[Optional[Set[str]]]) -> Optional[List[str]]:
    """None if one of them lets everything pass."""
    union: Set[str] = set()
    for one in sets:
        if one is None:
            return None
        union |= one
    return sorted(union)
