#!/bin/bash
# Port mapping: a real miniupnpd on alice's router opens alice's ports to the
# Internet, by UPnP, by NAT-PMP, by both and by neither; gives it back; comes
# back after a restart. miniupnpd refuses addresses that are not public, so the
# Internet has public-looking ones here.
#
# --long: also that the renewal finds out that the router restarted (5 min).
#
#   alice---[ home ]---gate (miniupnpd, 5.5.5.1)---[ street ]---bob (5.5.5.2)
. "$(dirname "$0")/lab.sh"
LAB_PATHS=

if ! command -v miniupnpd >/dev/null; then
    echo "$LAB_NAME: there is no miniupnpd: skipped" >&2
    trap - EXIT
    exit 77
fi

OUT=5.5.5.1
lan home
lan street
router gate
host alice
host bob
plug gate home 192.168.1.1/24
plug gate street $OUT/24
plug alice home 192.168.1.2/24
plug bob street 5.5.5.2/24
gateway alice 192.168.1.1

# What a router with miniupnpd has: nothing new comes in, but what miniupnpd
# writes into its three chains.
as gate nft -f - <<'NFT'
table inet filter {
    chain forward {
        type filter hook forward priority filter;
        ct state established,related accept
        iifname "eth1" jump miniupnpd
        iifname "eth1" drop
    }
    chain prerouting {
        type nat hook prerouting priority dstnat;
        jump prerouting_miniupnpd
    }
    chain postrouting {
        type nat hook postrouting priority srcnat;
        jump postrouting_miniupnpd
        oifname "eth1" masquerade
    }
    chain miniupnpd { }
    chain prerouting_miniupnpd { }
    chain postrouting_miniupnpd { }
}
NFT

serve() { # UPNP NAT_PMP [WHAT_IT_ALLOWS] - yes or no each
    cat >"$LAB/miniupnpd.conf" <<CONF
ext_ifname=eth1
listening_ip=eth0
enable_upnp=$1
enable_natpmp=$2
secure_mode=yes
ipv6_disable=yes
uuid=00000000-0000-0000-0000-000000000001
${3-allow 1024-65535 192.168.1.0/24 1024-65535}
deny 0-65535 0.0.0.0/0 0-65535
CONF
    spawn upnpd gate miniupnpd -d -f "$LAB/miniupnpd.conf" -P "$LAB/upnpd.pid"
    until_true 10 serves "$@" || not_ok "miniupnpd runs"
}
# It listens: to SSDP for UPnP, and to NAT-PMP.
serves() { # UPNP NAT_PMP
    { [ "$1" = no ] || listens_udp 1900; } && { [ "$2" = no ] || listens_udp 5351; }
}
listens_udp() { [ -n "$(as gate ss -Hlun "sport = :$1")" ]; } # PORT

# As when the router restarts: its mappings are gone.
serve_no_more() {
    local chain
    end upnpd
    for chain in miniupnpd prerouting_miniupnpd postrouting_miniupnpd; do
        as gate nft flush chain inet filter $chain
    done
}

mapping_of() { as gate nft list chain inet filter prerouting_miniupnpd; }
is_mapped() { mapping_of | grep "dnat ip to 192.168.1.2:$PORT" >/dev/null; }
are_mapped() { test "$(mapping_of | grep -c 'dnat ip to 192.168.1.2:')" = 2; }
is_unmapped() { test "$(mapping_of | grep -c 'dnat ip to')" = 0; }

# Bob connects to alice's port at the address outside.
reaches() {
    as bob python3 -B -c '
import socket, sys
socket.create_connection((sys.argv[1], int(sys.argv[2])), 2).close()
' $OUT "$PORT"
}

mesh office
member office alice
conf alice "listen: {port: 40113}" "log: {level: debug}"
PORT=40113

begin() { # WHAT - a new edge, with a new log
    : >"$LAB/alice.log"
    START=$(now_us)
    edge alice alice
    answers alice
    WHAT=$1
}

finish_edge() { # ends within 2 s, and the rule is gone
    local start
    start=$(now_us)
    end alice
    check_ms "$WHAT: the edge ends" $((($(now_us) - start) / 1000)) 2000 "$start"
    check "$WHAT: the mapping is given back" until_true 2 is_unmapped
}

mapped_by() { # PROTOCOL
    check_logged "$WHAT: mapped by $1" alice \
        "port_mapped port=tcp protocol=$1 outside=$OUT:$PORT inside=$PORT public=true"
    check_ms "$WHAT: soon" "$(log_ms "$LAB/alice.log" port_mapped "$START")" 3000 "$START"
    check_logged "$WHAT: the UDP port too" alice \
        "port_mapped port=udp protocol=$1 outside=$OUT:"
    check "$WHAT: the router has the rules" are_mapped
    check "$WHAT: bob reaches alice's port" reaches
}

serve yes no
begin "UPnP only"
mapped_by upnp
check_logged "$WHAT: the findings" alice "port_mapping nat_pmp=none upnp=found"
finish_edge
check "$WHAT: bob does not reach it any more" eval '! reaches'
serve_no_more

serve no yes
begin "NAT-PMP only"
mapped_by nat_pmp
check_logged "$WHAT: the findings" alice "port_mapping nat_pmp=found upnp=none"
finish_edge
serve_no_more

serve yes yes
begin "both"
mapped_by nat_pmp
check_logged "$WHAT: the findings" alice "port_mapping nat_pmp=found upnp=found"

# The router restarts, and the host's address comes anew, as by DHCP.
serve_no_more
check "the router restarts: the rule is gone" is_unmapped
serve yes yes
START=$(now_us)
as alice ip address add 192.168.1.3/24 dev eth0
check "the router restarts: the rules are there again" until_true 5 are_mapped
check "the router restarts: bob reaches alice's port" reaches

# By itself the edge notices with the next renewal, at half of the lease.
if [ "${1:-}" = --long ]; then
    serve_no_more
    serve yes yes
    check "the renewal after a restart: the rule is there again" \
        until_true 310 is_mapped
fi
finish_edge
serve_no_more

begin "neither"
check_logged "$WHAT: the findings" alice "port_mapping nat_pmp=none upnp=none"
serve yes yes
START=$(now_us)
check "$WHAT: a router that comes later is found" until_true 15 is_mapped
finish_edge
serve_no_more

serve yes no ""
begin "a router that refuses"
check_logged "$WHAT: the findings" alice "port_mapping nat_pmp=none upnp=refused"
check "$WHAT: nothing is mapped" is_unmapped
finish_edge
serve_no_more

# What the router says is not waited for when the edge is to end.
mute() {
    as gate nft add table inet mute
    as gate nft add chain inet mute in '{ type filter hook input priority 0; }'
    as gate nft add rule inet mute in iifname eth0 meta l4proto '{ tcp, udp }' drop
}
mute
begin "a mute router"
finish_edge
begin "a mute router, later"
check_logged "$WHAT: the findings" alice "port_mapping nat_pmp=none upnp=unknown"
finish_edge
as gate nft delete table inet mute

serve yes no
begin "a router that falls silent"
mapped_by upnp
mute
start=$(now_us)
end alice
check_ms "$WHAT: the edge ends" $((($(now_us) - start) / 1000)) 2000 "$start"
as gate nft delete table inet mute
serve_no_more

# One whose address outside is that of another NAT, as at many carriers.
as gate ip address del $OUT/24 dev eth1
as gate ip address add 100.64.1.1/24 dev eth1
serve yes yes
begin "behind a carrier's NAT"
check_logged "$WHAT: the findings" alice "port_mapping nat_pmp=refused upnp=refused"
finish_edge
finish
