"""What is still to be sent, so that an exception cannot tear a line."""

import socket as sockets
from typing import List, Tuple


class Outgoing:
    """Ctrl-C, and whatever else a signal's handler raises, may come between
    any two steps of Python. A line that was begun is sent to its end all the
    same, before the next one: else the edge would take the two for one, and
    refuse both."""

    def __init__(self) -> None:
        self._now: Tuple[bytes, List[int]] = (b"", [])

    def add(self, line: bytes) -> None:
        data, sent = self._now
        self._now = (data[sum(sent):] + line, [])

    def push(self, connection: sockets.socket, flags: int = 0) -> None:
        """Sends all of it; OSError if that cannot be."""
        data, sent = self._now
        view = memoryview(data)
        while sum(sent) < len(data):
            rest = view[sum(sent):]
            # The count gets into the list without a step of Python's between.
            sent.extend(map(connection.send, (rest,), (flags,)))
