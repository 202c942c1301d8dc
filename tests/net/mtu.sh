#!/bin/bash
# A VPN whose packets are smaller than its interfaces say, and that says nothing
# of it (its ICMP is filtered): what is large vanishes. No relay. The nodes find
# out, and use smaller segments.
#
#   alice (198.18.9.1) ======== vpn0, 1300 bytes ======== bob (198.18.9.2)
. "$(dirname "$0")/lab.sh"

host alice
host bob
vpn vpn0 alice 198.18.9.1/24 bob 198.18.9.2/24 "mtu 1300"

mesh_of alice bob
conf alice 'discovery: {peers: ["198.18.9.2:9083"]}'
edge alice alice
edge bob bob
answers alice bob
sees alice bob tcp 30s

# More than a segment, many times: each arrives.
large() { # FROM TO
    head -c 100000 /dev/zero | tr '\\0' x >"$LAB/large"
    at "$1" send "$2" large --file "$LAB/large"
}
until_true 40 large alice bob || not_ok "a large message arrives at last"
check "a large message arrives" large alice bob
check "and back" large bob alice
paths() { grep -c path_changed "$LAB/$1.log" || true; }
before=$(paths alice)
for_seconds 10 at alice wait --peer bob --path tcp --timeout 10s ||
    not_ok "the path is tcp for 10 s"
check "the path stays" test "$(paths alice)" = "$before"
numbers alice bob 2000

check "the log says so" until_true 5 \
    grep -q large_packets_lost "$LAB/alice.log" "$LAB/bob.log"
named() {
    at alice status >"$LAB/status" && at bob status >>"$LAB/status"
    grep -q 'Large packets do not reach' "$LAB/status"
}
check "and health, with what helps" named

finish
