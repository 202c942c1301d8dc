#!/bin/bash
# The relay under attack by strangers and members, while alice and bob talk by
# it.
#
#   here: hub (relay, 127.0.0.1:443), alice, bob
. "$(dirname "$0")/../net/lab.sh"
. "$NET_DIR/../adversary/stage.sh"

hub=127.0.0.1:443

stage "paths: {tcp: false}" "discovery: {multicast: false}"
start_relay hub here
meet relay
watch hub

lie silent $hub --count 1000 --spread 50 --seconds 7
lie slow $hub --key "$RELAY_KEY" --count 100 --spread 50 --seconds 7
lie half $hub --key "$RELAY_KEY" --count 200 --spread 50 --seconds 7
lie mute $hub --key "$RELAY_KEY" --count 200 --spread 50 --seconds 7
under_attack "strangers who say nothing, or little" 96

lie recorded $hub --key "$RELAY_KEY" --rate 2000
under_attack "one recorded CURVE HELLO, 2,000 times a second" 96
lie recorded $hub --key "$RELAY_KEY" --rate 2000 --spread 250
under_attack "the same from 250 addresses" 96
lie fresh $hub --key "$RELAY_KEY" --rate 1000 --spread 250
under_attack "fresh CURVE HELLOs, 1,000 times a second" 96

lie relay-hellos $hub --key "$RELAY_KEY" --rate 500 --identity "$LAB/office/bob.zs"
under_attack "bob's HELLO from somebody else" 96
check_lie "is refused" 0 answers 0 0

lie frames $hub --key "$RELAY_KEY" --count 16 --spread 16 --size 65536
under_attack "endless frames of 64 KiB before HELLO" 96
lie frames $hub --key "$RELAY_KEY" --count 16 --spread 16 --size 1
under_attack "endless frames of 1 byte before HELLO" 96
lie frames $hub --key "$RELAY_KEY" --size 65536 --relay $hub \
    --relay-key "$RELAY_KEY" --identity "$LAB/office/mallory.zs"
lie frames $hub --key "$RELAY_KEY" --size 1 --relay $hub \
    --relay-key "$RELAY_KEY" --identity "$LAB/office/trudy.zs"
under_attack "endless frames of two members" 96

stage_end
finish
