#!/usr/bin/env bash
# A daemon whose log nobody reads goes on: messages pass, and SIGTERM ends it
# within 2 s. This holds for a full pipe, a full disk, a closed stderr, and a
# service manager that does not read.
set -u

bin=${ZS_BIN:?the folder of the programs}
work=$(mktemp -d)
pids=()
failed=0

clean() {
    [ ${#pids[@]} -gt 0 ] && kill -9 "${pids[@]}" 2>/dev/null
    rm -rf "$work"
}
trap clean EXIT

fail() {
    echo "FAILED: $*" >&2
    failed=1
}

# full NAME: a FIFO that is full, and that a process holds open without reading.
# This shell opens it first: dd fails on a FIFO that no reader has open yet, and
# a background process may be late.
full() {
    local fifo
    mkfifo "$work/$1"
    exec {fifo}<>"$work/$1"
    sleep 1000 <&"$fifo" &
    pids+=($!)
    exec {fifo}>&-
    dd if=/dev/zero of="$work/$1" oflag=nonblock bs=4096 2>/dev/null
    timeout 1 bash -c "echo more >'$work/$1'" && fail "$1 is not full"
}

zs() {
    local name=$1
    shift
    timeout 100 "$bin/zs" --socket "$work/$name.sock" "$@"
}

# How long this machine let ready processes wait since then: see lateness.c.
: >"$work/lateness"
"$bin/lateness" "$work/lateness" &
pids+=($!)
late_ms() { # SINCE_US
    awk -v since="$1" '$1 >= since { us += $2 } END { print int(us / 1000) }' \
        "$work/lateness"
}

# ends PID NAME [CODE]: it ends by SIGTERM within 2 s.
ends() {
    local begin=${EPOCHREALTIME/./} code took
    kill -TERM "$1"
    timeout 100 tail --pid="$1" -s 0.02 -f /dev/null || fail "$2: does not end"
    wait "$1"
    code=$?
    took=$(((${EPOCHREALTIME/./} - begin) / 1000))
    [ "$code" = "${3:-0}" ] || fail "$2: exit $code"
    [ "$took" -lt $((2000 + $(late_ms "$begin"))) ] ||
        fail "$2: ended after $took ms"
    echo "$2: ended in $took ms"
}

start_edge() { # NAME, its stderr is the caller's
    "$bin/zs-edge" --identity "$work/office/$1.zs" --socket "$work/$1.sock" &
    started=$!
    pids+=($started)
}

"$bin/zs" mesh create office --dir "$work/office" >"$work/mesh.id" || exit 1
"$bin/zs-relay" init "$work/relay" --host 127.0.0.1 \
    --mesh "$(cat "$work/mesh.id")" >/dev/null 2>&1 || exit 1
port=$((20000 + RANDOM % 10000))
cat >"$work/relay/relay.yaml" <<END
relay: {key: relay.key}
listen: {tcp: ["127.0.0.1:$port"]}
meshes: [$(cat "$work/mesh.id")]
log: {level: debug}
END
"$bin/zs" mesh relay --dir "$work/office" "tcp://127.0.0.1:$port?key=$(
    "$bin/zs" id "$work/relay/relay.key" | grep -om1 '[0-9a-f]\{64\}')" ||
    exit 1
for name in alice bob carol; do
    "$bin/zs" mesh add "$name" --dir "$work/office" >/dev/null 2>&1 || exit 1
done

# It may have met alice on this host before it has its relay.
has_relay() { # NAME
    local end=$((SECONDS + 100))
    until zs "$1" status | grep -q ' up '; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.05
    done
}

# Nobody reads, from the first line on. Edges come and go by a relay that writes
# of each of them, and talk.
talk() { # KIND: what $work/KIND is
    local relay alice
    "$bin/zs-relay" -c "$work/relay/relay.yaml" 2>"$work/$1" &
    relay=$!
    pids+=($relay)
    start_edge alice 2>"$work/$1"
    alice=$started
    for name in bob carol bob carol; do
        start_edge "$name" 2>"$work/$1"
        zs alice wait --peer "$name" --timeout 100s >/dev/null ||
            fail "$1: alice does not see $name"
        zs "$name" send alice t "hello" || fail "$1: $name does not reach alice"
        has_relay "$name" || fail "$1: $name has no relay"
        kill -HUP "$started" "$relay"
        ends "$started" "$1: $name"
    done
    ends "$alice" "$1: alice"
    ends "$relay" "$1: the relay"
}

full pipe
talk pipe
ln -s /dev/full "$work/disk"
talk disk

# A daemon blocks SIGTERM before it does anything else with it; until then it
# ends by the signal as any program does.
blocks_sigterm() { # PID
    local end=$((SECONDS + 100))
    until grep -q '^SigBlk:.*[4-7c-f]...$' "/proc/$1/status"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.02
    done
}

# A relay that could not have started had nowhere to say so.
for program in "zs-relay -c $work/relay/relay.yaml" \
    "zs-edge --identity $work/office/alice.zs --socket $work/alice.sock"; do
    # shellcheck disable=SC2086
    "$bin"/$program 2>&- >&- <&- &
    pid=$!
    pids+=($pid)
    blocks_sigterm "$pid" || fail "closed: ${program%% *} has not started"
    sleep 0.3
    ends "$pid" "closed: ${program%% *}"
done

# What was logged before the pipe was full is all there; the rest is counted.
mkfifo "$work/late"
exec 9<>"$work/late"
"$bin/zs-relay" -c "$work/relay/relay.yaml" 2>"$work/late" &
relay=$!
pids+=($relay)
timeout 100 grep -qm1 relay_listening <&9 || fail "no first line"
for i in {1..30}; do
    # An unknown key: each reload writes some lines of 500 bytes and more.
    for _ in {1..100}; do kill -HUP "$relay"; done
    timeout 0.05 cat <&9 >>"$work/read"
done
timeout 2 cat <&9 >>"$work/read"
grep -q ' reloaded ' "$work/read" || fail "what is read late is not there"
ends "$relay" "read late: the relay"
exec 9>&-

# A service manager that does not read: the edge serves all the same, and says
# that it is ready as soon as it is asked.
cat >"$work/manager.py" <<'END'
import os, socket, sys
path = sys.argv[1]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(path)
filler = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
filler.setblocking(False)
try:
    while True:
        filler.sendto(b"x", path)
except BlockingIOError:
    pass
print("full", flush=True)
sys.stdin.readline()
s.settimeout(100)
while s.recv(4096) != b"READY=1":
    pass
print("ready", flush=True)
END
coproc manager { exec python3 "$work/manager.py" "$work/notify"; }
pids+=("$manager_PID")
read -r -t 100 word <&"${manager[0]}" || fail "no manager"
NOTIFY_SOCKET=$work/notify start_edge alice 2>"$work/log"
alice=$started
timeout 100 bash -c "until '$bin/zs' --socket '$work/alice.sock' status; do
    sleep 0.05; done" >/dev/null 2>&1 || fail "it waits for its manager"
echo >&"${manager[1]}"
read -r -t 100 word <&"${manager[0]}"
[ "$word" = ready ] || fail "the manager does not hear that it is ready"

# Nobody reads what zs prints: it ends all the same, when it is told and when
# its time is up.
"$bin/zs" --socket "$work/alice.sock" listen >"$work/pipe" &
listener=$!
pids+=("$listener")
"$bin/zs" --socket "$work/alice.sock" listen --timeout 500ms >"$work/pipe" &
late=$!
pids+=("$late")
start_edge bob 2>"$work/log"
zs bob wait --peer alice --timeout 100s >/dev/null || fail "bob: no alice"
for _ in {1..5}; do zs bob send alice t "hello" || fail "not delivered"; done
timeout 100 tail --pid="$late" -s 0.02 -f /dev/null || fail "past its --timeout"
ends "$listener" "zs listen" 1

ends "$started" "manager: bob"

ends "$alice" "manager: alice"

exit "$failed"
