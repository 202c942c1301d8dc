#!/bin/bash
# A mesh is made and kept from the command line: identities, renewal, keys that
# stay on their device, revocation, a relay's settings - and everything that a
# person can do wrong with them, with the exit code and the words for it.
#
# Usage: ZS_BIN=build/bin tests/cli/identities.sh
set -u

bin=${ZS_BIN:?the folder of the programs}
zs=$bin/zs
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
checks=0

fail() {
    echo "FAILED: $*" >&2
    echo "--- stdout"; cat out
    echo "--- stderr"; cat err
    exit 1
} >&2

# run CODE COMMAND...: exits with CODE; what it says is in out and err.
run() {
    local wanted=$1 code=0
    shift
    "$@" >out 2>err </dev/null || code=$?
    checks=$((checks + 1))
    [ "$code" = "$wanted" ] || fail "exit $code, not $wanted: $*"
}

# refused CODE WORDS COMMAND...: exits with CODE, nothing on stdout, says WORDS.
refused() {
    local code=$1 words=$2
    shift 2
    run "$code" "$@"
    [ ! -s out ] || fail "something on stdout: $*"
    grep -qF -- "$words" err || fail "does not say \"$words\": $*"
}

says() {
    grep -qE -- "$1" out || fail "stdout does not say $1"
}

mode_is() {
    [ "$(stat -c %a "$2")" = "$1" ] || fail "mode of $2 is not $1"
}

id='^[0-9a-f]{64}$'

# --- A mesh.
run 0 "$zs" mesh create office --dir office
says "$id"
mesh=$(cat out)
mode_is 600 office/mesh.key
refused 1 "office/mesh.key: exists" "$zs" mesh create office --dir office
run 0 "$zs" id office/mesh.key
says "$mesh"
refused 2 "--dir is missing" "$zs" mesh create office
refused 2 "a name has" "$zs" mesh create "two words" --dir x
refused 2 "a name has" "$zs" mesh create --dir x -- -x
[ ! -e x ] || fail "a folder was made in spite of the mistake"
refused 1 "none/below: No such file" "$zs" mesh create x --dir none/below
refused 2 "unknown command" "$zs" mesh creat
refused 2 "zs mesh" "$zs" mesh
run 0 "$zs" mesh --help
says "create NAME --dir DIR"
for command in create relay add revoke list; do
    run 0 "$zs" mesh $command --help
    says "^Usage: zs mesh $command"
done

# --- A relay, and its URL in the mesh.
if [ -x "$bin/zs-relay" ]; then
    run 0 "$bin/zs-relay" init relay --host 203.0.113.10 --mesh "$mesh"
    says '^tcp://203\.0\.113\.10:443\?key=[0-9a-f]{64}$'
    [ "$(wc -l <out)" = 1 ] || fail "more than the URL on stdout"
    url=$(cat out)
    mode_is 600 relay/relay.key
    run 0 "$bin/zs-relay" -c relay/relay.yaml --check
    run 0 "$zs" id relay/relay.key
    says "curve +${url##*=}"
    refused 1 "exists" "$bin/zs-relay" init relay --host 203.0.113.10
    refused 2 "--host is missing" "$bin/zs-relay" init relay2
    refused 2 "--host wants" "$bin/zs-relay" init relay2 --host "a b"
    refused 2 "--host wants" "$bin/zs-relay" init relay2 --host h:443
    refused 2 "--mesh wants" "$bin/zs-relay" init relay2 --host h --mesh 12
    refused 2 "--mesh any" "$bin/zs-relay" init relay2 --host h --mesh any \
        --mesh "$mesh"
    refused 2 "--port wants" "$bin/zs-relay" init relay2 --host h --port 65536
    [ ! -e relay2 ] || fail "a folder was made in spite of the mistake"
    run 0 "$bin/zs-relay" init relay2 --host 2001:db8::1 --port 8443 --mesh any
    says '^tcp://\[2001:db8::1\]:8443\?key='
    run 0 "$bin/zs-relay" -c relay2/relay.yaml --check
else
    url="tcp://203.0.113.10:443?key=$(printf '9%.0s' {1..64})"
fi
run 0 "$zs" mesh relay --dir office "$url"
run 0 "$zs" mesh relay --dir office "$url"
[ "$(grep -cF "$url" office/mesh.key)" = 1 ] || fail "the relay is there twice"
refused 2 "the relay's URL wants" "$zs" mesh relay --dir office tcp://h:443
refused 3 "none: No such file" "$zs" mesh relay --dir none "$url"

# --- Identities.
run 0 "$zs" mesh add alice --dir office
says "$id"
alice=$(cat out)
mode_is 600 office/alice.zs
run 0 "$zs" id office/alice.zs
says "^name +alice$"
says "^id +$alice$"
says "^mesh +$mesh$"
grep -qF "$url" out || fail "the relay is missing"
run 0 "$zs" id office/alice.zs --json
says '^\{"version":1,.*"name":"alice".*\}$'
says "\"id\":\"$alice\""
run 0 "$zs" id office/alice.zs --z85
says '^.{40}$'
for secret in key mesh_secret; do
    value=$(sed -n "s/^$secret: //p" office/alice.zs)
    [ ${#value} = 64 ] || fail "no $secret in the file"
    run 0 "$zs" id office/alice.zs
    ! grep -q "$value" out err || fail "the $secret is shown"
    run 0 "$zs" id office/alice.zs --json
    ! grep -q "$value" out err || fail "the $secret is shown"
done

cp office/alice.zs before
refused 1 "issued already" "$zs" mesh add alice --dir office
cmp -s before office/alice.zs || fail "the identity was changed"
refused 2 "a name has" "$zs" mesh add .alice --dir office
refused 2 "a name has" "$zs" mesh add ../alice --dir office
refused 1 "reserved for the revocation list" "$zs" mesh add revoked --dir office
for time in 0 -1d 90 90x d 1.5y 101y "" 100ms 1e9d; do
    refused 2 "--expires" "$zs" mesh add bob --dir office --expires="$time"
done
refused 2 "--groups wants" "$zs" mesh add bob --dir office --groups a,,b
refused 2 "--dir is missing" "$zs" mesh add bob
refused 3 "none: No such file" "$zs" mesh add bob --dir none
mkdir empty
refused 3 "empty/mesh.key: No such file" "$zs" mesh add bob --dir empty
refused 3 "Not a directory" "$zs" mesh add bob --dir office/mesh.key
chmod 644 office/mesh.key
refused 3 "chmod 600 office/mesh.key" "$zs" mesh add bob --dir office
chmod 600 office/mesh.key
[ ! -e office/bob.zs ] || fail "an identity was made in spite of the mistake"

run 0 "$zs" mesh add bob --dir office --expires 90d --groups lab,office
run 0 "$zs" id office/bob.zs --json
says '"groups":\["lab","office"\]'
end=$(sed 's/.*"expires":\([0-9]*\).*/\1/' out)
days=$(((end - $(date +%s) + 60) / 86400))
[ $days = 90 ] || fail "valid for $days days, not 90"
for time in 30s 10m 12h 1y; do
    run 0 "$zs" mesh add "t$time" --dir office --expires $time
done

# --- Expiry is shown, renewal keeps the key and the groups.
run 0 "$zs" mesh add carol --dir office --expires 1s --groups lab
carol=$(cat out)
sleep 1.1
run 0 "$zs" id office/carol.zs
says "^state +expired$"
run 0 "$zs" mesh add carol --dir office --renew
says "^$carol$"
run 0 "$zs" id office/carol.zs
says "^state +valid$"
says "^groups +lab$"
refused 3 "nobody.zs: No such file" "$zs" mesh add nobody --dir office --renew

# --- A key that stays on its device.
run 0 "$zs" keygen dave.key
says "$id"
dave=$(cat out)
mode_is 600 dave.key
cp out dave.id
refused 1 "dave.key: exists" "$zs" keygen dave.key
refused 1 "No such file" "$zs" keygen none/dave.key
run 0 "$zs" keygen
says "^kind: key$"
run 0 "$zs" mesh add dave --dir office --key dave.id
says "^$dave$"
! grep -q "^key:" office/dave.zs || fail "the identity holds a key"
run 0 "$zs" id office/dave.zs
says "^id +$dave$"
refused 1 "the key is dave's" "$zs" mesh add eve --dir office --key "$dave"
refused 1 "the key is dave's" "$zs" mesh add eve --dir office --key dave.key
refused 3 "No such file" "$zs" mesh add eve --dir office --key none
refused 3 "no node can have" "$zs" mesh add eve --dir office \
    --key "$(printf '0%.0s' {1..64})"
refused 3 "wants a file of the kind" "$zs" mesh add eve --dir office \
    --key office/alice.zs
run 0 "$zs" keygen eve.key
chmod 640 eve.key
refused 3 "chmod 600 eve.key" "$zs" mesh add eve --dir office --key eve.key
chmod 600 eve.key
run 0 "$zs" mesh add eve --dir office --key eve.key
grep -q "^key:" office/eve.zs || fail "the identity holds no key"

# --- Revocation.
refused 1 "issued nothing to \"zoe\"" "$zs" mesh revoke zoe --dir office
refused 1 "issued nothing to" "$zs" mesh revoke "${alice:0:7}" --dir office
refused 3 "none: No such file" "$zs" mesh revoke bob --dir none
run 0 "$zs" mesh revoke bob --dir office
bob=$(cat out)
run 0 "$zs" id office/revoked.zs
says "$bob"
says "^mesh +$mesh$"
run 0 "$zs" mesh revoke "${dave:0:12}" --dir office
says "^$dave$"
run 0 "$zs" id office/revoked.zs --json
says "$bob.*$dave"
first=$(sed 's/.*"serial":\([0-9]*\).*/\1/' out)
run 0 "$zs" mesh revoke bob --dir office
run 0 "$zs" id office/revoked.zs --json
[ "$(sed 's/.*"serial":\([0-9]*\).*/\1/' out)" -gt "$first" ] ||
    fail "the serial did not grow"
[ "$(grep -o "$bob" out | wc -l)" = 1 ] || fail "bob is in the list twice"
refused 1 "the key was revoked" "$zs" mesh add dave2 --dir office --key "$dave"
refused 1 "the key was revoked" "$zs" mesh add bob --dir office --renew
refused 1 "office/bob.zs: exists" "$zs" mesh add bob --dir office
run 0 "$zs" mesh add bob --dir office --replace
! grep -q "$bob" office/bob.zs || fail "the revoked key is there again"
run 0 "$zs" mesh add alice --dir office --replace
run 0 "$zs" id office/revoked.zs
says "$alice"
run 0 "$zs" mesh list --dir office
says "^bob +$bob .* revoked$"
says "^alice +$alice .* revoked$"
says "^eve .* valid$"
lost=$(sed -n 's/^serial: //p' office/revoked.zs)
rm office/revoked.zs
run 0 "$zs" mesh revoke carol --dir office
run 0 "$zs" id office/revoked.zs --json
says "$carol"
says "$bob"
[ "$(sed 's/.*"serial":\([0-9]*\).*/\1/' out)" -ge "$((lost - 60))" ] ||
    fail "the serial fell behind"

# --- Files that are not what they should be.
refused 3 "none: No such file" "$zs" id none
refused 3 "Is a directory" "$zs" id office
refused 2 "zs id" "$zs" id
echo "nothing of the kind" >text
refused 3 "text:1:1: " "$zs" id text
chmod 604 office/eve.zs
refused 3 "secrets readable by others; chmod 600 office/eve.zs" \
    "$zs" id office/eve.zs
chmod 600 office/eve.zs
sed -i 's/^name: .*/name: alice/' office/eve.zs
refused 3 "the checksum does not fit" "$zs" id office/eve.zs
# A file of version 1 has none, and may be changed by hand.
sed -i '/^checksum: /d; s/^version: 2/version: 1/' office/eve.zs
refused 3 "office/eve.zs:5:7: \`name\` is not the certificate's" \
    "$zs" id office/eve.zs
sed -i 's/^relays:/surprise: 1\nrelays:/; s/^version: 1/version: 3/' \
    office/eve.zs
refused 3 "versions 1 and 2" "$zs" id office/eve.zs
head -c 300 office/alice.zs >cut.zs
chmod 600 cut.zs
refused 3 "cut.zs:" "$zs" id cut.zs
echo "- x" >>office/issued.yaml
refused 3 "office/issued.yaml:" "$zs" mesh list --dir office

# --- Two at once: one lock, no name lost.
run 0 "$zs" mesh create twice --dir twice
for i in 1 2 3 4 5 6; do
    "$zs" mesh add node$i --dir twice >/dev/null 2>&1 &
done
wait
run 0 "$zs" mesh list --dir twice
[ "$(wc -l <out)" = 6 ] || fail "not all six are listed"
for i in 1 2 3 4; do
    "$zs" mesh add same --dir twice >>ids 2>/dev/null &
done
wait
[ "$(wc -l <ids)" = 1 ] || fail "one name was given more than once"
! ls twice | grep -q '\.[A-Za-z0-9]\{6\}$' || fail "temporary files are left"

echo "identities: $checks commands as expected"
