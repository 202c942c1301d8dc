"""A client for the zs-edge on this host, over its Unix socket.

    from zeroservices import Edge

    with Edge() as edge:
        edge.send("bob", "greeting", {"text": "hello"})
        for event in edge.events():
            print(event)

AsyncEdge is the same for asyncio.
"""

from .aio import AsyncEdge
from .errors import (ApiError, BadRequest, Busy, Cancelled, Disconnected,
                     HandlerFailed, Misuse, NoEdge, NotDelivered, PeerRestarted, Timeout, TooLarge,
                     TooLate, UnknownPeer, UnknownRequest, ZsError)
from .model import (AnyEvent, Data, Delivery, EdgeBack, EdgeLost, Event, Gap,
                    Message, NewNode, NodeClose, Path, Ping, Reply, Synced)
from .place import find_socket
from .sync import Edge

__all__ = [
    "AnyEvent", "ApiError", "AsyncEdge", "BadRequest", "Busy", "Cancelled",
    "Data", "Delivery", "Disconnected", "Edge", "EdgeBack", "EdgeLost",
    "Event", "Gap", "HandlerFailed", "Message", "Misuse", "NewNode", "NoEdge",
    "NodeClose", "NotDelivered", "Path", "PeerRestarted", "Ping", "Reply",
    "Synced", "Timeout", "TooLarge", "TooLate", "UnknownPeer",
    "UnknownRequest", "ZsError", "find_socket",
]
__version__ = "0.1.0"
