#!/bin/bash
# On a busy machine no node is taken for lost: while other work of the same
# priority keeps all cores busy there is no `leave`; for 60 s, or with --long for
# 10 minutes.
#
#   alice---[ home ]---bob
#             |
#           gate (NAT)---[ street ]---carol
#                            |
#                           hub (relay, 203.0.113.10:443)
#
# alone: it keeps all cores busy
. "$(dirname "$0")/lab.sh"

seconds=60
[ "${1:-}" != --long ] || seconds=600
burners=$(($(nproc) * 2))

lan home
lan street
router gate
plug gate home 198.18.1.1/24
plug gate street 203.0.113.1/24
nat gate eth1
host hub
host alice
host bob
host carol
plug hub street 203.0.113.10/24
plug alice home 198.18.1.2/24
plug bob home 198.18.1.3/24
plug carol street 203.0.113.3/24
only_tcp_to carol 203.0.113.10 443
gateway alice 198.18.1.1
gateway bob 198.18.1.1

mesh office
relay_of_mesh office hub 203.0.113.10
for name in alice bob carol; do member office $name; done
start_relay hub hub
for name in alice bob carol; do edge $name $name; done
answers alice bob carol
sees alice bob tcp 5s
sees alice carol relay 5s
sees carol bob relay 5s
for name in alice bob carol; do listen $name "$LAB/$name.json"; done

for i in $(seq "$burners"); do
    spawn "burner$i" hub bash -c 'while :; do :; done'
done
nobody_left() {
    ! grep -q '"leave"' "$LAB"/alice.json "$LAB"/bob.json "$LAB"/carol.json
}
check "nobody left in $seconds s with $burners burners" \
    for_seconds $((seconds - 2)) nobody_left
check "the burners burnt to the end" running burner1
for i in $(seq "$burners"); do end "burner$i"; done
says alice bob
says carol alice
check "bob still answers alice" at alice ping bob -c 5
check "carol still answers alice" at alice ping carol -c 5
check "nobody left at all" nobody_left
finish
