#!/bin/bash
# Two edges behind home NATs talk by UDP, both ways, while the network fails: no
# message is lost, doubled or out of order, and the longest silence of each
# situation is told.
#
#   alice, at west-home---west-home-nat---r1---r2---r3---east-home-nat---bob
#                                              |
#                                             hub (relay)
#
#     udp_faults.sh [--full] [--only SITUATION,...] [--idle]
#
#     --full   at least 100,000 messages each way in each situation, and --idle
#     --idle   counts the packets of an idle path for a minute
#     --only   some of: one_side both_sides flush rebind timeout idle_timeout down
#              address_west address_east relay_gone lan over_1200 over_1000
. "$(dirname "$0")/lab.sh"
LAB_PATHS=
. "$NET_DIR/nat_lab.sh"
. "$NET_DIR/load.sh"
needs_punching

messages=1000 rate=200 idle='' chosen=''
while [ $# -gt 0 ]; do
    case $1 in
    --full) messages=100000 rate=2500 idle=yes ;;
    --idle) idle=yes ;;
    --only) chosen=${2//,/ } && shift ;;
    *) lab_refuse "$1: not understood" ;;
    esac
    shift
done
# Where the relay stands. The promise is 1 s; what is sent while nothing shows a
# fault yet waits as long as the sender needs to suspect the path [P-8.7].
silence_ms=1000
# From when a way is there again, where the relay was away as well: the edge has
# to be back there first.
again_ms=4000

internet
site west home
site east home
for name in west-home east-home; do
    as $name sysctl -qw net.ipv4.conf.eth0.promote_secondaries=1
done
site west sym
site east full-cone
mesh office
relay_of_mesh office hub $HUB
member office alice
member office bob
start_relay hub hub
tool numbers

# --- One situation ------------------------------------------------------------

# Edges at new sites, which know each other by PATH.
edges() { # WEST_KIND EAST_KIND PATH [LINE...] - lines for both configurations
    local name
    for name in alice bob; do
        end $name
        conf_of $name 'node: {identity: office/'$name.zs'}' "${@:4}"
    done
    edge "west-$1" alice
    edge "east-$2" bob
    answers alice bob
    sees alice bob "$3" 20s
    sees bob alice "$3" 20s
}

streams_begin() {
    taking alice message:bob:last
    taking bob message:alice:last
    sending alice bob $messages --small --rate $rate --goes-on
    sending bob alice $messages --small --rate $rate --goes-on
    for_ms 1000
}

streams_end() {
    local name
    for name in send-alice-bob send-bob-alice; do
        running $name || not_ok "$name passed all the time"
        kill -s TERM "$(pid_of $name)" 2>/dev/null || true
    done
    done_with "all of alice is delivered" send-alice-bob 100
    done_with "all of bob is delivered" send-bob-alice 100
    done_with "alice has everything once and in order" take-alice 30
    done_with "bob has everything once and in order" take-bob 30
    check "alice has as many as bob sent" had_all alice message:bob send-bob-alice
    check "bob has as many as alice sent" had_all bob message:alice send-alice-bob
}

# The longest silence that began after BEGIN, or how long after it the last one
# ended that began before.
silence_ms() { # BEGIN_US
    cat "$LAB/alice.silences" "$LAB/bob.silences" | awk -v begin="$1" '
        $2 == "silence" && $1 > begin {
            from = $1 - $3 > begin ? $1 - $3 : begin
            if ($1 - from > most)
                most = $1 - from
        }
        END { print int(most / 1000) }
    '
}

# SITUATION runs the function of this name between the streams' begin and end. It
# may set `begin`, the moment since when a silence counts.
situation() { # NAME LIMIT_MS WHAT [PATH_IN_THE_END]
    local begin path=${4:-udp}
    echo "# $3"
    streams_begin
    begin=$(now_us)
    "fault_$1"
    streams_end
    check_ms "longest silence: $3" "$(silence_ms "$begin")" "$2" "$begin"
    check "then by $path" until_true 30 both_by "$path"
    printf '%-14s %6d ms  %s\n' "$1" "$(silence_ms "$begin")" "$3" >>"$LAB/silences"
}

both_by() { # PATH
    [ "$1" = "$(path_of alice bob)" ] && [ "$1" = "$(path_of bob alice)" ]
}

wanted() { [ -z "$chosen" ] || [[ " $chosen " == *" $1 "* ]]; }

at_home_both() { # [LINE...] - the usual place of both
    WEST=west-home EAST=east-home
    for nat in west-home-nat east-home-nat; do forgets $nat; done
    edges home home udp "$@"
}

# --- What fails ---------------------------------------------------------------

no_udp() { # ROUTER - passes, in any direction
    as "$1" nft -f - <<'NFT'
table inet fault {
    chain through {
        type filter hook forward priority filter - 10;
        meta l4proto udp drop
    }
}
NFT
}
no_udp_over() { # BYTES of payload
    as r2 nft -f - <<NFT
table inet fault {
    chain through {
        type filter hook forward priority filter - 10;
        udp length > $(($1 + 8)) drop
    }
}
NFT
}
mend() { # ROUTER...
    local name
    for name in "$@"; do as "$name" nft delete table inet fault; done
}
forgets() { # NAT - all connections and mappings
    as "$1" conntrack -F >/dev/null 2>&1
    as "$1" nft flush map ip nat inside 2>/dev/null || true
}
timeouts() { # SECONDS SECONDS - of UDP that was not answered, and that was
    local nat
    for nat in west-home-nat east-home-nat; do
        as $nat sysctl -qw net.netfilter.nf_conntrack_udp_timeout="$1" \
            net.netfilter.nf_conntrack_udp_timeout_stream="$2"
    done
}

fault_one_side() {
    no_udp west-home-nat
    for_ms 5000
    mend west-home-nat
    for_ms 2000
}
fault_both_sides() {
    no_udp west-home-nat
    no_udp east-home-nat
    for_ms 5000
    mend west-home-nat east-home-nat
    for_ms 2000
}
fault_flush() {
    forgets west-home-nat
    for_ms 3000
    forgets west-home-nat
    forgets east-home-nat
    for_ms 3000
}
# The next packet gets another port; the connection to the relay is spared.
fault_rebind() {
    as west-sym-nat conntrack -D -p udp >/dev/null 2>&1
    for_ms 5000
}
fault_timeout() {
    for_ms 9000
}
# Both senders pause for longer than the mapping lives; then one goes on, whose
# packets the other's NAT does not let in any more.
fault_idle_timeout() {
    kill -s USR2 "$(pid_of send-alice-bob)" "$(pid_of send-bob-alice)"
    for_ms 8000
    begin=$(now_us)
    kill -s USR2 "$(pid_of send-alice-bob)"
    for_ms 3000
    kill -s USR2 "$(pid_of send-bob-alice)"
    for_ms 1000
}
fault_down() {
    as $WEST ip link set eth0 down
    for_ms 5000
    begin=$(now_us)
    as $WEST ip link set eth0 up
    as $WEST ip route replace default via 192.168.1.1
    for_ms 5000
}
moves() { # HOST
    begin=$(now_us)
    as "$1" ip address add 192.168.1.77/24 dev eth0
    as "$1" ip address del 192.168.1.2/24 dev eth0
    as "$1" ip route replace default via 192.168.1.1
    for_ms 6000
}
moves_back() { # HOST
    as "$1" ip address add 192.168.1.2/24 dev eth0
    as "$1" ip address del 192.168.1.77/24 dev eth0
    as "$1" ip route replace default via 192.168.1.1
}
fault_address_west() { moves $WEST; }
fault_address_east() { moves $EAST; }
fault_relay_gone() {
    end hub KILL
    for_ms 10000
    start_relay hub hub
    for_ms 1000
}
fault_lan() {
    cable $WEST 198.18.7.1/24 $EAST 198.18.7.2/24
    sees alice bob tcp 20s
    for_ms 2000
}
fault_over_1200() {
    no_udp_over 1200
    for_ms 7000
    mend r2
}
fault_over_1000() {
    no_udp_over 1000
    for_ms 5000
    mend r2
}

# --- The situations -------------------------------------------------------------

: >"$LAB/silences"
if wanted one_side; then
    at_home_both
    situation one_side $silence_ms "UDP is blocked on one side"
fi
if wanted both_sides; then
    at_home_both
    situation both_sides $silence_ms "UDP is blocked on both sides"
fi
if wanted flush; then
    at_home_both
    situation flush $silence_ms "the NATs forget their mappings"
fi
if wanted rebind; then
    WEST=west-sym EAST=east-full-cone
    edges sym full-cone udp
    situation rebind $silence_ms "the NAT gives the path another port"
fi
if wanted timeout || wanted idle_timeout; then
    timeouts 5 5
    at_home_both
    ! wanted timeout ||
        situation timeout $silence_ms "NAT time-out 5 s, under traffic"
    ! wanted idle_timeout ||
        situation idle_timeout $silence_ms "NAT time-out 5 s, while idle"
    timeouts 30 120
fi
if wanted down; then
    at_home_both 'presence: {lost_after: 12s}'
    situation down $again_ms "the interface is down for 5 s"
fi
for side in west east; do
    wanted address_$side || continue
    at_home_both
    situation address_$side $again_ms "a new address in the $side"
    moves_back $side-home
done
if wanted relay_gone; then
    at_home_both
    situation relay_gone $silence_ms "the relay is gone for 10 s"
fi
if wanted over_1200; then
    at_home_both
    situation over_1200 $silence_ms "packets over 1,200 bytes vanish"
fi
if wanted over_1000; then
    at_home_both
    situation over_1000 $silence_ms "packets over 1,000 bytes vanish"
fi
if wanted lan; then
    WEST=west-home EAST=east-home
    no_udp west-home-nat
    edges home home relay
    situation lan $silence_ms "a LAN appears between relayed peers" tcp
    mend west-home-nat
    for name in west east; do ip -n $name-home link set eth1 down; done
fi

# --- An idle path -----------------------------------------------------------------

if [ -n "$idle" ]; then
    at_home_both
    as r2 nft -f - <<NFT
table inet idle {
    chain through {
        type filter hook forward priority filter;
        meta l4proto udp ip saddr ${SITE_ADDRESS[west-home]} ip daddr ${SITE_ADDRESS[east-home]} counter
        meta l4proto udp ip saddr ${SITE_ADDRESS[east-home]} ip daddr ${SITE_ADDRESS[west-home]} counter
    }
}
NFT
    on_the_wire() {
        as r2 nft list table inet idle |
            grep -oE 'packets [0-9]+' | awk '{ n += $2 } END { print n }'
    }
    for_ms 10000 # What follows the path's begin.
    before=$(on_the_wire)
    for_ms 60000
    after=$(on_the_wire)
    [ $((after - before)) -le 6 ] &&
        ok "packets of an idle path in a minute" "$((after - before))" ||
        not_ok "packets of an idle path in a minute" "$((after - before))"
    check "it is still by UDP" test udp = "$(path_of alice bob)"
fi

sed 's/^/# longest silence: /' "$LAB/silences"
finish
