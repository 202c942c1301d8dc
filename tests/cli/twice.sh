#!/bin/bash
# One node in two processes: a second one on the same host ends before it sends
# anything; on different hosts the later one counts, until it leaves.
#
#   here: alice, bob      there: a copy of alice      [ lan ]
. "$(dirname "$0")/says.sh"

bin=$ZS_BIN/zs-edge
lan lan
host here
plug here lan 198.18.1.2/24
host there
plug there lan 198.18.1.3/24
mesh_of alice bob carol
mkdir copies
cp -p office/alice.zs copies/alice.zs
conf alice "api: {http: '127.0.0.1:9180'}" "listen: {port: 9084}"
edge here alice
edge here bob
answers alice bob
sees bob alice tcp 5s

# --- On one host

refused() { # WHAT WORDS COMMAND... - ends with 1, and the words
    local what=$1 words=$2 code=0
    shift 2
    as here timeout $PATIENCE_S "$@" >"$LAB/twice.out" 2>&1 || code=$?
    check "$what: ends with 1" test "$code" = 1
    check "$what: says why" grep -q "$words" "$LAB/twice.out"
}
a=/run/zeroservices/alice.sock
b=/run/zeroservices/second.sock
refused "the same again" "runs already" "$bin" -c "$LAB/alice.yaml" --socket $a
refused "another socket" "runs already" "$bin" --identity office/alice.zs \
    --socket $b
refused "a copy of the file" "runs already" "$bin" \
    --identity copies/alice.zs --socket $b
refused "another node, the same socket" "listens there already" \
    "$bin" -c "$LAB/carol.yaml" --socket $a
refused "another node, the same HTTP port" "address already in use" \
    "$bin" -c "$LAB/carol.yaml" --socket $b --http 127.0.0.1:9180
conf carol "listen: {port: 9084}"
refused "another node, the same link port" "cannot listen on port 9084" \
    "$bin" -c "$LAB/carol.yaml" --socket $b
# A late machine may make bob lose alice and find her again.
check_logged "bob saw alice" bob "peer_joined name=alice"
check "and nobody else" test 0 = "$(grep peer_ "$LAB/bob.log" |
    grep -vc name=alice)"
check "no node was refused" test 0 = "$(cat "$LAB/alice.log" "$LAB/bob.log" |
    grep -c refused)"
says bob alice

# --- Many at one moment: one runs, and has its socket.

end alice
for i in $(seq 16); do
    spawn "many$i" here "$bin" -c "$LAB/alice.yaml" --socket $a
done
one_runs() {
    local i count=0
    for i in $(seq 16); do
        ! running "many$i" || count=$((count + 1))
    done
    [ "$count" = 1 ]
}
check "of 16 starts of one node, one runs" until_true 20 one_runs
check "it answers" until_true 5 at alice status
sees bob alice tcp 10s
for i in $(seq 16); do
    end "many$i"
done
for i in $(seq 12); do
    "$ZS_BIN/zs" mesh add "node$i" --dir office >>office.out 2>&1
done
for i in $(seq 12); do
    spawn "node$i" here "$bin" --identity "office/node$i.zs" --socket $b
done
one_node_runs() {
    local i count=0
    for i in $(seq 12); do
        ! running "node$i" || count=$((count + 1))
    done
    [ "$count" = 1 ]
}
check "of 12 nodes that want one socket, one runs" until_true 20 one_node_runs
check "that one answers" until_true 5 "$ZS_BIN/zs" --socket $b status
for i in $(seq 12); do
    end "node$i"
done
check "no lock is left" test -z "$(find /run/zeroservices -name '*.lock' \
    ! -name bob.sock.lock)"

# --- What is not in the way

edge here alice
answers alice
kill -KILL "$(pid_of alice)"
edge here alice
answers alice
check "a killed node can be started again at once" at alice status
end alice
chmod 400 office/alice.zs
mount --bind office office
mount -o remount,bind,ro office
edge here alice
answers alice
check "a folder without write permission does no harm" at alice status
umount office || umount -l office

# --- On two hosts

sees bob alice tcp 5s
health() { at "$1" status --json | grep -q "$2"; }
spawn twin there "$bin" --identity "$LAB/copies/alice.zs" \
    --socket /run/zeroservices/twin.sock
answers twin
check "the health of the older process says that it was replaced" \
    until_true 10 \
    health alice '"code":"replaced"'
alone() { [ -z "$(at alice peers)" ]; }
check "the older process has no peers" until_true 10 alone
sees twin bob tcp 5s
end twin
sees alice bob tcp 5s
sees bob alice tcp 5s
says alice bob
finish
