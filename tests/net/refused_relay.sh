#!/bin/bash
# A node that a peer refuses hears of it over the relay too: the peer is not
# there for it, what was open ends, both ends say why; and they meet as soon as
# the reason is gone.
#
#   carol---[ home1 ]---gate1---+
#   dave----[ home2 ]---gate2---[ street ]---hub (relay, 203.0.113.10:443)
#   erin----[ home3 ]---gate3---+
#
# carol takes one peer. clock.c sets the wall clock of a single program.
. "$(dirname "$0")/lab.sh"

lan street
host hub
plug hub street 203.0.113.10/24
number=0
for name in carol dave erin; do
    number=$((number + 1))
    lan home$number
    router gate$number
    plug gate$number home$number 198.18.1.1/24
    plug gate$number street 203.0.113.$number/24
    nat gate$number eth1
    host $name
    plug $name home$number 198.18.1.2/24
    gateway $name 198.18.1.1
done
cc -std=c17 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -shared -fPIC \
    -o "$LAB/clock.so" "$NET_DIR/clock.c" -ldl

mesh office
relay_of_mesh office hub 203.0.113.10
for name in carol dave erin; do
    member office $name
done
start_relay hub hub

lists() { [ -n "$(path_of "$1" "$2")" ]; } # NAME PEER
misses() { ! lists "$@"; }
logged() { grep -qE "$2" "$LAB/$1.log"; } # NAME PATTERN
health() { at "$1" status --json | grep -qE "$2"; } # NAME PATTERN

# Whatever the reason, this is what both ends show of it.
is_turned_away() { # REFUSED REFUSER REASON
    check "$3: $2 is no peer of $1's" until_true 10 misses "$1" "$2"
    check "$3: $1's log says so" until_true 10 logged "$1" \
        "refused_by_peer reason=$3 name=$2"
    check "$3: $2's log says so" until_true 10 logged "$2" \
        "peer_refused reason=$3 name=$1"
    check "$3: $1's health says so" health "$1" "refuses this node: $3"
    check "$3: $2's health says so" health "$2" "refuses $1: $3"
    check "$3: $1 does not find $2 in a second" \
        test 6 = "$(at "$1" wait --peer "$2" --timeout 1s >&2; echo $?)"
    check "$3: a message to $2 is refused at once" \
        test 5 = "$(timeout 30 "$ZS_BIN/zs" --socket \
            "/run/zeroservices/$1.sock" send "$2" t x >&2; echo $?)"
    check "$3: $2 did not take $1" misses "$2" "$1"
}

# --- A full table.
conf carol "limits: {peers: 1}"
edge carol carol
edge dave dave
answers carol dave
sees dave carol relay 5s
edge erin erin
answers erin
is_turned_away erin carol full
sees erin dave relay 5s
end dave
sees erin carol relay 10s
sees carol erin relay 1s
says erin carol
says carol erin
gone() { ! health "$1" "$2"; }
check "full: nobody's health speaks of it now" until_true 5 \
    gone erin 'refuses this node'
check "full: nor carol's" until_true 5 gone carol 'refuses erin'
end erin
end carol

# --- Clocks: bob's, without a battery, begins two years back, then ahead.
member office bob --expires 90d
as_of() { echo "$1" >"$LAB/bob.clock"; } # SECONDS ahead
bob() {
    : >"$LAB/bob.log"
    : >"$LAB/erin.log"
    spawn bob carol env "ZS_CLOCK=$LAB/bob.clock" "LD_PRELOAD=$LAB/clock.so" \
        "$ZS_BIN/zs-edge" -c "$LAB/bob.yaml" \
        --socket /run/zeroservices/bob.sock
    answers bob
}
wrong_clock() { # SECONDS ahead, REASON, HOW MUCH in words
    as_of "$1"
    bob
    is_turned_away erin bob "$2"
    check "$2: erin knows by how much the clocks differ" health erin "$3"
    check "$2: bob, too" until_true 5 health bob "$3"
    as_of 0
    sees erin bob relay 10s
    sees bob erin relay 1s
    says erin bob
}
edge erin erin
answers erin
wrong_clock -63072000 not_yet '730 days'
# It was set ahead while they were together: it comes back from that as well.
as_of 126144000
check "expired: bob takes erin for expired" until_true 5 misses bob erin
check "expired: and erin hears of it" until_true 5 misses erin bob
is_turned_away erin bob expired
check "expired: erin knows by how much" health erin '1460 days'
as_of 0
sees erin bob relay 10s
sees bob erin relay 1s
says bob erin
end bob
finish
