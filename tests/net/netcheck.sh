#!/bin/bash
# `zs netcheck` says what is true: in front of each kind of NAT, where UDP is
# blocked, where the relay's STUN is closed or dropped, and with a relay that
# cannot be reached in each of several ways.
#
#   west-none, -home, -full-cone, -sym---r1---r2---r3---east-sym, -home
#                                            |
#                     hub (relay), hub2 (another server of STUN)
. "$(dirname "$0")/lab.sh"
LAB_PATHS=
. "$NET_DIR/nat_lab.sh"

SECOND=203.0.113.18
internet
host hub2
cable hub2 $SECOND/29 r2 203.0.113.17/29
routes hub2 default 203.0.113.17
site west none
site west home
site west full-cone
site west sym
site east sym
site east home

mesh office
relay_of_mesh office hub $HUB
sed -i 's/^meshes:.*/meshes: [any]/' "$LAB/hub/relay.yaml"
office_url=$RELAY_URL
start_relay hub hub
mesh second
relay_of_mesh second hub2 $SECOND
start_relay hub2 hub2

# An edge with a mesh of its own, so that no peer hides what the network does.
lonely() { # HOST NAME RELAY_URL [SETTINGS]
    mesh "$2-mesh"
    "$ZS_BIN/zs" mesh relay --dir "$LAB/$2-mesh" "$3" >>"$LAB/$2.out" 2>&1
    member "$2-mesh" "$2"
    [ -z "${4:-}" ] || conf "$2" "$4"
    edge "$1" "$2"
    answers "$2"
}

two="discovery: {stun: ['$SECOND:3478'], port_mapping: false}"
one="discovery: {port_mapping: false}"

netcheck() { # NAME - its answer is in NAME.check, its exit code in CODE
    CODE=0
    at "$1" netcheck --json >"$LAB/$1.check" 2>>"$LAB/$1.log" || CODE=$?
}

up() { at "$1" status --json | grep -q '"state": *"up"'; }

# An expression of Python over the answer `c` and the ids of its findings.
so() { # WHAT NAME EXPRESSION
    check "$1" python3 -B -c '
import json, sys
c = json.load(open(sys.argv[1]))
ids = [f["id"] for f in c["findings"]]
texts = " ".join(f["text"] for f in c["findings"])
print(ids, c["udp"], c["nat"], c["relays"], c["peers"])
sys.exit(not eval("(" + sys.argv[2] + ")"))' "$LAB/$2.check" "$3"
}

reaches() { # NAME
    until_true 10 up "$1" || not_ok "$1 is connected to the relay"
    settles "$1" tcp >/dev/null || not_ok "$1 is connected by tcp"
    netcheck "$1"
    check "$1: a relay is reached" test "$CODE" = 0
}

# --- Kinds of NAT -------------------------------------------------------------

links_of() { grep -c "edge_up name=$1 " "$LAB/hub.log" || true; } # NAME
lonely west-none none "$office_url" "$two"
until_true 10 up none
settles none tcp >/dev/null || true
check_logged "the relay says that it came" hub "edge_up name=none "
links=$(links_of none)
reaches none
so "no NAT" none 'c["nat"]["mapping"] == "none" and c["udp"]["ipv4"]'
so "its outside address is its own" none \
    "c['nat']['outside'][0].startswith('${SITE_ADDRESS[west-none]}:')"
so "another port of the relay gets in" none \
    'c["nat"]["filtering"] == "endpoint-independent-or-address"'
so "nothing is wrong with UDP" none \
    'not [i for i in ids if i.startswith(("udp_", "nat_", "stun_", "relay_"))]'
so "each step to the relay has a time" none \
    'all(c["relays"][0]["forms"][0][k] is not None
         for k in ("dns_ms", "connect_ms", "hello_ms"))'
so "each form of the relay was tried" none \
    '[(f["form"], f["used"], f["error"]) for f in c["relays"][0]["forms"]] ==
     [("tcp", True, ""), ("wss", False, ""), ("ws", False, "refused")]'
check "and the living link stayed as it was" test \
    "$(links_of none)" = "$links"
so "there is no proxy and no portal" none \
    'c["proxy"]["from"] == "none" and c["captive_portal"] is False'
so "both ports of the relay answer STUN" none \
    '[p["answer"] for p in c["relays"][0]["stun"]] == ["answered"] * 2'

lonely west-home home "$office_url" "$two"
reaches home
so "a home's NAT is easy" home \
    'c["nat"]["mapping"] == "endpoint-independent" and c["nat"]["servers"] == 2'
so "its outside address is the NAT's" home \
    "c['nat']['outside'][0].startswith('${SITE_ADDRESS[west-home]}:')"
so "and does not hairpin" home 'c["nat"]["hairpin"] is False'
so "only the port that was sent to gets in" home \
    'c["nat"]["filtering"] == "address-and-port-dependent"'

lonely west-full-cone cone "$office_url" "$two"
reaches cone
so "a full cone lets another port in" cone \
    'c["nat"]["mapping"] == "endpoint-independent" and
     c["nat"]["filtering"] == "endpoint-independent-or-address"'

lonely west-home alone "$office_url" "$one"
reaches alone
so "one server cannot tell" alone \
    'c["nat"]["mapping"] == "unknown" and "nat_unknown" in ids'

lonely west-sym sym "$office_url" "$two"
reaches sym
so "it filters by port" sym \
    'c["nat"]["filtering"] == "address-and-port-dependent"'
so "a symmetric NAT is told" sym \
    'c["nat"]["mapping"] == "address-dependent" and
     "nat_address_dependent" in ids'

# --- UDP that does not pass -----------------------------------------------------

as west-home-nat nft add rule ip nat through meta l4proto udp drop
netcheck home
check "without UDP the relay is reached" test "$CODE" = 0
so "UDP is blocked" home \
    '"udp_blocked" in ids and "stun_closed" not in ids and
     not c["udp"]["ipv4"]'
netcheck alone
so "with one server the remedy says how to be sure" alone \
    '"udp_blocked" in ids and any("second server" in f["remedy"]
     for f in c["findings"] if f["id"] == "udp_blocked")'
as west-home-nat nft flush chain ip nat through

as hub nft -f - <<'NFT'
table inet firewall {
    chain in {
        type filter hook input priority filter;
        meta l4proto udp drop
    }
}
NFT
netcheck none
so "the relay's firewall drops STUN, the second server answers" none \
    '"stun_closed" in ids and "udp_blocked" not in ids and c["udp"]["ipv4"] and
     [p["answer"] for p in c["relays"][0]["stun"]] == ["silent"] * 2'
as hub nft delete table inet firewall

end hub
sed -i 's/^  udp:.*/  udp: []/' "$LAB/hub/relay.yaml"
start_relay hub hub
until_true 10 up none || not_ok "none is connected again"
netcheck none
so "then the second server shows what gets in" none \
    'c["nat"]["filtering"] == "endpoint-independent-or-address"'
so "the relay's STUN is closed" none \
    '"stun_closed" in ids and "udp_blocked" not in ids and
     [p["answer"] for p in c["relays"][0]["stun"]] == ["closed"] * 2'
until_true 10 up alone || not_ok "alone is connected again"
netcheck alone
so "without any server the filter is unknown" alone \
    'c["nat"]["filtering"] == "unknown"'
so "also where no other server could tell" alone \
    '"stun_closed" in ids and "udp_blocked" not in ids'

# --- Relays that cannot be reached ------------------------------------------------

fails() { # NAME ID - exit code 1, and that finding
    netcheck "$1"
    check "$1: nothing is reached" test "$CODE" = 1
    so "$1: $2" "$1" "'$2' in ids and not c['relays'][0]['up']"
}

lonely west-none misspelt "${office_url/$HUB/relay.invalid}" "$one"
fails misspelt relay_dns
wrong=$(grep -oE 'tcp://[^ ]+' "$LAB/hub2.out" | head -n 1 | sed 's/.*key=//')
lonely west-none forger "tcp://$HUB:443?key=$wrong" "$one"
until_true 10 bash -c "'$ZS_BIN/zs' --socket /run/zeroservices/forger.sock \
    status --json | grep -q wrong_key" || true
fails forger relay_wrong_key
spawn other hub2 python3 -B -c '
import socket
s = socket.create_server(("", 8080))
while True:
    c, _ = s.accept()
    c.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    c.close()'
lonely west-none stray "tcp://$SECOND:8080?key=$wrong" "$one"
until_true 20 bash -c "'$ZS_BIN/zs' --socket /run/zeroservices/stray.sock \
    status --json | grep -q wrong_key" || true
fails stray relay_not_a_relay

as hub nft -f - <<'NFT'
table inet firewall {
    chain in {
        type filter hook input priority filter;
        tcp dport 443 drop
    }
}
NFT
lonely west-none dropped "$office_url" "$one"
fails dropped relay_timeout
so "and UDP is not blamed" dropped '"udp_blocked" not in ids'
as hub nft delete table inet firewall
end hub
lonely west-none late "$office_url" "$one"
fails late relay_refused
lonely west-none both "$office_url" "$one"$'\n'"relays: ['${office_url/:443/:444}']"
fails both relay_refused
so "of two relays alike" both 'ids.count("relay_refused") == 2'
check "the remedy is printed once" bash -c \
    "[ \$('$ZS_BIN/zs' --socket /run/zeroservices/both.sock netcheck |
       grep -c 'Start zs-relay there') = 1 ]"

# --- Clocks -----------------------------------------------------------------------

start_relay hub hub
cc -std=c17 -D_GNU_SOURCE -O2 -shared -fPIC \
    -o "$LAB/clock.so" "$NET_DIR/clock.c" -ldl
with_clock() { # HOST NAME PROGRAM... - its clock is ahead by what $LAB/NAME.clock says
    local where=$1 name=$2
    shift 2
    EDGE_HOST[$name]=$where
    spawn "$name" "$where" env "ZS_CLOCK=$LAB/$name.clock" \
        "LD_PRELOAD=$LAB/clock.so" "$@"
}
echo 7200 >"$LAB/early.clock"
mesh early-mesh
"$ZS_BIN/zs" mesh relay --dir "$LAB/early-mesh" "$office_url" >>"$LAB/hub.log" 2>&1
member early-mesh early
conf early "$one"
with_clock west-none early "$ZS_BIN/zs-edge" -c "$LAB/early.yaml" \
    --socket /run/zeroservices/early.sock
answers early
reaches early
so "a clock that is ahead of the relay's" early \
    '"clock_skew" in ids and "2 hours ahead of" in texts and
     -7210 < c["clock"]["skew_s"] < -7190 and c["clock"]["from"] == "relay"'
check "zs status says so, too" bash -c \
    "'$ZS_BIN/zs' --socket /run/zeroservices/early.sock status |
     grep -q 'clock of this host is 2 hours ahead of'"
check "in words, too" bash -c \
    "'$ZS_BIN/zs' --socket /run/zeroservices/early.sock netcheck |
     grep -Eq 'this host +7[0-9]+ s ahead of a relay'"
echo $((400 * 24 * 3600)) >"$LAB/early.clock"
netcheck early
so "what looks expired is a wrong clock" early \
    '"certificate_expired" in ids and "400 days ahead of" in texts and
     c["clock"]["certificate"] == "expired"'
echo 0 >"$LAB/early.clock"
netcheck early
so "a clock that was set is no finding any more" early \
    '"clock_skew" not in ids and abs(c["clock"]["skew_s"]) < 10 and
     c["clock"]["certificate"] == "valid"'
end hub
echo $((400 * 24 * 3600)) >"$LAB/hub.clock"
with_clock hub hub "$ZS_BIN/zs-relay" -c "$LAB/hub/relay.yaml"
until_true 20 bash -c "'$ZS_BIN/zs' --socket /run/zeroservices/early.sock \
    status --json | grep -q expired" || true
netcheck early
so "a relay with a wrong clock refuses" early \
    '"relay_clock" in ids and "400 days behind that of the relay" in texts and
     c["relays"][0]["forms"][0]["error"] == "clock"'
end hub

# --- Peers that are relayed -------------------------------------------------------

sed -i 's/^  udp:.*/  udp: ["*:443", "*:3478"]/' "$LAB/hub/relay.yaml"
start_relay hub hub
member office alice
member office bob
for name in alice bob; do conf $name "$two"; done
edge west-sym alice
edge east-sym bob
answers alice bob
sees alice bob relay 10s
both() {
    netcheck alice
    grep -q 'both of you have' "$LAB/alice.check"
}
if punches; then
    check "two symmetric NATs: alice is told why" until_true 60 both
    check "and status says it in a word" bash -c \
        "'$ZS_BIN/zs' --socket /run/zeroservices/alice.sock status |
         grep -q 'relay (nat)'"
    check "zs wait says that he is relayed" bash -c \
        "! '$ZS_BIN/zs' --socket /run/zeroservices/alice.sock wait --peer bob \
         --path udp --timeout 2s 2>&1 | grep -v 'path is relay, not udp'"
    check "zs ping says where to look" bash -c \
        "'$ZS_BIN/zs' --socket /run/zeroservices/alice.sock ping bob -c 1 \
         --until-direct 2>&1 | grep -q 'zs netcheck says why'"
fi
finish
