"""What comes from the edge: events, and answers."""

from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Union

# Any JSON value; bytes (also bytearray and memoryview) travel as they are.
Data = Any


@dataclass(frozen=True)
class NewNode:
    """A node is present; at first one for each that is there already."""

    id: str
    name: str
    info: Dict[str, Any]
    groups: List[str]
    path: str


@dataclass(frozen=True)
class NodeClose:
    """A node left: closed, lost or revoked; `edge`: our own edge is gone."""

    id: str
    name: str
    reason: str


@dataclass(frozen=True)
class Message:
    """A message to this node. With a `request` its sender awaits a reply."""

    sender: str
    name: str
    type: str
    data: Data
    request: Optional[str]


@dataclass(frozen=True)
class Event:
    """A publication, to everyone or to a group."""

    sender: str
    name: str
    type: str
    data: Data
    group: Optional[str]


@dataclass(frozen=True)
class Path:
    """How a peer is reached has changed: tcp, udp, relay or none."""

    id: str
    name: str
    path: str
    was: str
    endpoint: Optional[str]


@dataclass(frozen=True)
class Gap:
    """So many publications of this sender will not come."""

    sender: str
    name: str
    missed: int


@dataclass(frozen=True)
class Synced:
    """All who were present have been told; from here on it is live."""


@dataclass(frozen=True)
class EdgeLost:
    """The connection to the edge ended; NodeClose came for each peer."""

    reason: str


@dataclass(frozen=True)
class EdgeBack:
    """Connected and subscribed again; NewNode comes for each peer."""


AnyEvent = Union[NewNode, NodeClose, Message, Event, Path, Gap, Synced,
                 EdgeLost, EdgeBack]


@dataclass(frozen=True)
class Delivery:
    """The peer's node has the message."""

    path: str
    rtt_ms: Optional[float]


@dataclass(frozen=True)
class Reply:
    sender: str
    name: str
    type: str
    data: Data


@dataclass(frozen=True)
class Ping:
    name: str
    path: str
    rtt_ms: Optional[float]
    endpoint: Optional[str]
