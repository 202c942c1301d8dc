#!/bin/bash
# The relay's WebSocket as the npm client `ws` sees it, on the hosts of the lab.
. "$(dirname "$0")/browser.sh"

lan street
host hub
plug hub street 203.0.113.10/24
mesh office
relay_of_mesh office hub 203.0.113.10
start_relay hub hub
host alice
plug alice street 203.0.113.2/24
check "the relay answers /healthz on its port" \
    as alice curl -fsS -o "$LAB/health" http://203.0.113.10:443/healthz

# client MODE CODE WORDS: the connection ends with that code.
client() {
    as alice env NODE_PATH="$ZS_WEB/node_modules" timeout 200 \
        node "$WEB_DIR/relay_ws.cjs" "$1" 203.0.113.10:443 >"$LAB/$1.out" 2>&1
    check "$3" test "$(tail -1 "$LAB/$1.out")" = "closed $2"
}
client text 1003 "a text message ends with 1003"
client ping 4001 "a PING is answered"
client close 1000 "a close is answered with its code"
client greeting 1000 "the relay says the greeting of ZMTP, in the subprotocol"
client silent 1006 "a client that says nothing is cut"
finish
