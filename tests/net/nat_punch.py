#!/usr/bin/env python3
"""Do two hosts get UDP through to each other? Knows nothing of the product.

    nat_punch.py SERVER PORT MINE OTHER [--seconds S] [--many | --spray]

Asks the STUN server for this socket's outside address, writes it to the file
MINE, waits for the peer's in the file OTHER, and sends there until the peer
says that it hears this host. The low TTL of the first packet lets it pass the
own NAT and not the peer's.

--many: opens 256 sockets towards the peer instead of one; --spray: sends to
random ports of the peer's address. This is how a NAT whose mapping depends on
the destination is met from one that has none of that.

Prints `through` and the outside address of the peer that was heard, exit 0; or
`not through`, exit 1.
"""
import argparse
import os
import random
import select
import socket
import struct
import sys
import time

COOKIE = 0x2112A442
SOCKETS = 256
ROUND_S = 0.05
MANY_EVERY = 10  # rounds in which many sockets send once
SPRAYED = 40  # ports in a round
FIRST_TTL = 3  # past two NATs of one's own, short of the peer's


def new_socket(family):
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.setblocking(False)
    s.bind(("", 0))
    return s


def xored(data):
    """The address in a Binding response."""
    at = 20
    while at + 4 <= len(data):
        kind, size = struct.unpack_from(">HH", data, at)
        if kind == 0x0020:
            family, port = struct.unpack_from(">xBH", data, at + 4)
            length = 4 if family == 1 else 16
            mask = data[4:4 + length]
            raw = bytes(a ^ b for a, b in zip(data[at + 8:], mask))
            name = socket.inet_ntop(
                socket.AF_INET if family == 1 else socket.AF_INET6, raw)
            return name, port ^ (COOKIE >> 16)
        at += 4 + (size + 3) // 4 * 4
    raise ValueError("no mapped address")


def outside(s, server):
    """Where the server sees this socket."""
    for _ in range(20):
        ident = os.urandom(12)
        s.sendto(struct.pack(">HHI", 1, 0, COOKIE) + ident, server)
        if select.select([s], [], [], 0.5)[0]:
            data = s.recv(2048)
            if data[8:20] == ident:
                return xored(data)
    sys.exit("the STUN server does not answer")


def exchange(mine, other, address):
    """A file is complete once it has its name."""
    with open(mine + ".part", "w", encoding="utf-8") as file:
        file.write(f"{address[0]} {address[1]}")
    os.rename(mine + ".part", mine)
    end = time.monotonic() + 30
    while not os.path.exists(other):
        if time.monotonic() > end:
            sys.exit("the peer never said its address")
        time.sleep(0.01)
    with open(other, encoding="utf-8") as file:
        host, port = file.read().split()
    return host, int(port)


class Side:
    def __init__(self, sockets, peer, spray):
        self.sockets, self.peer, self.spray = sockets, peer, spray
        self.heard = {}  # socket -> the address that it heard
        self.through = False
        self.rounds = 0
        self.family = sockets[0].family

    def first(self):
        """Opens the own NAT for the peer, without a packet at the peer's."""
        option = ((socket.IPPROTO_IP, socket.IP_TTL)
                  if self.family == socket.AF_INET else
                  (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS))
        for s in self.sockets:
            s.setsockopt(*option, FIRST_TTL)
            s.sendto(b"punch", self.peer)
            s.setsockopt(*option, 64)

    def send(self):
        if self.heard:
            for s, address in self.heard.items():
                s.sendto(b"heard", address)
        elif self.spray:
            for _ in range(SPRAYED):
                port = random.randrange(1024, 65536)
                self.sockets[0].sendto(b"punch", (self.peer[0], port))
        elif len(self.sockets) == 1 or self.rounds % MANY_EVERY == 0:
            for s in self.sockets:
                s.sendto(b"punch", self.peer)
        self.rounds += 1

    def receive(self, until):
        while (left := until - time.monotonic()) > 0:
            for s in select.select(self.sockets, [], [], left)[0]:
                try:
                    data, address = s.recvfrom(2048)
                except OSError:
                    continue  # An ICMP error of what was sent before.
                if data == b"punch" or data == b"heard":
                    self.heard.setdefault(s, address[:2])
                    self.through = self.through or data == b"heard"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("server")
    parser.add_argument("port", type=int)
    parser.add_argument("mine")
    parser.add_argument("other")
    parser.add_argument("--seconds", type=float, default=3)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--many", action="store_true")
    how.add_argument("--spray", action="store_true")
    options = parser.parse_args()
    family = socket.AF_INET6 if ":" in options.server else socket.AF_INET
    sockets = [new_socket(family) for _ in range(SOCKETS if options.many else 1)]
    address = outside(sockets[0], (options.server, options.port))
    peer = exchange(options.mine, options.other, address)
    side = Side(sockets, peer, options.spray)
    end = time.monotonic() + options.seconds
    if not options.spray:
        side.first()
    while not side.through and time.monotonic() < end:
        try:
            side.send()
        except OSError:
            pass
        side.receive(time.monotonic() + ROUND_S)
    for _ in range(4):  # The peer may still wait for these words.
        for s, heard in side.heard.items():
            s.sendto(b"heard", heard)
        side.receive(time.monotonic() + ROUND_S)
    if not side.through:
        print("not through")
        return 1
    print("through", *next(iter(side.heard.values())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
