# shellcheck shell=bash
# lab.sh - hosts, networks, NATs, firewalls and VPNs on one machine.
#
# A topology is a script that draws its network, sources this file, builds what
# it drew, starts the real programs there and says what it saw:
#
#     . "$(dirname "$0")/lab.sh"
#     lan home
#     host alice; plug alice home 198.18.1.2/24
#     host bob;   plug bob home 198.18.1.3/24
#     mesh_of alice bob
#     edge alice alice
#     edge bob bob
#     sees alice bob tcp 5s
#     finish
#
# A host is a network namespace. Sourcing starts the script again inside
# namespaces of its own (network, mounts, processes), where it can reach nothing
# outside, and where whatever it started ends with it, however it ends.
#
# ZS_BIN names the folder of the programs; the default is build/bin.

set -eu -o pipefail
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH

NET_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ZS_BIN=$(realpath -m "${ZS_BIN:-$NET_DIR/../../build/bin}")
export ZS_BIN
LAB_NAME=$(basename "$0" .sh)

# --- Into the namespaces ----------------------------------------------------

lab_enter() {
    local as_root=()
    [ "$(id -u)" = 0 ] || as_root=(-r)
    if ! unshare "${as_root[@]}" --net --mount --pid --fork true; then
        echo "$LAB_NAME: this machine makes no namespaces: skipped" >&2
        exit 77
    fi
    exec env -u ZS_PORT_MAPPING ZS_LAB=entered unshare "${as_root[@]}" \
        --net --mount --pid --fork --kill-child --mount-proc \
        -- bash "$0" "$@"
}

# The programs inherit no file descriptor of whoever started the script: tests
# count the ones that they open.
lab_close_files() {
    local fd
    for fd in /proc/self/fd/*; do
        fd=${fd##*/}
        # bash reads this script by its highest one, and marks it to be closed.
        [ "$fd" -le 2 ] || [ "$fd" -ge 250 ] || eval "exec $fd>&-"
    done
}

lab_refuse() {
    echo "$LAB_NAME: $*" >&2
    exit 3
}

lab_check_alone() {
    local others
    others=$(ip -o link | awk -F': ' '$2 != "lo" { print $2 }')
    [ -z "$others" ] ||
        lab_refuse "not alone: there is an interface $others; stopping"
}

lab_check_programs() {
    local program
    for program in zs zs-edge zs-relay; do
        [ -x "$ZS_BIN/$program" ] ||
            lab_refuse "no $ZS_BIN/$program; set ZS_BIN to a build's bin/"
    done
}

[ "${ZS_LAB:-}" = entered ] || {
    lab_close_files
    lab_enter "$@"
}
unset ZS_LAB ZS_SOCKET XDG_RUNTIME_DIR
unset http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY
lab_check_alone
[ -n "${ZS_LAB_NO_PROGRAMS:-}" ] || lab_check_programs

LAB=$(mktemp -d "${TMPDIR:-/tmp}/zs-lab-$LAB_NAME.XXXXXX")
mount -t tmpfs tmpfs /run
mkdir -p /run/netns /run/zeroservices
cd "$LAB"

# --- Results ----------------------------------------------------------------

LAB_PASSED=0
LAB_FAILED=0

ok() { # WHAT [FIGURE]
    LAB_PASSED=$((LAB_PASSED + 1))
    echo "ok $((LAB_PASSED + LAB_FAILED)) - $1${2:+: $2}"
}

not_ok() { # WHAT [FIGURE]
    LAB_FAILED=$((LAB_FAILED + 1))
    echo "not ok $((LAB_PASSED + LAB_FAILED)) - $1${2:+: $2}"
}

check() { # WHAT COMMAND... - ok if the command succeeds.
    local what=$1
    shift
    if "$@" >"$LAB/check.out" 2>&1; then
        ok "$what"
    else
        not_ok "$what" "$(tail -n 3 "$LAB/check.out" | tr '\n' ' ')"
    fi
}

# ok if there is a time, within LIMIT. What the machine itself was late since
# then comes on top of the limit: see lateness.c. Without SINCE_US the check
# stands right behind what took so long.
check_ms() { # WHAT MILLISECONDS LIMIT [SINCE_US]
    local late limit="limit $3"
    late=$(late_ms "${4:-$(($(now_us) - (${2:-0} + 1000) * 1000))}")
    [ "$late" = 0 ] || limit+=" and $late for a late machine"
    if [ -n "$2" ] && [ "$2" -le $(($3 + late)) ]; then
        ok "$1" "$2 ms ($limit)"
    else
        not_ok "$1" "${2:-never} ms ($limit)"
    fi
}

# In all, how long this machine let ready processes wait in that time.
late_ms() { # SINCE_US [UNTIL_US]
    awk -v since="$1" -v end="${2:-$(now_us)}" '
        $1 >= since && $1 <= end { us += $2 }
        END { print int(us / 1000) }
    ' "$LAB/lateness"
}

lab_watch_lateness() {
    local program=$ZS_BIN/lateness
    if [ ! -x "$program" ]; then
        program=$LAB/lateness.bin
        cc -std=c17 -D_GNU_SOURCE -O2 -o "$program" "$NET_DIR/lateness.c"
    fi
    : >"$LAB/lateness"
    "$program" "$LAB/lateness" &
    LAB_PID[lateness]=$!
}

# Much other work waits for the processors: times then say nothing of ours.
overloaded() {
    awk -v cores="$(nproc)" '{ exit !($1 > 4 * cores) }' /proc/loadavg
}

finish() {
    exit 0 # The trap below says the rest.
}

lab_show_logs() {
    local log
    for log in "$LAB"/*.log; do
        [ -s "$log" ] || continue
        echo "--- $(basename "$log"), its last lines"
        tail -n "${ZS_LAB_LINES:-15}" "$log"
    done >&2
}

lab_close() {
    local code=$?
    trap - EXIT
    set +e
    [ "$code" = 0 ] || not_ok "the script came to its end" "exit $code"
    [ $((LAB_PASSED + LAB_FAILED)) -gt 0 ] || not_ok "something was checked"
    lab_end_all
    echo "$LAB_PASSED passed, $LAB_FAILED failed"
    if [ "$LAB_FAILED" = 0 ] && [ -z "${ZS_LAB_KEEP:-}" ]; then
        cd / && rm -rf "$LAB"
    else
        [ "$LAB_FAILED" = 0 ] || lab_show_logs
        echo "$LAB_NAME: everything is kept in $LAB" >&2
    fi
    exit $((LAB_FAILED > 0)) # Without a number it were what it was before.
}
trap lab_close EXIT
trap 'exit 130' INT TERM

# --- Time and waiting -------------------------------------------------------

now_us() { echo "${EPOCHREALTIME/./}"; }
now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }

# So many times longer than a machine needs that has nothing else to do. A wait
# ends as soon as what it waits for is there, so patience costs no time. Times
# that the product promises are for check_ms to judge.
LAB_PATIENCE=5

until_true() { # SECONDS COMMAND... - tries until it succeeds, with patience.
    within $(($1 * LAB_PATIENCE)) "${@:2}"
}

# For what may well not come: then so long, and no longer.
within() { # SECONDS COMMAND... - tries until it succeeds or time is up.
    local end=$(($(now_ms) + $1 * 1000))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$(now_ms)" -lt "$end" ] || return 1
        sleep 0.02
    done
}

for_seconds() { # SECONDS COMMAND... - false at once when the command fails.
    local end=$(($(now_ms) + $1 * 1000))
    shift
    while [ "$(now_ms)" -lt "$end" ]; do
        "$@" || return 1
        sleep 0.1
    done
}

stamp() { # Copies lines, each after the time it came at, in microseconds.
    local line
    while IFS= read -r line; do
        echo "${EPOCHREALTIME/./} $line"
    done
}

stamped_ms() { # FILE SINCE_US WORD... - of the first line with all the words.
    awk '
        BEGIN { for (i = 3; i < ARGC; i++) words[i] = ARGV[i]; ARGC = 2 }
        $1 < ARGV[2] { next }
        {
            for (i in words)
                if (!index($0, words[i]))
                    next
            print int(($1 - ARGV[2]) / 1000)
            found = 1
            exit
        }
        END { exit !found }
    ' "$@"
}

# A daemon's lines come a moment after what they tell: a thread writes them.
check_logged() { # WHAT NAME WORDS [TIMES] - ok if such lines come; so many.
    check "$1" until_true 5 lab_logged "$2" "$3" "${4:-}"
}

lab_logged() { # NAME WORDS TIMES
    local times
    times=$(grep -c -- "$2" "$LAB/$1.log" || true)
    [ "$times" -gt 0 ] && [ "$times" = "${3:-$times}" ]
}

log_ms() { # FILE EVENT SINCE_US - of a daemon's first such line, by its stamp.
    local at
    at=$(grep -m 1 " $2 " "$1" | cut -d' ' -f1)
    [ -z "$at" ] || echo $(($(date -d "$at" +%s%3N) - $3 / 1000))
}

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# --- Processes: only what was recorded here is ever signalled ---------------

declare -A LAB_PID=()
lab_watch_lateness

spawn() { # NAME HOST COMMAND... - in the background; log in NAME.log.
    local name=$1 where=$2
    shift 2
    nsenter --net="/run/netns/$where" "$@" >>"$LAB/$name.log" 2>&1 &
    LAB_PID[$name]=$!
}

pid_of() { echo "${LAB_PID[$1]}"; }

running() { kill -0 "${LAB_PID[$1]}" 2>/dev/null; }

end() { # NAME [SIGNAL] - and waits until it is gone.
    local pid=${LAB_PID[$1]:-}
    [ -n "$pid" ] || return 0
    unset "LAB_PID[$1]"
    kill -s "${2:-TERM}" "$pid" 2>/dev/null || return 0
    wait "$pid" 2>/dev/null || true
}

lab_end_all() {
    local name
    for name in "${!LAB_PID[@]}"; do
        kill -s CONT "${LAB_PID[$name]}" 2>/dev/null
        kill -s TERM "${LAB_PID[$name]}" 2>/dev/null
    done
    for name in "${!LAB_PID[@]}"; do
        within 5 lab_gone "$name" || kill -s KILL "${LAB_PID[$name]}"
    done
}

lab_gone() { ! running "$1"; }

# --- Hosts and networks -----------------------------------------------------

as() { # HOST COMMAND...
    local where=$1
    shift
    nsenter --net="/run/netns/$where" "$@"
}

host() { # NAME
    ip netns add "$1"
    as "$1" sysctl -qw net.ipv6.conf.all.accept_dad=0 \
        net.ipv6.conf.default.accept_dad=0
    ip -n "$1" link set lo up
}

lan() { # NAME - a switch, in a namespace of its own.
    ip netns add "lan-$1"
    ip -n "lan-$1" link add br0 type bridge mcast_snooping 0
    ip -n "lan-$1" link set br0 up
}

# The host gets eth0, eth1... in the order of its plugs. All namespaces share
# one ARP table: keep to about 32 hosts, with several edges on each.
plug() { # HOST LAN ADDRESS/BITS...
    local where=$1 lan=$2 dev port address
    shift 2
    dev=eth$(ip -n "$where" -o link | grep -c ': eth' || true)
    port="$where.${dev#eth}"
    ip link add "$dev" netns "$where" type veth \
        peer name "$port" netns "lan-$lan"
    ip -n "lan-$lan" link set "$port" master br0 up
    for address in "$@"; do
        ip -n "$where" address add "$address" dev "$dev" nodad 2>/dev/null ||
            ip -n "$where" address add "$address" dev "$dev"
    done
    ip -n "$where" link set "$dev" up
}

unplug() { # HOST LAN - pulls the cable at the switch.
    ip -n "lan-$2" link set "$1.0" down
}

plug_again() { # HOST LAN
    ip -n "lan-$2" link set "$1.0" up
}

gateway() { # HOST ADDRESS
    ip -n "$1" route add default via "$2"
}

router() { # NAME - a host that forwards.
    host "$1"
    as "$1" sysctl -qw net.ipv4.ip_forward=1
}

# --- What stands in the way -------------------------------------------------

# Masquerades what leaves by WAN_DEV; lets nothing new in there. With `random`
# each connection gets another outside port: a symmetric NAT.
nat() { # ROUTER WAN_DEV [random]
    as "$1" nft -f - <<NFT
table inet nat {
    chain out {
        type nat hook postrouting priority srcnat;
        oifname "$2" masquerade ${3:-}
    }
    chain to_me {
        type filter hook input priority filter;
        iifname "$2" ct state new drop
    }
    chain through {
        type filter hook forward priority filter;
        iifname "$2" ct state new drop
    }
}
NFT
}

# Lets only these connections out of a host, and none in.
only_tcp_to() { # HOST ADDRESS PORT
    as "$1" nft -f - <<NFT
table inet firewall {
    chain out {
        type filter hook output priority filter; policy drop;
        oifname "lo" accept
        ct state established,related accept
        ip daddr $2 tcp dport $3 accept
        meta l4proto icmpv6 accept
    }
    chain in {
        type filter hook input priority filter; policy drop;
        iifname "lo" accept
        ct state established,related accept
        meta l4proto icmpv6 accept
    }
}
NFT
}

# Through this router connections are made from IN_DEV to OUT_DEV only.
one_way() { # ROUTER IN_DEV OUT_DEV
    as "$1" nft -f - <<NFT
table inet one_way {
    chain through {
        type filter hook forward priority filter;
        ct state established,related accept
        iifname "$3" oifname "$2" drop
    }
}
NFT
}

no_multicast() { # LAN
    as "lan-$1" nft -f - <<NFT
table bridge no_multicast {
    chain through {
        type filter hook forward priority filter;
        ip daddr 224.0.0.0/4 drop
        meta l4proto udp ip6 daddr ff00::/8 drop
    }
}
NFT
}

# A VPN without multicast: a TUN device on each of two hosts, and wire.c, a
# user-space program, carrying packets between them. `wire_say NAME cut`,
# `wire_say NAME delay 20`: see wire.c.
vpn() { # NAME HOST ADDRESS/BITS HOST ADDRESS/BITS [wire's options]
    local name=$1 a=$2 a_address=$3 b=$4 b_address=$5
    shift 5
    [ -x "$LAB/wire" ] ||
        cc -std=c17 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -o "$LAB/wire" "$NET_DIR/wire.c"
    mkfifo "$LAB/$name.fifo"
    "$LAB/wire" "/run/netns/$a" "$name" "/run/netns/$b" "$name" "$@" \
        <>"$LAB/$name.fifo" >>"$LAB/$name.log" 2>&1 &
    LAB_PID[$name]=$!
    until_true 5 ip -n "$b" link show "$name"
    ip -n "$a" link set "$name" multicast off
    ip -n "$b" link set "$name" multicast off
    ip -n "$a" address add "$a_address" dev "$name"
    ip -n "$b" address add "$b_address" dev "$name"
    ip -n "$a" link set "$name" up
    ip -n "$b" link set "$name" up
}

wire_say() { # NAME COMMAND...
    local name=$1
    shift
    echo "$*" >"$LAB/$name.fifo"
}

# --- Meshes, relays and edges -----------------------------------------------

mesh() { # NAME - MESH_ID is its id.
    "$ZS_BIN/zs" mesh create "$1" --dir "$LAB/$1" >"$LAB/$1.out" 2>&1
    # shellcheck disable=SC2034 # for those who source this file
    MESH_ID=$(grep -oE '[0-9a-f]{64}' "$LAB/$1.out" | head -n 1)
}

# Identities made after this carry the relay. Its URL: RELAY_URL.
relay_of_mesh() { # MESH RELAY ADDRESS
    local id
    id=$(grep -oE '[0-9a-f]{64}' "$LAB/$1.out" | head -n 1)
    "$ZS_BIN/zs-relay" init "$LAB/$2" --host "$3" --mesh "$id" >"$LAB/$2.out" 2>&1
    RELAY_URL=$(grep -oE 'tcp://[^ ]+' "$LAB/$2.out" | head -n 1)
    "$ZS_BIN/zs" mesh relay --dir "$LAB/$1" "$RELAY_URL" >>"$LAB/$2.out" 2>&1
}

# Most tests are about links over TCP and the relay, so their edges open no paths
# over UDP. A test of these empties this.
LAB_PATHS='paths: {udp: false}'

member() { # MESH NAME [options of `zs mesh add`] - and a file for its edge.
    local mesh=$1 name=$2
    shift 2
    "$ZS_BIN/zs" mesh add "$name" --dir "$LAB/$mesh" "$@" >>"$LAB/$mesh.out" 2>&1
    conf_of "$name" "node: {identity: $mesh/$name.zs}" "$LAB_PATHS"
}

conf_of() { # NAME LINE... - a new configuration file.
    local name=$1
    shift
    printf '%s\n' "$@" >"$LAB/$name.yaml"
}

conf() { # NAME LINE... - more lines for it; `paths` replaces the one there.
    local name=$1
    shift
    case "$*" in *paths:*) sed -i '/^paths:/d' "$LAB/$name.yaml" ;; esac
    printf '%s\n' "$@" >>"$LAB/$name.yaml"
}

mesh_of() { # NAME... - a mesh named office with these members.
    local name
    mesh office
    for name in "$@"; do
        member office "$name"
    done
}

start_relay() { # RELAY HOST - and waits until it listens.
    spawn "$1" "$2" "$ZS_BIN/zs-relay" -c "$LAB/$1/relay.yaml"
    until_true 10 lab_listens "$2" || not_ok "$1 listens"
}

lab_listens() { as "$1" ss -Hltn 'sport = :443' | grep -q LISTEN; }

declare -A EDGE_HOST=()

edge() { # HOST NAME [options] - starts it; does not wait.
    local where=$1 name=$2
    shift 2
    EDGE_HOST[$name]=$where
    spawn "$name" "$where" "$ZS_BIN/zs-edge" -c "$LAB/$name.yaml" \
        --socket "/run/zeroservices/$name.sock" "$@"
}

answers() { # NAME... - waits until these edges take commands.
    local name
    for name in "$@"; do
        until_true 10 at "$name" status || not_ok "$name answers"
    done
}

at() { # NAME COMMAND... - `zs` at that edge.
    local name=$1
    shift
    "$ZS_BIN/zs" --socket "/run/zeroservices/$name.sock" "$@"
}

# --- What is asked again and again ------------------------------------------

# Also says how long it took from now on.
sees() { # NAME PEER PATH TIMEOUT - in whole seconds, `5s`; PATH may be '*'
    local start patience path=(--path "$3") what="$1 sees $2 by $3"
    [ "$3" != '*' ] || path=()
    start=$(now_ms)
    patience=$((${4%s} * LAB_PATIENCE))s
    if at "$1" wait --peer "$2" "${path[@]}" --timeout "$patience" \
        >"$LAB/wait.out" 2>&1
    then
        ok "$what" "$(($(now_ms) - start)) ms"
    else
        not_ok "$what" "$(tail -n 1 "$LAB/wait.out")"
        at "$1" status >>"$LAB/$1.log" 2>&1 || true
    fi
}

path_of() { # NAME PEER - tcp, relay... or nothing
    at "$1" peers --json | python3 "$NET_DIR/field.py" name "$2" path
}

# The form in which it reached its first relay that is up [P-14.1].
form_of() { # NAME
    at "$1" status --json | python3 -c '
import json, sys
for relay in json.load(sys.stdin)["relays"]:
    if relay["state"] == "up":
        print(relay.get("form", relay["transport"]))
        break'
}

# shellcheck disable=SC2053 # FORM is a pattern, as in '*+proxy'.
by_form() { [[ $(form_of "$1") == $2 ]]; } # NAME FORM

# The forms of a relay race in steps of 300 ms [P-14.7], and where several pass,
# a machine that is late lets any of them win. The best of them is in use in the
# end: whenever the network changes, better ones are tried [P-14.8].
settles() { # NAME FORM
    local _
    for _ in 1 2 3 4 5 6 7 8; do
        ! within 4 by_form "$1" "$2" || return 0
        echo "$1's form is $(form_of "$1"), not $2"
        lab_network_changes "${EDGE_HOST[$1]:-$1}"
    done
    return 1
}

lab_network_changes() { # HOST
    as "$1" ip address add 198.18.99.99/32 dev eth0
    sleep 1
    as "$1" ip address del 198.18.99.99/32 dev eth0
}

# In the background, from now on, stamped. Without --type and --group: only
# such a listener says when it has begun.
listen() { # NAME FILE [options]
    local name=$1 file=$2
    shift 2
    : >"$file"
    "$ZS_BIN/zs" --socket "/run/zeroservices/$name.sock" listen --json "$@" \
        2>>"$LAB/$name.log" > >(stamp >>"$file") &
    LAB_PID[listen-$name-$(basename "$file")]=$!
    until_true 5 grep -q '"synced"' "$file" || not_ok "$name listens"
}

# One message and one event from A come to B with their words.
says() { # A B
    local type="word.$1.$2" file="$LAB/word-$1-$2.json"
    listen "$2" "$file" --timeout 120s
    check "$1 sends to $2" at "$1" send "$2" "$type" "to you"
    check "$1 publishes" at "$1" publish "$type" "to all"
    check "$2 has the message" until_true 5 lab_has "$file" message "to you"
    check "$2 has the event" until_true 5 lab_has "$file" event "to all"
    end "listen-$2-$(basename "$file")"
}

lab_has() { # FILE EVENT DATA
    grep "\"event\": *\"$2\"" "$1" | grep -q "\"data\": *\"$3\""
}

# COUNT numbered messages each way at once; none lost, doubled, out of order.
numbers() { # A B [COUNT]
    numbers_begin "$@"
    numbers_end
}

# The same in two parts, for what happens meanwhile: then the numbers go slowly
# after the first fifth, and the last tenth is kept for numbers_end. While there
# is a file numbers.hold, none go.
numbers_begin() { # A B [COUNT]
    local count=${3:-${ZS_LAB_MESSAGES:-100000}}
    NUMBERS_A=$1 NUMBERS_B=$2
    rm -f "$LAB/$1-$2.json" "$LAB/$2-$1.json" # of an earlier time
    rm -f "$LAB/numbers.rest" "$LAB/numbers.hold"
    lab_numbers "$1" "$2" "$count" >"$LAB/there.numbers" 2>&1 &
    NUMBERS_THERE=$!
    lab_numbers "$2" "$1" "$count" >"$LAB/back.numbers" 2>&1 &
    NUMBERS_BACK=$!
}

# Waits until number N came from A to B.
numbers_reached() { # N
    until_true 20 grep -q "\"$1\"" "$LAB/$NUMBERS_A-$NUMBERS_B.json" ||
        not_ok "number $1 came from $NUMBERS_A to $NUMBERS_B"
}

numbers_end() {
    : >"$LAB/numbers.rest"
    lab_numbers_result "$NUMBERS_A" "$NUMBERS_B" "$NUMBERS_THERE" \
        "$LAB/there.numbers"
    lab_numbers_result "$NUMBERS_B" "$NUMBERS_A" "$NUMBERS_BACK" \
        "$LAB/back.numbers"
}

lab_numbers_result() { # FROM TO PID FILE
    if wait "$3"; then
        ok "numbers from $1 to $2" "$(tail -n 1 "$4")"
    else
        not_ok "numbers from $1 to $2" "$(tail -n 3 "$4" | tr '\n' ' ')"
    fi
}

lab_feed() { # COUNT
    local at=$(($1 / 5)) step=$(($1 / 1000))
    seq "$at"
    while [ ! -e "$LAB/numbers.rest" ]; do
        [ -e "$LAB/numbers.hold" ] || [ $at -ge $(($1 * 9 / 10)) ] || seq $((at + 1)) $((at += step))
        sleep 0.02
    done
    seq $((at + 1)) "$1"
}

lab_numbers() { # FROM TO COUNT
    local type="numbers.$1" file="$LAB/$1-$2.json" start listener took
    : >"$file"
    "$ZS_BIN/zs" --socket "/run/zeroservices/$2.sock" listen --json \
        --count "$3" --timeout 600s >"$file" &
    listener=$!
    until_true 5 grep -q '"synced"' "$file" || echo "$2 does not listen"
    start=$(now_ms)
    lab_feed "$3" | at "$1" send "$2" "$type" --lines || {
        echo "zs send --lines: exit $?"
        kill "$listener" 2>/dev/null
        wait "$listener"
        python3 "$NET_DIR/check_numbers.py" "$3" "$type" <"$file"
        return 1
    }
    wait "$listener" || echo "zs listen: exit $?"
    took=$(($(now_ms) - start))
    python3 "$NET_DIR/check_numbers.py" "$3" "$type" "$took" <"$file"
}
