#!/bin/bash
# Strangers attack the relay's door in each protocol that it speaks, while alice
# and bob talk through it by plain ZMTP.
#
#   here: hub (relay, 127.0.0.1:443), alice, bob
#
# The figures stand beside those of relay.sh, whose attacks are in ZMTP.
. "$(dirname "$0")/../net/lab.sh"
. "$NET_DIR/../adversary/stage.sh"

hub=127.0.0.1:443
mib=96 # limits.memory, 64 MiB, and what a relay has anyway
# Rate within 10 %, p99 twice as long at the most, and what one hiccup costs.
# shellcheck disable=SC2034 # for stage.sh
[ "${1:-}" != --long ] || RATE_PERCENT=90 P99_MS=5

stage "paths: {tcp: false, udp: false}" "discovery: {multicast: false}"
key=(--key "$RELAY_KEY")
start_relay hub here
meet relay
watch hub

healthy() { # The door still answers others.
    as here curl -fsS --max-time 50 "http://$hub/healthz" | grep -qx ok
}

crowd=$((LASTS + 8)) # seconds: each time limit passes
slow=100 silent=1500
[ "${1:-}" != --long ] || slow=500 silent=10000

lie slow $hub "${key[@]}" --say zmtp --count $slow --spread 50 --seconds $crowd
lie slow $hub --say head --count $slow --spread 50 --seconds $crowd
lie slow $hub --say tls --count $slow --spread 50 --seconds $crowd
lie half $hub --say tls --count 100 --spread 50 --seconds $crowd
meanwhile "/healthz" 5000 healthy
under_attack "strangers who are slow in ZMTP, HTTP and TLS" $mib
check_lie "the slow in ZMTP go" 0 cut "$(lied 0 opened)" $slow

lie returning $hub --say nothing --count $silent --spread 250 --seconds $crowd
needs opened 1000
under_attack "silent strangers who come again and again" $mib

if [ "${1:-}" = --long ]; then
    for say in tls upgrade; do
        lie returning $hub --say $say --count $silent --spread 250 \
            --seconds $crowd
        needs opened 1000
        under_attack "10,000 strangers who fall silent after: $say" $mib
    done
fi

lie returning $hub --say upgrade --count 2000 --spread 250 --seconds $crowd
meanwhile "/healthz" 5000 healthy
needs cut 1000
under_attack "2,000 WebSockets in which nobody speaks ZMTP" $mib

lie endless $hub --say pings --count 300 --spread 250
needs sent 100
under_attack "WebSocket PINGs, and nobody reads the PONGs" $mib

lie endless $hub --say fragments --count 20 --spread 20
lie endless $hub --say giant --count 20 --spread 20
lie endless $hub --say beyond --count 20 --spread 20
lie endless $hub --say web-garbage --count 20 --spread 20
needs sent 20
under_attack "WebSocket frames that are empty, endless or no frames" $mib

lie endless $hub --say head --count 200 --spread 200
lie endless $hub --say line --count 20 --spread 20
lie endless $hub --say pipeline --count 20 --spread 20
lie endless $hub --say garbage --count 20 --spread 20
lie endless $hub --say proxy-line --count 20 --spread 20
under_attack "requests without end, request after request, and garbage" $mib

lie recorded $hub --say proxy-1 --rate 200 --spread 20
lie recorded $hub --say proxy-2 --rate 200 --spread 20
under_attack "PROXY headers from those who are no load balancer" $mib
check_lies "none gets an answer" answers 0

for say in empty alerts ciphers garbage large; do
    lie endless $hub --say tls-$say --count 10 --spread 10
done
lie updates $hub --count 10 --spread 10
under_attack "records of TLS that are empty, useless, large or no records" $mib

stage_end

# Nobody talks now, so a relay that works has something to spin on.
ticks() { awk '{ print $14 + $15 }' "/proc/$(pid_of hub)/stat"; }
rests() {
    local before
    before=$(ticks)
    sleep 1
    [ $(($(ticks) - before)) -le 5 ]
}
check "the relay rests" until_true 20 rests
files=("/proc/$(pid_of hub)/fd"/*)
if [ ${#files[@]} -le 64 ]; then ok "descriptors are few again"; else
    not_ok "descriptors are few again" "${#files[@]}"; fi
lines=$(wc -l <"$LAB/hub.log")
if [ "$lines" -le 1000 ]; then ok "the log is short" "$lines lines"; else
    not_ok "the log is short" "$lines lines"; fi

# Each form of the door serves an edge that comes now. The identity names the
# relay by tcp, so an edge that has another form as well comes by both, and the
# relay keeps one of them.
by_form() { # NAME FORM
    until_true 15 grep -q "relay_up .*form=$2\$" "$LAB/$1.log"
}
comes_by() { # NAME FORM
    check "an edge comes" arrives "$1" alice
    check "the relay serves it by $2" by_form "$1" "$2"
}
no_paths=("paths: {tcp: false, udp: false}" "discovery: {multicast: false}")
another carol "${no_paths[@]}"
another dave "${no_paths[@]}" "relays: ['wss://$hub/?key=$RELAY_KEY']"
another erin "${no_paths[@]}" "relays: ['ws://$hub/?key=$RELAY_KEY']"
comes_by carol tcp
comes_by dave wss
comes_by erin ws
finish
