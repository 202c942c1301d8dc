#!/bin/bash
# An edge keeps beside its identity which form of a relay's address worked on
# which network. What is wrong with that file stops nothing.
#
#   alice---[ home ]---router---[ street ]---hub (relay, 203.0.113.10:443)
. "$(dirname "$0")/lab.sh"

lan home
lan street
router router
plug router home 198.18.1.1/24
plug router street 203.0.113.1/24
host hub
host alice
plug hub street 203.0.113.10/24
plug alice home 198.18.1.2/24
gateway hub 203.0.113.1
gateway alice 198.18.1.1

mesh office
relay_of_mesh office hub 203.0.113.10
member office alice
start_relay hub hub

file="$LAB/office/alice.routes"
key=$(grep -oE 'key=[0-9a-f]{64}' "$LAB/hub.out" | head -n 1)
hardware=$(as router ip -br link show dev eth0 | awk '{ print $3 }' | tr -d :)
# On a machine that is late any form may win.
relay_is_up() { [ -n "$(form_of alice)" ]; }
is_kept() {
    grep -qx "  - 198.18.1.1 $hardware ${key#key=} $(form_of alice)" "$file"
}
starts() {
    end alice
    : >"$LAB/alice.log"
    edge alice alice
    check "$1: the relay is up" until_true 10 relay_is_up
}
warns() { grep -qE ' (warn|error) ' "$LAB/alice.log"; }

starts "a first start"
check "the form is kept for this network" until_true 5 is_kept
check "the file is for its owner" test 600 = "$(stat -c %a "$file")"
starts "a second start"
check "nothing is wrong" eval '! warns'

echo nonsense >"$file"
starts "a damaged file"
check_logged "the log says so" alice routes_unreadable
check "a new one replaces it" until_true 5 is_kept

rm "$file"
mkdir -p "$file/full"
starts "a file that cannot be written"
check_logged "the log says so" alice routes_not_kept
finish
