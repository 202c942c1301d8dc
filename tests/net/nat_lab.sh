# shellcheck shell=bash
# nat_lab.sh - an Internet with three routers, and sites behind NATs of each
# kind. To be sourced after lab.sh:
#
#     internet
#     site west home
#     site east sym        now hosts west-home and east-sym reach hub
#
#   west-KIND---west-KIND-nat---r1---r2---r3---east-KIND-nat---east-KIND
#                                    |
#                                   hub (relay, 203.0.113.10, 2001:db8:5::10)
#
# Between two NATs there are three routers, so that a packet with a low TTL can
# pass its own NAT and die before the other one. Hosts behind NATs have the same
# addresses on both sides, as in homes.
#
# The kinds of a site, by how a NAT maps and filters UDP (RFC 4787):
#
#   none           a public address, nothing filtered
#   full-cone      mapping and filtering do not depend on the destination
#   home           mapping does not, filtering depends on address and port
#   plain          `masquerade`: keeps the port where it can; filters as home
#   sym            `masquerade fully-random`: each destination sees another port
#   seq            so too, but the ports come in sequence
#   double         home behind a second home NAT, the provider's
#   ipv6-only      no IPv4, nothing filtered
#   ipv6-firewall  no IPv4, nothing new comes in
#
# and kinds that put both sides behind one NAT (`site_shared`):
#
#   lan            home; the sides are subnets that reach each other
#   isolated       home; the sides are isolated from each other
#   hairpin        so too, but they reach each other's outside UDP ports

HUB=203.0.113.10
HUB6=2001:db8:5::10
declare -A SITES=()        # of a side, so far
declare -A SITE_ADDRESS=() # of a host, as the Internet sees it

# Can these programs open paths over UDP? They are built without where ngtcp2 is
# missing.
# grep reads to the end: ldd would fail on a closed pipe.
punches() { ldd "$ZS_BIN/zs-edge" | grep ngtcp2 >/dev/null; }
needs_punching() {
    punches && return
    echo "$LAB_NAME: built without QUIC: skipped" >&2
    trap - EXIT
    exit 77
}

# --- Cables and routers -------------------------------------------------------

# A cable between two hosts, without a switch. Each gets its next ethN.
cable() { # HOST ADDRESS/BITS[,...] HOST ADDRESS/BITS[,...]
    local a=$1 b=$3 dev_a dev_b
    dev_a=$(next_dev "$a")
    dev_b=$(next_dev "$b")
    ip link add "$dev_a" netns "$a" type veth peer name "$dev_b" netns "$b"
    cable_end "$a" "$dev_a" "$2"
    cable_end "$b" "$dev_b" "$4"
}

next_dev() { # HOST
    echo "eth$(ip -n "$1" -o link | grep -c ': eth' || true)"
}

cable_end() { # HOST DEV ADDRESS/BITS[,...]
    local address
    for address in ${3//,/ }; do
        case $address in
        *:*) echo "address add $address dev $2 nodad" ;;
        *) echo "address add $address dev $2" ;;
        esac
    done | ip -n "$1" -batch -
    ip -n "$1" link set "$2" up
}

# A host that forwards both families.
router6() { # NAME
    router "$1"
    as "$1" sysctl -qw net.ipv6.conf.all.forwarding=1
}

internet() {
    local name
    for name in r1 r2 r3; do router6 $name; done
    host hub
    cable r1 198.18.0.1/30,2001:db8:0:1::1/64 r2 198.18.0.2/30,2001:db8:0:1::2/64
    cable r3 198.18.0.5/30,2001:db8:0:2::1/64 r2 198.18.0.6/30,2001:db8:0:2::2/64
    cable hub $HUB/29,$HUB6/64 r2 203.0.113.9/29,2001:db8:5::1/64
    routes r1 default 198.18.0.2 default 2001:db8:0:1::2
    routes r3 default 198.18.0.6 default 2001:db8:0:2::2
    routes hub default 203.0.113.9 default 2001:db8:5::1
    routes r2 203.0.113.64/26 198.18.0.1 2001:db8:1::/48 2001:db8:0:1::1
    routes r2 203.0.113.128/26 198.18.0.5 2001:db8:2::/48 2001:db8:0:2::1
}

routes() { # HOST [NETWORK GATEWAY]...
    local where=$1
    shift
    while [ $# -gt 0 ]; do
        case $2 in
        *:*) echo "-6 route add $1 via $2" ;;
        *) echo "route add $1 via $2" ;;
        esac
        shift 2
    done | while read -r line; do
        # shellcheck disable=SC2086 # words
        ip -n "$where" $line
    done
}

# --- Sites ----------------------------------------------------------------------

# Takes the side's next public network: an address of the side's router, and one
# for whoever is plugged in there.
next_network() { # SIDE - sets EDGE_ROUTER, THERE, HERE, THERE6, HERE6, INSIDE6
    local n=${SITES[$1]:-0} base=64 net6=1
    EDGE_ROUTER=r1
    [ "$1" = west ] || EDGE_ROUTER=r3 base=128 net6=2
    SITES[$1]=$((n + 1))
    [ "$n" -lt 16 ] || lab_refuse "a 17th site in the $1"
    THERE=203.0.113.$((base + 4 * n + 1)) HERE=203.0.113.$((base + 4 * n + 2))
    THERE6=2001:db8:$net6:$n::1 HERE6=2001:db8:$net6:$n::2
    INSIDE6=2001:db8:$net6:1$n:
}

site() { # SIDE KIND - makes the host SIDE-KIND and what is in front of it.
    local side=$1 kind=$2 name=$1-$2
    host "$name"
    next_network "$side"
    case $kind in
    none)
        cable "$name" "$HERE/30" $EDGE_ROUTER "$THERE/30"
        routes "$name" default "$THERE"
        ;;
    full-cone | home | plain | sym | seq)
        router "$name-nat"
        cable "$name-nat" "$HERE/30" $EDGE_ROUTER "$THERE/30"
        routes "$name-nat" default "$THERE"
        nat_of "$name-nat" "$kind"
        at_home "$name" "$name-nat" 192.168.1
        ;;
    double)
        router "$name-cgn"
        router "$name-nat"
        cable "$name-cgn" "$HERE/30" $EDGE_ROUTER "$THERE/30"
        routes "$name-cgn" default "$THERE"
        cable "$name-nat" 100.64.0.2/30 "$name-cgn" 100.64.0.1/30
        routes "$name-nat" default 100.64.0.1
        nat_of "$name-cgn" home
        nat_of "$name-nat" home
        at_home "$name" "$name-nat" 192.168.1
        ;;
    ipv6-only)
        cable "$name" "$HERE6/64" $EDGE_ROUTER "$THERE6/64"
        routes "$name" default "$THERE6"
        HERE=$HERE6
        ;;
    ipv6-firewall)
        router6 "$name-nat"
        cable "$name-nat" "$HERE6/64" $EDGE_ROUTER "$THERE6/64"
        routes "$name-nat" default "$THERE6"
        cable "$name" "$INSIDE6:2/64" "$name-nat" "$INSIDE6:1/64"
        routes "$name" default "$INSIDE6:1"
        routes $EDGE_ROUTER "$INSIDE6:/64" "$HERE6"
        firewall "$name-nat"
        HERE=${INSIDE6}:2
        ;;
    *) lab_refuse "no kind $kind of a site" ;;
    esac
    SITE_ADDRESS[$name]=$HERE
}

# Makes west-KIND and east-KIND behind one NAT.
site_shared() { # KIND
    local name
    next_network west
    router "$1-nat"
    cable "$1-nat" "$HERE/30" $EDGE_ROUTER "$THERE/30"
    routes "$1-nat" default "$THERE"
    nat_of "$1-nat" home
    for name in west:192.168.1 east:192.168.2; do
        host "${name%:*}-$1"
        at_home "${name%:*}-$1" "$1-nat" "${name#*:}"
        SITE_ADDRESS[${name%:*}-$1]=$HERE
    done
    [ "$1" != hairpin ] || hairpin "$1-nat" "$HERE"
    [ "$1" = lan ] || as "$1-nat" nft add rule ip nat through "$BETWEEN" drop
}

BETWEEN='iifname { "eth1", "eth2" } oifname { "eth1", "eth2" }'

hairpin() { # NAT ITS_ADDRESS
    as "$1" nft -f - <<NFT
add rule ip nat before ip daddr $2 meta l4proto udp dnat to udp dport map @inside
add rule ip nat after $BETWEEN ct status dnat snat to $2
add rule ip nat through $BETWEEN ct status dnat accept
NFT
}

at_home() { # HOST NAT NET - the first three numbers of the address
    cable "$1" "$3.2/24" "$2" "$3.1/24"
    routes "$1" default "$3.1"
}

# The NAT of a box whose eth0 is outside. Without the rule in `to_me` a packet
# that comes too early is taken by the box itself: its connection tracking then
# keeps the addresses for that packet, and the host inside gets another port.
# The empty chain `before` is needed: without one, replies are not translated.
nat_of() { # ROUTER KIND
    local map='' learn='' before='' random='' through='ct state new drop'
    case $2 in
    full-cone) through='ct state new ct status dnat accept' ;;
    sym) random=fully-random ;;
    seq)
        learn="oifname \"eth0\" meta l4proto udp snat ip to
            numgen inc mod 4096 map { $(sequence 4096) }"
        ;;
    esac
    case $2 in
    full-cone | home)
        map='map inside {
            type inet_service : ipv4_addr . inet_service; flags dynamic;
        }'
        learn='oifname "eth0" meta l4proto udp
            update @inside { udp sport : ip saddr . udp sport }'
        before='iifname "eth0" meta l4proto udp dnat to udp dport map @inside'
        ;;
    esac
    as "$1" nft -f - <<NFT
table ip nat {
    $map
    chain before {
        type nat hook prerouting priority dstnat;
        $before
    }
    chain after {
        type nat hook postrouting priority srcnat;
        ${learn//$'\n'/ }
        oifname "eth0" masquerade $random
    }
    chain to_me {
        type filter hook input priority filter;
        iifname "eth0" ct state new drop
    }
    chain through {
        type filter hook forward priority filter;
        iifname "eth0" $through
        iifname "eth0" ct state new drop
    }
}
NFT
}

sequence() { # COUNT - elements of a map to the outside ports of HERE
    awk -v count="$1" -v here="$HERE" 'BEGIN {
        for (i = 0; i < count; i++)
            printf "%s%d : %s . %d", i ? ", " : "", i, here, 20000 + i
    }'
}

firewall() { # ROUTER - whose eth0 is outside: lets nothing new in.
    as "$1" nft -f - <<'NFT'
table ip6 firewall {
    chain to_me {
        type filter hook input priority filter;
        meta l4proto icmpv6 accept
        iifname "eth0" ct state new drop
    }
    chain through {
        type filter hook forward priority filter;
        iifname "eth0" ct state new drop
    }
}
NFT
}

# What becomes of two sites: tcp (both in one network), direct (tcp or udp), hard
# (direct, by many sockets or predicted ports), relay.
expected_path() { # KIND KIND
    case $1:$2 in
    lan:lan) echo tcp ;;
    none:* | full-cone:* | *:none | *:full-cone) echo direct ;;
    isolated:isolated) echo relay ;;
    sym:sym | sym:seq | seq:sym | seq:seq) echo relay ;;
    sym:* | seq:* | *:sym | *:seq) echo hard ;;
    *) echo direct ;;
    esac
}
