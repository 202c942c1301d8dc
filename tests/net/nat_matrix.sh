#!/bin/bash
# Which pairs of edges behind NATs become direct, by which path, and how soon:
# each kind of nat_lab.sh against each, on both sides, with a relay always there.
#
#   west-KIND---west-KIND-nat---r1---r2---r3---east-KIND-nat---east-KIND
#                                    |
#                                   hub (relay)
#
#     nat_matrix.sh [--runs N] [--pairs KIND:KIND,...] [--expect WHAT] [--jobs N]
#         [--only PATH]
#
#     --runs N      of each pair, each with new edges; default 1
#     --pairs ...   west:east; default: all
#     --jobs N      pairs beside each other; default 4
#     --only udp    without the path `tcp`, or the other way round
#     --expect      table: what nat_lab.sh expects of each pair (default); relay:
#                   nothing punches (`paths: {udp: false}`); any: only tells
#
# From join to direct is the time from the first `peer_joined` of the two edges
# until both have a direct path; then a message passes each way, and both are
# still direct. Hard pairs may fail once in ten runs; in a single run a hard pair
# has three tries.
. "$(dirname "$0")/lab.sh"
LAB_PATHS=
. "$NET_DIR/nat_lab.sh"

runs=1 jobs=4 expect=table only='' chosen=''
while [ $# -gt 0 ]; do
    case $1 in
    --runs) runs=$2 ;;
    --jobs) jobs=$2 ;;
    --pairs) chosen=$2 ;;
    --only) only=$2 ;;
    --expect) expect=$2 ;;
    *) lab_refuse "$1: not understood" ;;
    esac
    shift 2
done
punches || expect=relay
easy_median_ms=2000 easy_worst_ms=10000 hard_worst_ms=20000
within_s=90 # for who is to be direct, on any machine; times are judged apart
stays_s=12  # so long is watched who is to stay on the relay
[ "$expect" != relay ] || stays_s=2

four="none full-cone home plain sym"
all_pairs() { # Those that take longest come first.
    local west east
    echo sym:sym isolated:isolated
    for west in plain home double; do echo "$west:sym sym:$west"; done
    for west in plain home; do echo "$west:seq seq:$west"; done
    for west in $four; do
        for east in $four; do
            [ "$(expected_path "$west" "$east")" != direct ] ||
                echo "$west:$east"
        done
    done
    for east in none home plain; do echo "double:$east $east:double"; done
    echo double:double lan:lan hairpin:hairpin
    echo ipv6-only:ipv6-only ipv6-firewall:ipv6-firewall
    echo ipv6-only:ipv6-firewall ipv6-firewall:ipv6-only
}
pairs=${chosen//,/ }
pairs=${pairs:-$(all_pairs)}

# --- The network, the relay, and a mesh for each job ----------------------------

internet
for pair in $pairs; do
    west=${pair%:*} east=${pair#*:}
    case $west in
    lan | isolated | hairpin)
        site_shared "$west"
        continue
        ;;
    esac
    [ -n "${SITE_ADDRESS[west-$west]:-}" ] || site west "$west"
    [ -n "${SITE_ADDRESS[east-$east]:-}" ] || site east "$east"
done

meshes=()
for job in $(seq "$jobs"); do
    mesh "job$job"
    meshes+=(--mesh "$MESH_ID")
    member "job$job" "west$job"
    member "job$job" "east$job"
done
"$ZS_BIN/zs-relay" init "$LAB/hub" --host $HUB "${meshes[@]}" >"$LAB/hub.out" 2>&1
url=$(grep -oE 'tcp://[^ ]+' "$LAB/hub.out" | head -n 1)
start_relay hub hub

# --- One pair ---------------------------------------------------------------------

expected() { # WEST EAST
    local path
    path=$(expected_path "$1" "$2")
    [ "$expect" != any ] || path=any
    if [ "$expect" = relay ] && [ "$path" != tcp ]; then
        path=relay
        case $1:$2 in
        none:* | *:none | ipv6-only:* | *:ipv6-only) path=direct ;; # by TCP
        esac
    fi
    echo "$path"
}

one_side() { # JOB SIDE KIND - starts its edge.
    local name=$2$1 relay=$url
    case $3 in ipv6*) relay=${url/$HUB/"[$HUB6]"} ;; esac
    rm -f "$LAB/$name.log"
    conf_of "$name" "node: {identity: job$1/$name.zs}" "relays: ['$relay']"
    if [ "$expect" = relay ] || [ "$only" = tcp ]; then
        conf "$name" "paths: {udp: false}"
    elif [ "$only" = udp ]; then
        conf "$name" "paths: {tcp: false}"
    fi
    edge "$2-$3" "$name"
}

last_path() { # EDGE - by its log, which is cheaper than to ask it.
    { grep -E ' (peer_joined|path_changed) ' "$LAB/$1.log" || true; } |
        tail -n 1 | grep -oE ' path=[a-z]+' | cut -d= -f2
}
direct() { # EDGE
    case $(last_path "$1") in tcp | udp) return 0 ;; *) return 1 ;; esac
}
both_direct() { direct "west$1" && direct "east$1"; }
both_joined() { [ -n "$(last_path "west$1")" ] && [ -n "$(last_path "east$1")" ]; }

line_ms() { # EDGE LINES - when the first of them was logged
    local at
    at=$(grep -m 1 -E "$2" "$LAB/$1.log" | cut -d' ' -f1) || return
    date -d "$at" +%s%3N
}

# In milliseconds from the first join until both were direct.
join_to_direct() { # JOB
    local name joined direct first=0 last=0
    for name in "west$1" "east$1"; do
        joined=$(line_ms "$name" ' peer_joined ')
        direct=$(line_ms "$name" ' (peer_joined|path_changed) .*path=(tcp|udp)')
        [ "$first" -gt 0 ] && [ "$first" -lt "$joined" ] || first=$joined
        [ "$last" -gt "$direct" ] || last=$direct
    done
    echo $((last - first))
}

talk() { # JOB - a message each way
    at "west$1" send "east$1" there hello --timeout 25s >/dev/null &&
        at "east$1" send "west$1" back hello --timeout 25s >/dev/null
}

# Writes `WEST EAST RUN PATH MS LATE`: tcp, udp or relay; none if they never met;
# dead if they did and a message did not pass. MS is - unless they became direct;
# so long the machine was late meanwhile (lateness.c).
one_pair() { # JOB WEST EAST RUN
    local path ms=- late=0 limit=$within_s begun
    begun=$(now_us)
    [ "$(expected "$2" "$3")" != relay ] || limit=$stays_s
    one_side "$1" west "$2"
    one_side "$1" east "$3"
    if ! until_true_slowly 60 both_joined "$1"; then
        path=none
    elif until_true_slowly $limit both_direct "$1"; then
        late=$(late_ms "$begun")
        ms=$(join_to_direct "$1")
        path=dead
        talk "$1" 2>/dev/null && path=$(last_path "west$1")
    else
        path=dead
        talk "$1" 2>/dev/null && path=relay
    fi
    echo "$2 $3 $4 $path $ms $late" >>"$LAB/results"
    end "west$1"
    end "east$1"
    if ! as_expected "$2" "$3" "$path"; then
        cp "$LAB/west$1.log" "$LAB/failed-$2-$3-$4-west.log"
        cp "$LAB/east$1.log" "$LAB/failed-$2-$3-$4-east.log"
    fi
}

until_true_slowly() { # SECONDS COMMAND... - many wait here at a time.
    local end=$(($(now_ms) + $1 * 1000))
    shift
    until "$@"; do
        [ "$(now_ms)" -lt "$end" ] || return 1
        sleep 0.1
    done
}

as_expected() { # WEST EAST PATH
    case $(expected "$1" "$2"):$3 in
    any:tcp | any:udp | any:relay) ;;
    relay:relay | tcp:tcp) ;;
    direct:tcp | direct:udp | hard:tcp | hard:udp) ;;
    *) return 1 ;;
    esac
}

# --- All pairs, some at a time ------------------------------------------------------

declare -A JOB_PID=()
free_job() { # sets JOB
    for JOB in $(seq "$jobs"); do
        [ -n "${JOB_PID[$JOB]:-}" ] && kill -0 "${JOB_PID[$JOB]}" 2>/dev/null ||
            return 0
    done
    return 1
}

: >"$LAB/results"
for run in $(seq "$runs"); do
    for pair in $pairs; do
        until free_job; do sleep 0.1; done
        one_pair "$JOB" "${pair%:*}" "${pair#*:}" "$run" &
        JOB_PID[$JOB]=$!
    done
done
for job in "${!JOB_PID[@]}"; do wait "${JOB_PID[$job]}" || true; done

count_of() { # WEST EAST - how many runs were as expected
    local west east path n=0
    while read -r west east _ path _; do
        if [ "$west:$east" = "$1:$2" ] && as_expected "$1" "$2" "$path"; then
            n=$((n + 1))
        fi
    done <"$LAB/results"
    echo $n
}
# A hard pair may miss once in ten, so it gets another try where there is one run.
if [ "$runs" = 1 ]; then
    for run in 2 3; do
        for pair in $pairs; do
            west=${pair%:*} east=${pair#*:}
            [ "$(expected "$west" "$east")" = hard ] || continue
            [ "$(count_of "$west" "$east")" = 0 ] || continue
            one_pair 1 "$west" "$east" "$run"
        done
    done
fi

# --- The result -----------------------------------------------------------------------

python3 "$NET_DIR/nat_table.py" "$LAB/results" | sed 's/^/# /'

# `MS LATE` of all runs of such pairs, sorted by the time without the lateness.
times() { # EXPECTED
    local west east ms late
    while read -r west east _ _ ms late; do
        [ "$(expected "$west" "$east")" != "$1" ] || [ "$ms" = - ] ||
            echo "$((ms - late)) $ms $late"
    done <"$LAB/results" | sort -n | cut -d' ' -f2-
}
check_time() { # WHAT LIMIT_MS MS LATE
    local limit="limit $2"
    [ "$4" = 0 ] || limit+=" and $4 for a late machine"
    if [ "$3" -le $(($2 + $4)) ]; then
        ok "$1" "$3 ms ($limit)"
    else
        not_ok "$1" "$3 ms ($limit)"
    fi
}
middle() { awk '{ v[NR] = $0 } END { print v[int((NR + 1) / 2)] }'; }

for pair in $pairs; do
    west=${pair%:*} east=${pair#*:} least=$runs
    want=$(expected "$west" "$east")
    [ "$want" != hard ] || least=$((runs - runs / 10))
    got=$(count_of "$west" "$east")
    if [ "$got" -ge "$least" ]; then
        ok "$west and $east: $want" "$got of $runs"
    else
        not_ok "$west and $east: $want" "$got of $runs, else $(
            awk -v w="$west" -v e="$east" '$1 == w && $2 == e { print $4 }' \
                "$LAB/results" | sort | uniq -c | tr -s ' \n' ' ')"
    fi
done
# shellcheck disable=SC2046 # two words
if [ -n "$(times direct)" ]; then
    check_time "easy pairs, median from join to direct" $easy_median_ms \
        $(times direct | middle)
    check_time "easy pairs, worst" $easy_worst_ms $(times direct | tail -n 1)
fi
# shellcheck disable=SC2046
if [ -n "$(times hard)" ]; then
    check_time "hard pairs, worst" $hard_worst_ms $(times hard | tail -n 1)
fi
finish
