"""The exceptions of this package. `error` is the name of the API's error."""

from typing import Dict, Type


class ZsError(Exception):
    """The base of all exceptions of this package."""

    error = "failed"


class NoEdge(ZsError, ConnectionError):
    """No edge can be reached, or several run and none was named."""

    error = "no_edge"


class Disconnected(ZsError, ConnectionError):
    """The connection to the edge ended. Messages without an answer may or may
    not be delivered; this package never sends a message again by itself."""

    error = "disconnected"


class ApiError(ZsError):
    """The edge answered with an error that has no class of its own."""

    def __init__(self, message: str = "", error: str = "") -> None:
        super().__init__(message)
        self.error = error or type(self).error

    def __str__(self) -> str:
        return f"{self.error}: {super().__str__()}"


class BadRequest(ApiError, ValueError):
    error = "bad_request"


class TooLarge(ApiError, ValueError):
    """The message is larger than the edge's limits.message."""

    error = "too_large"


class UnknownPeer(ApiError, LookupError):
    """No peer with this name or id is present."""

    error = "unknown_peer"


class NotDelivered(ApiError):
    """The peer's node did not acknowledge the message: the node left, or no
    path to it was found in time."""

    error = "not_delivered"


class PeerRestarted(ApiError):
    """The peer's node restarted before it acknowledged the message; it may or
    may not have received the message."""

    error = "peer_restarted"


class Busy(ApiError):
    """The peer's window is full, and `wait` was False."""

    error = "busy"


class Timeout(ApiError, TimeoutError):
    error = "timeout"


class Cancelled(ApiError):
    error = "cancelled"


class TooLate(ApiError):
    """The peer's node has the message already, so it cannot be cancelled."""

    error = "too_late"


class UnknownRequest(ApiError, LookupError):
    """The request is answered already, or its sender has left."""

    error = "unknown_request"


class HandlerFailed(ApiError):
    """The handler of the program that received the request failed."""

    error = "handler_failed"


class Misuse(ZsError, RuntimeError):
    """The call would wait for itself, or comes from a wrong thread or event
    loop."""

    error = "misuse"


_CLASSES: Dict[str, Type[ApiError]] = {
    c.error: c for c in (BadRequest, TooLarge, UnknownPeer, NotDelivered,
                         PeerRestarted, Busy, Timeout, Cancelled, TooLate,
                         UnknownRequest, HandlerFailed)}


def api_error(error: str, message: str) -> ApiError:
    """The exception for an error of the API."""
    return _CLASSES.get(error, ApiError)(message, error)
