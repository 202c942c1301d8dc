#!/bin/bash
# Whatever the network does, no message is lost, doubled or out of order: mixed
# sizes, 64 B to 1 MiB, pass both ways between alice and bob, and by multicast
# among all five, while paths, relay and addresses fail in every way that a
# lab has. Two edges have a path over TCP or one over UDP, or both: these are cut
# one by one and together. For each kind of fault: the longest silence that a
# receiver saw.
#
#   alice, carol---[ west ]---middle---[ east ]---bob, dave
#                               |
#                           [ street ]---hub (relay, 203.0.113.10:443)
#                               |
#                             erin|      who may only reach the relay's 443
#
# About 2 minutes; with --full the numbers of the promise, 200,000 each way and
# 50,000 by multicast, in about 10 minutes. The load goes on for as long as the
# faults take. ZS_LAB_SEED repeats the random times.
. "$(dirname "$0")/lab.sh"
. "$NET_DIR/load.sh"
LAB_PATHS=

messages=10000 rate=220 events=1000 event_rate=24
cuts=3 kills=1 others=1
# Of a direct path cut while the relay stands. The promise is 1 s; a machine that
# has other work to do gets more. What is not noticed takes lost_after, 3 s.
silence_ms=2000
if [ "${1:-}" = --full ]; then
    messages=200000 rate=500 events=10000 event_rate=25
    cuts=20 kills=5 others=3 silence_ms=1000
fi
RANDOM=${ZS_LAB_SEED:=$((RANDOM % 10000))}
echo "# ZS_LAB_SEED=$ZS_LAB_SEED"

lan west
lan east
lan street
router middle
plug middle west 198.18.1.1/24
plug middle east 198.18.2.1/24
plug middle street 203.0.113.1/24
host hub
plug hub street 203.0.113.10/24
gateway hub 203.0.113.1
for place in alice:west:198.18.1.2 carol:west:198.18.1.3 \
    bob:east:198.18.2.2 dave:east:198.18.2.3 erin:street:203.0.113.5; do
    IFS=: read -r name lan address <<<"$place"
    host "$name"
    plug "$name" "$lan" "$address/24"
    gateway "$name" "${address%.*}.1"
done
as alice sysctl -qw net.ipv4.conf.eth0.promote_secondaries=1
only_tcp_to erin 203.0.113.10 443

everyone="alice bob carol dave erin"
mesh office
relay_of_mesh office hub 203.0.113.10
for name in $everyone; do member office "$name"; done
start_relay hub hub
for name in $everyone; do edge "$name" "$name"; done
answers alice bob carol dave erin
sees alice bob tcp 10s
sees bob alice tcp 10s
sees carol dave tcp 10s
for name in alice bob carol dave; do sees "$name" erin relay 10s; done

# --- The load -----------------------------------------------------------------

tool numbers
for name in $everyone; do
    streams=()
    for other in $everyone; do
        [ "$other" = "$name" ] || streams+=("event:$other:last")
    done
    case $name in
    alice) streams+=("message:bob:last") ;;
    bob) streams+=("message:alice:last") ;;
    esac
    taking "$name" "${streams[@]}"
done
sending alice bob "$messages" --rate "$rate" --goes-on
sending bob alice "$messages" --rate "$rate" --goes-on
for name in $everyone; do
    sending "$name" '*' "$events" --rate "$event_rate" --goes-on
done

# --- The faults ---------------------------------------------------------------

drop_between() { # RULE - on the way between west and east; without a word. Adds
    # to what is dropped there.
    as middle nft -f - <<NFT
table inet fault {
    chain through {
        type filter hook forward priority filter;
        $1 drop
    }
}
NFT
}
mend() { as middle nft delete table inet fault; }
both='iifname { "eth0", "eth1" } oifname { "eth0", "eth1" }'

some_time() { for_ms $(($1 + RANDOM % ($2 - $1))); } # FROM TO, ms

cut() {
    drop_between "$both"
    some_time 500 5000
    mend
}

# Paths over UDP open where TCP does not pass.
tcp_until_udp() {
    drop_between "$both meta l4proto tcp"
    turns_to udp
}
tcp_cut() {
    tcp_until_udp
    some_time 500 3000
    mend
}
# The path over UDP is the only direct one.
udp_cut() {
    tcp_until_udp
    was "TCP cut"
    drop_between "$both meta l4proto udp"
    some_time 500 5000
    mend
}
# TCP is in use again, and the path over UDP is kept for 10 s [P-11.11].
two_paths_cut() {
    tcp_until_udp
    mend
    turns_to tcp
    was "TCP cut"
    drop_between "$both"
    some_time 500 5000
    mend
}
flapping() {
    local _
    for _ in 1 2 3 4; do
        drop_between "$both"
        some_time 200 900
        mend
        some_time 200 900
    done
}
cut_one_way() {
    local from=$((RANDOM % 2))
    drop_between "iifname eth$from oifname eth$((1 - from))"
    some_time 2000 5000
    mend
}
large_vanish() {
    drop_between "$both meta length > 1200"
    some_time 3000 6000
    mend
}
relay_killed() {
    end hub KILL
    some_time 0 1000
    start_relay hub hub
}
relay_unplugged() {
    unplug hub street
    some_time 3000 4500
    plug_again hub street
}
# The direct path is held down after two short cuts, so the relay is in use
# when it freezes; and later it has to be trusted again.
relay_freezes() {
    local _
    for _ in 1 2; do
        drop_between "$both"
        for_ms 700
        mend
        for_ms 700
    done
    kill -s STOP "$(pid_of hub)"
    some_time 1000 1500
    kill -s CONT "$(pid_of hub)"
}
# To a new address and back; the old one is gone at the same moment.
move_to() { # NEW OLD - alice; the old address goes at the same moment.
    as alice ip address add "$1/24" dev eth0
    as alice ip address del "$2/24" dev eth0
}
address_changes() {
    move_to 198.18.1.12 198.18.1.2
    some_time 3000 5000
    move_to 198.18.1.2 198.18.1.12
}

all_by() { # PATTERN
    [[ "$(path_of alice bob)" = $1 ]] && [[ "$(path_of bob alice)" = $1 ]] &&
        [[ "$(path_of carol dave)" = $1 ]] && [[ "$(path_of dave carol)" = $1 ]]
}
# What failed often is held down for minutes, and the next cut would meet a
# path that nobody uses; but an address that comes and goes lets it be tried
# again [P-8.3].
addresses_come_and_go() {
    local change name
    for change in add del; do
        for name in alice carol bob dave; do
            as $name ip address $change 198.18.9.9/24 dev eth0
        done
        for_ms 1100
    done
}
turned=0 turns=0
turns_to() { # PATH
    turns=$((turns + 1))
    within 8 all_by "$1" || addresses_come_and_go
    if until_true 60 all_by "$1"; then turned=$((turned + 1)); fi
}
direct_again() {
    within 2 all_by '[tu][cd]p' && return
    addresses_come_and_go
    until_true 10 all_by '[tu][cd]p'
}

# What is promised of a direct path that is cut is promised while the relay
# stands; after it was away the edges have to be back there first.
all_relayed() {
    local name
    for name in $everyone; do
        at "$name" status --json | grep -q '"state":"up"' || return
    done
}

direct=0
: >"$LAB/faults"
was() { # KIND - what the fault did until now; what follows is another one.
    local now
    now=$(now_us)
    echo "$begin $now $1" >>"$LAB/faults"
    begin=$now
}
fault() { # KIND COMMAND
    local begin
    for_ms 500
    begin=$(now_us)
    "$2"
    for_ms 1000
    direct_again && direct=$((direct + 1))
    until_true 10 all_relayed
    was "$1"
}

faults=(unplugged)
for _ in $(seq $cuts); do faults+=(cut two); done
for _ in $(seq $kills); do faults+=(killed); done
for _ in $(seq $others); do faults+=(tcp udp one_way large address flap freeze); done
for what in $(printf '%s\n' "${faults[@]}" | shuf --random-source=<(yes $RANDOM))
do
    case $what in
    cut) fault "direct path cut" cut ;;
    tcp) fault "TCP cut" tcp_cut ;;
    udp) fault "UDP cut" udp_cut ;;
    two) fault "two paths cut" two_paths_cut ;;
    one_way) fault "cut one way" cut_one_way ;;
    large) fault "over 1200 B vanish" large_vanish ;;
    flap) fault "path flaps" flapping ;;
    killed) fault "relay killed" relay_killed ;;
    freeze) fault "relay freezes" relay_freezes ;;
    unplugged) fault "relay unplugged" relay_unplugged ;;
    address) fault "address changes" address_changes ;;
    esac
done
for name in "${!LAB_PID[@]}"; do
    case $name in send-*) check "$name passed all the time" running "$name" ;; esac
done
[ "$turned" = "$turns" ] && ok "UDP takes over from TCP, and TCP again" "$turns times" ||
    not_ok "UDP takes over from TCP, and TCP again" "$turned of $turns"
[ "$direct" = ${#faults[@]} ] && ok "the direct path came back each time" ||
    not_ok "the direct path came back each time" "$direct of ${#faults[@]}"

# --- The result ---------------------------------------------------------------

for name in "${!LAB_PID[@]}"; do
    case $name in send-*) kill -s TERM "${LAB_PID[$name]}" || true ;; esac
done
done_with "all from alice to bob is delivered" send-alice-bob 200
done_with "all from bob to alice is delivered" send-bob-alice 200
for name in $everyone; do
    done_with "$name published all" "send-$name-all" 200
done
for name in $everyone; do
    done_with "$name has everything once and in order" "take-$name" 60
    for other in $everyone; do
        [ "$other" = "$name" ] ||
            check "$name has as many as $other published" \
                had_all "$name" "event:$other" "send-$other-all"
    done
done
check "alice has as many as bob sent" had_all alice message:bob send-bob-alice
check "bob has as many as alice sent" had_all bob message:alice send-alice-bob

files=()
for name in $everyone; do files+=("$name=$LAB/$name.silences"); done
echo "# longest silence, ms: kind, faults, messages, events, with erin (relay only)"
python3 "$NET_DIR/silences.py" "$LAB/faults" "${files[@]}" --not erin |
    sed 's/^/#   /'
python3 "$NET_DIR/silences.py" "$LAB/faults" "${files[@]}" --not erin \
    --late "$LAB/lateness" >"$LAB/longest"
echo "# without what the machine was late in them:"
sed 's/^/#   /' "$LAB/longest"
longest() { awk -v k="$1" -v c="$2" '$1 == k { print $c }' "$LAB/longest"; }
for kind in direct_path_cut two_paths_cut TCP_cut UDP_cut cut_one_way; do
    check_ms "silence of messages, $kind" "$(longest $kind 3)" $silence_ms
    check_ms "silence of events, $kind" "$(longest $kind 4)" $silence_ms
done
for name in alice bob; do
    sent=$(counter "$name" records_sent)
    again=$(counter "$name" records_resent)
    echo "# $name sent $sent records, $again of them again:" \
        "$((again * 1000 / sent)) per mille"
done
finish
