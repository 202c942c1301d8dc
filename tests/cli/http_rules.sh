#!/bin/bash
# The edge's web server keeps to the rules of HTTP (RFC 9110, 9112) and of
# WebSocket (RFC 6455), and slow clients keep nobody out.
#
#   here: alice (HTTP on loopback)
. "$(dirname "$0")/says.sh"

url=127.0.0.1:8080
in_here=(nsenter --net=/run/netns/here)
web=("${in_here[@]}" python3 "$NET_DIR/../cli/web.py")

answered() { grep -qF -- "$1" "$LAB/said.out"; }
raw() { ends_with 0 "${web[@]}" raw "http://$url/" "$@"; }
# The bytes are answered so, and nothing is heard after it.
says() { # STATUS TEXT...
    local status=$1 text
    local texts=()
    shift
    for text in "$@"; do texts+=(--text "$text"); done
    raw "${texts[@]}" && answered "HTTP/1.1 $status " && answered "over" &&
        answered "Connection: close"
}
count() { # NUMBER WORDS
    [ "$(grep -cF -- "$2" "$LAB/said.out")" = "$1" ]
}

mesh_of alice
host here
edge here alice --http $url
answers alice
token=$(cat /run/zeroservices/alice.token)
bearer="Authorization: Bearer $token"
host='Host: 127.0.0.1:8080\r\n'
end="${host}Connection: close\r\n\r\n"

# --- Heads of requests

check "a simple request is sent" raw --text "GET /healthz HTTP/1.1\r\n$end"
check "it is answered" answered "HTTP/1.1 200 OK"
check "the answer has the date" answered "GMT"
check "a request of HTTP/1.0 is sent" \
    raw --text "GET /healthz HTTP/1.0\r\n$host\r\n"
check "it is answered, too" answered "HTTP/1.1 200 OK"
check "the connection ends after it" answered "Connection: close"
check "a request is sent byte by byte" raw --text "G" --text "ET /healthz HT" \
    --text "TP/1.1\r\nHost:127.0.0.1\r" --text "\nConnection: close\r\n" \
    --text "\r" --text "\n"
check "it is answered" answered "HTTP/1.1 200 OK"
check "three requests are sent at once" raw --text \
    "GET /healthz HTTP/1.1\r\n$host\r\nHEAD /healthz HTTP/1.1\r\n$host\r\nGET /nothing HTTP/1.1\r\n$end"
check "the first two are answered" count 2 "HTTP/1.1 200 OK"
check "the last one is answered" answered "HTTP/1.1 404"
check "the answer to HEAD has no body" count 1 "ok"
check "but it has the length" count 2 "Content-Length: 3"
check "HEAD of an unknown path" raw --text "HEAD /nothing HTTP/1.1\r\n$end"
check "has no body either" \
    test -z "$(sed '1,/^\r$/d; /^over$/d' "$LAB/said.out")"
check "a request with an absolute address" raw --text \
    "GET http://127.0.0.1:8080/healthz HTTP/1.1\r\n$end"
check "is answered" answered "HTTP/1.1 200 OK"
check "the host in an absolute address" \
    raw --text "GET http://evil.example/ HTTP/1.1\r\n$end"
check "counts before the Host field" answered "HTTP/1.1 403"

many=$(printf 'x%.0s' {1..9000})
check "fields over 8 KiB are refused" \
    says 431 "GET / HTTP/1.1\r\n${host}X: $many\r\n\r\n"
check "so are fields without an end" \
    says 431 "GET / HTTP/1.1\r\n${host}X: $many" \
    "$many" "$many" "$many"
check "so are many small fields" says 431 \
    "GET / HTTP/1.1\r\n$host$(printf 'X: y\\r\\n%.0s' {1..2000})\r\n"
check "an address over 8 KiB is refused" \
    says 414 "GET /$many HTTP/1.1\r\n$host\r\n"
check "a request without a host is refused" says 400 "GET / HTTP/1.1\r\n\r\n"
check "two Host fields are refused" says 400 "GET / HTTP/1.1\r\n$host$host\r\n"
check "two lengths are refused" says 400 \
    "GET / HTTP/1.1\r\n${host}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
check "a body is refused" \
    says 413 "GET / HTTP/1.1\r\n${host}Content-Length: 4\r\n\r\nbody"
check "lines that end with LF alone are refused" \
    says 400 "GET / HTTP/1.1\nHost: 127.0.0.1\n\n"
check "a folded line is refused" \
    says 400 "GET / HTTP/1.1\r\n$host folded\r\n\r\n"
check "a space before the colon is refused" \
    says 400 "GET / HTTP/1.1\r\nHost : h\r\n\r\n"
check "a NUL is refused" says 400 "GET / HTTP/1.1\r\n${host}X: \x00\r\n\r\n"
check "TLS is refused" says 400 "\x16\x03\x01\x02\x00\x01\x00"
check "a method that is not served is refused" says 405 \
    "POST / HTTP/1.1\r\n${host}Content-Length: 4\r\n\r\nbody"
check "the answer names the methods that are" answered "Allow: GET, HEAD"
check "an unknown method is refused" says 501 "BREW / HTTP/1.1\r\n$host\r\n"
check "HTTP/2 is refused" says 505 "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
check "text that is not HTTP is refused" says 400 "hello\r\n\r\n"
check_logged "all that is logged once" alice 'http_refused reason=bad_request' 1

# --- To become a WebSocket

key='Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
up='Upgrade: websocket\r\nConnection: Upgrade\r\n'
v13='Sec-WebSocket-Version: 13\r\n'
ask() { # FIELDS
    raw --text "GET /api HTTP/1.1\r\n$host$bearer\r\n$1\r\n" --bytes 888000000000
}
check "a request to upgrade as in RFC 6455" ask "$up$v13$key"
check "becomes a WebSocket" answered "HTTP/1.1 101"
check "with the answer to its key" answered \
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
check "words in any case, and among others" ask \
    "upgrade: h2c, WebSocket\r\nconnection: keep-alive, upgrade\r\n$v13$key"
check "are accepted as well" answered "HTTP/1.1 101"
for wrong in "$up${v13/13/8}$key" "$up$key" "$up${v13/13/14}$key" \
    "Connection: Upgrade\r\n$v13$key" "Upgrade: websocket\r\n$v13$key" \
    "${up/websocket/h2c}$v13$key"; do
    check "not: $wrong" ask "$wrong"
    check "the answer is 426" answered "HTTP/1.1 426"
    check "and names the version" answered "Sec-WebSocket-Version: 13"
done
check "an upgrade without a key" ask "$up$v13"
check "is a bad request" answered "HTTP/1.1 400"
check "an upgrade with half a key" ask "$up${v13}Sec-WebSocket-Key: dGhl\r\n"
check "is a bad request, too" answered "HTTP/1.1 400"
check "a request to upgrade a page" raw --text \
    "GET / HTTP/1.1\r\n${host}Upgrade: h2c\r\nConnection: Upgrade, close\r\n\r\n"
check "gets the page" answered "HTTP/1.1 200"

# --- Frames

# {"op":"peers"} with a mask of zeros, and what comes back
peers=818e000000007b226f70223a227065657273227d
check "a message in the packet of the upgrade" raw --until '"peers":[]' --text \
    "GET /api HTTP/1.1\r\n$host$bearer\r\n$up$v13$key\r\n${peers:+$(
        sed 's/../\\x&/g' <<<$peers)}"
check "is answered" answered '"peers":[]'

closes() { # CODE BYTES
    ends_with 1 "${web[@]}" ws "ws://$url/api" -H "$bearer" --bytes "$2" \
        --count 2 && answered "closed $1"
}
check "a frame without a mask ends the WebSocket" \
    closes 1002 810e7b226f70223a227065657273227d
check "so does a ping without a mask" closes 1002 8900
check "a close without a mask" closes 1002 880203e8
check "reserved bits" closes 1002 "c1${peers:2}"
check "an unknown kind" closes 1002 83810000000055
check "an unknown control frame" closes 1002 8b8000000000
check "a binary frame" closes 1003 82810000000055
check "a control frame in pieces" closes 1002 098000000000
check "a control frame of 126 bytes" closes 1002 89fe007e00000000
check "a continuation of nothing" closes 1002 808000000000
check "a message in a message" closes 1002 "018000000000$peers"
check "a length in too many bytes" closes 1002 81fe000000000000
check "text that is not UTF-8" closes 1007 818100000000ff
check "text that is not UTF-8, in pieces" \
    closes 1007 018100000000c3808100000000c3
check "half a character" closes 1007 818100000000c3
check "a length beyond any limit" closes 1009 81ff7fffffffffffffff00000000
check "half a code" closes 1002 88810000000003
check "a code that nobody may send" closes 1002 88820000000003ed
check "a code that does not exist" closes 1002 8882000000000001
check "a reason without UTF-8" closes 1007 88830000000003e8ff
check "a code for private use is returned" closes 4001 8882000000000fa1
check "a close without a code is returned" closes 1000 888000000000
check "a message in pieces with a ping in between is answered" \
    ends_with 0 "${web[@]}" ws \
    "ws://$url/api" -H "$bearer" --count 1 \
    --bytes 0187000000007b226f70223a2289800000000080870000000070656572737d22
for code in 1002 1003 1007 1009; do
    check_logged "$code is logged once" alice "http_closed code=$code" 1
done

# --- Slow clients

cat >"$LAB/slow.py" <<'PY'
"""Strangers that never finish a request; the honest ones beside them. Prints
how long the slowest of those waited."""
import socket, sys, time

where = ("127.0.0.1", 8080)
begin = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: "
strangers, slowest = [], 0
for i in range(600):
    peer = socket.create_connection(where)
    peer.sendall(begin if i % 2 else b"")
    peer.setblocking(False)
    strangers.append(peer)
    for other in strangers[i % 7::7]:
        try:
            other.send(b"x")
        except OSError:
            pass
    if i % 20 == 0:
        start = time.monotonic()
        honest = socket.create_connection(where)
        honest.settimeout(60)
        honest.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                       b"Connection: close\r\n\r\n")
        said = b""
        while (data := honest.recv(4096)):
            said += data
        assert said.startswith(b"HTTP/1.1 200"), said
        slowest = max(slowest, time.monotonic() - start)
print(f"{slowest:.3f}")
PY
check "600 clients that never finish a request" ends_with 0 "${in_here[@]}" \
    python3 "$LAB/slow.py"
check "keep nobody out" test -s "$LAB/said.out"
check_logged "which is logged once" alice reason=too_many_connections 1
# Where others of the process have taken the last descriptors.
pid=$(pgrep -f -- "--http $url" | head -n 1)
files=$(find "/proc/$pid/fd" -mindepth 1 | wc -l)
limit=$(prlimit --pid "$pid" --nofile --noheadings --output SOFT)
prlimit --pid "$pid" --nofile=$((files + 6)):"$limit"
check "600 clients where there are no descriptors for six" \
    ends_with 0 "${in_here[@]}" \
    python3 "$LAB/slow.py"
check "keep nobody out either" test -s "$LAB/said.out"
check_logged "which is logged once" alice reason=no_sockets 1
prlimit --pid "$pid" --nofile="$limit":"$limit"
check "a request that is never finished" raw --text "GET / HTTP/1.1\r\n"
check "is answered with a time-out" answered "HTTP/1.1 408"

cat >"$LAB/deaf.py" <<'PY'
"""Asks for pages without reading one, and then reads them all."""
import socket

peer = socket.create_connection(("127.0.0.1", 8080))
ask = b"GET /dashboard.css HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
asks = ask * 100000
peer.settimeout(0.5)
sent = 0
try:
    while sent < len(asks):
        sent += peer.send(asks[sent:sent + 65536])
except TimeoutError:
    pass
assert len(ask) < sent < len(asks)
peer.settimeout(60)
said, tail = 0, b""
while said < sent // len(ask):
    data = tail + peer.recv(1 << 20)
    said += data.count(b"HTTP/1.1 200 OK\r\n")
    tail = data[-16:]
print("all", said)
PY
check "the edge stops reading from a client that does not read" \
    ends_with 0 "${in_here[@]}" \
    python3 "$LAB/deaf.py"
check "the client gets all answers when it reads" answered all
check "the edge is asked for its health" \
    raw --text "GET /healthz HTTP/1.1\r\n$end"
check "it still answers" answered "HTTP/1.1 200 OK"
finish
