#!/bin/bash
# A form of the relay's address stops passing during traffic: the edge goes on
# by another, and comes back to the better one. Nothing is lost.
#
#   alice---[ home ]---router---[ street ]---hub (relay, 203.0.113.10:443, :80)
#                        |
#                     [ away ]---bob
#
# alone: it measures times
. "$(dirname "$0")/lab.sh"
. "$NET_DIR/load.sh"

lan home
lan street
lan away
router router
plug router home 198.18.1.1/24
plug router street 203.0.113.1/24
plug router away 198.18.2.1/24
for name in hub alice bob; do host $name; done
plug hub street 203.0.113.10/24
plug alice home 198.18.1.2/24
plug bob away 198.18.2.2/24
gateway hub 203.0.113.1
gateway alice 198.18.1.1
gateway bob 198.18.2.1
one_way router eth0 eth2
as router nft add rule inet one_way through iifname eth0 oifname eth2 drop
as router nft add table inet filter
as router nft "add chain inet filter alice \
    { type filter hook forward priority -10; policy accept; }"

mesh office
relay_of_mesh office hub 203.0.113.10
sed -i 's/"\*:443"/"*:443", "*:80"/' "$LAB/hub/relay.yaml"
for name in alice bob; do member office $name; done
start_relay hub hub
for name in alice bob; do edge $name $name; done
answers alice bob
sees alice bob relay 10s
sees bob alice relay 10s

# Packets of plain CURVE between alice and the relay: `drop`, `reject with tcp
# reset`, or "".
filter() {
    as router nft flush chain inet filter alice
    [ -z "$1" ] || as router nft add rule inet filter alice \
        ip saddr 198.18.1.2 tcp dport 443 "$1"
    [ "$1" != drop ] || as router nft add rule inet filter alice \
        ip daddr 198.18.1.2 tcp sport 443 drop
}
goes_to() { # WHAT FORM MS
    local since
    since=$(now_us)
    if until_true 20 by_form alice "$2"; then
        check_ms "$1: by $2" $((($(now_us) - since) / 1000)) "$3" "$since"
    else
        not_ok "$1: by $2" "$(form_of alice)"
    fi
}

check "plain CURVE passes, and is used" settles alice tcp
tool numbers
for pair in alice:bob bob:alice; do
    from=${pair%:*} to=${pair#*:}
    taking "$from" "message:$to:0" "event:$to:0"
done
for pair in alice:bob bob:alice; do
    from=${pair%:*} to=${pair#*:}
    sending "$from" "$to" 100000 --small --rate 100 --goes-on
    sending "$from" '*' 100000 --small --rate 20 --goes-on
done

for_ms 2000
filter drop
goes_to "packets vanish" ws 5000
for_ms 3000
filter ""
as alice ip address add 198.18.1.22/24 dev eth0
goes_to "they pass again, and the network changed" '@(tcp|wss)' 5000
check "in the end by the best" settles alice tcp
for_ms 3000
filter "reject with tcp reset"
goes_to "connections are reset" ws 2000
for_ms 3000
filter ""
as alice ip address del 198.18.1.22/24 dev eth0
goes_to "they pass again" '@(tcp|wss)' 5000
check "in the end by the best again" settles alice tcp
for_ms 3000

for load in alice-bob alice-all bob-alice bob-all; do
    kill -s TERM "$(pid_of "send-$load")"
    done_with "$load is sent" "send-$load" 60
done
for name in alice bob; do
    kill -s USR1 "$(pid_of "take-$name")" # It ends once nothing comes.
    done_with "$name has everything once and in order" "take-$name" 60
done
grep -h '' "$LAB"/*.silences | sed 's/^/# /' | grep -vE 'peers|synced' | head -40
finish
