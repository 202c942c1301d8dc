#!/bin/bash
# What is reported delivered is true: bob's edge is killed at random moments
# while alice's messages for it are under way, and started again.
#
#   alice---[ street ]---bob
#               |
#              hub (relay, 203.0.113.10:443)
#
# First directly, then by the relay only. What bob's node had is recorded in
# its process as it comes out of libzmq and out of the seals (tap.c), before
# anything acknowledges it; a subscriber's socket still holds after the kill
# what was written to it before. 40 kills; with --full 200.
. "$(dirname "$0")/lab.sh"
. "$NET_DIR/load.sh"

kills=20 # each way
[ "${1:-}" != --full ] || kills=100
RANDOM=${ZS_LAB_SEED:=$((RANDOM % 10000))}
echo "# ZS_LAB_SEED=$ZS_LAB_SEED"

lan street
host hub
host alice
host bob
plug hub street 203.0.113.10/24
plug alice street 203.0.113.2/24
plug bob street 203.0.113.3/24

tool numbers
cc -std=c17 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -shared -fPIC \
    -o "$LAB/tap.so" "$NET_DIR/tap.c"
mesh office
relay_of_mesh office hub 203.0.113.10
member office alice
member office bob
start_relay hub hub

start_bob() { # TAP
    rm -f /run/zeroservices/bob.sock
    spawn bob bob env "ZS_TAP=$LAB/$1" "LD_PRELOAD=$LAB/tap.so" \
        "$ZS_BIN/zs-edge" -c "$LAB/bob.yaml" --socket "$(lab_socket bob)"
    until_true 10 test -S "$(lab_socket bob)" && answers bob
}

one_kill() { # WAY NUMBER
    taking bob message:alice:0 --with-holes --numbers "$LAB/$1.$2.numbers"
    until_true 10 test -s "$LAB/$1.$2.numbers" || not_ok "messages reach bob"
    for_ms $((RANDOM % 400))
    end bob KILL
    until_true 5 lab_gone take-bob || not_ok "the subscriber sees the end"
    start_bob "$1.tap"
}

kills_while_sending() { # WAY PATH
    local i files=()
    start_bob "$1.tap"
    edge alice alice
    answers alice
    sees alice bob "$2" 10s
    sending alice bob 4000000 --rate 20000 --size 200 --stubborn --most 1000000 \
        --log "$LAB/$1.sent"
    for i in $(seq $kills); do
        one_kill "$1" "$i"
        files+=(--numbers "$LAB/$1.$i.numbers")
    done
    kill -s TERM "$(pid_of send-alice-bob)"
    done_with "every message got an answer, $1" send-alice-bob 30
    end bob
    end alice
    check "every report was true, $1" python3 "$NET_DIR/delivered.py" \
        "$LAB/$1.sent" --tap "$LAB/$1.tap" "${files[@]}"
    sed 's/^/# /' "$LAB/check.out"
    check "kills had messages under way, $1" \
        test "$(grep -cE 'peer_restarted|not_delivered' "$LAB/$1.sent")" -gt \
        "$kills"
    # A checker counts only once it was seen to fail.
    sed 's/peer_restarted/ok/' "$LAB/$1.sent" >"$LAB/$1.lies"
    lies() { ! python3 "$NET_DIR/delivered.py" "$LAB/$1.lies" \
        --tap "$LAB/$1.tap" "${files[@]}"; }
    check "the check sees lies, $1" lies "$1"
    rm -f "$LAB/$1.tap"
}

kills_while_sending directly tcp
only_tcp_to alice 203.0.113.10 443
only_tcp_to bob 203.0.113.10 443
kills_while_sending by-relay relay
finish
