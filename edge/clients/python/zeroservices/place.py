"""Finds the edge's socket, as `zs` does."""

import glob
import os
import socket as sockets
from typing import List, Optional

from .errors import NoEdge


def connect(path: str) -> sockets.socket:
    """Returns a connected socket; raises OSError."""
    s = sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM)
    try:
        s.connect(path)
    except OSError:
        s.close()
        raise
    return s


def connect_named(path: str) -> sockets.socket:
    """The same, but raises NoEdge."""
    try:
        return connect(path)
    except (OSError, ValueError) as e:  # ValueError: a NUL in the path.
        raise unreachable(path, e) from e


def unreachable(path: str, e: Exception) -> NoEdge:
    return NoEdge(f"no edge is reachable at {path}: "
                  f"{getattr(e, 'strerror', None) or e}")


def _candidates() -> List[str]:
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    folders = ["/run"] if not runtime.startswith("/") else [runtime, "/run"]
    found: List[str] = []
    for folder in folders:
        pattern = glob.escape(folder) + "/zeroservices/*.sock"
        found += sorted(x for x in glob.glob(pattern) if x not in found)
    return found


def find_socket(path: Optional[str] = None) -> str:
    """Returns `path`, or else what ZS_SOCKET names, or else the socket of the
    only edge that runs on this host. Raises NoEdge if none or several run."""
    named = path or os.environ.get("ZS_SOCKET")
    if named:
        return named
    alive: List[str] = []
    dead = ""
    for candidate in _candidates():
        try:
            connect(candidate).close()
            alive.append(candidate)
        except OSError as e:
            dead = f"no edge is reachable at {candidate}: {e.strerror or e}"
    if len(alive) > 1:
        raise NoEdge(f"several edges run on this host ({alive[0]} and "
                     f"{alive[1]}): name one, or set ZS_SOCKET")
    if not alive:
        raise NoEdge(dead or "no edge runs on this host: start zs-edge, or "
                             "name its socket")
    return alive[0]
