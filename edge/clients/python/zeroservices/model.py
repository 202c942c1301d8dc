"""The events and answers that come from the edge."""

from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Union

# Any JSON value, or bytes (bytearray, memoryview), which arrive unchanged.
Data = Any


@dataclass(frozen=True)
class NewNode:
    """A node is present. After a subscription one comes for each node that is
    present already."""

    id: str
    name: str
    info: Dict[str, Any]
    groups: List[str]
    path: str


@dataclass(frozen=True)
class NodeClose:
    """A node left: closed, lost or revoked; "edge": the connection to the own
    edge broke."""

    id: str
    name: str
    reason: str


@dataclass(frozen=True)
class Message:
    """A message to this node. If `request` is set, its sender waits for a
    reply."""

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
    """The path to a peer changed: tcp, udp, relay or none."""

    id: str
    name: str
    path: str
    was: str
    endpoint: Optional[str]


@dataclass(frozen=True)
class Gap:
    """`missed` publications of this sender are lost."""

    sender: str
    name: str
    missed: int


@dataclass(frozen=True)
class Synced:
    """The list of present nodes is complete; later events are live."""


@dataclass(frozen=True)
class EdgeLost:
    """The connection to the edge broke. NodeClose came for each peer."""

    reason: str


@dataclass(frozen=True)
class EdgeBack:
    """Connected and subscribed again. NewNode comes for each peer."""


AnyEvent = Union[NewNode, NodeClose, Message, Event, Path, Gap, Synced,
                 EdgeLost, EdgeBack]


@dataclass(frozen=True)
class Delivery:
    """The peer's node acknowledged the message."""

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
