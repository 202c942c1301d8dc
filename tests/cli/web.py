#!/usr/bin/env python3
"""A browser's part for http.sh: HTTP requests and WebSockets, by hand.

  web.py get URL [-H 'Name: value']...     the status line, headers, the body
  web.py open URL [-H ...]   follows it as a browser would: the last address, its
      status, and the cookie that it has then
  web.py raw URL [--bytes HEX]... [--text TEXT]... [--until WORDS]
      says that and nothing else, and prints what comes until there are these
      words, or the other side ends ("over") or goes on
  web.py ws URL [-H ...] [--count N] [--bytes HEX]... [MESSAGE]...
      says each message, then the raw bytes, and prints what comes: a message
      a line, until there were N (default: as many as said), and how it ended:
      "refused STATUS", "closed CODE WHY", "cut", or nothing.

Exit 0 if all came that was waited for.
"""

import argparse
import base64
import os
import socket
import struct
import sys
from urllib.parse import urljoin, urlsplit

TIMEOUT = 60 # only what hangs takes so long


def connect(url):
    where = urlsplit(url)
    peer = socket.create_connection((where.hostname, where.port), TIMEOUT)
    peer.settimeout(TIMEOUT)
    path = where.path + ("?" + where.query if where.query else "")
    return peer, path, where.netloc


def request(peer, path, host, headers, method="GET"):
    names = {x.split(":")[0].lower() for x in headers}
    if "host" not in names:
        headers = [f"Host: {host}", *headers]
    headers = [x for x in headers if not x.endswith(": -")]
    lines = [f"{method} {path} HTTP/1.1", *headers, "", ""]
    peer.sendall("\r\n".join(lines).encode())


def read_head(stream):
    lines = []
    while (line := stream.readline().decode().rstrip("\r\n")):
        lines.append(line)
    return lines


def get(args):
    peer, path, host = connect(args.url)
    request(peer, path, host, args.header + ["Connection: close"], args.method)
    with peer.makefile("rb") as stream:
        print("\n".join(read_head(stream)) + "\n")
        sys.stdout.flush()
        sys.stdout.buffer.write(stream.read())
    return 0


def fetch(url, headers):
    peer, path, host = connect(url)
    request(peer, path, host, headers + ["Connection: close"])
    with peer.makefile("rb") as stream:
        return read_head(stream), stream.read()


def open_page(args):
    """As a browser does it: a redirection is followed, a cookie kept."""
    url, cookies = args.url, []
    for _ in range(5):
        head, _ = fetch(url, args.header + [f"Cookie: {x}" for x in cookies])
        fields = [x.split(": ", 1) for x in head[1:]]
        cookies += [value.split(";")[0] for name, value in fields
                    if name == "Set-Cookie"]
        to = [value for name, value in fields if name == "Location"]
        if not to:
            break
        url = urljoin(url, to[0])
    print(url, head[0], *cookies, sep="\n")
    return 0


def raw(args):
    peer, _, _ = connect(args.url)
    said = ""
    try:
        for text in args.text:
            peer.sendall(text.encode().decode("unicode_escape").encode("latin1"))
        for more in args.bytes:
            peer.sendall(bytes.fromhex(more))
        while args.until is None or args.until not in said:
            data = peer.recv(65536)
            said += data.decode("latin1") or "over\n"
            if not data:
                break
    except socket.timeout:
        said += "goes on\n"
    except ConnectionError:
        said += "cut\n"
    print(said, end="")
    return 0


def frame(opcode, payload, final=True):
    head = bytes([opcode | (0x80 if final else 0)])
    if len(payload) < 126:
        head += bytes([0x80 | len(payload)])
    elif len(payload) < 1 << 16:
        head += bytes([0x80 | 126]) + struct.pack(">H", len(payload))
    else:
        head += bytes([0x80 | 127]) + struct.pack(">Q", len(payload))
    mask = os.urandom(4)
    key = (mask * (len(payload) // 4 + 1))[:len(payload)]
    body = int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")
    return head + mask + body.to_bytes(len(payload), "big")


class WebSocket:
    def __init__(self, url, headers):
        self.peer, path, host = connect(url)
        key = base64.b64encode(os.urandom(16)).decode()
        request(self.peer, path, host, headers + [
            "Upgrade: websocket", "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13"])
        self.stream = self.peer.makefile("rb")
        head = read_head(self.stream)
        self.status = head[0].split()[1] if head else "nothing"
        self.ended = None

    def say(self, text):
        self.peer.sendall(frame(1, text.encode()))

    def exactly(self, size):
        data = self.stream.read(size)
        if len(data) < size:
            raise ConnectionResetError
        return data

    def read_frame(self):
        first, second = self.exactly(2)
        size = second & 0x7f
        if size == 126:
            size, = struct.unpack(">H", self.exactly(2))
        elif size == 127:
            size, = struct.unpack(">Q", self.exactly(8))
        return first & 0xf, bool(first & 0x80), self.exactly(size)

    def hear(self):
        """The next message, or None and `ended`."""
        whole = b""
        while True:
            try:
                opcode, final, payload = self.read_frame()
            except (ConnectionError, socket.timeout) as error:
                late = isinstance(error, socket.timeout)
                self.ended = "silent" if late else "cut"
                return None
            if opcode == 8:
                code, = struct.unpack(">H", payload[:2] or b"\0\0")
                self.ended = f"closed {code} {payload[2:].decode()}"
                return None
            if opcode == 9:
                self.peer.sendall(frame(10, payload))
            elif opcode in (0, 1):
                whole += payload
                if final:
                    return whole.decode()


def ws(args):
    web = WebSocket(args.url, args.header)
    if web.status != "101":
        print("refused", web.status)
        return 1
    try:
        for message in args.message:
            web.say(sys.stdin.read() if message == "-" else message)
        for raw in args.bytes:
            web.peer.sendall(bytes.fromhex(raw))
    except ConnectionError:
        pass  # It did not want to hear all: what it says stands below.
    wanted = len(args.message) if args.count is None else args.count
    for _ in range(wanted):
        message = web.hear()
        if message is None:
            print(web.ended)
            return 1
        print(message, flush=True)
    return 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["get", "open", "raw", "ws"])
    parser.add_argument("url")
    parser.add_argument("message", nargs="*")
    parser.add_argument("-H", "--header", action="append", default=[])
    parser.add_argument("-X", "--method", default="GET")
    parser.add_argument("--count", type=int)
    parser.add_argument("--bytes", action="append", default=[])
    parser.add_argument("--text", action="append", default=[])
    parser.add_argument("--until")
    args = parser.parse_intermixed_args()
    sys.exit({"get": get, "open": open_page, "raw": raw,
              "ws": ws}[args.what](args))


if __name__ == "__main__":
    main()
