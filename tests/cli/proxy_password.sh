#!/bin/bash
# A proxy's password is seen nowhere: in no log, status, netcheck, page, printed
# setting, mistake or command line, whether it is from the file or from the
# environment, right or wrong.
#
#   here: a relay, alice, and a proxy that asks everybody for another password
. "$(dirname "$0")/says.sh"

SECRET=Gurkensalat
PROXY=127.0.0.1:3128

mesh_of alice
host here
relay_of_mesh office hub 127.0.0.1
member office alice --replace
start_relay hub here
mkdir "$LAB/seen"

# What any program has said so far; the files with the settings are not of it.
nowhere() { # WHAT
    if grep -rl --exclude='*.yaml' "$SECRET" "$LAB" >"$LAB/found" 2>&1; then
        sed -i '/\/found$/d' "$LAB/found"
    fi
    [ ! -s "$LAB/found" ] && ok "$1" ||
        not_ok "$1" "$(while read -r f; do echo "$f: $(grep -a "$SECRET" "$f")"; done <"$LAB/found")"
}

spawn proxy here python3 -B -u -c '
import socket
s = socket.create_server(("127.0.0.1", 3128))
while True:
    c, _ = s.accept()
    if c.recv(4096):
        c.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n"
                  b"Proxy-Authenticate: Basic realm=\"lab\"\r\n"
                  b"Content-Length: 0\r\n\r\n")
        print("asked")
    c.close()'

settings() { # PROXY
    sed -i '/^proxy:/d; /^log:/d; /^api:/d' "$LAB/alice.yaml"
    conf alice "log: {level: debug}" "api: {http: '127.0.0.1:8080'}" "proxy: $1"
}

# --- The file

settings "http://anna:$SECRET@$PROXY"
check "the file is right" ends_with 0 "$ZS_BIN/zs-edge" -c "$LAB/alice.yaml" --check
check "the settings are printed" ends_with 0 "$ZS_BIN/zs-edge" \
    -c "$LAB/alice.yaml" --print-config
check "with the user and the proxy" said "http://anna:***@$PROXY"
nowhere "without the password"

for wrong in "ftp://anna:$SECRET@$PROXY" "http://anna:$SECRET@127.0.0.1" \
    "http://anna:$SECRET@127.0.0.1:0" "http:/anna:$SECRET@$PROXY" \
    "anna:$SECRET@$PROXY" "http://anna:$SECRET@$PROXY/path" \
    "'http://anna:$SECRET@a b:1'" "[http://anna:$SECRET@$PROXY]" \
    "{http: $SECRET}"; do
    settings "$wrong"
    check "refused: ${wrong//$SECRET/...}" ends_with 3 "$ZS_BIN/zs-edge" \
        -c "$LAB/alice.yaml" --check
    check "with its place" complained "alice.yaml:"
done
nowhere "a mistake shows no password"

# --- An edge that runs

looked_at() { # WHAT
    local pid
    pid=$(pid_of alice)
    answers alice
    until_true 30 grep -q asked "$LAB/proxy.log" ||
        not_ok "$1: the proxy was asked"
    until_true 30 bash -c "'$ZS_BIN/zs' --socket /run/zeroservices/alice.sock \
        status --json | grep -q proxy_auth" ||
        not_ok "$1: the proxy wants another password"
    for words in status "status --json" netcheck "netcheck --json" \
        "peers --json" "top --count 1 --json"; do
        # shellcheck disable=SC2086 # several words
        timeout $PATIENCE_S "$ZS_BIN/zs" --socket /run/zeroservices/alice.sock $words \
            >>"$LAB/seen/$1" 2>&1 || true
    done
    token=$(at alice status --json | python3 -c \
        'import json, sys; print(open(json.load(sys.stdin)["node"]["token_file"]).read().strip())')
    as here curl -s -H "Authorization: Bearer $token" \
        "http://127.0.0.1:8080/metrics" >>"$LAB/seen/$1" 2>&1 || true
    tr '\0' ' ' <"/proc/$pid/cmdline" >>"$LAB/seen/$1"
    ps -ef >>"$LAB/seen/$1"
    check "$1: netcheck shows the proxy" grep -q "$PROXY" "$LAB/seen/$1"
    nowhere "$1: no password anywhere"
    : >"$LAB/proxy.log"
}

settings "http://anna:$SECRET@$PROXY"
edge here alice
looked_at file
settings "http://anna:$SECRET-2@$PROXY"
kill -HUP "$(pid_of alice)"
check "a reload tells of the change" until_true 5 \
    grep -q "reload_needs_restart key=proxy" "$LAB/alice.log"
settings "http://anna:$SECRET@"
kill -HUP "$(pid_of alice)"
check "a reload refuses a wrong one" until_true 5 \
    grep -q "reload_refused\|reload_failed" "$LAB/alice.log"
nowhere "no reload shows it"
end alice

# --- The environment

settings '""'
export https_proxy=http://anna:$SECRET@$PROXY
: >"$LAB/proxy.log" # Of the edge before: it was asked, too.
edge here alice
answers alice
until_true 30 grep -q asked "$LAB/proxy.log" || not_ok "the proxy was asked"
check "zs reads it, too" at alice status
at alice netcheck --json >"$LAB/netcheck.json" || true
check "netcheck names the variable" grep -q '"from": *"https_proxy"' \
    "$LAB/netcheck.json"
check "and the proxy" grep -q "\"http://$PROXY\"" "$LAB/netcheck.json"
nowhere "a variable: no password anywhere"
end alice

export https_proxy=ftp://anna:$SECRET@$PROXY
edge here alice
answers alice
at alice netcheck --json >"$LAB/netcheck.json" || true
check "a wrong variable is a finding" grep -q proxy_wrong "$LAB/netcheck.json"
nowhere "a wrong variable: no password anywhere"
end alice
unset https_proxy
end proxy
finish
