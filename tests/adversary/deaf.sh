#!/bin/bash
# Members that make the relay queue packets which they do not read, and members
# that send it endless messages. The relay has 32 MiB for all of them; alice and
# bob talk through it meanwhile.
#
#   here: hub (relay, 127.0.0.1:443), alice, bob
. "$(dirname "$0")/../net/lab.sh"
. "$NET_DIR/../adversary/stage.sh"

hub=127.0.0.1:443
crowd=24
# Of each it kept 5 MiB before, which is its queue and libzmq's part.
mib=80

HUB_LIMITS="memory: 32MiB"
stage "paths: {tcp: false, udp: false}" "discovery: {multicast: false}"
for ((i = 1; i <= crowd; i++)); do another "m$i"; done
start_relay hub here
meet relay
watch hub

each() { # COUNT ATTACK [options] - by so many of the crowd
    local i
    for ((i = 1; i <= $1; i++)); do
        lie "$2" $hub --key "$RELAY_KEY" --relay $hub --relay-key "$RELAY_KEY" \
            --identity "$LAB/office/m$i.zs" "${@:3}"
    done
}

each $crowd deaf --count 200 --size 60000
needs sent 50
under_attack "$crowd members who read nothing of 12 MB each" $mib

each $crowd deaf --count 100000 --size 64
needs sent 1000
under_attack "$crowd members who read nothing of many small packets" $mib

each 4 frames --size 1
needs sent 1000
under_attack "4 members' frames of 1 byte without an end" $mib

stage_end
finish
