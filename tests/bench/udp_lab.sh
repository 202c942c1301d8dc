#!/bin/bash
# Hosts and wires for the benches over UDP, which udp.py runs inside:
#
#     udp_lab.sh FILE [options of udp.py]     the rows come into FILE
#
#        198.18.1.0/24  wire    wire.c: delays, loses, limits
#     a ═══════════════════════ b ──── hub, the relay
#        198.18.2.0/24  cable   a veth pair: no limit
#
# The relay is behind the wire, as it is behind most people's line: who takes
# the path by the relay gains nothing.
. "$(dirname "$0")/../net/lab.sh"
BENCH_DIR=$(realpath "$NET_DIR/../bench")
LAB_PATHS='paths: {tcp: false}'

host a
router b
host hub
lan hubs
plug b hubs 198.18.9.1/24
plug hub hubs 198.18.9.3/24
gateway hub 198.18.9.1
vpn wire a 198.18.1.1/24 b 198.18.1.2/24
ip link add cable netns a type veth peer name cable netns b
ip -n a address add 198.18.2.1/24 dev cable
ip -n b address add 198.18.2.2/24 dev cable
ip -n a link set cable up
ip -n b link set cable up
# TCP on the lossy wire is what Linux does by default, whatever this machine does.
ip -n a route change 198.18.1.0/24 dev wire src 198.18.1.1 congctl cubic
ip -n b route change 198.18.1.0/24 dev wire src 198.18.1.2 congctl cubic
ip -n a route add 198.18.9.0/24 via 198.18.1.2 congctl cubic
ip -n hub route change default via 198.18.9.1 congctl cubic

mesh office
relay_of_mesh office hub 198.18.9.3
sed -i 's/^\( *udp:\).*/\1 []/' "$LAB/hub/relay.yaml" # no STUN: all is on one LAN
member office src
member office dst
member office idle-a
member office idle-b
start_relay hub hub

idle_pair() {
    local name
    for name in a b; do
        conf "idle-$name" 'listen: {interfaces: [wire]}'
        edge $name "idle-$name"
    done
    answers idle-a idle-b
    sees idle-a idle-b udp 30s
    as a nft -f - <<'NFT'
table inet idle {
    chain from_b { type filter hook input priority 0; iifname wire meta l4proto udp counter; }
    chain to_b { type filter hook output priority 0; oifname wire meta l4proto udp counter; }
}
NFT
}

file=$1
shift
case " $* " in *" --idle "*) idle_pair ;; esac
if LAB="$LAB" RELAY_URL="$RELAY_URL" WIRE_PID="$(pid_of wire)" \
    python3 -B "$BENCH_DIR/udp.py" "$file" "$@"; then
    ok "all was measured"
else
    not_ok "all was measured"
fi
finish
