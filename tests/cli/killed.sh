#!/bin/bash
# Files of keys: a command that is killed at any of its system calls leaves no
# key under another name, and can be run again; a bit that flips anywhere is
# seen; and what is no file is refused at once.
set -u
bin=${ZS_BIN:-$(dirname "$0")/../../build/bin}
bin=$(realpath "$bin")
zs=$bin/zs
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0

fail() {
    echo "not ok: $*" >&2
    exit 1
}

# --- Killed at each call that touches a file

calls="openat mkdir write fchmod fsync linkat link rename renameat2 unlink
unlinkat close"

killed_at() { # CALL N COMMAND... - true if its Nth such call killed it
    local call=$1 n=$2
    shift 2
    # The shell's own word on it is not wanted.
    { strace -qq -o /dev/null -e "trace=$call" \
        -e "inject=$call:signal=KILL:when=$n" "$@" >out 2>err; } 2>/dev/null
    [ $? = 137 ]
}

# How many of those calls the loader makes, before main(), and a few less.
before_main() { # CALL
    local count
    count=$(strace -qq -e "trace=$1" "${command[0]}" --version 2>&1 >/dev/null |
        grep -c "$1(")
    echo $((count > 3 ? count - 3 : 0))
}

# No secret's digits but in the files that are to hold them.
no_stray_keys() { # FOLDER NAME...
    local folder=$1 file
    shift
    while read -r file; do
        [[ " $* " = *" ${file##*/} "* ]] || fail "a key is left in $file"
    done < <(grep -rlE '^(key|mesh_secret): ' "$folder" 2>/dev/null)
}

fresh() {
    rm -rf case
    cp -r base case
}

# WHAT NAMES... - `command` is killed at each call, and run again.
survives() {
    local what=$1 call n kills=0 code
    shift
    for call in $calls; do
        n=$(before_main "$call")
        while fresh; n=$((n + 1)); killed_at "$call" $n "${command[@]}"; do
            kills=$((kills + 1))
            "${command[@]}" >out 2>err
            code=$?
            no_stray_keys case "$@"
            [ $code = 0 ] || grep -qE \
                "interrupted|issued already|exists and is not overwritten" err ||
                fail "$what, killed at $call $n: $(cat err)"
            while read -r file; do
                "$zs" id "$file" >/dev/null 2>err ||
                    fail "$what, killed at $call $n: $file: $(cat err)"
            done < <(find case -name '*.zs' -o -name '*.key')
            check_after "$call $n" "$code"
        done
    done
    [ $kills -gt 5 ] || fail "$what: was killed $kills times only"
    echo "ok: $what was killed at $kills calls"
}

if command -v strace >/dev/null && strace -qq -o /dev/null true 2>/dev/null; then
    check_after() { :; }
    mkdir base
    command=("$zs" mesh create office --dir case/office)
    survives "zs mesh create" mesh.key

    command=("$bin/zs-relay" init case/relay --host 203.0.113.10)
    check_after() { [ "$2" = 0 ] || [ -s case/relay/relay.yaml ] ||
        fail "zs-relay init, killed at $1, is refused: $(cat err)"; }
    survives "zs-relay init" relay.key

    command=("$zs" keygen case/dev.key)
    check_after() { :; }
    survives "zs keygen" dev.key

    "$zs" mesh create office --dir base/office >/dev/null 2>&1
    command=("$zs" mesh add alice --dir case/office)
    check_after() {
        "$zs" id case/office/alice.zs >/dev/null 2>err ||
            fail "zs mesh add, killed at $1: $(cat err)"
        "$zs" mesh revoke alice --dir case/office >/dev/null 2>err ||
            fail "zs mesh add, killed at $1: no revoke: $(cat err)"
    }
    survives "zs mesh add" mesh.key alice.zs

    "$zs" mesh add alice --dir base/office >/dev/null 2>&1
    key=$(printf '9%.0s' {1..64})
    command=("$zs" mesh relay --dir case/office "tcp://203.0.113.10:443?key=$key")
    check_after() { [ "$2" = 0 ] && grep -q 203.0.113.10 case/office/mesh.key ||
        fail "zs mesh relay, killed at $1: $(cat err)"; }
    survives "zs mesh relay" mesh.key alice.zs

    command=("$zs" mesh revoke alice --dir case/office)
    check_after() { [ "$2" = 0 ] && "$zs" id case/office/revoked.zs >/dev/null ||
        fail "zs mesh revoke, killed at $1: $(cat err)"; }
    survives "zs mesh revoke" mesh.key alice.zs

    for how in --renew --replace; do
        command=("$zs" mesh add alice --dir case/office $how)
        check_after() { [ "$2" = 0 ] ||
            fail "zs mesh add $how, killed at $1: $(cat err)"; }
        survives "zs mesh add $how" mesh.key alice.zs
    done
else
    echo "strace is not here, or may not trace: what is killed is skipped" >&2
    "$zs" mesh create office --dir base/office >/dev/null 2>&1
    "$zs" mesh add alice --dir base/office >/dev/null 2>&1
fi

# --- Bits that flip

cp base/office/alice.zs base/office/mesh.key .
chmod 600 alice.zs mesh.key
"$zs" keygen node.key >/dev/null 2>&1
"$bin/zs-relay" init relay --host 203.0.113.10 >/dev/null 2>&1
cp relay/relay.key relay.key
for file in alice.zs mesh.key node.key relay.key base/office/issued.yaml; do
    "$zs" id "$file" >/dev/null 2>&1 || [ "${file##*/}" = issued.yaml ] ||
        fail "$file is not right to begin with"
done
# Every eighth byte's bits, each bit of it, by zs id; all by the unit test.
python3 - "$zs" alice.zs mesh.key node.key relay.key <<'PYTHON' || fail "flips"
import os, random, subprocess, sys
zs, *files = sys.argv[1:]
for name in files:
    good = open(name, "rb").read()
    places = sorted(random.sample(range(len(good)), min(40, len(good))) +
                    [len(good) - 1])
    for at in places:
        bad = bytearray(good)
        bad[at] ^= 1 << random.randrange(8)
        with open("flipped", "wb") as out:
            out.write(bad)
        os.chmod("flipped", 0o600)
        done = subprocess.run([zs, "id", "flipped"], capture_output=True)
        assert done.returncode == 3, (name, at, done.stdout, bytes(bad))
PYTHON
python3 - "$bin/zs-edge" alice.zs <<'PYTHON' || fail "flips in --check"
import os, random, subprocess, sys
edge, name = sys.argv[1:]
good = open(name, "rb").read()
at = good.index(b"mesh_secret: ") + 20
bad = bytearray(good)
bad[at] = ord("0") if bad[at] != ord("0") else ord("1")
open("flipped", "wb").write(bad)
done = subprocess.run([edge, "--identity", "flipped", "--check"],
                      capture_output=True, text=True)
assert done.returncode == 3 and "checksum" in done.stderr, done
PYTHON
echo "ok: a flipped bit is seen"

# An older file, without a checksum, is still read.
grep -v '^checksum: ' alice.zs | sed 's/^version: 2/version: 1/' >older.zs
chmod 600 older.zs
"$bin/zs-edge" --identity older.zs --check >/dev/null 2>err ||
    fail "an older identity: $(cat err)"
grep -v '^checksum: ' alice.zs >cut.zs
chmod 600 cut.zs
"$zs" id cut.zs >/dev/null 2>&1 && fail "a checksum that is cut off is not missed"
echo "ok: an older file is read, a newer one not without its checksum"

# --- What is no file

mkfifo -m 600 pipe
mkdir folder
python3 -c "
import socket
socket.socket(socket.AF_UNIX).bind('sock')"
python3 -c "
with open('huge', 'wb') as out: out.truncate(1 << 33)"
chmod 600 huge
printf 'node: {identity: pipe}\n' >edge.yaml
printf 'relay: {key: pipe}\n' >relay.yaml
refused() { # CODE COMMAND...
    local want=$1 code
    shift
    timeout 100 "$@" >out 2>err </dev/null
    code=$?
    [ $code = "$want" ] && [ -s err ] ||
        fail "$* ended with $code, not $want: $(cat err)"
    [ "$(wc -l <err)" -le 3 ] || fail "$*: $(cat err)"
}
for odd in pipe folder sock huge /dev/zero /dev/tty; do
    refused 3 "$zs" id $odd
    refused 3 "$bin/zs-edge" --identity $odd --check
    refused 3 "$bin/zs-edge" -c $odd --check
    refused 3 "$bin/zs-relay" -c $odd --check
    refused 3 "$zs" revoke $odd
    refused 3 "$zs" mesh add carol --dir base/office --key $odd
    refused 3 "$bin/zs-edge" --name a --passphrase-file $odd --check
    printf 'node: {identity: alice.zs, key: %s}\n' "$odd" >key.yaml
    refused 3 "$bin/zs-edge" -c key.yaml --check
done
refused 3 "$bin/zs-edge" -c edge.yaml --check
refused 3 "$bin/zs-relay" -c relay.yaml --check
rm -rf base/office/mesh.key
mkfifo -m 600 base/office/mesh.key
refused 3 "$zs" mesh add carol --dir base/office
# What a shell hands over is a pipe, and is read.
"$bin/zs-edge" --identity <(cat alice.zs) --check >/dev/null 2>err ||
    fail "an identity from a shell's pipe: $(cat err)"
echo "ok: what is no file is refused"
