#!/bin/bash
# Strangers and members attack the relay, while alice and bob talk through it.
#
#   here: hub (relay, 127.0.0.1:443), alice, bob
#
# RELAY_LISTEN: tcp (the door) or curve (libzmq), see relay_curve.sh.
. "$(dirname "$0")/../net/lab.sh"
. "$NET_DIR/../adversary/stage.sh"

hub=127.0.0.1:443
mib=96 # limits.memory, 64 MiB, and what a relay has anyway

stage "paths: {tcp: false, udp: false}" "discovery: {multicast: false}"
key=(--key "$RELAY_KEY")
[ "${RELAY_LISTEN:-tcp}" = tcp ] ||
    sed -i "s/^  tcp: /  tcp: []\n  $RELAY_LISTEN: /" "$LAB/hub/relay.yaml"
start_relay hub here
meet relay
watch hub

lie mute $hub "${key[@]}" --count 100 --spread 50 --seconds 10
lie slow $hub "${key[@]}" --count 100 --spread 50 --seconds 7
lie half $hub "${key[@]}" --count 200 --spread 50 --seconds 7
lie silent $hub --count 1000 --spread 50 --seconds 7
under_attack "strangers who say nothing, or little" $mib
check_lie "nobody holds a place for more than 5 s" 0 \
    cut "$(lied 0 opened)" 100

# limits.edges and 1,024 others may be there. Those of 250 networks are not yet
# too many of any.
another carol "paths: {tcp: false, udp: false}" "discovery: {multicast: false}"
lie silent $hub --count 2000 --spread 250
meanwhile "carol starts" 5000 arrives carol alice
under_attack "every place taken by who says nothing" $mib
end carol

lie recorded $hub "${key[@]}" --rate 1000
lie recorded $hub "${key[@]}" --rate 1000 --spread 250
lie fresh $hub "${key[@]}" --rate 500 --spread 250
under_attack "2,500 CURVE HELLOs a second, most of them recorded" $mib
check_lies "few of 5,000 are answered" answers 2500

lie relay-hellos $hub "${key[@]}" --rate 500 --spread 50 \
    --identity "$LAB/office/bob.zs"
under_attack "bob's HELLO from somebody else" $mib
check_lie "is refused" 0 answers 0 0

lie frames $hub "${key[@]}" --count 16 --spread 16 --size 65536
lie frames $hub "${key[@]}" --count 16 --spread 16 --size 1
under_attack "endless frames before HELLO" $mib

by() { # NAME - the options of a member
    echo "--relay $hub --relay-key $RELAY_KEY --identity $LAB/office/$1.zs"
}
# shellcheck disable=SC2046 # options, a word each
for name in mallory trudy; do
    lie frames $hub "${key[@]}" $(by $name) --size 65536
    lie frames $hub "${key[@]}" $(by $name-2) --size 1
done
under_attack "endless frames of four members" $mib

stage_end
finish
