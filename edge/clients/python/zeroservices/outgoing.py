"""The bytes that are not sent yet; an exception cannot cut a line in two."""

import socket as sockets
from typing import List, Tuple


class Outgoing:
    """Ctrl-C, or another exception of a signal handler, may come between any
    two steps of Python. The rest of a line that is half sent is still sent
    before the next line: else the edge would read the two as one line, and
    refuse both."""

    def __init__(self) -> None:
        self._now: Tuple[bytes, List[int]] = (b"", [])

    def add(self, line: bytes) -> None:
        data, sent = self._now
        self._now = (data[sum(sent):] + line, [])

    def push(self, connection: sockets.socket, flags: int = 0) -> None:
        """Sends everything; raises OSError if the socket does not take it."""
        data, sent = self._now
        view = memoryview(data)
        while sum(sent) < len(data):
            rest = view[sum(sent):]
            # send() and the append of its count are one step of Python, so
            # that no exception comes between them.
            sent.extend(map(connection.send, (rest,), (flags,)))
