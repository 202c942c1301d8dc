#!/usr/bin/env bash
# zs-relay as a program: its options and exit codes, what it says of a wrong
# file, how it reloads and how it stops.
set -u

bin=${ZS_BIN:?the folder of the programs}
work=$(mktemp -d)
pid=
failed=0
mesh=$(printf 'ab%.0s' {1..32})

clean() {
    [ -n "$pid" ] && kill -9 "$pid" 2>/dev/null
    rm -rf "$work"
}
trap clean EXIT

fail() {
    echo "FAILED: $*" >&2
    failed=1
}

# expect CODE COMMAND...: it ends with that exit code.
expect() {
    local want=$1 code
    shift
    timeout 100 "$@" >"$work/out" 2>"$work/err"
    code=$?
    [ "$code" = "$want" ] || fail "exit $code, not $want: $*: $(cat "$work/err")"
}

# logged WORDS: a line of the running relay has them within 60 s.
logged() {
    local i
    for ((i = 0; i < 1200; i++)); do
        grep -q -- "$1" "$work/log" && return
        sleep 0.05
    done
    fail "not logged: $1: $(cat "$work/log")"
}

write() {
    cat >"$work/relay/relay.yaml"
}

expect 0 "$bin/zs-relay" --help
expect 0 "$bin/zs-relay" --version
expect 2 "$bin/zs-relay"
expect 2 "$bin/zs-relay" --no-such-option
expect 3 "$bin/zs-relay" -c "$work/missing.yaml"
expect 0 "$bin/zs-relay" init "$work/relay" --host 127.0.0.1 --mesh "$mesh"

file=$work/relay/relay.yaml
expect 0 "$bin/zs-relay" -c "$file" --check
expect 0 "$bin/zs-relay" -c "$file" --print-config
grep -q edges_per_mesh "$work/out" || fail "--print-config: no edges_per_mesh"

# All mistakes of a file at once, each with its place.
write <<END
relay: {key: relay.key}
listen: {tcp: ["127.0.0.1:0"]}
limits: {edgs: 3, hello: soon}
END
expect 3 "$bin/zs-relay" -c "$file" --check
grep -q "relay.yaml:3:[0-9]*: .*edges" "$work/err" || fail "no near miss"
grep -q "relay.yaml:3:[0-9]*: .*hello" "$work/err" || fail "one mistake only"

# A key that others may read is refused.
write <<END
relay: {key: relay.key}
listen: {tcp: ["127.0.0.1:0"]}
meshes: [$mesh]
END
chmod 644 "$work/relay/relay.key"
expect 3 "$bin/zs-relay" -c "$file" --check
chmod 600 "$work/relay/relay.key"
expect 0 "$bin/zs-relay" -c "$file" --check

# It runs; a reload says what changed; a wrong file changes nothing.
"$bin/zs-relay" -c "$file" 2>"$work/log" &
pid=$!
logged relay_listening
write <<END
relay: {key: relay.key, name: other}
listen: {tcp: ["127.0.0.1:0"]}
meshes: [$mesh]
limits: {edges: 17, memory: 64MiB, handshakes: 100}
END
kill -HUP "$pid"
logged "setting_changed key=limits.edges"
logged "setting_changed key=limits.memory"
logged "setting_changed key=limits.handshakes"
logged "setting_needs_restart key=relay.name"
counts() { # NUMBER WORDS - within 60 s
    for _ in $(seq 1200); do
        [ "$(grep -c -- "$2" "$work/log")" = "$1" ] && return
        sleep 0.05
    done
    fail "not $1 times in the log: $2"
}
kill -HUP "$pid"
counts 2 " reloaded "
counts 2 "setting_needs_restart key=relay.name"
write <<END
relay: {key: relay.key, name: relay-1}
listen: {tcp: ["127.0.0.1:0"]}
meshes: [$mesh]
limits: {edges: 17}
END
kill -HUP "$pid"
counts 3 " reloaded "
counts 2 "setting_needs_restart key=relay.name"
echo "limits: [" | write
kill -HUP "$pid"
logged reload_refused
kill -0 "$pid" 2>/dev/null || fail "a wrong file ended the relay"

# How late the machine is meanwhile: see lateness.c, which ends with this shell.
: >"$work/lateness"
"$bin/lateness" "$work/lateness" &
start=${EPOCHREALTIME/./}
kill -TERM "$pid"
wait "$pid"
code=$?
took=$(((${EPOCHREALTIME/./} - start) / 1000))
late=$(awk -v since="$start" '$1 >= since { us += $2 } END { print int(us / 1000) }' \
    "$work/lateness")
pid=
[ "$code" = 0 ] || fail "exit $code after SIGTERM: $(cat "$work/log")"
[ "$took" -lt $((2000 + late)) ] || fail "it took $took ms to stop"

# A port that is taken is a failure with its name.
write <<END
relay: {key: relay.key}
listen: {tcp: ["127.0.0.1:0", "192.0.2.1:1"]}
meshes: [$mesh]
log: {format: json}
END
expect 1 "$bin/zs-relay" -c "$file"
grep -q '"event":"listen_failed","endpoint":"192.0.2.1:1"' "$work/err" ||
    fail "no line about the listener: $(cat "$work/err")"

[ "$failed" = 0 ] && echo "zs-relay: fine"
exit "$failed"
