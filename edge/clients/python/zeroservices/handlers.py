"""Handlers: functions that run() calls for events."""

import sys
from typing import Any, Callable, Dict, List, TypeVar

from . import wire
from .errors import Disconnected, ZsError
from .model import (AnyEvent, EdgeBack, EdgeLost, Event, Gap, Message,
                    NewNode, NodeClose, Path, Synced)

F = TypeVar("F", bound=Callable[..., Any])


class Handlers:
    """Each on_... registers a function and returns it, so it can be a
    decorator. run() calls the functions in the order of the events, one at a
    time. If one raises, the exception is logged (logger "zeroservices"), the
    next function is called, and the sender of a request gets the error
    handler_failed."""

    def __init__(self) -> None:
        self._handlers: Dict[type, List[Callable[..., Any]]] = {}

    def _on(self, kind: type, function: F) -> F:
        self._handlers.setdefault(kind, []).append(function)
        return function

    def _for(self, event: AnyEvent) -> List[Callable[..., Any]]:
        return self._handlers.get(type(event), [])

    def _failed(self, handler: Callable[..., Any], event: AnyEvent,
                closing: bool, answer: Callable[[Message], Any]) -> None:
        """Logs the current exception; the caller is in its `except`."""
        if closing and isinstance(sys.exc_info()[1], Disconnected):
            return  # close() is the reason, so it is no failure.
        wire.log.exception(
            "%s, a handler, failed at a %s",
            getattr(handler, "__qualname__", handler), type(event).__name__)
        if not isinstance(event, Message) or event.request is None:
            return
        try:
            answer(event)
        except ZsError as e:
            wire.log.error("its sender cannot be told: %s", e)

    def on_new_node(self, function: F) -> F:
        """f(NewNode)"""
        return self._on(NewNode, function)

    def on_node_close(self, function: F) -> F:
        """f(NodeClose)"""
        return self._on(NodeClose, function)

    def on_message(self, function: F) -> F:
        """f(Message); answers a request by edge.reply(message, ...)"""
        return self._on(Message, function)

    def on_event(self, function: F) -> F:
        """f(Event)"""
        return self._on(Event, function)

    def on_path(self, function: F) -> F:
        """f(Path)"""
        return self._on(Path, function)

    def on_gap(self, function: F) -> F:
        """f(Gap)"""
        return self._on(Gap, function)

    def on_synced(self, function: F) -> F:
        """f(Synced)"""
        return self._on(Synced, function)

    def on_edge_lost(self, function: F) -> F:
        """f(EdgeLost)"""
        return self._on(EdgeLost, function)

    def on_edge_back(self, function: F) -> F:
        """f(EdgeBack)"""
        return self._on(EdgeBack, function)
