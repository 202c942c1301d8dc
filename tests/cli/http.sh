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
check "the token is its owner's alone" \
    test "$(stat -c %a /run/zeroservices/alice.token)" = 600

# --- The API

talk() { ends_with 0 "${web[@]}" ws "ws://$url/api" -H "$bearer" "$@"; }

check "all operations that need no more" talk --count 11 \
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
check "who is there comes first" answered '"event":"join"'
check "status says where the pages are" answered "\"http\":\"http://$url/\""

"${web[@]}" ws "ws://$url/api" -H "$bearer" --count 6 '{"op":"subscribe","ref":1}' \
    >"$LAB/alice.heard" 2>&1 &
heard=$!
until_true 5 grep -q synced "$LAB/alice.heard" || true
head -c 300000 /dev/zero | tr '\0' x >"$LAB/large"
check "bob sends" at bob send alice greeting '<b>hi</b>'
check "bob sends what takes many pieces" at bob send alice large - <"$LAB/large"
check "bob publishes" at bob publish greeting all
check "the page hears it all" wait "$heard"
check "as it was sent" grep -qF '"type":"greeting","data":"<b>hi</b>"' \
    "$LAB/alice.heard"
check "in one message" test "$(tr -dc x <"$LAB/alice.heard" | wc -c)" = 300000
check "and what is for all" grep -qF '"event":"event"' "$LAB/alice.heard"

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
check "bob asks" ends_with 0 "$ZS_BIN/zs" \
    --socket /run/zeroservices/bob.sock request alice sum 3 --timeout 5s
check "and a page replies" answered seven
check "which is told so" wait "$answerer"

check "a message may have lines" talk '{"op":"peers",
  "ref":1}'
check "what is no JSON" talk 'nonsense'
check "is answered so" answered bad_request

# --- Pages and figures

check "the chat page" gets 200 $url/
check "may load nothing from elsewhere" answered "default-src 'self'"
check "and stands in no frame" answered "frame-ancestors 'none'"
check "its type is not guessed" answered "X-Content-Type-Options: nosniff"
check "the dashboard" gets 200 $url/dashboard
check "and its script" gets 200 $url/dashboard.js
check "as such" answered "Content-Type: text/javascript"
check "health" gets 200 $url/healthz
check "figures" gets 200 $url/metrics
check "of peers" answered 'zs_edge_peers{path="tcp"} 1'
check "and of messages" grep -qE '^zs_edge_delivered_total [1-9]' \
    "$LAB/said.out"
check "no such page" gets 404 $url/nothing
check "no page of the host's" gets 404 $url/../../../etc/passwd
check "the API wants a WebSocket" gets 426 $url/api -H "$bearer"
check "of version 13" answered "Sec-WebSocket-Version: 13"
check "nothing is posted" gets 405 $url/ -X POST

# --- Who is refused, and why

evil='Origin: http://evil.example'
own="Origin: http://$url"
check "a program of this host" refuses 401 $url/api
check "so does a plain request" gets 401 $url/api
check "the edge's own page without its cookie" refuses 401 $url/api -H "$own"
check "what came by a proxy" refuses 401 $url/api \
    -H 'X-Forwarded-For: 203.0.113.9'
check "by any word for it" refuses 401 $url/api \
    -H 'Forwarded: for=203.0.113.9;proto=https'
check "no page for it" gets 401 $url/ -H 'X-Forwarded-Proto: https'
check "no figures" gets 401 $url/metrics -H 'X-Real-IP: 203.0.113.9'
check "but with the token" talk -H 'X-Forwarded-For: 203.0.113.9' \
    '{"op":"peers"}'
check "another page" refuses 403 $url/api -H "$evil"
check "again" refuses 403 $url/api -H "$evil"
check "a page without a name" refuses 403 $url/api -H 'Origin: null'
check "a name that points here" refuses 403 $url/api \
    -H 'Host: evil.example:8080' -H 'Origin: http://evil.example:8080'
check "so for pages" gets 403 $url/ -H 'Host: evil.example'
check "and figures" gets 403 $url/metrics -H 'Host: evil.example'
check "again" gets 403 $url/ -H 'Host: evil.example'
check "a wrong token" refuses 401 "$url/api?token=${token/[0-9a-f]/x}"
check "again" refuses 401 "$url/api?token=${token/[0-9a-f]/x}"
check "another page with the token" ends_with 0 "${web[@]}" ws \
    "ws://$url/api?token=$token" -H "$evil" '{"op":"peers"}'
check "another page with the token as bearer" talk -H "$evil" '{"op":"peers"}'
check "a WebSocket elsewhere" refuses 200 $url/
for reason in no_token forwarded foreign_origin foreign_host wrong_token; do
    check_logged "$reason is logged once" alice "reason=$reason" 1
done

# --- The address that lets a browser in

check "status shows it" ends_with 0 "$ZS_BIN/zs" \
    --socket /run/zeroservices/alice.sock status
page=$(sed -n 's/^ *pages *//p' "$LAB/said.out")
check "with the token" test "$page" = "http://$url/?token=$token"
check "so does JSON" ends_with 0 "$ZS_BIN/zs" \
    --socket /run/zeroservices/alice.sock status --json
check "in a member of its own" said "\"page\":\"$page\""
check "a page is not told" talk '{"op":"status"}'
check "what its cookie hides" ends_with 1 grep -q "$token" "$LAB/said.out"
check "it leads on" gets 303 "${page#http://}"
check "by a cookie that scripts cannot read" answered \
    "Path=/; HttpOnly; SameSite=Strict"
check "which does not tell the token" ends_with 1 grep -q "$token" \
    "$LAB/said.out"
check "a browser" ends_with 0 "${web[@]}" open "$page"
check "ends where no token is in the address" \
    test "$(sed -n '1p;2q' "$LAB/said.out")" = "http://$url/"
check "at the page" answered "HTTP/1.1 200"
cookie="Cookie: a=b; $(sed -n 3p "$LAB/said.out")"
kept() { # OPTIONS... - by the cookie.
    ends_with 0 "${web[@]}" ws "ws://$url/api" -H "$cookie" "$@" '{"op":"peers"}'
}
check "and is let in from then on" kept -H "$own"
check "behind a proxy, too" kept -H "$own" -H 'X-Forwarded-For: 203.0.113.9'
check "another page is not" refuses 403 $url/api -H "$cookie" -H "$evil"
check "nor one of another port" refuses 403 $url/api -H "$cookie" \
    -H 'Origin: http://127.0.0.1:9090'
check "nor by another name of the host" refuses 401 $url/api -H "$cookie" \
    -H 'Host: localhost:8080' -H 'Origin: http://localhost:8080'
check "nor at another port's edge" refuses 401 $far/api -H "$cookie" \
    -H "Origin: http://$far"
check "it comes to other pages as well" ends_with 0 "${web[@]}" open \
    "http://$url/dashboard?x=1&token=$token"
check "without it, where it was asked for" \
    test "$(sed -n '1p;2q' "$LAB/said.out")" = "http://$url/dashboard"
check "through a TLS proxy" gets 303 "${page#http://}" \
    -H 'Host: edge.example' -H 'X-Forwarded-Proto: https'
check "the cookie is for TLS only" answered "SameSite=Strict; Secure"
check "the log never has the token" ends_with 1 grep -q "$token" \
    "$LAB/alice.log"

check "status of one that listens on every address" ends_with 0 "$ZS_BIN/zs" \
    --socket /run/zeroservices/bob.sock status
check "shows one that a browser can open" said \
    "http://127.0.0.1:8081/?token=$far_token"
check "not on loopback: no token" gets 401 $far/
check "no figures" gets 401 $far/metrics
check "no API" refuses 401 $far/api -H "Origin: http://$far"
check_logged "which is logged once" bob reason=no_token 1
check "another edge's token" gets 401 "$far/?token=$token"
check "the token" ends_with 0 "${web[@]}" open "http://$far/?token=$far_token"
check "lets in" answered "HTTP/1.1 200"
check "for a cookie with its port" answered "zs_edge_8081="
cookie="Cookie: a=b; $(sed -n 3p "$LAB/said.out")"
check "which lets its page in" ends_with 0 "${web[@]}" ws "ws://$far/api" \
    -H "$cookie" -H "Origin: http://$far" '{"op":"peers"}'
check "but no other" refuses 403 $far/api -H "$cookie" -H "$evil"

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
check "who reads hears it all" wait "$reader"
exec 7>&-
check "who does not is let go" wait "$stuck"
check "and told why" grep -q '"reason":"slow".*closed 1008' "$LAB/stuck"

# --- Frames that are none

too_long() {
    head -c 24000000 /dev/zero | tr '\0' x |
        closes 1009 -
}
check "bytes" closes 1003 --bytes 82810000000055
check "an unknown kind of frame" closes 1002 --bytes 83810000000055
check "no UTF-8" closes 1007 --bytes 818100000000ff
check "a message over the limit" too_long
check "again" closes 1002 --bytes 83810000000055
check "again" closes 1003 --bytes 82810000000055
check "again" closes 1007 --bytes 818100000000ff
check "again" too_long
for code in 1002 1003 1007 1009; do
    check_logged "$code is logged once" alice "http_closed code=$code" 1
done
check "the edge is still well" gets 200 $url/healthz

# --- It ends, and comes back

"${web[@]}" ws "ws://$url/api" -H "$bearer" --count 9 '{"op":"subscribe"}' >"$LAB/last" 2>&1 &
last=$!
until_true 5 grep -q synced "$LAB/last" || true
stopped=$(now_ms)
end alice
check_ms "a clean stop with a page open" $(($(now_ms) - stopped)) 2000
wait "$last" || true
check "the page is told" grep -q 'closed 1001' "$LAB/last"
web_start alice $url
check "the page comes back" talk '{"op":"peers"}'
check "the token stayed" ends_with 0 "${web[@]}" ws \
    "ws://$url/api?token=$token" -H "$evil" '{"op":"peers"}'
check "a port that is taken" ends_with 1 "${in_here[@]}" "$ZS_BIN/zs-edge" \
    -c "$LAB/carol.yaml" --http $url
check "is said" complained "api.http: $url: address already in use"
chmod 644 /run/zeroservices/bob.token
end bob
check "a token that others may read" ends_with 1 "${in_here[@]}" "$ZS_BIN/zs-edge" \
    -c "$LAB/bob.yaml" --http $far
check "is said with a remedy" complained 'chmod 600'
finish
