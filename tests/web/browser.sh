# shellcheck shell=bash
# browser.sh - headless Chromium on the hosts of the lab, for the tests beside
# this file. To be sourced:
#
#     . "$(dirname "$0")/browser.sh"
#     street                      # hosts, a relay, and three edges with pages
#     scenario chat.mjs           # what happens there; see kit.mjs
#     finish
#
# The driver, playwright-core, and the client ws come from the npm registry as
# package-lock.json pins them, once, into the build's folder web/. Where it, Chromium or Node.js is
# not to be had, the test is skipped and says why.

WEB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ZS_WEB=$(realpath -m "${ZS_BIN:-$WEB_DIR/../../build/bin}/../web")
export ZS_WEB
# The lab's /run is its own, and the home folder none of its business.
CHROMIUM=$(command -v chromium || true)

NOT_REACHED='ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT'
NOT_REACHED+='|EHOSTUNREACH|ENETUNREACH|ERR_SOCKET_TIMEOUT'

web_skip() {
    echo "$(basename "$0" .sh): $*: skipped" >&2
    exit 77
}

web_installed() {
    cmp -s "$WEB_DIR/package-lock.json" "$ZS_WEB/installed.json"
}

# A registry out of reach is no fault of the tree; anything else npm complains
# of is, and fails the test.
web_install() {
    local log=$ZS_WEB/npm.log
    web_installed && return
    cp "$WEB_DIR/package.json" "$WEB_DIR/package-lock.json" "$ZS_WEB/"
    if timeout 60 npm ci --prefix "$ZS_WEB" --ignore-scripts --no-audit \
        --no-fund --fetch-retries=1 --fetch-retry-mintimeout=1000 \
        --fetch-timeout=20000 >"$log" 2>&1; then
        cp "$ZS_WEB/package-lock.json" "$ZS_WEB/installed.json"
        return
    elif [ $? = 124 ] || grep -qE "$NOT_REACHED" "$log"; then
        web_skip "the npm registry is not reached," \
            "and so playwright-core not installed"
    fi
    cat "$log" >&2
    echo "$(basename "$0"): npm could not install playwright-core" >&2
    exit 1
}

# Before the lab is entered: there is no way to a registry from inside.
if [ "${ZS_LAB:-}" != entered ]; then
    [ -n "$CHROMIUM" ] ||
        web_skip "chromium is not installed (deploy/setup test)"
    command -v node >/dev/null ||
        web_skip "node is not installed (deploy/setup test)"
    web_installed || command -v npm >/dev/null ||
        web_skip "npm is not installed (deploy/setup test)"
    mkdir -p "$ZS_WEB"
    exec {web_lock}>"$ZS_WEB/lock"
    flock "$web_lock"
    web_install
    exec {web_lock}>&-
fi

. "$WEB_DIR/../net/lab.sh"
unset http_proxy HTTP_PROXY ALL_PROXY DBUS_SESSION_BUS_ADDRESS DISPLAY
export HOME=$LAB TMPDIR=$LAB LAB CHROMIUM

# --- What all scenarios are played on ----------------------------------------

# Each edge's pages are at 127.0.0.1:8080 of its own host; the browser of a host
# is in its network.
#
#   alice---+---[ street ]---+---hub (relay, 203.0.113.10:443)
#   bob-----+                +---carol: only TCP 443 to the relay passes
street() {
    local name
    lan street
    host hub
    plug hub street 203.0.113.10/24
    mesh office
    relay_of_mesh office hub 203.0.113.10
    start_relay hub hub
    for name in alice bob carol; do
        host $name
        member office $name
        web_conf "$name"
    done
    plug alice street 203.0.113.2/24
    plug bob street 203.0.113.3/24
    plug carol street 203.0.113.4/24
    only_tcp_to carol 203.0.113.10 443
    for name in alice bob carol; do
        edge $name $name
    done
    answers alice bob carol
    sees alice bob tcp 10s
    sees alice carol relay 10s
    sees bob carol relay 10s
}

web_conf() { # NAME - the pages of its edge.
    conf "$1" 'api: {http: "127.0.0.1:8080"}'
    printf '#!/bin/sh\nexec nsenter --net=/run/netns/%s %s "$@"\n' \
        "$1" "$CHROMIUM" >"$LAB/chromium-$1"
    chmod +x "$LAB/chromium-$1"
}

# No packet between alice and bob but by the relay, and none by their
# link-local addresses; and again.
cut() {
    as alice nft -f - <<'NFT'
table inet cut {
    chain in {
        type filter hook input priority filter;
        ip saddr 203.0.113.3 drop
        ip6 saddr fe80::/10 drop
    }
    chain out {
        type filter hook output priority filter;
        ip daddr 203.0.113.3 drop
        ip6 daddr fe80::/10 drop
    }
}
NFT
}

mend() {
    as alice nft delete table inet cut
}

# --- Scenarios ---------------------------------------------------------------

# Runs a scenario. It asks for functions of the lab, a command a line; each is
# answered with its exit code, and what it prints is what the script prints.
scenario() { # FILE.mjs
    local line node code
    mkfifo "$LAB/asks" "$LAB/answers"
    node "$WEB_DIR/$1" 3>"$LAB/asks" 4<"$LAB/answers" 2>>"$LAB/$1.log" &
    node=$!
    exec 8<"$LAB/asks" 9>"$LAB/answers"
    while IFS= read -r line <&8; do
        code=0
        eval "$line" 8<&- 9>&- || code=$?
        echo "$code" >&9
    done
    exec 8<&- 9>&-
    rm "$LAB/asks" "$LAB/answers"
    check "$1 came to its end" wait "$node"
}
