#!/bin/bash
# Strangers that know an edge's link key (a revoked node does) attack its
# listener, while alice, the victim, and bob talk over a direct link.
#
#   here: hub (relay, 127.0.0.1:443), alice (127.0.0.1:40001), bob
. "$(dirname "$0")/../net/lab.sh"
. "$NET_DIR/../adversary/stage.sh"

door=127.0.0.1:40001
mib=96 # limits.memory, 64 MiB, and what an edge has anyway

stage
start_relay hub here
meet tcp
learn bob
bob_said=$SAID
learn alice
watch alice

lie mute $door --key "$LINK_KEY" --count 100 --seconds 10
lie slow $door --key "$LINK_KEY" --count 100 --seconds 9
lie half $door --key "$LINK_KEY" --count 100 --seconds 9
lie silent $door --count 300 --seconds 7
under_attack "strangers who say nothing, or little" $mib
check_lie "all who shook hands and said nothing were cut [P-5.3]" 0 \
    cut "$(lied 0 opened)" 100

lie recorded $door --key "$LINK_KEY" --rate 1000
lie fresh $door --key "$LINK_KEY" --rate 500
under_attack "1,500 CURVE HELLOs a second, most of them recorded" $mib
check_lies "few of 3,000 are answered" answers 1500

lie link-hellos $door --key "$LINK_KEY" --rate 300 --announcement "$bob_said"
under_attack "bob's HELLO from somebody else" $mib
check_lie "is refused" 0 answers 0 0

lie frames $door --key "$LINK_KEY" --count 8 --size 65536
lie frames $door --key "$LINK_KEY" --count 8 --size 1
under_attack "endless frames before HELLO" $mib

# As many as may link, and as many again.
another carol
lie mute $door --key "$LINK_KEY" --count 640
meanwhile "carol starts" 5000 arrives carol alice
under_attack "every link taken by who says nothing" $mib
end carol

stage_end
finish
