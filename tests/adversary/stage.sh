# shellcheck shell=bash
# stage.sh - a daemon under attack, and two innocent edges that talk all the
# while. To be sourced after ../net/lab.sh:
#
#     stage                                  # mesh, relay, alice, bob
#     watch alice                            # the victim; the witness talks
#     lie silent 127.0.0.1:443 --count 500   # one or more, at the same time
#     needs opened 100                       # of them together, to be an attack
#     meanwhile "a status" 2000 at alice status
#     under_attack "silent strangers" 64     # MiB that the victim may have
#     stage_end
#
# Of each attack this is asked: the innocents keep their rate within 20 % and
# their p99 (one way, and until `send` is answered) under a limit; the victim's
# memory stays under its limit; soon after its end all figures are as before. A
# machine whose memory is slow takes longer than one that is good, so only
# --long has the limits of a good one, and wants the innocents to talk well
# before an attack; else what they do then is what is compared with.
# Times of a busy machine: the limit is raised by what the same figures were
# just before the attack, by what a bare exchange of two processes takes during
# it, and by who else wants the processors; and an attack that fails by a time
# alone is repeated: two of three must pass.

ATTACK=$ZS_BIN/adversary_attack
WITNESS=$ZS_BIN/adversary_witness
LASTS=2 # seconds of most attacks; --long: what adds up is seen to
P99_MS=250 RECOVERY_MS=15000 LONG=
[ "${1:-}" != --long ] || LASTS=20 P99_MS=50 RECOVERY_MS=5000 LONG=yes

RATE=100        # messages a second, each way
RATE_PERCENT=80 # of what it was before
AFTER_MIB=24    # what the victim may have kept of the attack
AFTER_FILES=8
CALM_TRIES=8    # windows in which the innocents get to talk before it

HUB_LIMITS="edges: 16, memory: 64MiB"

# --- The stage ---------------------------------------------------------------

# All on one host: the lab's namespace has nothing else.
stage() { # [options of the edges' configuration]
    host here
    mesh office
    relay_of_mesh office hub 127.0.0.1
    for name in alice bob mallory mallory-2 trudy trudy-2; do
        member office $name
    done
    conf alice "listen: {port: 40001}" "$@"
    conf bob "listen: {port: 40002}" "$@"
    conf_known "$LAB/alice.yaml" zs-edge "limits: {memory: 64MiB}"
    conf_known "$LAB/hub/relay.yaml" zs-relay "limits: {$HUB_LIMITS}"
    RELAY_KEY=${RELAY_URL##*key=}
}

# A line of a configuration, if this version knows it: what is attacked may be
# an older one, which has no such limit.
conf_known() { # FILE PROGRAM LINE
    cp "$1" "$1.before"
    echo "$3" >>"$1"
    "$ZS_BIN/$2" -c "$1" --check >/dev/null 2>&1 || mv "$1.before" "$1"
}

another() { # NAME - one more member of the mesh, to be started as an edge.
    member office "$1"
    [ $# -lt 2 ] || conf "$@"
}

# shellcheck disable=SC2016 # the inner shell's
publishing() { # NAME - goes on and on, in the background.
    spawn publisher here bash -c \
        'while "$1" --socket "$2" publish tick x >/dev/null; do sleep 0.2; done' \
        publishing "$ZS_BIN/zs" "/run/zeroservices/$1.sock"
}

meet() { # PATH - alice and bob run and see each other.
    edge here alice
    edge here bob
    answers alice bob
    sees alice bob "$1" 10s
    sees bob alice "$1" 10s
}

# What a member learns, and may keep: of each node its link key and what it
# said of itself.
# shellcheck disable=SC2034 # for those who source this file
learn() { # NAME - sets LINK_KEY and SAID
    local line
    as here "$ATTACK" roster 127.0.0.1:443 --relay 127.0.0.1:443 \
        --relay-key "$RELAY_KEY" --identity "$LAB/office/mallory.zs" \
        >"$LAB/roster" 2>&1 || true
    line=$(grep "^node $1 " "$LAB/roster") || not_ok "the roster shows $1"
    LINK_KEY=$(cut -d' ' -f3 <<<"$line")
    SAID=$(cut -d' ' -f4 <<<"$line")
}

# --- The witness -------------------------------------------------------------

watch() { # VICTIM
    rm -f "$LAB/witness.in" "$LAB/witness.log"
    mkfifo "$LAB/witness.in"
    nsenter --net=/run/netns/here "$WITNESS" \
        /run/zeroservices/alice.sock alice /run/zeroservices/bob.sock bob \
        --rate $RATE --victim "$(pid_of "$1")" \
        <>"$LAB/witness.in" >"$LAB/witness.log" 2>&1 &
    LAB_PID["witness"]=$!
    STAGE_WINDOW=0
    window_begin
}

window_begin() {
    STAGE_WINDOW=$((STAGE_WINDOW + 1))
    STAGE_BEGUN=$(now_ms)
    echo "window w$STAGE_WINDOW" >"$LAB/witness.in"
}

# Ends the window, begins the next one; the figures are in WINDOW.
window_end() {
    local name=w$STAGE_WINDOW
    window_begin
    until_true 10 grep -q "^window=$name " "$LAB/witness.log" ||
        not_ok "the witness still answers"
    WINDOW=$(grep "^window=$name " "$LAB/witness.log")
}

at_least() { # MS - lets the window become so long.
    local left=$(($1 - $(now_ms) + STAGE_BEGUN))
    [ "$left" -le 0 ] || sleep "$(printf '%d.%03d' $((left / 1000)) $((left % 1000)))"
}

of() { # LINE KEY - a figure
    local rest=" $1 "
    rest=${rest#* "$2"=}
    echo "${rest%% *}"
}

# --- Attacks -----------------------------------------------------------------

LIES=() MEANWHILE=() NEEDS=()

lie() { # NAME TARGET [options] - begins with under_attack.
    LIES+=("$(printf '%q ' "$@")")
}

# Attackers are modest, so on a machine that has much other work they get to
# nothing. The attack then lasts longer, until so much took place.
needs() { # KEY LEAST [each] - a figure of the lies together, or of each of them
    NEEDS=("$@")
}

took_place() {
    local i sum=0 least
    [ ${#NEEDS[@]} -gt 0 ] || return 0
    least=$(lied 0 "${NEEDS[0]}")
    for i in "${!LIES[@]}"; do
        sum=$((sum + $(lied "$i" "${NEEDS[0]}")))
        [ "$(lied "$i" "${NEEDS[0]}")" -ge "$least" ] ||
            least=$(lied "$i" "${NEEDS[0]}")
    done
    [ -z "${NEEDS[2]:-}" ] || sum=$least
    TOOK_PLACE="${NEEDS[0]} $sum"
    [ $sum -ge "${NEEDS[1]}" ]
}

# COMMAND must end well within the time while the attack goes on; it ends by
# itself, as these do.
asks() { # NAME COMMAND... - `zs` at that edge
    local name=$1
    shift
    timeout 60 "$ZS_BIN/zs" --socket "/run/zeroservices/$name.sock" "$@"
}

# Who comes to a door that is full is served, or told so.
served_or_told() { # NAME
    asks "$1" status >"$LAB/told" 2>&1 || grep -q full "$LAB/told"
}

arrives() { # NAME PEER - an edge starts (anew), and the peer sees it.
    end "$1"
    edge here "$1"
    asks "$2" wait --peer "$1" --timeout 50s
}

meanwhile() { # WHAT MS COMMAND...
    MEANWHILE+=("$(printf '%q ' "$@")")
}

start_lies() {
    local i args
    rm -f "$LAB"/lie-*.log
    for i in "${!LIES[@]}"; do
        eval "args=(${LIES[$i]})"
        if [[ " ${args[*]} " = *" --seconds "* ]]; then
            [ "$LONGER" = 0 ] || args+=(--seconds $((LASTS + LONGER)))
        else
            args+=(--seconds "$LASTS")
        fi
        spawn "lie-$i" here "$ATTACK" "${args[@]}"
    done
}

do_meanwhile() {
    local args what limit start entry
    [ ${#MEANWHILE[@]} -gt 0 ] || return 0
    sleep 1
    for entry in "${MEANWHILE[@]}"; do
        eval "args=($entry)"
        what=${args[0]} limit=${args[1]}
        start=$(now_ms)
        if "${args[@]:2}" >"$LAB/meanwhile.out" 2>&1; then
            check_ms "meanwhile: $what" $(($(now_ms) - start)) "$limit"
        else
            not_ok "meanwhile: $what" "$(tail -n 1 "$LAB/meanwhile.out")"
        fi
    done
}

wait_for_lies() {
    local i
    for i in "${!LIES[@]}"; do
        until_true $((LASTS + 30)) lab_gone "lie-$i" || end "lie-$i"
        # With `needs`, what took place is judged, and one gets another go.
        wait "${LAB_PID[lie-$i]:-}" 2>/dev/null || [ ${#NEEDS[@]} -gt 0 ] ||
            not_ok "the attack ran" "$(tail -n 1 "$LAB/lie-$i.log")"
        unset "LAB_PID[lie-$i]"
        grep '^attack=' "$LAB/lie-$i.log" | sed 's/^/# /' || true
    done
}

# True if rate and times are as they should be beside those of BEFORE.
in_time() { # LINE
    awk -v rate="$(of "$1" rate)" -v before="$(of "$BEFORE" rate)" \
        -v percent=$RATE_PERCENT -v limit="$(p99_limit "$1")" \
        -v p99="$(of "$1" p99_ms)" -v ack="$(of "$1" ack_p99_ms)" '
        BEGIN { exit !(rate >= before * percent / 100 && p99 < limit &&
                       ack < limit) }'
}

# What it was before comes on top, and what the machine takes for a bare exchange,
# in each of three hops of a message; and where others want the processors, each
# of them may take a turn of 4 ms before each of these hops.
p99_limit() { # LINE
    awk -v p99="$(of "$BEFORE" p99_ms)" -v most=$P99_MS \
        -v bare="$(of "$1" bare_p99_ms)" -v running="$(of "$1" running)" \
        -v cores="$(nproc)" 'BEGIN {
            turns = running / cores < 24 ? running / cores : 24
            printf "%.0f", most + 2 * p99 + 3 * bare + 12 * turns
        }'
}

is_back() {
    in_time "$WINDOW" &&
        [ "$(of "$WINDOW" rss_kb)" -le \
            $(($(of "$BEFORE" rss_kb) + AFTER_MIB * 1024)) ] &&
        [ "$(of "$WINDOW" files)" -le \
            $(($(of "$BEFORE" files) + AFTER_FILES)) ]
}

wait_until_back() { # BACK_MS: how long it took, or more than allowed.
    local ended
    ended=$(now_ms)
    window_end
    while :; do
        at_least 500
        window_end
        BACK_MS=$(($(now_ms) - ended))
        if is_back || [ $BACK_MS -gt $RECOVERY_MS ]; then return; fi
    done
}

# The innocents talk well: what is measured then is the measure. Where they do not
# even without an attack, the machine does not let them: the measure is what
# they reach then. False if they do not talk at all, or not well with --long.
calm_down() {
    local i
    for ((i = 0; i < CALM_TRIES; i++)); do
        at_least 600
        window_end
        BEFORE=$WINDOW
        is_calm && return
    done
    if [ -z "$LONG" ] && [ "$(of "$BEFORE" rate)" != 0.0 ]; then
        echo "# this machine is not calm: $BEFORE"
        return
    fi
    not_ok "the innocents talk before the attack" "$BEFORE"
    return 1
}

is_calm() {
    awk -v rate="$(of "$BEFORE" rate)" -v nominal=$RATE \
        -v p99="$(of "$BEFORE" p99_ms)" -v most=$P99_MS \
        -v percent=$RATE_PERCENT '
        BEGIN { exit !(rate >= nominal * percent / 100 && p99 < most) }'
}

# One go; the figures stay in BEFORE, DURING, AFTER and BACK_MS. False if it
# could not begin.
attack_once() {
    local _ LASTS=$LASTS LONGER=0
    for _ in 1 2 3; do
        attack_begun || return 1
        ! took_place || return 0
        echo "# it lasts longer, too little took place: $TOOK_PLACE"
        LASTS=$((LASTS + 10)) LONGER=$((LONGER + 10))
    done
}

attack_begun() {
    calm_down || return 1
    start_lies
    do_meanwhile
    wait_for_lies
    window_end
    DURING=$WINDOW
    wait_until_back
    AFTER=$WINDOW
}

tell_figures() {
    local key
    printf '#'
    for key in running rate p99_ms ack_p99_ms bare_p99_ms peak_kb rss_kb files \
        cpu_percent; do
        printf ' %s %s/%s/%s' $key "$(of "$BEFORE" $key)" \
            "$(of "$DURING" $key)" "$(of "$AFTER" $key)"
    done
    printf ' back_ms %s\n' "$BACK_MS"
}

# A time may have been the machine's: two of three must be good.
under_attack() { # WHAT MIB
    local good=0 bad=0
    while [ $good -lt 1 ] || { [ $bad -gt 0 ] && [ $good -lt 2 ]; }; do
        attack_once || break
        tell_figures
        if [ "$(of "$DURING" peak_kb)" -gt $(($2 * 1024)) ] ||
            [ "$(of "$DURING" gone)" != 0 ]; then
            bad=2
        elif in_time "$DURING" && [ "$BACK_MS" -le $RECOVERY_MS ]; then
            good=$((good + 1))
        else
            bad=$((bad + 1))
        fi
        [ $bad -lt 2 ] || break
    done
    tell_verdict "$@" $((good > 0 && bad < 2))
    [ ${#NEEDS[@]} = 0 ] || check "and the attack took place" took_place
    LIES=() MEANWHILE=() NEEDS=()
}

tell_verdict() { # WHAT MIB GOOD
    local figures
    figures="rate $(of "$BEFORE" rate) -> $(of "$DURING" rate), p99 "
    figures+="$(of "$DURING" p99_ms) and $(of "$DURING" ack_p99_ms) ms (limit "
    figures+="$(p99_limit "$DURING")), $(($(of "$DURING" peak_kb) / 1024)) MiB (limit "
    figures+="$2), back in $BACK_MS ms (limit $RECOVERY_MS)"
    keep_row "$1"
    if [ "$3" = 1 ]; then ok "$1" "$figures"; else not_ok "$1" "$figures"; fi
}

# A row of a table, to stand beside those of another relay.
keep_row() { # WHAT
    printf '# | %s | %s | %s | %s | %s -> %s | %s -> %s |\n' "$1" \
        "$(($(of "$DURING" peak_kb) / 1024))" "$(of "$DURING" cpu_percent)" \
        "$(of "$DURING" files)" "$(of "$BEFORE" rate)" "$(of "$DURING" rate)" \
        "$(of "$BEFORE" p99_ms)" "$(of "$DURING" p99_ms)" >>"$LAB/rows"
}

tell_rows() {
    echo "# | attack | peak MiB | CPU % | descriptors | messages/s | p99 ms |"
    echo "# |---|---|---|---|---|---|"
    cat "$LAB/rows"
}

lied() { # N KEY - a figure of the last attack's number N; 0 if it said nothing
    local value
    value=$(of "$(grep '^attack=' "$LAB/lie-$1.log")" "$2")
    echo "${value:-0}"
}

# It is within the limits.
check_lie() { # WHAT N KEY LEAST MOST
    local value
    value=$(lied "$2" "$3")
    if [ "$value" -ge "$4" ] && [ "$value" -le "$5" ]; then
        ok "$1" "$value"
    else
        not_ok "$1" "$3 is $value, not $4 to $5"
    fi
}

# The same of all of them together.
check_lies() { # WHAT KEY MOST
    local i sum=0
    for ((i = 0; ; i++)); do
        [ -e "$LAB/lie-$i.log" ] || break
        sum=$((sum + $(lied $i "$2")))
    done
    if [ $sum -le "$3" ]; then ok "$1" $sum; else not_ok "$1" "$2: $sum"; fi
}

stops() { # NAME - as asked, in time.
    local pid
    pid=$(pid_of "$1")
    kill -s TERM "$pid"
    if until_true 4 lab_gone "$1"; then
        unset "LAB_PID[$1]"
    else
        not_ok "$1 stops when it is asked to"
        end "$1" KILL
    fi
}

# The innocents lost nothing, through all of it.
stage_end() {
    local code=0
    echo end >"$LAB/witness.in"
    until_true 15 lab_gone witness || end witness
    wait "${LAB_PID[witness]:-}" 2>/dev/null || code=$?
    unset "LAB_PID[witness]"
    grep '^end=' "$LAB/witness.log" | sed 's/^/# /'
    [ ! -e "$LAB/rows" ] || tell_rows
    if [ "$code" = 0 ]; then
        ok "nothing was lost, doubled or out of order"
    else
        not_ok "nothing was lost, doubled or out of order" "exit $code"
    fi
}
