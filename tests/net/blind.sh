#!/bin/bash
# The relay is blind: of what alice and bob tell each other and about
# themselves, nothing stands in what its process received (after CURVE's
# decryption), in its memory, or on its wire.
#
#   alice|---[ street ]---|bob      each may only reach the relay's 443
#                |
#               hub (relay, 203.0.113.10:443; every received frame recorded)
#
# The same searches find what the relay does know, the names in certificates.
. "$(dirname "$0")/lab.sh"

word() { head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n'; }

lan street
host hub
host alice
host bob
plug hub street 203.0.113.10/24
plug alice street 203.0.113.2/24
plug bob street 203.0.113.3/24
only_tcp_to alice 203.0.113.10 443
only_tcp_to bob 203.0.113.10 443

cc -std=c17 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -shared -fPIC \
    -o "$LAB/tap.so" "$NET_DIR/tap.c"
mesh office
relay_of_mesh office hub 203.0.113.10
spawn wire hub tcpdump -q -i eth0 -U -w "$LAB/wire.pcap" tcp port 443
until_true 5 grep -q 'listening on' "$LAB/wire.log"
spawn hub hub env "ZS_TAP=$LAB/tap" "LD_PRELOAD=$LAB/tap.so" \
    "$ZS_BIN/zs-relay" -c "$LAB/hub/relay.yaml"
until_true 10 lab_listens hub

# The markers are made after the relay was started: it inherited none.
known="alice$(word)"
info_marker=$(word)
type_marker=$(word)
data_marker=$(word)
event_marker=$(word)
member office "$known"
member office bob
conf_of "$known" "node:" "  identity: office/$known.zs" \
    "  info: {secret: $info_marker}" "  groups: [$type_marker]"
edge alice "$known"
edge bob bob
answers "$known" bob
sees "$known" bob relay 5s
sees bob "$known" relay 5s
check "bob sees the info" grep -q "$info_marker" <(at bob peers --json)

# In another form TLS would hide what is searched for on the wire.
for name in "$known" bob; do
    check "plain CURVE is used by $name" settles "$name" tcp
done

listen bob "$LAB/bob.json"
in_memory() { # WORD - at least once in the relay's memory
    python3 "$NET_DIR/search_memory.py" "$(pid_of hub)" "$1" |
        grep -qv '^0 '
}
not_in_memory() { ! in_memory "$1"; }
secret_in_memory() {
    local marker
    for marker in $info_marker $type_marker $data_marker $event_marker; do
        ! in_memory "$marker" || echo "$marker"
    done
}

# Searched while messages pass, and after.
(seq 20000 | sed "s/^/$data_marker /" |
    at "$known" send bob "$type_marker" --lines) >"$LAB/send.out" 2>&1 &
sender=$!
found=""
for _ in 1 2 3; do found+=$(secret_in_memory); done
check "20,000 messages with the marker arrive" wait $sender
check "an event with the marker passes" \
    at "$known" publish "$type_marker" "$event_marker"
check "bob has the event" until_true 30 grep -q "$event_marker" \
    "$LAB/bob.json"
bob_has_all() { [ "$(grep -c "$data_marker" "$LAB/bob.json")" = 20000 ]; }
check "bob has all messages" until_true 20 bob_has_all
found+=$(secret_in_memory)
end wire

check "nothing in the relay's memory, while they passed and after" \
    test -z "$found"
check "the search finds a name in its memory" in_memory "$known"

sum() { stat -c %s "$1"; }
check "what it received is recorded: $(sum "$LAB/tap") bytes" \
    test "$(sum "$LAB/tap")" -gt 500000
check "the search finds a name in what it received" grep -q "$known" "$LAB/tap"
check "and the mechanism on the wire" grep -q CURVE "$LAB/wire.pcap"
for file in tap wire.pcap; do
    for marker in $info_marker $type_marker $data_marker $event_marker; do
        check "a marker is not in $file" \
            test 0 = "$(grep -ac "$marker" "$LAB/$file")"
    done
done
finish
