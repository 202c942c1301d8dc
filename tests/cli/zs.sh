#!/bin/bash
# zs as a program, at two edges: each command's options, output and exit code,
# and everything that a person can do wrong with it.
#
#   here: alice - bob, on one host's loopback
. "$(dirname "$0")/says.sh"
LAB_PATHS=

export PATH=$ZS_BIN:$PATH

# The lines on stdout are JSON objects of version 1, and the expression (of
# Python, `o` is the list of them) is true.
json_says() { # EXPRESSION
    python3 - "$1" "$LAB/said.out" <<'PYTHON'
import json, sys
o = [json.loads(line) for line in open(sys.argv[2])]
assert all(one["version"] == 1 for one in o), o
assert eval("(" + sys.argv[1] + ")"), o
PYTHON
}

# --- Without an edge

for command in status peers wait send publish request listen ping chat top bench \
    revoke mesh keygen id; do
    check "$command --help is accepted" ends_with 0 zs "$command" --help
    check "$command has an entry in zs --help" \
        bash -c "zs --help | grep -q '^  $command'"
    check "$command refuses an unknown option" ends_with 2 zs "$command" --frob
done
check "zs without a command is refused" ends_with 2 zs
check "an unknown command is refused" ends_with 2 zs snd
check "the message names the nearest command" complained "did you mean send?"
check "--version is accepted" ends_with 0 zs --version
echo x >"$LAB/file"
mesh other
"$ZS_BIN/zs" mesh add eve --dir other >/dev/null 2>&1
"$ZS_BIN/zs" mesh revoke eve --dir other >/dev/null 2>&1
for words in "status" "peers" "wait --peers 1" "send bob t x" "publish t x" \
    "request bob t x" "listen" "ping bob" "bench bob" "bench serve" "chat" "top" \
    "revoke other/revoked.zs" "send bob t --lines"; do
    # shellcheck disable=SC2086 # they are words
    check "without an edge: $words" ends_with 4 zs $words
    check "the message says so" complained "no edge runs on this host"
done
check "a file that is no socket is refused" \
    ends_with 4 zs --socket "$LAB/none.sock" status
check "the message names it" complained "$LAB/none.sock"
check "a wrong socket in ZS_SOCKET is refused" \
    env ZS_SOCKET="$LAB/none.sock" bash -c \
    'zs status; [ $? = 4 ]'

for words in "send" "send bob" "send bob t x y" "publish" "publish t x y" \
    "request bob" "ping" "ping a b" "bench" "bench bob --size 1" "revoke" \
    "wait" "wait --peers x" "wait --peers 1 --path air" "listen --count x" \
    "listen x" "status x" "send bob t --timeout soon" \
    "send bob t x --file $LAB/file" "send bob t x --lines" \
    "send bob t --json-data --file $LAB/file"; do
    # shellcheck disable=SC2086 # they are words
    check "wrong usage: $words" ends_with 2 zs $words
done

# --- With one edge

mesh_of alice bob
host here
edge here alice
answers alice
check "the only edge is found" ends_with 0 zs status
check "status shows its name" said "alice"
check "status shows its health" said "No relay is configured"
check "a pipe gets no colours" bash -c "! zs status | grep -q $'\033'"
check "status --json is one line" ends_with 0 zs status --json
check "it has all members" json_says \
    'o[0]["node"]["name"] == "alice" and len(o[0]["node"]["id"]) == 64 and
     o[0]["relays"] == [] and o[0]["peers"] == [] and
     "sent" in o[0]["counters"] and o[0]["health"][0]["code"] == "no_relay"'
check "netcheck without peers fails" ends_with 1 zs netcheck
check "it says so" said "No relay is configured"
check "netcheck --json fails as well" ends_with 1 zs netcheck --json
check "it has all members of netcheck" json_says \
    'o[0]["version"] == 1 and o[0]["reachable"] is False and
     o[0]["interfaces"][0]["multicast"]["sent"] >= 0 and
     o[0]["udp"]["ipv4"] is False and o[0]["nat"]["mapping"] == "unknown" and
     set(o[0]) >= {"nat", "port_mapping", "proxy", "captive_portal", "clock",
                   "relays", "peers", "findings"} and
     all(f["id"] and f["text"] for f in o[0]["findings"])'
check "zs peers works without peers" ends_with 0 zs peers --json
check "it prints no lines" test ! -s "$LAB/said.out"
check "send to an unknown peer" ends_with 5 zs send bob t x
check "send --lines to an unknown peer" \
    bash -c 'seq 5 | zs send bob t --lines; [ $? = 5 ]'
check "request to an unknown peer" ends_with 5 zs request bob t x
check "ping of an unknown peer" ends_with 5 zs ping bob
check "bench with an unknown peer" ends_with 5 zs bench bob
check "wait for a peer that does not come" \
    ends_with 6 zs wait --peers 1 --timeout 100ms
check "the message says how many peers there are" complained "0 of 1 peers"
check "wait for a name that does not come" \
    ends_with 6 zs wait --peer bob --timeout 100ms
check "listen without a message" ends_with 6 zs listen --count 1 --timeout 100ms
check "listen for a while" ends_with 0 zs listen --timeout 100ms
check "publish without a receiver" ends_with 0 zs publish t x
check "the message says that nobody got it" complained "no node is present"
check "publish to a group without a receiver" ends_with 0 zs publish t x --json
check "the message says so again" json_says 'o[0]["peers"] == 0'
check "a wrong group is refused" ends_with 2 zs publish t x --group 'a b'
check "a missing file is refused" ends_with 1 zs send bob t --file "$LAB/none"
check "data that is not JSON is refused" \
    ends_with 1 zs send bob t '{' --json-data
check "a file that is no revocation list is refused" \
    ends_with 3 zs revoke "$LAB/file"

# --- With two

edge here bob
answers bob
check "two edges are ambiguous" ends_with 4 zs status
check "the message says that there are several" \
    complained "several edges run on this host"
check "--socket after the command" ends_with 0 zs status --socket \
    /run/zeroservices/alice.sock
export ZS_SOCKET=/run/zeroservices/alice.sock
check "wait for one peer" ends_with 0 zs wait --peers 1
check "wait for bob over tcp" ends_with 0 zs wait --peer bob --path tcp
check "wait for bob over udp in vain" ends_with 6 zs wait --peer bob \
    --path udp --timeout 100ms
check "says which path he has" complained "its path is tcp, not udp"
check "zs peers works" ends_with 0 zs peers --json
check "it lists bob" json_says \
    '[(p["name"], p["path"], len(p["id"])) for p in o] == [("bob", "tcp", 64)]'
bob=$(grep -oE '"id":"[0-9a-f]{64}' "$LAB/said.out" | cut -c7-)
check "wait for a prefix of bob's id" ends_with 0 zs wait --peer "${bob:0:10}"
check "send to a prefix of bob's id" ends_with 0 zs send "${bob:0:10}" t x
check "a shorter prefix is refused" ends_with 5 zs send "${bob:0:7}" t x

# A listener whose output nobody reads is cut off, and says so.
mkfifo "$LAB/pipe"
zs --socket /run/zeroservices/bob.sock listen --type flood \
    >"$LAB/pipe" 2>"$LAB/slow.err" &
slow=$!
exec 9<"$LAB/pipe"
head -c 1000000 /dev/zero >"$LAB/zeros"
check "the listener is ready" until_true 5 zs send bob flood begin
for ((i = 0; i < 45; i++)); do
    zs send bob flood --file "$LAB/zeros" || break
done
check "the sender is not affected" test $i = 45
cat <&9 >/dev/null
code=0
wait $slow || code=$?
check "a listener that is not read fails" test $code = 1
exec 9<&-
check "the message says why" grep -q "too slowly" "$LAB/slow.err"

# Each form of data, as the other side has it.
listen bob "$LAB/forms.json" --timeout 60s
check "send text" ends_with 0 zs send bob t $'two\nlines "and" \303\244'
check "send prints nothing to stdout" test ! -s "$LAB/said.out"
check "send text that looks like JSON" ends_with 0 zs send bob t '{"a":1}'
check "send JSON" ends_with 0 zs send bob t $'{"a":\n[1, 2.5]}' --json-data
check "send standard input" bash -c 'printf "from stdin" | zs send bob t'
check "send standard input by -" bash -c 'printf "by dash" | zs send bob t -'
check "send bytes" bash -c 'printf "\0\377" >f; zs send bob t --file f'
check "send an empty message" ends_with 0 zs send bob t ''
check "send with --json" ends_with 0 zs send bob t x --json
check "its answer has the path" \
    json_says 'o[0]["path"] == "tcp" and o[0]["rtt_ms"] >= 0'
check "a type that is not UTF-8 is refused" \
    bash -c 'printf "\377" | zs send bob t; [ $? = 1 ]'
check "publish" ends_with 0 zs publish news 'to all' --json
check "it reached one peer" json_says 'o[0]["peers"] == 1'
check "publish to a group that bob is not in" \
    ends_with 0 zs publish news x --group g
check "a message that is too large is refused" bash -c \
    'head -c 17000000 /dev/zero | zs send bob t --file -; [ $? = 1 ]'
check "send the last message" ends_with 0 zs send bob last x
check "the listener got all messages" \
    until_true 5 grep -q '"last"' "$LAB/forms.json"
cut -d' ' -f2- "$LAB/forms.json" >"$LAB/said.out"
check "the messages arrived unchanged" \
    json_says '[m.get("data", m.get("data_b64"))
    for m in o if m["event"] in ("message", "event")] ==
    ["two\nlines \"and\" \u00e4", "{\"a\":1}", {"a": [1, 2.5]}, "from stdin",
     "by dash", "AP8=", "", "x", "to all", "x"] and
    all(m["name"] == "alice" for m in o
        if m["event"] in ("join", "message", "event"))'
end "listen-bob-forms.json"

# Filters, counts and groups of listen.
"$ZS_BIN/zs" --socket /run/zeroservices/bob.sock listen --type b --count 2 \
    --timeout 100s >"$LAB/typed.out" &
typed=$!
"$ZS_BIN/zs" --socket /run/zeroservices/bob.sock listen --group lab --count 1 \
    --timeout 100s --json >"$LAB/group.out" &
group=$!
check "bob's listeners are ready" \
    until_true 10 eval 'listens $typed && listens $group'
check "alice sees bob's group" until_true 5 bash -c \
    'zs peers --json | grep -q "\"groups\":\[\"lab\"\]"'
check "send a message of another type" ends_with 0 zs send bob a no
check "send a message of the type" ends_with 0 zs send bob b yes
check "publish to the group" ends_with 0 zs publish x lab --group lab
check "send another message of the type" ends_with 0 zs publish b too
check "listen --type ends by its count" wait "$typed"
check "it printed only messages of the type" test "$(cat "$LAB/typed.out")" = \
    $'alice b yes\nalice b too'
check "listen --group ends by its count" wait "$group"
cp "$LAB/group.out" "$LAB/said.out"
check "it printed only the publication to the group" json_says \
    '[(m["event"], m["data"], m["group"]) for m in o] == [("event", "lab", "lab")]'
check "the node leaves the group when the listener ends" until_true 5 bash -c \
    'zs peers --json | grep -q "\"groups\":\[\]"'

# Many lines, and what stops them.
numbers alice bob 20000
check "send --lines without a line" bash -c 'zs send bob t --lines </dev/null'
check "send --lines with an unfinished last line" \
    bash -c 'printf "1\n2" | zs send bob t --lines'
check "send --lines of JSON" bash -c 'seq 3 | zs send bob t --lines --json-data'
check "a line that is not JSON is refused" bash -c \
    'printf "1\n{\n" | zs send bob t --lines --json-data 2>err; [ $? = 1 ]'
check "the message has the line's number" grep -q "line 2 is not JSON" err
check "publish --lines" bash -c 'seq 500 | zs publish t --lines'

# Requests, pings, bench.
check "a request without a reply fails" \
    ends_with 6 zs request bob t x --timeout 200ms
check "the message says that no reply came" complained "timeout"
check "ping" ends_with 0 zs ping bob -c 2 -i 10ms --timeout 60s
check "ping gets two replies" bash -c "[ \$(grep -cE \
    '^reply from bob via tcp [0-9.:]+: [0-9.]+ ms$' '$LAB/said.out') = 2 ]"
check "ping until direct" ends_with 0 zs ping bob --until-direct
check "netcheck reaches bob" ends_with 0 zs netcheck
check "netcheck names bob" said "bob  tcp"
check "ping until direct, for one line" ends_with 0 zs ping bob --until-direct
check "one line was enough" test "$(wc -l <"$LAB/said.out")" = 1
check "bench without its server" ends_with 6 "$ZS_BIN/zs" bench bob
check "the message says what is missing" complained "zs bench serve"
spawn serve here "$ZS_BIN/zs" --socket /run/zeroservices/bob.sock bench serve
check "a request reaches the server of bench" \
    until_true 5 zs request bob zs.bench.echo hi \
    --timeout 200ms
check "a request gets its reply" ends_with 0 zs request bob zs.bench.echo hi
check "the reply is text" test "$(cat "$LAB/said.out")" = hi
check "bench" ends_with 0 zs bench bob --duration 500ms --json
check "bench prints its figures" \
    json_says 'o[0]["messages"] > 100 and o[0]["size"] == 64 and
    o[0]["lost"] == o[0]["duplicated"] == o[0]["reordered"] == 0 and
    o[0]["per_second"] > 100 and o[0]["path"] == "tcp"'
check "bench with large messages" \
    ends_with 0 zs bench bob --duration 500ms --size 1MiB
check "bench --latency" ends_with 0 zs bench bob --latency --duration 500ms --json
check "bench --latency prints percentiles" \
    json_says '0 < o[0]["rtt_us"]["p50"] <=
    o[0]["rtt_us"]["p99"] <= o[0]["rtt_us"]["p999"] <= o[0]["rtt_us"]["max"]'
check "on a terminal bench shows its progress" bash -c "script -qec \
    'zs bench bob --duration 1s' /dev/null </dev/null >$LAB/live &&
    grep -q 's, [0-9]* so far, [0-9]* a second' $LAB/live"
check "so does bench --latency" bash -c "script -qec \
    'zs bench bob --latency --duration 1s' /dev/null </dev/null >$LAB/live &&
    grep -q 's, [0-9]* so far, the last one [0-9]* us' $LAB/live"
check "a pipe gets no progress" bash -c \
    '! zs bench bob --duration 600ms 2>&1 | grep -q "so far"'
end serve
check "bob is revoked" "$ZS_BIN/zs" mesh revoke bob --dir office
# Where it cannot be kept that is said, and the command fails.
"$ZS_BIN/zs" mesh add mallory --dir office >/dev/null 2>&1
cp office/revoked.zs newer.zs
mkdir keep && mv office/revoked.zs keep/ && mkdir office/revoked.zs
check "revoke with a list that cannot be stored fails" \
    ends_with 1 zs revoke newer.zs
check "the message has the reason" complained "could not be kept"
rmdir office/revoked.zs
check "revoke gives the list to the edge" ends_with 0 zs revoke newer.zs
check "the edge stored the list" cmp newer.zs office/revoked.zs
cp newer.zs office/revoked.zs
check "revoke with the same list works again" \
    ends_with 0 zs revoke office/revoked.zs
check "bob is gone" until_true 5 bash -c \
    '! zs peers --json | grep -q bob'
check "the list of another mesh is refused" \
    ends_with 3 zs revoke other/revoked.zs
check "the message says that it is another mesh's" complained "another mesh's"

# An edge that ends under its clients.
listen alice "$LAB/ends.json"
end alice
check "a listener ends with its edge" until_true 5 bash -c \
    "! kill -0 ${LAB_PID[listen-alice-ends.json]}"
check "the edge's socket is gone" test ! -e /run/zeroservices/alice.sock
finish
