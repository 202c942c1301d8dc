#!/bin/bash
# Local programs that send endless requests and read nothing, or begin messages
# that never end: the edge's memory stays limited, and honest programs are served.
#
#   here: alice (HTTP on loopback), bob
. "$(dirname "$0")/says.sh"

# The sanitizers keep what is freed for a while, and shadows of it all.
beside=0 times=1
if nm -D "$ZS_BIN/zs-edge" | grep __asan_ >"$LAB/asan"; then
    export ASAN_OPTIONS=quarantine_size_mb=8:thread_local_quarantine_size_kb=64
    beside=60 times=10
fi

url=127.0.0.1:8080
in_here=(nsenter --net=/run/netns/here)
mesh_of alice bob
host here
edge here alice --http $url
edge here bob
answers alice
check "bob is there" at alice wait --peer bob --timeout 60s
token=$(cat /run/zeroservices/alice.token)

pid=$(pgrep -f -- "--http $url" | head -n 1)
rss_mib() { awk '/^VmRSS/ { print int($2 / 1024) }' "/proc/$pid/status"; }
peak_mib() { awk '/^VmHWM/ { print int($2 / 1024) }' "/proc/$pid/status"; }
forget_peak() { echo 5 >"/proc/$pid/clear_refs"; }
# Of the edge; this is how much it works, however busy the machine is.
cpu_ms() { awk '{ print ($14 + $15) * 10 }' "/proc/$pid/stat"; }

cat >"$LAB/flood.py" <<'PY'
"""flood.py WHAT COUNT TOKEN FOLDER: clients that say so much and read nothing,
until standard input ends; "up" once the edge takes no more. Of WHAT "busy" and
"metrics" they read their answers and ask on."""
import select, socket, sys
sys.path.insert(0, sys.argv[4])
from web import WebSocket, frame

what, count, token = sys.argv[1], int(sys.argv[2]), sys.argv[3]
PATH, MIB = "/run/zeroservices/alice.sock", 1 << 20
floods = {
    "status": b'{"op":"status"}\n' * 65536,
    "busy": b'{"op":"status"}\n' * 8192,
    "metrics": b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2048,
    "peers": b'{"op":"peers","ref":"' + b"x" * 4000 + b'"}\n',
    "cancel": b'{"op":"cancel","ref":1,"request":2}\n' * 40000,
    "line": b'{"op":"send","to":"bob","type":"t","data":"' + b"x" * 15 * MIB,
    "nonsense": b"x" * 15 * MIB,
}
if what == "peers":
    floods[what] *= 500


def to_socket():
    peer = socket.socket(socket.AF_UNIX)
    peer.connect(PATH)
    return peer, floods[what]


def to_web():
    web = WebSocket("ws://127.0.0.1:8080/api",
                    [f"Authorization: Bearer {token}"])
    return web.peer, frame(1, b'{"x":"' + b"x" * 15 * MIB, final=False)


def to_port():
    return socket.create_connection(("127.0.0.1", 8080))


def busy():
    peers = [to_port() if what == "metrics" else to_socket()[0]
             for _ in range(count)]
    at, flood = {peer: 0 for peer in peers}, memoryview(floods[what])
    for peer in peers:
        peer.setblocking(False)
    print("up", flush=True)
    while not select.select([sys.stdin], [], [], 0)[0]:
        readable, writable, _ = select.select(peers, peers, [], 1)
        for peer in readable:
            peer.recv(1 << 20)
        for peer in writable:
            at[peer] = (at[peer] + peer.send(flood[at[peer]:])) % len(flood)
    sys.exit()


if what in ("busy", "metrics"):
    busy()
peers = [to_web() if what == "message" else to_socket() for _ in range(count)]
left = {peer: memoryview(data) for peer, data in peers}
for peer in left:
    peer.setblocking(False)
while left:
    _, ready, _ = select.select([], list(left), [], 2)
    if not ready:
        break
    for peer in ready:
        try:
            left[peer] = left[peer][peer.send(left[peer][:1 << 18]):]
        except OSError:
            left[peer] = left[peer][:0]
        if not left[peer]:
            del left[peer]
print("up", flush=True)
sys.stdin.read()
PY

# While COUNT clients flood with WHAT: the memory stays below MIB, and what the
# edge does before a ping is answered below MS.
under() { # WHAT COUNT MIB MS
    local cpu most=0
    forget_peak
    rm -f "$LAB/hold" && mkfifo "$LAB/hold"
    : >"$LAB/flood"
    "${in_here[@]}" python3 "$LAB/flood.py" "$1" "$2" "$token" \
        "$NET_DIR/../cli" <"$LAB/hold" >"$LAB/flood" 2>&1 &
    local flood=$!
    exec 7>"$LAB/hold"
    for _ in {1..20} after; do
        cpu=$(cpu_ms)
        at alice ping bob -c 1 --timeout 200s >"$LAB/ping.out" 2>&1 ||
            not_ok "$2 $1: a ping" "$(tail -n 1 "$LAB/ping.out")"
        cpu=$(($(cpu_ms) - cpu))
        [ "$cpu" -le "$most" ] || most=$cpu
        ! grep -q up "$LAB/flood" || [ "$1" = busy ] || [ "$1" = metrics ] || break
    done
    until_true 150 grep -q up "$LAB/flood" || true
    check "$2 $1: all clients are up" grep -q up "$LAB/flood"
    check "$2 $1: a message is delivered meanwhile" at alice send bob t hello
    check "$2 $1: the edge works $most ms during a ping, below $(($4 * times))" \
        test "$most" -lt $(($4 * times))
    check "$2 $1: memory is $(peak_mib) MiB at the most, below $(($3 + beside))" \
        test "$(peak_mib)" -lt $(($3 + beside))
    exec 7>&-
    wait "$flood" || true
}

under busy 60 220 1000
under metrics 100 220 1000
under status 60 220 1000
under peers 100 220 1000
under cancel 60 220 1000
under line 64 260 1000
under nonsense 64 260 1000
under message 60 260 1000
memory_is_back() { [ "$(rss_mib)" -lt $((100 + beside)) ]; }
check "the memory is given back" until_true 10 memory_is_back
check "status is answered afterwards" at alice status --json
check_logged "it said what was cut off" alice api_client_large
check "the log has no line for each client" \
    test "$(grep -c api_client_large "$LAB/alice.log")" -lt 150
finish
