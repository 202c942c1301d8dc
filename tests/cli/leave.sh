#!/bin/bash
# A clean end of zs-edge: it delivers queued messages first, and ends within two
# seconds whatever its peers do.
#
#   here: alice and bob on one host's loopback
. "$(dirname "$0")/says.sh"
. "$NET_DIR/load.sh"

mesh_of alice bob
host here
edge here alice
edge here bob
sees alice bob tcp 5s

freeze() { kill -STOP "$(pid_of "$1")"; }
thaw() { kill -CONT "$(pid_of "$1")"; }

# The message of `zs send` is alice's by now.
has_sent() { test "$(counter alice sent)" = 1; }

stop_ms() { # of alice's end
    local since
    since=$(now_ms)
    end alice
    echo $(($(now_ms) - since)) >"$LAB/stop.ms"
}

# --- Bob is stopped, and goes on a moment after alice was told to end

"$ZS_BIN/zs" --socket /run/zeroservices/bob.sock listen --type last --count 1 \
    --timeout 100s >"$LAB/heard.out" &
listener=$!
check "bob has a client" until_true 10 listens "$listener"
at bob status >"$LAB/status.out" # So he has read what came before.
freeze bob
at alice send bob last "last words" >"$LAB/send.out" 2>&1 &
sender=$!
check "alice has the message" until_true 5 has_sent
(sleep 0.4 && thaw bob) &
stop_ms
code=0
wait "$sender" || code=$?
check "the sender learns that it is delivered" test "$code" = 0
check_ms "alice ended" "$(cat "$LAB/stop.ms")" 2000
wait "$listener" || true
check "bob has it" grep -q "last words" "$LAB/heard.out"

# --- With nothing to deliver she ends at once

edge here alice
sees alice bob tcp 5s
stop_ms
check_ms "alice ended with nothing queued" "$(cat "$LAB/stop.ms")" 700

# --- Bob stays stopped

edge here alice
sees alice bob tcp 5s
freeze bob
at alice send bob last "never heard" >"$LAB/send.out" 2>&1 &
sender=$!
check "alice has the second message" until_true 5 has_sent
stop_ms
check_ms "alice ended though bob is frozen" "$(cat "$LAB/stop.ms")" 2000
code=0
wait "$sender" || code=$?
check "the sender learns that it is not delivered" test "$code" = 6
thaw bob
finish
