#!/bin/bash
# Strangers send garbage, spoofed and recorded datagrams to an edge's UDP socket
# and to the relay's STUN, while two edges talk over UDP: nobody gets an answer
# but to a valid request, nothing grows, and messages pass as before.
#
#   alice, at west-none---r1---r2---r3---east-none, bob
#                         /    |
#                      eve    hub (relay)
#
#     udp_hostile.sh [--full]     a million datagrams instead of 100,000
. "$(dirname "$0")/lab.sh"
LAB_PATHS=
. "$NET_DIR/nat_lab.sh"
. "$NET_DIR/load.sh"
needs_punching

count=100000 rate=20000
[ "${1:-}" != --full ] || count=1000000
grown_kb=4096       # of a process, by all attacks on it
silence_ms=1000
nowhere=198.51.100.0 # a /24 that nobody has

internet
site west none
site east none
host eve
cable eve 203.0.113.250/30 r1 203.0.113.249/30
routes eve default 203.0.113.249
routes r2 203.0.113.248/30 198.18.0.1
routes r2 $nowhere/24 198.18.0.1 # to r1, which has no way there
routes r3 $nowhere/24 198.18.0.6
as r1 ip route add blackhole $nowhere/24
alice_address=${SITE_ADDRESS[west-none]}
bob_address=${SITE_ADDRESS[east-none]}

mesh office
relay_of_mesh office hub $HUB
for name in alice bob; do
    member office $name
    conf $name 'paths: {tcp: false}'
done
start_relay hub hub
cc -std=c17 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -o "$LAB/spoof" "$NET_DIR/spoof.c"
tool numbers

# A capture of what bob sends to alice, from before the path is there.
spawn capture r1 tcpdump -q -U -s 1500 -c 2000 -w "$LAB/capture" -i eth0 \
    "udp and src host $bob_address and dst host $alice_address"
until_true 10 grep -q listening "$LAB/capture.log" || not_ok "tcpdump listens"
edge west-none alice
edge east-none bob
answers alice bob
sees alice bob udp 20s
sees bob alice udp 20s

# --- What is seen of answers ---------------------------------------------------

# Counts what alice, and what hub's STUN, sends to eve or to nowhere.
as r1 nft -f - <<NFT
table inet answers {
    counter of_alice { }
    counter of_hub { }
    chain through {
        type filter hook prerouting priority filter;
        ip saddr $alice_address ip daddr { $nowhere/24, 203.0.113.250 } counter name of_alice
        ip saddr $HUB ip protocol udp ip daddr { $nowhere/24, 203.0.113.250 } counter name of_hub
    }
}
NFT
answers_of() { # alice or hub
    as r1 nft list counter inet answers "of_$1" | awk '$1 == "packets" { print $2 }'
}
as west-none ping -q -c 1 -W 0.1 198.51.100.1 >/dev/null || true
check "what alice sends there is counted" test "$(answers_of alice)" = 1

# --- Innocent traffic -----------------------------------------------------------

taking alice message:bob:0
taking bob message:alice:0
sending alice bob 10000000 --size 1000 --rate 100
sending bob alice 10000000 --size 1000 --rate 100

# The ports of the path, by what bob sends on it: `IP BOB.PORT > ALICE.PORT: UDP`
path_ports() {
    tcpdump -n -r "$LAB/capture" 2>/dev/null | tail -n 1 |
        sed -nE 's/.* IP [0-9.]+\.([0-9]+) > [0-9.]+\.([0-9]+): .*/\1 \2/p'
}
for_ms 1000
read -r bob_port alice_port <<<"$(path_ports)"
check "alice has a UDP socket" as west-none bash -c \
    "ss -Hun -a sport = ':$alice_port' | grep -q ."

attack() { # WHAT VICTIM KIND COUNT TO FROM [options]
    local what=$1 victim=$2 before answers
    shift 2
    before=$(rss_kb "$victim")
    answers=$(answers_of "$victim")
    check "$what are sent" as eve "$LAB/spoof" "$@" --rate $rate
    GROWN=$(($(rss_kb "$victim") - before))
    ANSWERS=$(($(answers_of "$victim") - answers))
    echo "# $what: $ANSWERS answers, $GROWN KiB"
}
no_answer() { # WHAT VICTIM...
    attack "$@"
    check "no answer to $1" test $ANSWERS = 0
}

# --- The edge -------------------------------------------------------------------

some=$((count / 8))
target=$alice_address:$alice_port
before=$(rss_kb alice)
no_answer "garbage from everywhere" alice garbage $some $target $nowhere:0
no_answer "garbage with the peer's address" alice garbage $some $target $bob_address:$bob_port
no_answer "STUN requests" alice requests $some $target $nowhere:0
no_answer "STUN answers with the relay's address" alice answers $some $target $HUB:3478
no_answer "probes of nobody" alice probes $some $target $nowhere:0
no_answer "begins of QUIC" alice initial $some $target $nowhere:0
no_answer "QUIC with the peer's address" alice short $some $target $bob_address:$bob_port
until_true 5 lab_gone capture || end capture INT
no_answer "recorded datagrams, from another address" alice replay $some $target \
    203.0.113.250:0 --capture "$LAB/capture"
no_answer "recorded datagrams, with the peer's address" alice replay $some $target \
    $bob_address:$bob_port --capture "$LAB/capture"
check "alice does not grow" test $(($(rss_kb alice) - before)) -lt $grown_kb
by_udp() { [ udp = "$(path_of alice bob)" ]; }
check "the path is UDP still, or again" until_true 10 by_udp

# --- The relay's STUN ------------------------------------------------------------

hub_address() { # HOST - as coturn's client sees it
    as "$1" timeout 25 turnutils_stunclient -p 3478 $HUB >"$LAB/coturn" 2>&1 ||
        true
    grep -F "reflexive addr: ${SITE_ADDRESS[$1]}:" "$LAB/coturn"
}
before=$(rss_kb hub)
no_answer "garbage to STUN" hub garbage $some $HUB:3478 $nowhere:0
no_answer "garbage to STUN at 443" hub garbage $some $HUB:443 $nowhere:0
no_answer "answers to STUN" hub answers $some $HUB:3478 $nowhere:0
no_answer "probes to STUN" hub probes $some $HUB:443 $nowhere:0
spawn asking eve "$LAB/spoof" requests $((count / 2)) $HUB:3478 $nowhere:0 --rate $rate
check "others are answered meanwhile" until_true 5 hub_address west-none
until_true 100 lab_gone asking
check "the relay does not grow" test $(($(rss_kb hub) - before)) -lt $grown_kb
check "others are answered afterwards" hub_address east-none
attack "requests of one address" hub requests $some $HUB:3478 203.0.113.250:4444
check "one address gets few answers" test $ANSWERS -lt $((some / 10))

# --- The innocents -----------------------------------------------------------------

# Of each silence without the time by which the machine itself was late in it.
longest_on_time() { # EDGE
    local end us most=0 ms
    while read -r end us; do
        ms=$((us / 1000 - 3 * $(late_ms $((end - us)) "$end"))) # see silences.py
        [ "$ms" -le $most ] || most=$ms
    done < <(awk '$2 == "silence" { print $1, $3 }' "$LAB/$1.silences")
    echo $most
}
for name in send-alice-bob send-bob-alice; do kill -s TERM "$(pid_of $name)"; done
for name in send-alice-bob send-bob-alice; do done_with "$name is delivered" $name 20; done
for name in alice bob; do kill -s USR1 "$(pid_of take-$name)"; done
for name in alice bob; do
    done_with "$name has everything once and in order" take-$name 20
done
for name in alice bob; do
    check_ms "longest silence at $name" "$(longest_on_time $name)" $silence_ms
done
finish
