#!/usr/bin/env python3
"""A chat. A line goes to all; `/name text` or `@name text` goes to one node.

    chat.py [SOCKET]        (ZS_SOCKET, or the only edge on this host)
"""

import sys

from zeroservices import Edge, ZsError

edge = Edge(sys.argv[1] if len(sys.argv) > 1 else None, reconnect=True)


def clean(data):
    """The message's text, made safe to print. A web page sends {"text": ...}."""
    text = data.get("text") if isinstance(data, dict) else data
    return "".join(c if c.isprintable() else "?" for c in str(text))


@edge.on_new_node
def here(node):
    print(f"* {node.name} is here ({node.path})")


@edge.on_node_close
def gone(node):
    print(f"* {node.name} has gone ({node.reason})")


@edge.on_event
def to_all(event):
    if event.type == "chat":
        print(f"{event.name}: {clean(event.data)}")


@edge.on_message
def to_me(message):
    if message.type == "chat":
        print(f"{message.name} (to you): {clean(message.data)}")


@edge.on_edge_lost
def lost(event):
    print(f"* {event.reason}; waiting for it")


def say(line):
    if line.startswith(("/", "@")):
        name, _, text = line[1:].partition(" ")
        print(f"* {name} has it ({edge.send(name, 'chat', text).path})")
    elif line:
        edge.publish("chat", line)


edge.start()
for line in sys.stdin:
    try:
        say(line.rstrip("\n"))
    except ZsError as error:
        print(f"* {error}")
edge.close()
