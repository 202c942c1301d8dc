#!/bin/bash
# Wherever zs prints text from a peer, the text cannot look like a line of zs's
# own or control the terminal; and zs's messages about mistakes name the cause.
#
#   here: alice - bob - carol, on one host's loopback
. "$(dirname "$0")/says.sh"

export PATH=$ZS_BIN:$PATH
alice=/run/zeroservices/alice.sock
bob=/run/zeroservices/bob.sock

# --- Which argument is missing, and help by other names

missing() { # WORD COMMAND...
    local word=$1
    shift
    ends_with 2 "$@" && complained "$word is missing"
}
check "zs" missing COMMAND zs
check "zs send" missing TO zs send
check "zs send bob" missing TYPE zs send bob
check "zs request bob" missing TYPE zs request bob
check "zs publish" missing TYPE zs publish
check "zs ping" missing TO zs ping
check "zs bench" missing "serve | TO" zs bench
check "zs id" missing FILE zs id
check "zs revoke" missing FILE zs revoke
check "zs mesh" missing COMMAND zs mesh
check "zs mesh create" missing NAME zs mesh create --dir "$LAB/x"
check "zs mesh add" missing NAME zs mesh add
check "zs mesh relay" missing URL zs mesh relay --dir "$LAB/x"
check "zs mesh revoke" missing "NAME|ID" zs mesh revoke
check "zs-relay init" missing DIR zs-relay init
for words in "" "send" "mesh" "mesh add" "help"; do
    # shellcheck disable=SC2086 # they are words
    check "zs help $words" bash -c \
        "diff <(zs help $words) <(zs $words --help)"
done
check "zs help snd" ends_with 2 zs help snd
check "names the nearest" complained "did you mean send?"
check "zs version" bash -c 'diff <(zs version) <(zs --version)'

# --- Files that are none

once() { # FILE
    ends_with 3 zs id "$1" && test "$(wc -l <"$LAB/said.err")" = 1
}
check "zs id of /etc/passwd prints one error" once /etc/passwd
head -c 100000 /dev/urandom >"$LAB/noise"
check "zs id of noise prints one error" once "$LAB/noise"
: >"$LAB/nothing"
check "zs id of an empty file prints one error" once "$LAB/nothing"

# --- Who may not look

mesh_of alice bob carol
host here
edge here alice
edge here bob
edge here carol
answers alice
answers bob
answers carol
sees alice bob tcp 20s
sees alice carol tcp 20s
sees bob alice tcp 20s

denied() { # COMMAND...
    ends_with 4 setpriv --reuid 65534 --regid 65534 --clear-groups "$@" &&
        complained "permission denied"
}
chmod 755 "$LAB" 2>/dev/null
cp "$ZS_BIN/zs" "$LAB/zs" # Where others may run it.
chmod 755 "$LAB/zs"
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0
chmod 600 $alice
check "a socket of another user is refused" \
    denied "$LAB/zs" --socket $alice status
chmod 700 /run/zeroservices
check "a folder of another user is refused" denied "$LAB/zs" status
check "so is a socket of another user in ZS_SOCKET" \
    denied env ZS_SOCKET=$alice "$LAB/zs" status
check "root finds several edges" ends_with 4 zs status
check "the message says so" complained "several edges run"

# --- Oneself

for words in "send alice t x" "request alice t x" "ping alice"; do
    # shellcheck disable=SC2086 # they are words
    check "a node cannot call itself: $words" \
        ends_with 5 zs --socket $alice $words
    check "the message names the cause" complained "this node itself"
done
id=$(zs --socket $alice status --json | python3 -c \
    'import json, sys; print(json.load(sys.stdin)["node"]["id"])')
check "nor by its own id" ends_with 5 zs --socket $alice send "${id:0:8}" t x
check "the message names the cause again" complained "this node itself"

# --- Peers

check "bob joins a group" python3 -c "
import socket
s = socket.socket(socket.AF_UNIX)
s.connect('$bob')
s.sendall(b'{\"op\":\"join\",\"group\":\"lab\"}\n')
s.recv(100)"
check "peers are sorted, with their groups" until_true 10 bash -c "
zs --socket $alice peers | awk '{print \$1, \$7}' |
    diff - <(printf 'bob lab\ncarol -\n')"
check "peers are sorted in JSON, too" bash -c "
zs --socket $alice peers --json | grep -o '\"name\":\"[a-z]*\"' |
    diff - <(printf '\"name\":\"bob\"\n\"name\":\"carol\"\n')"

# --- What a peer writes

# Runs a command with a terminal as its output, and prints what it wrote there
# until it ended. The terminal's reader must return what it read: an empty
# answer means the end to pty.spawn.
on_terminal() { # COMMAND...
    python3 -c 'import pty, sys; pty.spawn(sys.argv[1:])' "$@" </dev/null
}

# Each in its own message: what stands in a terminal's or a file's lines.
python3 - "$LAB" <<'PYTHON'
import json, sys
bad = ["a\nmallory t forged", "\033]0;title\007", "\033[2J", "\r\rmallory",
       "\u009b2J", "\u0085forged", "\u2028forged", "\u202eright to left", "\x7f",
       "\x00", "a\x0bb\x0cc"]
with open(sys.argv[1] + "/orders", "w") as out:
    for i, text in enumerate(bad):
        for data in (text, {"text": text, text: 1}, [text]):
            out.write(json.dumps({"op": "send", "to": "alice", "type":
                                  f"t{i}", "data": data}) + "\n")
        if "\0" not in text:
            out.write(json.dumps({"op": "send", "to": "alice", "type":
                                  "t" + text, "data": i}) + "\n")
    print(4 * len(bad) - 1, file=open(sys.argv[1] + "/count", "w"))
PYTHON
count=$(cat "$LAB/count")
zs --socket $alice listen --count "$count" --timeout 300s >"$LAB/text" &
one=$!
zs --socket $alice listen --json --type none >"$LAB/none" &
other=$!
on_terminal zs --socket $alice listen --count "$count" --timeout 300s \
    >"$LAB/terminal" &
third=$!
zs --socket $alice listen --json --timeout 300s >"$LAB/json" &
fourth=$!
listeners() {
    local inner=$third child # what has the terminal, in the innermost process
    while child=$(pgrep -P "$inner"); do inner=$child; done
    listens $one && listens $other && listens $fourth && listens "$inner"
}
check "the listeners are ready" until_true 10 listeners
python3 - $bob "$LAB/orders" <<'PYTHON'
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
lines = open(sys.argv[2]).read()
s.sendall(lines.encode())
got = b""
while got.count(b"\n") < lines.count("\n"):
    got += s.recv(65536)
assert got.count(b'"ok":true') == lines.count("\n"), got
PYTHON
wait $one
wait $third
until_true 20 bash -c "test \$(grep -c '\"message\"' '$LAB/json') = $count"
kill $other $fourth
harmless() { # FILE
    python3 - "$1" "$count" <<'PYTHON'
import sys
data = open(sys.argv[1], "rb").read().replace(b"\r\n", b"\n")
text = data.decode()
lines = [x for x in text.split("\n") if x and '"event":"' not in x or
         '"event":"message"' in x]
assert len(lines) == int(sys.argv[2]), (len(lines), lines)
for line in text.splitlines():
    assert line == "" or line.startswith(("bob ", '{"version":1')), line
bad = [c for c in text if c != "\n" and (ord(c) < 32 or 127 <= ord(c) < 160 or
                                         ord(c) in (0x2028, 0x202e))]
assert not bad, bad
PYTHON
}
check "a pipe gets one line for each message" harmless "$LAB/text"
check "so does a terminal" harmless "$LAB/terminal"
check "so does --json" harmless "$LAB/json"
check "JSON has all of each message" python3 -c "
import json
data = [json.loads(x) for x in open('$LAB/json') if '\"event\":\"message\"' in x]
assert data[0]['data'] == 'a\nmallory t forged', data[0]
assert {x['data'] for x in data if isinstance(x['data'], str)} >= {
    '\033[2J', '\x9b2J', '\u2028forged', '\0'}"

# A reply is all that is printed: a pipe gets it as it came.
python3 -B - "$bob" "$NET_DIR/../../edge/clients/python" <<'PYTHON' &
import sys
sys.path.insert(0, sys.argv[2])
import zeroservices as zs
with zs.Edge(sys.argv[1]) as edge:
    @edge.on_message
    def answer(m):
        if m.request:
            edge.reply(m, b"\033[2J\xff" if m.data == "bytes" else "\033[2J\nx\x9by")
    edge.run()
PYTHON
replier=$!
check "the program replies" \
    until_true 10 zs --socket $alice request bob t x --timeout 2s
check "a reply goes to a pipe unchanged" bash -c "
zs --socket $alice request bob t x | cmp - <(printf '\033[2J\nx\302\233y\n')"
check "bytes go to a pipe unchanged" bash -c "
zs --socket $alice request bob t bytes | cmp - <(printf '\033[2J\377')"
shown_harmless() { # KIND
    on_terminal zs --socket $alice request bob t "$1" >"$LAB/reply"
    python3 - "$LAB/reply" <<'PYTHON'
import sys
said = open(sys.argv[1], "rb").read()
assert b"\\u001b[2J" in said and b"\033" not in said and \
    b"\302\233" not in said, said
PYTHON
}
for kind in x bytes; do
    check "a reply to a terminal is harmless: $kind" \
        shown_harmless $kind
done
kill $replier
finish
