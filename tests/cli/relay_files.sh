#!/bin/bash
# A relay that may open few files: it logs how many edges it can admit, refuses
# further ones as full, and does not spin.
#
#   here: hub (relay, 127.0.0.1:443), n1, n2...
. "$(dirname "$0")/says.sh"

# So few that none would be left for an edge.
host here
mesh office
relay_of_mesh office hub 127.0.0.1
check "a relay with too few files does not start" ends_with 1 \
    prlimit --nofile=16:16 "$ZS_BIN/zs-relay" -c "$LAB/hub/relay.yaml"
check "it logs start_failed" complained "start_failed"
check "the line says how many files it needs" complained "files=16 wanted="

spawn hub here prlimit --nofile=24:30 "$ZS_BIN/zs-relay" -c "$LAB/hub/relay.yaml"
until_true 10 lab_listens here || not_ok "hub listens"
check "the log says what few files allow" until_true 5 \
    grep -q "few_open_files files=30 edges=[0-9]" "$LAB/hub.log"
places=$(grep -oE 'few_open_files files=30 edges=[0-9]+' "$LAB/hub.log")
places=${places##*=}
check "they allow more than one edge" test "$places" -gt 2
[ "$places" -le 8 ] || places=8

start() { # NAME
    member office "$1"
    conf "$1" "discovery: {multicast: false}" "paths: {tcp: false, udp: false}"
    edge here "$1"
    answers "$1"
}


is_up() { at "$1" status --json | grep -q '"state":"up"'; }

is_told() { at "$1" status --json | grep -q '"error":"full"'; }

for ((i = 1; i <= places; i++)); do
    start "n$i"
    check "n$i is admitted" until_true 30 is_up "n$i"
done
for last in late later; do
    start $last
    check "$last is refused as full" until_true 30 is_told $last
done
check_logged "the relay logs it" hub "edge_refused reason=full"

# Many more than there are files, who say nothing; and nobody loses its place.
cpu() { awk '{ print $14 + $15 }' "/proc/$(pid_of hub)/stat"; }
before=$(cpu)
as here "$ZS_BIN/adversary_attack" silent 127.0.0.1:443 --count 200 \
    --spread 50 --seconds 4 >"$LAB/silent.out" 2>&1 || not_ok "strangers come"
spent=$(($(cpu) - before))
check "the relay does not spin" test "$spent" -lt $((2 * $(getconf CLK_TCK)))
for ((i = 1; i <= places; i++)); do
    check "n$i is still connected" is_up "n$i"
done
lost() { grep -q edge_down "$LAB/hub.log"; }
! lost && ok "nobody lost its place" || not_ok "nobody lost its place"
check "the relay's log is short" test "$(wc -l <"$LAB/hub.log")" -lt 100

end n1
one_more_is_up() { is_up late || is_up later; }
check "an edge that leaves makes room" until_true 60 one_more_is_up

finish
