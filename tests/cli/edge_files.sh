#!/bin/bash
# An edge that may open few files: at its start it logs how much they allow, it
# refuses further local programs as full, and it does not spin.
#
#   here: alice (few files, TCP port 40001, HTTP port 8080), bob
. "$(dirname "$0")/says.sh"

mesh_of alice bob
host here
conf alice "listen: {port: 40001}" "api: {http: '127.0.0.1:8080'}"

alice_with() { # FILES
    rm -f "$LAB/alice.log"
    spawn alice here prlimit "--nofile=$1:$1" "$ZS_BIN/zs-edge" \
        -c "$LAB/alice.yaml" --socket /run/zeroservices/alice.sock
    answers alice
}

told_once() { test "$(grep -cE "$1" "$LAB/alice.log")" = 1; }
# One a period of the log's limit: a slow machine starts the programs in several.
told_few() {
    local lines
    lines=$(grep -c "$1" "$LAB/alice.log" || true)
    [ "$lines" -ge 1 ] && [ "$lines" -le 9 ]
}
cpu() { awk '{ print $14 + $15 }' "/proc/$(pid_of alice)/stat"; }

full_of_programs() { # until one of them is refused
    local i
    for ((i = 0; i < 80; i++)); do
        spawn "listen-$i" here "$ZS_BIN/zs" listen \
            --socket /run/zeroservices/alice.sock
    done
    until_true 10 refused_some
}

room_again() { # as all of them end
    local i
    for ((i = 0; i < 80; i++)); do end "listen-$i"; done
    rm -f "$LAB"/listen-*.log
    until_true 5 at alice status --json
}

refused_some() { grep -lqs "zs: full: " "$LAB"/listen-*.log; }
hung_up() { grep -lqs "ended the connection" "$LAB"/listen-*.log; }

# 36 are too few for a link.
for files in 36 64 256; do
    [ $files != 64 ] || edge here bob
    alice_with $files
    check "$files: the log says what that allows" until_true 5 told_once \
        "few_open_files files=$files links=[0-9]+ .*clients=[0-9]+"
    [ $files = 36 ] || sees alice bob tcp 20s

    full_of_programs && ok "$files: one too many is told so" ||
        not_ok "$files: one too many is told so"
    code=0
    at alice status >"$LAB/more.out" 2>&1 || code=$?
    check "$files: zs ends with the exit code for no daemon" test $code = 4
    ! hung_up && ok "$files: nobody is hung up on without a word" ||
        not_ok "$files: nobody is hung up on without a word"
    check "$files: the log has a few lines of more than 50" \
        until_true 5 told_few " api_refused "
    check "$files: there is room again afterwards" room_again

    # Strangers at both of its ports, more than there are files.
    before=$(cpu)
    as here "$ZS_BIN/adversary_attack" silent 127.0.0.1:40001 --count 400 \
        --spread 50 --seconds 3 >"$LAB/silent.out" 2>&1 &
    strangers=$!
    as here "$ZS_BIN/adversary_attack" silent 127.0.0.1:8080 --count 400 \
        --spread 50 --seconds 3 >"$LAB/web.out" 2>&1 &
    pages=$!
    sleep 1
    check "$files: zs is served meanwhile" until_true 3 at alice status --json
    wait "$strangers" "$pages" || true
    spent=$(($(cpu) - before))
    check "$files: the edge does not spin" \
        test "$spent" -lt $((2 * $(getconf CLK_TCK)))
    check "$files: zs is served afterwards" until_true 5 at alice status --json
    [ $files = 36 ] ||
        check "$files: bob is still reached" at alice send bob t "x"
    check "$files: the log is short" test "$(wc -l <"$LAB/alice.log")" -lt 60
    end alice
done
finish
