#!/bin/bash
# A peer that is there and cannot be reached: UDP passes, TCP does not, and there
# is no relay. It is listed with path none, what it is sent waits 10 s, and what
# is said of it is so.
#
#   alice--|[ home ]|--bob        each lets UDP in, and no connection
. "$(dirname "$0")/lab.sh"

lan home
for name in alice bob; do
    host $name
done
plug alice home 198.18.1.2/24
plug bob home 198.18.1.3/24
for name in alice bob; do
    as $name nft -f - <<NFT
table inet firewall {
    chain in {
        type filter hook input priority filter;
        iifname "eth0" meta l4proto tcp drop
    }
}
NFT
done
mesh_of alice bob
edge alice alice
edge bob bob
answers alice bob
listen alice "$LAB/alice.json"

is_none() { [ none = "$(path_of "$1" "$2")" ]; }
says_none() { grep '"event": *"join"' "$LAB/alice.json" | grep -q none; }
check "bob is listed with path none" until_true 10 is_none alice bob
check "alice, too" until_true 10 is_none bob alice
check "he joined so" until_true 2 says_none
check "and is not reachable" \
    grep -q '"reachable": *false' "$LAB/alice.json"
health() { at alice status --json | grep -q "$1"; }
check "health says so" until_true 2 health '"code":"no_path"'

start=$(now_us)
check "what he is sent is not delivered" \
    test 6 = "$(at alice send bob t x 2>"$LAB/send.err" >&2; echo $?)"
took=$((($(now_us) - start) / 1000))
check "after 10 s, not sooner" test "$took" -ge 9000
check_ms "and not much later" "$took" 16000 "$start"
check "and why" grep -q "bob is present, but no path\|the peer is present, but no path" \
    "$LAB/send.err"
check "he is still listed" is_none alice bob
check "nobody left" test 0 = "$(grep -c '"leave"' "$LAB/alice.json")"

# --- The firewall is opened: the next dial finds a way, and says so.
for name in alice bob; do
    as $name nft delete table inet firewall
done
at alice send bob t "hello again" >/dev/null 2>&1 &
sees alice bob tcp 20s
wait $! || true
reached() { grep '"event": *"path"' "$LAB/alice.json" |
    grep '"was": *"none"' | grep -q '"reachable": *true'; }
check "and the event of the path says that he is reachable" \
    until_true 2 reached
health_is_over() { ! health '"code":"no_path"'; }
check "health does not speak of it now" until_true 3 health_is_over
says alice bob
finish
