# shellcheck shell=bash
# relay_forms.sh - what is checked of an edge that reaches its relay in one form
# [P-14.1]: alice, in front of whom something stands, and bob, who reaches the
# relay's 443 and nothing else. To be sourced after lab.sh, load.sh and
# middleboxes.sh. Options of a script that uses it:
#
#     --full   100,000 messages each way, and times of 10 starts
#     --only   some of its situations: NAME,...

forms_options() { # [OPTION]...
    MESSAGES=2000 EVENTS=2000 STARTS=1 FULL='' CHOSEN=''
    while [ $# -gt 0 ]; do
        case $1 in
        --full) MESSAGES=100000 EVENTS=100000 STARTS=10 FULL=yes ;;
        --only) CHOSEN=${2//,/ } && shift ;;
        *) lab_refuse "$1: not understood" ;;
        esac
        shift
    done
}

wanted() { # SITUATION
    [ -z "$CHOSEN" ] || [[ " $CHOSEN " == *" $1 "* ]]
}

# Whatever is direct is another test's.
LAB_PATHS='paths: {tcp: false, udp: false}'

# The mesh office with these members, and its relay at HOST: relay.lab. It
# listens at 443 and 80, or as LISTEN says.
RELAY_LISTEN='{tcp: ["*:443", "*:80"]}'
RELAY_PORT=443
office() { # HOST MEMBER...
    local where=$1 name
    shift
    mesh office
    for name in "$@"; do member office "$name"; done
    relay_of_mesh office hub relay.lab
    RELAY_KEY=${RELAY_URL#*\?}
    sed -i -e '/^listen:/,/^meshes:/{/^meshes:/!d}' \
        -e "1i listen: $RELAY_LISTEN" "$LAB/hub/relay.yaml"
    for name in "$@"; do fresh "$name"; done
    serve hub "$where" $RELAY_PORT "$ZS_BIN/zs-relay" -c "$LAB/hub/relay.yaml"
    tool numbers
    tool first
}

# Streams of numbered messages both ways that go on until streams_end, while
# something happens.
streams_begin() {
    local pair
    taking alice message:bob:last event:bob:last
    taking bob message:alice:last event:alice:last
    for pair in alice:bob 'alice:*' bob:alice 'bob:*'; do
        sending "${pair%:*}" "${pair#*:}" $MESSAGES --small --rate 200 --goes-on
    done
}

streams_end() { # WHAT
    local name
    for name in send-alice-bob send-bob-alice send-alice-all send-bob-all; do
        kill -s TERM "$(pid_of $name)" 2>/dev/null || true
    done
    for name in send-alice-bob send-bob-alice send-alice-all send-bob-all; do
        done_with "$1: $name" $name 100
    done
    done_with "$1: alice has everything once and in order" take-alice 60
    done_with "$1: bob has everything once and in order" take-bob 60
    for name in alice:bob bob:alice; do
        check "$1: ${name%:*} has as many as ${name#*:} sent" had_all \
            "${name%:*}" "message:${name#*:}" "send-${name#*:}-${name%:*}"
        check "$1: ${name%:*} has as many as ${name#*:} published" had_all \
            "${name%:*}" "event:${name#*:}" "send-${name#*:}-all"
    done
}

# In milliseconds, of what is behind BEGIN.
longest_silence() { # BEGIN_US
    cat "$LAB/alice.silences" "$LAB/bob.silences" | awk -v begin="$1" '
        $2 == "silence" && $1 > begin {
            from = $1 - $3 > begin ? $1 - $3 : begin
            if ($1 - from > most)
                most = $1 - from
        }
        END { print int(most / 1000) }
    '
}

# bob, anew; with other names, if there are any.
start_bob() {
    end bob
    spawn bob bob "${FAR[@]}" "$ZS_BIN/zs-edge" -c "$LAB/bob.yaml" \
        --socket "$(lab_socket bob)"
    answers bob
    check "bob is connected" until_true 10 eval '[ -n "$(form_of bob)" ]'
}

# An edge's configuration, with nothing in its memory of networks. Its relay has
# the plain URL, or the lines say another.
fresh() { # NAME [LINE...]
    conf_of "$1" "node: {identity: office/$1.zs}" "$LAB_PATHS" "${@:2}"
    grep -q '^relays:' "$LAB/$1.yaml" || conf "$1" "relays: ['$RELAY_URL']"
    forget "$1"
}

forget() { rm -f "$LAB/office/$1".routes; } # NAME

# Starts alice; FIRST_MS is the time until a message of hers was delivered.
start_alice() { # [NAME=VALUE...] - of her environment
    local since
    end alice
    rm -f "$(lab_socket alice)"
    since=$(now_us)
    spawn alice alice env "$@" "$ZS_BIN/zs-edge" -c "$LAB/alice.yaml" \
        --socket "$(lab_socket alice)"
    first_since "$since"
}

# FIRST_MS is the time from FIRST_SINCE until a message of alice was delivered.
first_since() { # SINCE_US
    FIRST_SINCE=$1
    FIRST_MS=$("$LAB/first" "$(lab_socket alice)" bob "$1" 30 \
        2>>"$LAB/alice.log") || FIRST_MS=''
}

# The edge's reason why its relay is not reached [P-14.6].
says_error() { # NAME ERROR
    at "$1" status --json | grep -q "\"error\": *\"$2\""
}

# Unicast and multicast, both ways at once: each message once and in order.
numbers_pass() { # WHAT
    local name other
    taking alice message:bob:$MESSAGES event:bob:$EVENTS
    taking bob message:alice:$MESSAGES event:alice:$EVENTS
    for name in alice bob; do
        other=bob && [ $name = alice ] || other=alice
        sending $name $other $MESSAGES --small
        sending $name '*' $EVENTS --small
    done
    for name in send-alice-bob send-bob-alice send-alice-all send-bob-all; do
        done_with "$1: $name" $name 200
    done
    done_with "$1: alice has everything once and in order" take-alice 60
    done_with "$1: bob has everything once and in order" take-bob 60
}

# How soon she is to be there again; a script may change it.
AGAIN_MS=500

# Starts alice, anew if it took too long, three times at the most: a machine that
# has other work to do was the reason, or it takes too long each time.
start_in_time() { # LIMIT_MS FORGETS [NAME=VALUE...]
    local _ limit=$1 forgets=$2
    shift 2
    for _ in 1 2 3; do
        end alice
        $forgets alice
        start_alice "$@"
        [ -n "$FIRST_MS" ] || return 0
        [ "$FIRST_MS" -gt $((limit + $(late_ms "$FIRST_SINCE"))) ] || return 0
        echo "# first message after $FIRST_MS ms"
    done
}

# One situation: alice starts and meets bob in this form, within the time, again
# and again; numbered messages pass; and she is back sooner once she remembers.
meets() { # NAME WHAT FORM LIMIT_MS [NAME=VALUE...] - of her environment
    local name=$1 what=$2 form=$3 limit=$4 times=() again=()
    shift 4
    echo "# $name: $what"
    for ((i = 0; i < STARTS; i++)); do
        start_in_time "$limit" forget "$@"
        times+=("${FIRST_MS:-30000}")
        [ -n "$FIRST_MS" ] || break
    done
    check_ms "$name: first message" "$(most "${times[@]}")" "$limit" "$FIRST_SINCE"
    [ -n "$FIRST_MS" ] || return 0
    check "$name: the form is $form" settles alice "$form"
    numbers_pass "$name"
    check "$name: the form is still $form" settles alice "$form"
    for ((i = 0; i < STARTS; i++)); do
        start_in_time $AGAIN_MS true "$@"
        again+=("${FIRST_MS:-30000}")
    done
    check_ms "$name: first message, remembered" "$(most "${again[@]}")" $AGAIN_MS \
        "$FIRST_SINCE"
    printf '%-12s %-10s %6d %6d ms  remembered %6d %6d ms  %s\n' "$name" "$form" \
        "$(printf '%s\n' "${times[@]}" | median)" "$(most "${times[@]}")" \
        "$(printf '%s\n' "${again[@]}" | median)" "$(most "${again[@]}")" \
        "$what" >>"$LAB/table"
}

# Another form takes over within 4 s and nothing is lost, when this happens
# under traffic.
changes() { # NAME FORM COMMAND...
    local name=$1 form=$2 begin
    shift 2
    streams_begin
    for_ms 1000
    begin=$(now_us)
    "$@"
    check "$name: then the form is $form" settles alice "$form"
    for_ms 1000
    streams_end "$name"
    check_ms "$name: the longest silence" "$(longest_silence "$begin")" 4000 \
        "$begin"
    printf '%-12s %-10s %6d ms of silence\n' "$name" "$form" \
        "$(longest_silence "$begin")" >>"$LAB/table"
}

most() { printf '%s\n' "$@" | sort -n | tail -n 1; }

forms_table() {
    echo '# situation    form       first message: median, worst'
    sed 's/^/# /' "$LAB/table"
}
