"""What can go wrong. `error` is the API's own word for it."""

from typing import Dict, Type


class ZsError(Exception):
    """Whatever this package raises."""

    error = "failed"


class NoEdge(ZsError, ConnectionError):
    """No edge can be reached, or several could be meant."""

    error = "no_edge"


class Disconnected(ZsError, ConnectionError):
    """The edge ended the connection. What was under way may or may not have
    been delivered; nothing is sent again by itself."""

    error = "disconnected"


class ApiError(ZsError):
    """The edge's answer was an error that has no class of its own here."""

    def __init__(self, message: str = "", error: str = "") -> None:
        super().__init__(message)
        self.error = error or type(self).error

    def __str__(self) -> str:
        return f"{self.error}: {super().__str__()}"


class BadRequest(ApiError, ValueError):
    error = "bad_request"


class TooLarge(ApiError, ValueError):
    """More than the edge's limits.message."""

    error = "too_large"


class UnknownPeer(ApiError, LookupError):
    """No peer of that name or id is present."""

    error = "unknown_peer"


class NotDelivered(ApiError):
    """The peer's node did not acknowledge the message: it left, or is present
    and no path to it was found in time."""

    error = "not_delivered"


class PeerRestarted(ApiError):
    """The peer's process restarted before it acknowledged: it may have had
    the message or not."""

    error = "peer_restarted"


class Busy(ApiError):
    """The peer's window is full, and `wait` was False."""

    error = "busy"


class Timeout(ApiError, TimeoutError):
    error = "timeout"


class Cancelled(ApiError):
    error = "cancelled"


class TooLate(ApiError):
    """The node had it already; it could not be cancelled."""

    error = "too_late"


class UnknownRequest(ApiError, LookupError):
    """The request was answered already, or its sender has left."""

    error = "unknown_request"


class HandlerFailed(ApiError):
    """The program that was to answer the request failed at it."""

    error = "handler_failed"


class Misuse(ZsError, RuntimeError):
    """The call would wait for itself, or is not this thread's or loop's."""

    error = "misuse"


_CLASSES: Dict[str, Type[ApiError]] = {
    c.error: c for c in (BadRequest, TooLarge, UnknownPeer, NotDelivered,
                         PeerRestarted, Busy, Timeout, Cancelled, TooLate,
                         UnknownRequest, HandlerFailed)}


def api_error(error: str, message: str) -> ApiError:
    """The exception for an error of the API's."""
    return _CLASSES.get(error, ApiError)(message, error)
