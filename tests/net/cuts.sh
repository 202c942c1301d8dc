#!/bin/bash
# Paths and programs go and come back while numbered messages pass: none of
# them is lost, doubled or out of order.
#
#   alice---[ home ]---bob
#      |                |
#      +---[ street ]---+---hub (relay, 203.0.113.10:443)
#
# On the street nothing but the relay's 443 passes; at home everything does.
. "$(dirname "$0")/lab.sh"
LAB_PATHS=

lan home
lan street
host hub
plug hub street 203.0.113.10/24
host alice
host bob
plug alice home 198.18.1.2/24
plug bob home 198.18.1.3/24
plug alice street 203.0.113.2/24
plug bob street 203.0.113.3/24
for name in alice bob; do
    as $name nft -f - <<'NFT'
table inet street {
    chain in {
        type filter hook input priority filter;
        iifname "eth1" tcp sport 443 accept
        iifname "eth1" meta l4proto { tcp, udp } drop
    }
}
NFT
done

mesh office
relay_of_mesh office hub 203.0.113.10
member office alice
member office bob
start_relay hub hub
edge alice alice
edge bob bob
answers alice bob
sees alice bob tcp 5s

# Messages pass, and after some thousands of them this happens. Soon no new ones
# follow, until the two see each other again: to who is lost nothing can be sent,
# and a slow machine may take long to find the way back. What is under way then
# waits [P-6.10].
while_numbers_pass() { # WHAT COMMAND...
    local hold
    echo "# $1"
    shift
    numbers_begin alice bob
    numbers_reached 20000
    (sleep 1 && : >"$LAB/numbers.hold") &
    hold=$!
    "$@"
    wait $hold
    until_true 20 both_are_there || not_ok "they see each other again"
    rm "$LAB/numbers.hold"
    numbers_end
}
both_are_there() {
    [ -n "$(form_of alice)" ] && [ -n "$(form_of bob)" ] &&
        [ -n "$(path_of alice bob)" ] && [ -n "$(path_of bob alice)" ]
}

freeze() { # NAME SECONDS
    kill -s STOP "$(pid_of "$1")"
    sleep "$2"
    kill -s CONT "$(pid_of "$1")"
}

bob_is_lost() { [ -z "$(path_of alice bob)" ]; }
freeze_bob_until_lost() {
    kill -s STOP "$(pid_of bob)"
    check "alice loses bob" until_true 8 bob_is_lost
    kill -s CONT "$(pid_of bob)"
}

restart_relay() {
    end hub KILL
    start_relay hub hub
}

while_numbers_pass "the direct path is unplugged" unplug alice home
by_relay() { [ relay = "$(path_of alice bob)" ]; }
check "now by the relay" until_true 5 by_relay
while_numbers_pass "the relay is killed and comes back" restart_relay
while_numbers_pass "the relay is frozen for 4 s" freeze hub 4
while_numbers_pass "bob is frozen for 1 s" freeze bob 1
while_numbers_pass "bob is frozen until it is lost" freeze_bob_until_lost
plug_again alice home
sees alice bob tcp 20s
numbers alice bob
finish
