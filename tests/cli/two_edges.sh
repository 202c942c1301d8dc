#!/bin/bash
# zs-edge as a program: its options and exit codes, what it says of wrong files
# and of nodes that it refuses, how it reloads, stops and is killed.
#
#   here: alice, bob, eve... on one host's loopback
. "$(dirname "$0")/says.sh"

bin=$ZS_BIN/zs-edge

logs() { # NAME WORDS - within 5 s
    check "$1 logs: $2" until_true 5 grep -q -- "$2" "$LAB/$1.log"
}

start() { # NAME [options]
    edge here "$@"
    answers "$1"
}

# --- Options and files

mesh_of alice bob
member office old --expires 1s
mesh other
member other eve
echo "a passphrase that everyone here knows" >"$LAB/passphrase"
chmod 600 "$LAB/passphrase"
host here

check "--help is accepted" ends_with 0 "$bin" --help
check "--version is accepted" ends_with 0 "$bin" --version
check "an edge without an identity does not start" ends_with 2 "$bin"
check "an unknown option is refused" ends_with 2 "$bin" --frobnicate
check "a name without a passphrase is refused" ends_with 2 "$bin" --name zoe
check "a missing file is refused" ends_with 3 "$bin" --identity "$LAB/none.zs"
check "a valid file is accepted" ends_with 0 "$bin" -c "$LAB/alice.yaml" --check
check "the settings are printed" ends_with 0 "$bin" -c "$LAB/alice.yaml" \
    --print-config
check "a wrong value of an option is refused" \
    ends_with 3 "$bin" -c "$LAB/alice.yaml" \
    --log-level loud --check

printf 'node: {identity: office/alice.zs}\nlisten: {prot: 1}\nx: 2\n' \
    >"$LAB/wrong.yaml"
check "a wrong file is refused" ends_with 3 "$bin" -c "$LAB/wrong.yaml" --check
check "each mistake has its place" complained 'wrong.yaml:2:10: '
check "all mistakes are listed" complained 'wrong.yaml:3:1: '

chmod 644 "$LAB/office/bob.zs"
check "a secret that others may read is refused" \
    ends_with 3 "$bin" -c "$LAB/bob.yaml" \
    --check
chmod 600 "$LAB/office/bob.zs"

# --- Two meet, and one is killed

start alice
started=$(now_us)
edge here bob
logs alice "peer_joined name=bob path=tcp"
logs bob "peer_joined name=alice path=tcp"
check_ms "bob joined alice after his start" \
    "$(log_ms "$LAB/alice.log" peer_joined "$started")" 500 "$started"

killed=$(now_us)
end bob KILL
logs alice "peer_left name=bob reason=lost"
check_ms "bob's death was noticed" \
    "$(log_ms "$LAB/alice.log" peer_left "$killed")" 500 "$killed"

start bob
sees alice bob tcp 10s
end bob
logs alice "peer_left name=bob reason=closed"
check "a second edge on the same socket does not start" \
    ends_with 1 "$bin" -c "$LAB/bob.yaml" \
    --socket /run/zeroservices/alice.sock

# --- Who is refused

until_true 5 ends_with 3 "$bin" -c "$LAB/old.yaml" --check || true
check "the edge with an expired certificate starts" \
    ends_with 3 "$bin" -c "$LAB/old.yaml" --check
start old
logs old "certificate_not_valid"
logs old "refused_by_peer reason=expired name=alice"
logs alice "peer_refused reason=expired name=old"
end old

start eve
logs alice "peer_refused reason=wrong_mesh"
logs eve "peer_refused reason=wrong_mesh"
check "a node of another mesh is no peer" test -z "$(path_of alice eve)"
end eve

start bob
"$ZS_BIN/zs" mesh revoke bob --dir "$LAB/office" >"$LAB/revoke.out" 2>&1
kill -HUP "$(pid_of alice)"
logs alice "peer_left name=bob reason=revoked"
logs bob "refused_by_peer reason=revoked"
end bob

# --- Reload and stop

conf alice 'log: {level: debug}' 'listen: {port: 40404}'
kill -HUP "$(pid_of alice)"
logs alice "reload_changed key=log.level"
logs alice "reload_needs_restart key=listen.port"
# It is compared with what runs, not with what was read last.
counts() { # NUMBER WORDS
    test "$(grep -c -- "$2" "$LAB/alice.log")" = "$1"
}
kill -HUP "$(pid_of alice)"
check "a second reload reports the pending port again" \
    until_true 5 counts 2 "reload_needs_restart key=listen.port"
check "the new log level is in effect" counts 1 "reload_changed key=log.level"
conf alice 'log: {level: debug}'
kill -HUP "$(pid_of alice)"
check "the file is read a third time" until_true 5 counts 3 " reloaded "
check "a reload with the port in use reports nothing" \
    counts 2 "reload_needs_restart key=listen.port"
conf alice 'nonsense: 1'
kill -HUP "$(pid_of alice)"
logs alice "reload_failed"
check "the edge still runs" at alice status

stopped=$(now_ms)
end alice
check_ms "a clean stop" $(($(now_ms) - stopped)) 2000
check "the socket is gone" test ! -e /run/zeroservices/alice.sock

# --- A passphrase is enough

spawn zoe here "$bin" --name zoe --passphrase-file "$LAB/passphrase" \
    --socket /run/zeroservices/zoe.sock
spawn yan here "$bin" --name yan --passphrase-file "$LAB/passphrase" \
    --socket /run/zeroservices/yan.sock
logs zoe "peer_joined name=yan path=tcp"
logs yan "peer_joined name=zoe path=tcp"
finish
