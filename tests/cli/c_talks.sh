#!/bin/bash
# The C library, in a thread of its own and inside the program's loop, holds the
# conversations of tests/clients: with itself, and with the clients for Python
# and Node.js at an edge. Clients among themselves: clients.sh.
#
#   here: alice - bob, on one host's loopback
. "$(dirname "$0")/conversation.sh"

ways=(thread loop)
alice_and_bob

for a in "${ways[@]}"; do
    for b in "${ways[@]}"; do
        check "C $a talks to C $b" converse "$a" "$b"
    done
done

edge here bob
answers bob
for a in "${ways[@]}"; do
    for b in "${kinds[@]}"; do
        check "C $a talks to $b" converse "$a" "$b"
    done
done
end bob

edge here alice
answers alice
for a in "${kinds[@]}"; do
    for b in "${ways[@]}"; do
        check "$a talks to C $b" converse "$a" "$b"
    done
done

# --- The other one's edge ends, and comes again

check "C thread: a peer that is stopped" survive sync thread TERM
check "C loop: a peer that is killed" survive asyncio loop KILL
finish
