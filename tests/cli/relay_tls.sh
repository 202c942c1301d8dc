#!/usr/bin/env bash
# TLS at a relay's listen.tcp: versions, ALPN, curl, the certificate of its own,
# files that are wrong, and a certificate that is renewed while a connection
# lives.
set -u

bin=${ZS_BIN:?the folder of the programs}
work=$(mktemp -d)
pid=
passed=0
failed=0
mesh=$(printf 'ab%.0s' {1..32})

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
        echo "FAILED: $words: $(cat "$work/out" "$work/log" 2>/dev/null)" >&2
    fi
}

command -v curl >/dev/null && command -v openssl >/dev/null || exit 77

# settings [LINE]: the relay's file.
settings() {
    cat >"$work/relay/relay.yaml" <<END_OF_FILE
relay: {key: relay.key, name: relay-7}
meshes: [$mesh]
listen: {tcp: ["127.0.0.1:0"], udp: []}
${1:-}
END_OF_FILE
}

# logged WORDS: a line of the log has them within 30 s.
logged() {
    local i
    for ((i = 0; i < 600; i++)); do
        grep -q -- "$1" "$work/log" && return
        sleep 0.05
    done
    return 1
}

start() {
    : >"$work/log" # else a line of the last run would count
    "$bin/zs-relay" -c "$work/relay/relay.yaml" 2>"$work/log" &
    pid=$!
    logged "relay_listening endpoint=tcp://127.0.0.1:" ||
        { cat "$work/log" >&2; exit 1; }
    port=$(sed -n 's/.*relay_listening endpoint=tcp:\/\/127.0.0.1:\([0-9]*\).*/\1/p' "$work/log")
}

stop() {
    kill -TERM "$pid"
    wait "$pid"
    check "it stops" test $? = 0
    pid=
    grep -E "Sanitizer|runtime error" "$work/log" && failed=$((failed + 1))
}

# checks CODE: what --check says is in $work/out.
checks() {
    "$bin/zs-relay" -c "$work/relay/relay.yaml" --check >"$work/out" 2>&1
    [ $? = "$1" ]
}

says() {
    grep -q -- "$1" "$work/out"
}

# client OPTION...: a handshake of openssl; $work/out has what it says.
client() {
    timeout 20 openssl s_client -connect "127.0.0.1:$port" "$@" \
        </dev/null >"$work/out" 2>&1
}

fingerprint() {
    openssl x509 -noout -fingerprint -sha256 | tr -d : | sed 's/.*=//' |
        tr A-F a-f
}

shown() {
    client && fingerprint <"$work/out"
}

pair() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -subj "/CN=localhost" -addext "subjectAltName=DNS:localhost" -days 30 \
        -keyout "$work/$1.key" -out "$work/$1.pem" 2>/dev/null
    chmod 600 "$work/$1.key"
}

rsa_pair() {
    openssl req -x509 -newkey rsa:2048 -nodes -subj "/CN=localhost" -days 30 \
        -keyout "$work/$1.key" -out "$work/$1.pem" 2>/dev/null
    chmod 600 "$work/$1.key"
}

# renew NAME: the links change as certbot changes them.
renew() {
    ln -s "$work/$1.key" "$work/live/new"
    mv -T "$work/live/new" "$work/live/privkey.pem"
    ln -s "$work/$1.pem" "$work/live/new"
    mv -T "$work/live/new" "$work/live/fullchain.pem"
}

# becomes NAME: new connections get that certificate within 60 s.
becomes() {
    local i
    for ((i = 0; i < 600; i++)); do
        [ "$(shown)" = "$(fingerprint <"$work/$1.pem")" ] && return
        sleep 0.1
    done
    return 1
}

"$bin/zs-relay" init "$work/relay" --host 127.0.0.1 --mesh "$mesh" \
    >"$work/out" 2>&1 || exit 1

# ---- The certificate of its own

settings
check "without a certificate all is well" checks 0
check "--check makes none" test ! -e "$work/relay/relay-tls.pem"
start
check "the relay makes one" logged "certificate_made"
check "for itself alone" test "$(stat -c %a "$work/relay/relay-tls.pem")" = 600
check "TLS 1.3" client -tls1_3
check "it is TLS 1.3" says "TLSv1.3"
check "TLS 1.2" client -tls1_2
check "it is TLS 1.2" says "TLSv1.2"
check "no compression" says "Compression: NONE"
check "a name" says "CN = relay-7"
refused() {
    ! client "$@"
}
check "no TLS 1.1" refused -tls1_1 -cipher "ALL:@SECLEVEL=0"
check "by an alert" says "alert protocol version"
check "no weak cipher" refused -tls1_2 -cipher AES128-SHA
check "ALPN" client -alpn h2,http/1.1
check "is http/1.1" says "ALPN protocol: http/1.1"
check "not HTTP/2 alone" refused -alpn h2
check "by an alert" says "no application protocol"
check "without ALPN" client
check "the log says what failed" logged "tls_failed reason=\"version"

get() {
    [ "$(curl -sS --max-time 20 -o "$work/out" -w '%{http_code}' "${@:2}")" = "$1" ]
}
check "curl gets /healthz" get 200 -k "https://127.0.0.1:$port/healthz"
check "it says ok" says "^ok$"
check "a page" get 200 -k "https://127.0.0.1:$port/"
check "the certificate can be pinned" get 200 \
    --cacert "$work/relay/relay-tls.pem" --connect-to "relay-7:443:127.0.0.1:$port" \
    https://relay-7/healthz
check "plain HTTP on the same port" get 200 "http://127.0.0.1:$port/healthz"
first=$(shown)
stop
start
check "it is kept" test "$(shown)" = "$first"
stop
chmod 644 "$work/relay/relay-tls.pem"
check "a key for all to read" checks 3
check "it says so" says "relay-tls.pem: secrets readable by others"
"$bin/zs-relay" -c "$work/relay/relay.yaml" >"$work/out" 2>&1
check "does not start" test $? = 3
echo nonsense >"$work/relay/relay-tls.pem"
chmod 600 "$work/relay/relay-tls.pem"
check "a broken file" checks 3
check "it says so" says "relay-tls.pem: no PEM certificate"

# ---- Files

pair one
pair two
mkdir "$work/live"
renew one
settings "tls: {certificate: $work/live/fullchain.pem, key: $work/live/privkey.pem}"
check "files" checks 0
settings "tls: {certificate: $work/one.pem, key: $work/two.key}"
check "a key of another certificate" checks 3
check "it says so" says "two.key: not the key of the first certificate"
settings "tls: {certificate: $work/none.pem, key: $work/two.key}"
check "no file" checks 3
check "it says so" says "none.pem: No such file"
settings "tls: {certificate: $work/live/fullchain.pem, key: $work/live/privkey.pem}"
start
check "the file's certificate" test "$(shown)" = "$(fingerprint <"$work/one.pem")"
check "curl trusts it" get 200 --cacert "$work/one.pem" \
    --connect-to "localhost:443:127.0.0.1:$port" https://localhost/healthz

# A connection lives while the certificate is renewed.
mkfifo "$work/talk"
openssl s_client -quiet -no_ign_eof -connect "127.0.0.1:$port" -crlf \
    <"$work/talk" >"$work/out" 2>/dev/null &
living=$!
exec 4>"$work/talk"
echo "GET /healthz HTTP/1.1" >&4
renew two
kill -HUP "$pid"
check "SIGHUP reads the files again" logged \
    "certificate_loaded days_left=[23][0-9] sha256=$(fingerprint <"$work/two.pem")"
printf 'Host: relay\n\n' >&4
answered() {
    local i
    for ((i = 0; i < 200; i++)); do
        says "^ok" && return
        sleep 0.05
    done
    return 1
}
# In time: a request may take 10 s.
check "an older connection goes on" answered
check "new ones get the new certificate" becomes two
exec 4>&-
kill "$living" 2>/dev/null
wait "$living" 2>/dev/null

# What is no pair changes nothing.
echo nonsense >"$work/bad.pem"
ln -sfn "$work/bad.pem" "$work/live/fullchain.pem"
check "a bad file is told" logged "certificate_refused text=.*fullchain.pem: no PEM"
check "the old pair stays" test "$(shown)" = "$(fingerprint <"$work/two.pem")"
renew one
check "files that change are read by themselves" becomes one
check "the log says so" logged "certificate_loaded days_left=[23][0-9] sha256=$(fingerprint <"$work/one.pem")"

# With RSA other exchanges of keys would be possible.
rsa_pair rsa
renew rsa
kill -HUP "$pid"
check "a certificate of RSA" becomes rsa
check "by TLS 1.2" client -tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256
check "no exchange by RSA" refused -tls1_2 -cipher AES128-GCM-SHA256
check "nor in finite fields" refused -tls1_2 -cipher DHE-RSA-AES128-GCM-SHA256
check "nor CBC" refused -tls1_2 -cipher ECDHE-RSA-AES128-SHA256
stop
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
