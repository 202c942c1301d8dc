#!/usr/bin/env bash
# What zs-relay answers to curl on listen.tcp.
set -u

bin=${ZS_BIN:?the folder of the programs}
work=$(mktemp -d)
pid=
passed=0
failed=0

clean() {
    [ -n "$pid" ] && kill -9 "$pid" 2>/dev/null
    rm -rf "$work"
}
trap clean EXIT

# check WORDS COMMAND...: the command succeeds.
check() {
    local words=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
        echo "ok $passed - $words"
    else
        failed=$((failed + 1))
        echo "FAILED: $words: $(cat "$work/head" "$work/body" 2>/dev/null)" >&2
    fi
}

command -v curl >/dev/null || exit 77

"$bin/zs-relay" init "$work/relay" --host 127.0.0.1 \
    --mesh "$(printf 'ab%.0s' {1..32})" >"$work/init" 2>&1 || exit 1
# settings PROXIES
settings() {
    cat >"$work/relay/relay.yaml" <<END
relay: {key: relay.key}
meshes: [$(printf 'ab%.0s' {1..32})]
listen: {tcp: ["127.0.0.1:0"], udp: [], proxy_protocol: [$1]}
END
}

settings ""
: >"$work/log"
"$bin/zs-relay" -c "$work/relay/relay.yaml" 2>>"$work/log" &
pid=$!
for ((i = 0; i < 200; i++)); do
    port=$(sed -n 's/.*relay_listening endpoint=tcp:\/\/127.0.0.1:\([0-9]*\).*/\1/p' "$work/log")
    [ -n "$port" ] && break
    sleep 0.05
done
[ -n "$port" ] || { cat "$work/log" >&2; exit 1; }

# get PATH OPTION...: the status; $work/head and $work/body have the rest.
get() {
    local path=$1
    shift
    curl -sS --max-time 20 -D "$work/head" -o "$work/body" -w '%{http_code}' \
        "$@" "http://127.0.0.1:$port$path" 2>"$work/curl"
}

status() {
    [ "$(get "${@:2}")" = "$1" ]
}

header() {
    grep -qi "^$1" "$work/head"
}

check "a browser gets a page" status 200 /
check "it says what this is" grep -q "ZeroServices relay" "$work/body"
check "it says so as HTML" header "Content-Type: text/html"
check "it is not stored" header "Cache-Control: no-store"
check "it loads nothing" header "Content-Security-Policy: default-src 'none'"
check "its type is not guessed" header "X-Content-Type-Options: nosniff"
check "HEAD works" status 200 / --head
check "/healthz" status 200 /healthz
check "it says ok" grep -qx ok "$work/body"
check "HEAD /healthz" status 200 /healthz --head
check "another path" status 404 /metrics
check "a POST" status 405 / -d x=y
check "it says what is allowed" header "Allow: GET, HEAD"
check "an unknown method" status 501 / -X BREW
check "HTTP/1.0" status 200 /healthz --http1.0
check "a large head" status 431 / -H "X: $(printf 'x%.0s' {1..9000})"
check "a WebSocket for others gets the page" status 200 / \
    -H "Connection: Upgrade" -H "Upgrade: websocket" \
    -H "Sec-WebSocket-Version: 13" \
    -H "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
check "an old WebSocket" status 426 / \
    -H "Connection: Upgrade" -H "Upgrade: websocket" \
    -H "Sec-WebSocket-Version: 8" -H "Sec-WebSocket-Protocol: zeroservices" \
    -H "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="

# logged WORDS: a line of the log has them within 20 s.
logged() {
    local i
    for ((i = 0; i < 400; i++)); do
        grep -q -- "$1" "$work/log" && return
        sleep 0.05
    done
    return 1
}

# What is no HTTP at all gets an answer, or the end of the connection.
# The relay may close before it has read all: that is an end like any other.
raw() {
    local code
    exec 3<>"/dev/tcp/127.0.0.1/$port" || return 1
    (
        trap '' PIPE
        printf '%b' "$1" 2>/dev/null >&3
    )
    timeout 20 cat <&3 >"$work/body" 2>/dev/null
    code=$?
    exec 3<&-
    [ "$code" != 124 ]
}
check "a bare line feed ends" raw 'GET / HTTP/1.1\nHost: a\n\n'
check "with an answer" grep -q "^HTTP/1.1 400 " "$work/body"
check "another protocol ends" raw 'SSH-2.0-x\r\n'
check "without an answer" test ! -s "$work/body"
check "the log says so" logged "handshake_failed reason=\"unknown_protocol"
check "and names bad requests" logged "http_refused reason=\"bad_request"

# Load balancers.
check "a PROXY header from anybody ends the connection" \
    raw 'PROXY TCP4 203.0.113.7 192.0.2.1 1 2\r\nGET / HTTP/1.0\r\n\r\n'
check "without an answer" test ! -s "$work/body"
check "the log says so" logged 'reason="proxy_not_allowed" address=127.0.0.1'
settings '"127.0.0.1", "10.0.0.1/8"'
"$bin/zs-relay" -c "$work/relay/relay.yaml" --check 2>"$work/head"
check "a network with wrong bits is no setting" test $? = 3
check "it says what is" grep -q "proxy_protocol.*10.0.0.0/8" "$work/head"
settings '"127.0.0.1", "10.0.0.0/8"'
kill -HUP "$pid"
check "load balancers are read again" logged \
    "setting_changed key=listen.proxy_protocol"
check "one names its client by a PROXY header" \
    raw 'PROXY TCP4 203.0.113.7 192.0.2.1 1 2\r\nGET / HTTP/1.0\r\n\r\n'
check "who gets the page" grep -q "^HTTP/1.1 200 " "$work/body"
check "or by HTTP" status 200 / -H "X-Forwarded-For: 203.0.113.7"
check "one that names nobody is refused" status 400 /
check "the log says so" logged 'http_refused reason="no_forwarded_for"'
check "but for /healthz" status 200 /healthz
check "a client behind one is in the log" \
    raw 'PROXY TCP4 203.0.113.7 192.0.2.1 1 2\r\nSSH-2.0-x\r\n'
check "by its address" logged \
    'reason="unknown_protocol" address=203.0.113.7:1'

kill -TERM "$pid"
wait "$pid"
check "it stops" test $? = 0
pid=
grep -E "Sanitizer|runtime error" "$work/log" && failed=$((failed + 1))
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
