#!/bin/bash
# A request is answered once, or its time is up: never twice, whatever the
# network does. Replies that come too late, or twice, are dropped.
#
#   alice ==vpn (delay, loss, cuts)== bob
#      |                               |
#      +----------[ street ]-----------+---hub (relay, 203.0.113.10:443)
#
# On the street only the relay's 443 passes. 20,000 requests in about a minute;
# --full: 100,000.
. "$(dirname "$0")/lab.sh"
. "$NET_DIR/load.sh"

count=20000 rate=600 timeout_ms=1500
[ "${1:-}" != --full ] || count=100000 rate=1000

lan street
host hub
host alice
host bob
plug hub street 203.0.113.10/24
plug alice street 203.0.113.2/24
plug bob street 203.0.113.3/24
for name in alice bob; do
    as $name nft -f - <<'NFT'
table inet street {
    chain in {
        type filter hook input priority filter;
        iifname "eth0" tcp sport 443 accept
        iifname "eth0" meta l4proto { tcp, udp } drop
    }
}
NFT
done
vpn vpn0 alice 198.18.9.1/24 bob 198.18.9.2/24 "delay 5" "loss 1"

mesh office
relay_of_mesh office hub 203.0.113.10
member office alice
member office bob
start_relay hub hub
edge alice alice
edge bob bob
answers alice bob
sees alice bob tcp 10s

tool asks
answering() { # EDGE
    spawn "answer-$1" "$1" "$LAB/asks" answer "$(lab_socket "$1")" $timeout_ms
    until_true 5 grep -q synced "$LAB/answer-$1.log" || not_ok "$1 answers"
}
asking() { # EDGE TO
    spawn "ask-$1" "$1" "$LAB/asks" ask "$(lab_socket "$1")" "$2" $count \
        $rate $timeout_ms
}
answering alice
answering bob
asking alice bob
asking bob alice

# One after the other by the command line, which says 0 or 6; or 5, where bob is
# lost because a slow machine takes long to start the relay again.
by_command() {
    local code number=$((count * 2))
    while running ask-alice; do
        code=0 number=$((number + 1))
        at alice request bob ask $number --json-data --timeout 1500ms >reply ||
            code=$?
        [ "$code" != 0 ] || [ "$(cat reply)" = $number ] || code="wrong reply"
        echo "code=$code"
    done
}
by_command >"$LAB/by_command" 2>&1 &
BY_COMMAND=$!

restart_relay() {
    end hub KILL
    start_relay hub hub
}
round=0
while running ask-alice && [ $round -lt 40 ]; do
    round=$((round + 1))
    case $((round % 5)) in
    1) wire_say vpn0 cut && for_ms 2500 && wire_say vpn0 mend ;;
    2) wire_say vpn0 loss 10 && for_ms 2500 && wire_say vpn0 loss 1 ;;
    3) restart_relay ;;
    4) wire_say vpn0 cut a && for_ms 2500 && wire_say vpn0 mend ;;
    0) wire_say vpn0 cut && restart_relay && wire_say vpn0 mend ;;
    esac
    for_ms 1500
done
echo "# $round faults"
done_with "each request of alice is answered once" ask-alice 120
done_with "each request of bob is answered once" ask-bob 60
wait $BY_COMMAND || true
for name in alice bob; do
    end answer-$name
    sed "s/^/# answer-$name: /" "$LAB/answer-$name.log" | grep -v synced
    check "no request came twice to $name" \
        grep -q ' twice=0$' "$LAB/answer-$name.log"
    late=$((count / 20))
    check "late replies were dropped at $name" \
        test "$(figure "$LAB/ask-$name.log" asked timeouts)" -ge $late
    check "most were replied to $name" \
        test "$(figure "$LAB/ask-$name.log" asked replied)" -ge $((count / 2))
done
echo "# zs request: $(grep -c code=0 "$LAB/by_command") answered," \
    "$(grep -c code=6 "$LAB/by_command") timed out"
check "zs request prints its one reply, or ends with 5 or 6" \
    test 0 = "$(grep 'code=' "$LAB/by_command" | grep -cv 'code=[056]$')"
finish
