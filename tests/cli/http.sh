#!/bin/bash
# The edge's web server: the whole API over a WebSocket, the pages, the figures,
# and who is refused.
#
#   here: alice (HTTP on loopback), bob (HTTP on every address)
. "$(dirname "$0")/says.sh"

url=127.0.0.1:8080
far=127.0.0.1:8081

in_here=(nsenter --net=/run/netns/here)
web=("${in_here[@]}" python3 "$NET_DIR/../cli/web.py")
web_start() { # NAME ADDRESS
    edge here "$1" --http "$2"
    answers "$1"
}

no() { ! "$@"; }
answered() { grep -qF -- "$1" "$LAB/said.out"; }
gets() { # STATUS URL [options]
    local status=$1 what=$2
    shift 2
    ends_with 0 "${web[@]}" get "http://$what" "$@" && answered "HTTP/1.1 $status"
}
refuses() { # STATUS URL [options]
    local status=$1 what=$2
    shift 2
    ends_with 1 "${web[@]}" ws "ws://$what" "$@" --count 1 &&
        answered "refused $status"
}
closes() { # CODE [options]
    local code=$1
    shift
    ends_with 1 "${web[@]}" ws "ws://$url/api" -H "$bearer" "$@" --count 1 &&
        answered "closed $code"
}

mesh_of alice bob carol
host here
web_start alice $url
web_start bob '*:8081'
until_true 5 grep -q peer_joined "$LAB/alice.log" || true
token=$(cat /run/zeroservices/alice.token)
far_token=$(cat /run/zeroservices/bob.token)
bearer="Authorization: Bearer $token"
check "only the owner can read the token's file" \
    test "$(stat -c %a /run/zeroservices/alice.token)" = 600

# --- The API

talk() { ends_with 0 "${web[@]}" ws "ws://$url/api" -H "$bearer" "$@"; }

check "a page sends each operation that needs no preparation" talk --count 11 \
    '{"op":"status","ref":1}' '{"op":"peers","ref":2}' \
    '{"op":"subscribe","ref":3}' '{"op":"join","ref":4,"group":"lab"}' \
    '{"op":"send","ref":5,"to":"bob","type":"t","data":{"a":[1]}}' \
    '{"op":"ping","ref":6,"to":"bob"}' \
    '{"op":"publish","ref":7,"type":"t","data":1}' \
    '{"op":"leave","ref":8,"group":"lab"}' \
    '{"op":"cancel","ref":9,"request":77}'
for ref in 1 2 3 4 5 6 7 8; do
    check "operation $ref is answered" answered "{\"ref\":$ref,\"ok\":true"
done
check "a mistake is answered" answered '{"ref":9,"ok":false'
check "a subscription begins with the present peers" answered '"event":"join"'
check "status has the address of the pages" answered "\"http\":\"http://$url/\""

"${web[@]}" ws "ws://$url/api" -H "$bearer" --count 6 '{"op":"subscribe","ref":1}' \
    >"$LAB/alice.heard" 2>&1 &
heard=$!
until_true 5 grep -q synced "$LAB/alice.heard" || true
head -c 300000 /dev/zero | tr '\0' x >"$LAB/large"
check "bob sends" at bob send alice greeting '<b>hi</b>'
check "bob sends a message that takes many pieces" \
    at bob send alice large - <"$LAB/large"
check "bob publishes" at bob publish greeting all
check "the page gets all events" wait "$heard"
check "the text arrives unchanged" \
    grep -qF '"type":"greeting","data":"<b>hi</b>"' \
    "$LAB/alice.heard"
check "the large message arrives whole" \
    test "$(tr -dc x <"$LAB/alice.heard" | wc -c)" = 300000
check "the publication arrives" grep -qF '"event":"event"' "$LAB/alice.heard"

cat >"$LAB/answer.py" <<'PY'
import json, sys
sys.path.insert(0, sys.argv[1])
from web import WebSocket

web = WebSocket(f"ws://{sys.argv[2]}/api", [sys.argv[3]])
web.say('{"op":"subscribe","types":["sum"]}')
while (event := json.loads(web.hear())).get("event") != "message":
    print(event, flush=True)
web.say(json.dumps({"op": "reply", "ref": 1, "to": event["from"],
                    "request": event["request"], "data": "seven"}))
assert json.loads(web.hear())["ok"]
PY
"${in_here[@]}" python3 "$LAB/answer.py" "$NET_DIR/../cli" $url \
    "$bearer" \
    >"$LAB/answer" 2>&1 &
answerer=$!
until_true 5 grep -q synced "$LAB/answer" || true
check "bob sends a request" ends_with 0 "$ZS_BIN/zs" \
    --socket /run/zeroservices/bob.sock request alice sum 3 --timeout 60s
check "bob gets the reply of a page" answered seven
check "the page learns that its reply was accepted" wait "$answerer"

check "a message may contain line breaks" talk '{"op":"peers",
  "ref":1}'
check "a page sends text that is not JSON" talk 'nonsense'
check "the answer is bad_request" answered bad_request

# --- Pages and figures

check "the chat page is served" gets 200 $url/
check "the page may load nothing from other servers" \
    answered "default-src 'self'"
check "no page may put it into a frame" answered "frame-ancestors 'none'"
check "the browser may not guess its type" \
    answered "X-Content-Type-Options: nosniff"
check "the dashboard is served" gets 200 $url/dashboard
check "the dashboard's script is served" gets 200 $url/dashboard.js
check "its type is JavaScript" answered "Content-Type: text/javascript"
check "/healthz is served" gets 200 $url/healthz
check "/metrics is served" gets 200 $url/metrics
check "it counts peers" answered 'zs_edge_peers{path="tcp"} 1'
check "it counts messages" grep -qE '^zs_edge_delivered_total [1-9]' \
    "$LAB/said.out"
check "an unknown path is 404" gets 404 $url/nothing
check "a path cannot leave the pages" gets 404 $url/../../../etc/passwd
check "/api without a WebSocket is 426" gets 426 $url/api -H "$bearer"
check "the answer names version 13" answered "Sec-WebSocket-Version: 13"
check "POST is refused" gets 405 $url/ -X POST

# --- Who is refused, and why

evil='Origin: http://evil.example'
own="Origin: http://$url"
check "a WebSocket of this host needs the token" refuses 401 $url/api
check "a plain request to the API needs the token" gets 401 $url/api
check "the edge's own page needs its cookie" refuses 401 $url/api -H "$own"
check "a WebSocket through a proxy needs the token" refuses 401 $url/api \
    -H 'X-Forwarded-For: 203.0.113.9'
check "each header of a proxy counts" refuses 401 $url/api \
    -H 'Forwarded: for=203.0.113.9;proto=https'
check "a page through a proxy needs the token" \
    gets 401 $url/ -H 'X-Forwarded-Proto: https'
check "figures through a proxy need the token" \
    gets 401 $url/metrics -H 'X-Real-IP: 203.0.113.9'
check "a proxy with the token is admitted" \
    talk -H 'X-Forwarded-For: 203.0.113.9' \
    '{"op":"peers"}'
check "a page of another server is refused" refuses 403 $url/api -H "$evil"
check "it is refused again" refuses 403 $url/api -H "$evil"
check "a page without an origin is refused" \
    refuses 403 $url/api -H 'Origin: null'
check "a foreign name of this host is refused" refuses 403 $url/api \
    -H 'Host: evil.example:8080' -H 'Origin: http://evil.example:8080'
check "a foreign name is refused for pages" \
    gets 403 $url/ -H 'Host: evil.example'
check "a foreign name is refused for figures" \
    gets 403 $url/metrics -H 'Host: evil.example'
check "a foreign name is refused again" gets 403 $url/ -H 'Host: evil.example'
check "a wrong token is refused" \
    refuses 401 "$url/api?token=${token/[0-9a-f]/x}"
check "a wrong token is refused again" \
    refuses 401 "$url/api?token=${token/[0-9a-f]/x}"
check "a page of another server with the token is admitted" \
    ends_with 0 "${web[@]}" ws \
    "ws://$url/api?token=$token" -H "$evil" '{"op":"peers"}'
check "so is one with the token as bearer" talk -H "$evil" '{"op":"peers"}'
check "only /api becomes a WebSocket" refuses 200 $url/
for reason in no_token forwarded foreign_origin foreign_host wrong_token; do
    check_logged "$reason is logged once" alice "reason=$reason" 1
done

# --- The address that lets a browser in

check "status shows the address" ends_with 0 "$ZS_BIN/zs" \
    --socket /run/zeroservices/alice.sock status
page=$(sed -n 's/^ *pages *//p' "$LAB/said.out")
check "the address contains the token" \
    test "$page" = "http://$url/?token=$token"
check "status --json shows it, too" ends_with 0 "$ZS_BIN/zs" \
    --socket /run/zeroservices/alice.sock status --json
check "JSON has the address in a member of its own" said "\"page\":\"$page\""
check "a page asks for status" talk '{"op":"status"}'
check "the page does not learn the token" \
    ends_with 1 grep -q "$token" "$LAB/said.out"
check "the address redirects" gets 303 "${page#http://}"
check "it sets a cookie that scripts cannot read" answered \
    "Path=/; HttpOnly; SameSite=Strict"
check "the cookie does not contain the token" ends_with 1 grep -q "$token" \
    "$LAB/said.out"
check "a browser opens the address" ends_with 0 "${web[@]}" open "$page"
check "the browser ends at an address without the token" \
    test "$(sed -n '1p;2q' "$LAB/said.out")" = "http://$url/"
check "the browser gets the page" answered "HTTP/1.1 200"
cookie="Cookie: a=b; $(sed -n 3p "$LAB/said.out")"
kept() { # OPTIONS... - by the cookie.
    ends_with 0 "${web[@]}" ws "ws://$url/api" -H "$cookie" "$@" '{"op":"peers"}'
}
check "the cookie admits its page" kept -H "$own"
check "the cookie admits it behind a proxy, too" \
    kept -H "$own" -H 'X-Forwarded-For: 203.0.113.9'
check "the cookie does not admit a page of another server" \
    refuses 403 $url/api -H "$cookie" -H "$evil"
check "nor a page of another port" refuses 403 $url/api -H "$cookie" \
    -H 'Origin: http://127.0.0.1:9090'
check "nor a page by another name of the host" \
    refuses 401 $url/api -H "$cookie" \
    -H 'Host: localhost:8080' -H 'Origin: http://localhost:8080'
check "nor at the edge of another port" refuses 401 $far/api -H "$cookie" \
    -H "Origin: http://$far"
check "the address of another page works as well" ends_with 0 "${web[@]}" open \
    "http://$url/dashboard?x=1&token=$token"
check "it leads to the page that was asked for" \
    test "$(sed -n '1p;2q' "$LAB/said.out")" = "http://$url/dashboard"
check "the address works through a TLS proxy" gets 303 "${page#http://}" \
    -H 'Host: edge.example' -H 'X-Forwarded-Proto: https'
check "the cookie is for TLS only" answered "SameSite=Strict; Secure"
check "the log never has the token" ends_with 1 grep -q "$token" \
    "$LAB/alice.log"

check "status of an edge that listens on every address" \
    ends_with 0 "$ZS_BIN/zs" \
    --socket /run/zeroservices/bob.sock status
check "shows an address that a browser can open" said \
    "http://127.0.0.1:8081/?token=$far_token"
check "from another host a page needs the token" gets 401 $far/
check "figures need the token" gets 401 $far/metrics
check "the API needs the token" refuses 401 $far/api -H "Origin: http://$far"
check_logged "which is logged once" bob reason=no_token 1
check "the token of another edge is refused" gets 401 "$far/?token=$token"
check "its own token" \
    ends_with 0 "${web[@]}" open "http://$far/?token=$far_token"
check "admits the client" answered "HTTP/1.1 200"
check "the cookie's name has the port" answered "zs_edge_8081="
cookie="Cookie: a=b; $(sed -n 3p "$LAB/said.out")"
check "the cookie admits its page" ends_with 0 "${web[@]}" ws "ws://$far/api" \
    -H "$cookie" -H "Origin: http://$far" '{"op":"peers"}'
check "it admits no other page" refuses 403 $far/api -H "$cookie" -H "$evil"

# --- A flood, to a page that reads and to one that does not

"${web[@]}" ws "ws://$url/api" -H "$bearer" --count 20003 \
    '{"op":"subscribe","types":["flood"]}' >"$LAB/flood.heard" 2>&1 &
reader=$!
cat >"$LAB/stuck.py" <<'PY'
import sys, time
sys.path.insert(0, sys.argv[1])
from web import WebSocket

web = WebSocket(f"ws://{sys.argv[2]}/api", [sys.argv[3]])
web.say('{"op":"subscribe","types":["flood"]}')
print(web.hear(), flush=True)
while sys.stdin.readline():
    pass
while (message := web.hear()) is not None:
    last = message
print(last, web.ended)
PY
mkfifo "$LAB/hold"
"${in_here[@]}" python3 "$LAB/stuck.py" "$NET_DIR/../cli" $url \
    "$bearer" \
    <"$LAB/hold" >"$LAB/stuck" 2>&1 &
stuck=$!
exec 7>"$LAB/hold"
until_true 5 grep -q ok "$LAB/stuck" || true
until_true 5 grep -q synced "$LAB/flood.heard" || true
head -c 3000 /dev/zero | tr '\0' x >"$LAB/line"
yes "$(cat "$LAB/line")" | head -n 20000 >"$LAB/lines" || true
check "bob floods" at bob send alice flood --lines <"$LAB/lines"
check "the client that reads gets all events" wait "$reader"
exec 7>&-
check "the client that does not read is disconnected" wait "$stuck"
check "its last message says why" \
    grep -q '"reason":"slow".*closed 1008' "$LAB/stuck"

# --- Frames that are none

too_long() {
    head -c 24000000 /dev/zero | tr '\0' x |
        closes 1009 -
}
check "a binary frame ends the WebSocket" closes 1003 --bytes 82810000000055
check "an unknown kind of frame ends it" closes 1002 --bytes 83810000000055
check "text that is not UTF-8 ends it" closes 1007 --bytes 818100000000ff
check "a message over the limit ends it" too_long
check "a second one as well" closes 1002 --bytes 83810000000055
check "a third one as well" closes 1003 --bytes 82810000000055
check "a fourth one as well" closes 1007 --bytes 818100000000ff
check "a fifth one as well" too_long
for code in 1002 1003 1007 1009; do
    check_logged "$code is logged once" alice "http_closed code=$code" 1
done
check "the edge still works" gets 200 $url/healthz

# --- It ends, and comes back

"${web[@]}" ws "ws://$url/api" -H "$bearer" --count 9 '{"op":"subscribe"}' >"$LAB/last" 2>&1 &
last=$!
until_true 5 grep -q synced "$LAB/last" || true
stopped=$(now_ms)
end alice
check_ms "a clean stop with a page open" $(($(now_ms) - stopped)) 2000
wait "$last" || true
check "the page learns that the edge ends" grep -q 'closed 1001' "$LAB/last"
web_start alice $url
check "the page connects again" talk '{"op":"peers"}'
check "the token is the same as before" ends_with 0 "${web[@]}" ws \
    "ws://$url/api?token=$token" -H "$evil" '{"op":"peers"}'
check "an edge whose port is taken ends" \
    ends_with 1 "${in_here[@]}" "$ZS_BIN/zs-edge" \
    -c "$LAB/carol.yaml" --http $url
check "it says so" complained "api.http: $url: address already in use"
chmod 644 /run/zeroservices/bob.token
end bob
check "an edge whose token others may read ends" \
    ends_with 1 "${in_here[@]}" "$ZS_BIN/zs-edge" \
    -c "$LAB/bob.yaml" --http $far
check "it says what helps" complained 'chmod 600'
finish
