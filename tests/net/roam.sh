#!/bin/bash
# alice roams; its sessions live on: a new address, another network behind a
# NAT (where the path is over UDP), a new address there, and back, an interface
# that comes and goes, sleep. No message is lost, doubled or out of order, and
# the time until they flow again is told.
#
#   alice---[ home ]---bob        home: gate is a NAT to the street
#     |  \                        cafe: gate2 is a NAT to the street
#     |   [ lab ]---bob
#     |
#   [ cafe ]---gate2---[ street ]---gate---[ home ]
#                          |
#                         hub (relay, 203.0.113.10:443)
#
# alice is at home, then in the cafe; `lab` is a cable between alice and bob
# that comes and goes. Sleep is 6 s; --full: 20 s.
#
# alone: alice is on the way for a second, and to be lost after three
. "$(dirname "$0")/lab.sh"
. "$NET_DIR/load.sh"
LAB_PATHS=

sleep_ms=6000
[ "${1:-}" != --full ] || sleep_ms=20000
again_ms=4000 # until messages flow again, once a way is there

lan home
lan cafe
lan lab
lan street
host hub
plug hub street 203.0.113.10/24
router gate
plug gate home 198.18.1.1/24
plug gate street 203.0.113.1/24
nat gate eth1
router gate2
plug gate2 cafe 198.18.2.1/24
plug gate2 street 203.0.113.2/24
nat gate2 eth1
host alice
host bob
plug alice home 198.18.1.2/24
plug alice cafe 198.18.2.2/24
plug alice lab 198.18.3.2/24
plug bob home 198.18.1.3/24
plug bob lab 198.18.3.3/24
gateway bob 198.18.1.1
ip -n alice link set eth1 down
ip -n alice link set eth2 down
gateway alice 198.18.1.1
for name in eth0 eth1; do
    as alice sysctl -qw net.ipv4.conf.$name.promote_secondaries=1
done

mesh office
relay_of_mesh office hub 203.0.113.10
member office alice
member office bob
start_relay hub hub
edge alice alice
edge bob bob
answers alice bob
sees alice bob tcp 10s

tool numbers
count=100000
# Who sleeps for longer than lost_after has left: what is sent to it then fails
# as `unknown_peer`, and is told so.
for pair in alice:bob bob:alice; do
    from=${pair%:*} to=${pair#*:}
    taking "$from" "message:$to:0" "event:$to:0" --with-holes \
        --numbers "$LAB/$from.numbers"
done
for pair in alice:bob bob:alice; do
    from=${pair%:*} to=${pair#*:}
    sending "$from" "$to" $count --small --rate 100 --stubborn \
        --log "$LAB/$from.sent"
    sending "$from" '*' $count --small --rate 20
done

# --- What happens ---------------------------------------------------------------

new_address() {
    as alice ip address add 198.18.1.22/24 dev eth0
    as alice ip address del 198.18.1.2/24 dev eth0
}
to_the_cafe() {
    as alice ip link set eth0 down
    for_ms 1000 # on the way
    begin=$(now_us)
    as alice ip link set eth1 up
    as alice ip route replace default via 198.18.2.1
}
new_cafe_address() {
    as alice ip address add 198.18.2.22/24 dev eth1
    as alice ip address del 198.18.2.2/24 dev eth1
    as alice ip route replace default via 198.18.2.1
}
back_home() {
    as alice ip link set eth1 down
    for_ms 1000
    begin=$(now_us)
    as alice ip link set eth0 up
    as alice ip route replace default via 198.18.1.1
}
cable_comes() {
    as alice ip link set eth2 up
}
# Home's own path goes while the cable is there, then the cable.
home_goes() {
    as alice ip link set eth0 down
}
cable_goes() {
    as alice ip link set eth0 up
    as alice ip route replace default via 198.18.1.1
    for_ms 3000
    begin=$(now_us)
    as alice ip link set eth2 down
}
sleeps() {
    kill -s STOP "$(pid_of alice)"
    for_ms $sleep_ms
    begin=$(now_us)
    kill -s CONT "$(pid_of alice)"
}

# How long after `begin` the last of the silences ended that began before it or
# soon after.
flows_again_ms() { # EDGE
    awk -v begin="$begin" '
        $2 == "silence" && $4 ~ /^message/ && $1 > begin &&
            $1 - $3 < begin + 5000000 { last = $1 }
        END { print last ? int((last - begin) / 1000) : 0 }
    ' "$LAB/$1.silences"
}

# Both receive something new, and a second has passed: then a silence that
# lasted is in its file.
flows() {
    local name
    for name in alice bob; do
        [ "$(counter $name received)" -gt "${SEEN[$name]}" ] || return 1
    done
    [ "$(now_us)" -gt $((begin + 1000000)) ]
}
declare -A SEEN=()

step() { # WHAT COMMAND PATH
    local name ms most=0
    begin=$(now_us)
    "$2"
    for name in alice bob; do SEEN[$name]=$(counter $name received); done
    until_true 15 flows || not_ok "messages flow again: $1"
    sees alice bob "$3" 15s
    for_ms 1500
    for name in alice bob; do
        ms=$(flows_again_ms $name)
        [ "$ms" -le $most ] || most=$ms
    done
    check_ms "messages flow again: $1" $most $again_ms "$begin"
}

step "a new address" new_address tcp
step "to another network behind a NAT" to_the_cafe udp
step "a new address there" new_cafe_address udp
step "back home" back_home tcp
step "a second interface comes" cable_comes tcp
step "the first one goes" home_goes tcp
step "the first comes back, the second goes" cable_goes tcp
check "nothing failed so far" test 0 = \
    "$(cat "$LAB/alice.sent" "$LAB/bob.sent" | grep -cv ' ok$')"
check "nobody left so far" test 0 = \
    "$(cat "$LAB/alice.silences" "$LAB/bob.silences" | grep -c '"leave"')"
step "sleep and wake" sleeps tcp

for name in send-alice-bob send-bob-alice send-alice-all send-bob-all; do
    kill -s TERM "$(pid_of $name)"
done
for name in send-alice-bob send-bob-alice send-alice-all send-bob-all; do
    done_with "$name: all answered" $name 30
done
for name in alice bob; do kill -s USR1 "$(pid_of take-$name)"; done
for name in alice bob; do
    done_with "$name had nothing twice or out of order" take-$name 30
done
for pair in alice:bob bob:alice; do
    from=${pair%:*} to=${pair#*:}
    grep " message:$from\$" "$LAB/$to.numbers" >"$LAB/$to.messages"
    check "all that was delivered from $from came to $to" python3 \
        "$NET_DIR/delivered.py" "$LAB/$from.sent" --numbers "$LAB/$to.messages"
    sed 's/^/# /' "$LAB/check.out"
done
finish
