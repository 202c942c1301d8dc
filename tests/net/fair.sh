#!/bin/bash
# A large transfer does not delay small messages: the time of 64 B from alice to
# carol, alone and while alice sends to bob as fast as possible.
#
#   alice, bob, carol---[ street ]---hub (relay, 203.0.113.10:443)
#
# Directly, then by the relay, where both share one connection, and then by one
# over a line of 100 Mbit/s. 192 MiB each (48 over the line); --full: 1 GiB.
#
# alone: it compares round trips
. "$(dirname "$0")/lab.sh"
. "$NET_DIR/load.sh"

chunks=3072 # of 64 KiB
[ "${1:-}" != --full ] || chunks=16384
# The promise is a few milliseconds on machines that have nothing else to do;
# here two cores do the work of all hosts, and of whatever else runs.
direct_ms=20
relay_ms=50
# Of such a line, 100 ms are 1.2 MB: what may lie in the kernel's and the
# line's own queues before the small message. A whole window were 340 ms.
line_ms=150

lan street
host hub
plug hub street 203.0.113.10/24
for place in alice:2 bob:3 carol:4; do
    host "${place%:*}"
    plug "${place%:*}" street "203.0.113.${place#*:}/24"
done
router gate
plug gate street 203.0.113.1/24
gateway hub 203.0.113.1
mesh office
relay_of_mesh office hub 203.0.113.10
for name in alice bob carol; do member office $name; done
tool numbers
start_relay hub hub

small_alone() { # SCENE
    taking carol message:alice:600
    sending alice carol 600 --size 64 --rate 200
    done_with "small messages alone, $1" send-alice-carol 20
    done_with "they arrived, $1" take-carol 10
    cp "$LAB/take-carol.log" "$LAB/alone"
}

small_with_transfer() { # SCENE
    TRANSFER_BEGUN=$(now_us)
    taking bob message:alice:$chunks
    sending alice bob $chunks --size 65536 --most 4194304
    taking carol message:alice:0
    sending alice carol 1000000 --size 64 --rate 200
    within 400 lab_gone take-bob || true
    TRANSFER_ENDED=$(now_us)
    kill -s TERM "$(pid_of send-alice-carol)"
    done_with "the transfer, $1" send-alice-bob 20
    done_with "it arrived, $1" take-bob 20
    done_with "small messages meanwhile, $1" send-alice-carol 20
    kill -s USR1 "$(pid_of take-carol)"
    done_with "they arrived, $1" take-carol 10
}

# A machine that has other work to do is given three tries.
scene() { # SCENE PATH LIMIT
    local name
    for name in alice bob carol; do edge $name $name; done
    answers alice bob carol
    sees alice bob "$2" 10s
    sees alice carol "$2" 10s
    for _ in 1 2 3; do
        small_alone "$1"
        small_with_transfer "$1"
        tell "$1" "$3" && break
    done
    check "64 B take at most $3 ms more, $1" tell "$1" "$3"
    for name in alice bob carol; do end $name; done
}

# True if the transfer cost no more than LIMIT ms, and what a machine that has
# other work to do costs a small message: alone, and in each of four hops during
# the transfer, by the mean of the rounds of lateness.c, which are 20 ms apart.
tell() { # SCENE LIMIT
    local name p50 was late busy
    was=$(figure "$LAB/alone" message:alice p50_ms)
    late=$(figure "$LAB/alone" message:alice p99_ms)
    p50=$(figure "$LAB/take-carol.log" message:alice p50_ms)
    for name in alone take-carol.log; do
        echo "# $1, $name: p50 $(figure "$LAB/$name" message:alice p50_ms)" \
            "p99 $(figure "$LAB/$name" message:alice p99_ms)" \
            "max $(figure "$LAB/$name" message:alice max_ms) ms"
    done
    busy=$((4 * $(late_ms "$TRANSFER_BEGUN" "$TRANSFER_ENDED") /
        ((TRANSFER_ENDED - TRANSFER_BEGUN) / 20000 + 1)))
    echo "# $1, for a machine that was late: $late ms and $busy ms"
    awk "BEGIN { exit !($p50 - $was < $2 + $late + $busy) }"
}

scene directly tcp $direct_ms
for name in alice bob carol; do only_tcp_to $name 203.0.113.10 443; done
scene "by the relay" relay $relay_ms
# Now alice's line to everybody is one of 100 Mbit/s.
ip -n alice link set eth0 down
as alice nft flush ruleset
vpn line alice 198.18.9.2/24 gate 198.18.9.1/24 "rate 100" "delay 5" \
    "queue 128000"
gateway alice 198.18.9.1
chunks=$((chunks / 4))
scene "by the relay, 100 Mbit/s" relay $line_ms
finish
