# shellcheck shell=bash
# load.sh - numbered messages between edges while something happens, and what
# the receivers saw of it. To be sourced after lab.sh; numbers.c says the rest.

tool() { # NAME - compiles NAME.c with client.c.
    cc -std=c17 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -I "$NET_DIR/../.." \
        -o "$LAB/$1" "$NET_DIR/$1.c" "$NET_DIR/client.c"
}

lab_socket() { echo "/run/zeroservices/$1.sock"; }

# In the background at EDGE. Its last lines, in take-EDGE.log, are the result.
taking() { # EDGE KIND:NAME:COUNT... [options]
    local name=$1
    shift
    rm -f "$LAB/take-$name.log"
    spawn "take-$name" "${EDGE_HOST[$name]:-$name}" "$LAB/numbers" take "$(lab_socket "$name")" \
        "$@" --silences "$LAB/$name.silences"
    until_true 10 grep -q synced "$LAB/take-$name.log" ||
        not_ok "$name takes numbers"
}

# In the background from EDGE; TO `*` publishes.
sending() { # EDGE TO COUNT [options]
    local name=$1 to=$2 log="send-$1-${2/\*/all}"
    shift 2
    rm -f "$LAB/$log.log"
    spawn "$log" "${EDGE_HOST[$name]:-$name}" "$LAB/numbers" send "$(lab_socket "$name")" "$to" "$@"
}

# Waits for a load program; ok if it says that all was as it should be.
done_with() { # WHAT NAME SECONDS
    local code=0
    until_true "$3" lab_gone "$2" || end "$2"
    wait "${LAB_PID[$2]:-}" 2>/dev/null || code=$?
    unset "LAB_PID[$2]"
    grep -v synced "$LAB/$2.log" | sed "s/^/# $2: /"
    if [ "$code" = 0 ]; then ok "$1"; else not_ok "$1" "exit $code"; fi
}

# True if a taker had as many as a sender with --goes-on sent, by what both say.
had_all() { # EDGE KIND:NAME SENDER
    local sent received missed
    sent=$(figure "$LAB/$3.log" sent= sent || true)
    received=$(figure "$LAB/take-$1.log" "$2 " received || true)
    missed=$(figure "$LAB/take-$1.log" "$2 " missed || true)
    echo "$1 had ${received:-?} and missed ${missed:-?} of ${sent:-?}, $2"
    [ "${sent:-none}" = $((${received:-0} + ${missed:-0})) ]
}

figure() { # FILE STREAM KEY - of a taker's line, or with STREAM sent= a sender's
    grep -m 1 "^$2" "$1" | tr ' ' '\n' | sed -n "s/^$3=//p"
}

counter() { # EDGE NAME
    at "$1" status --json |
        python3 -c 'import json, sys
print(json.load(sys.stdin)["counters"][sys.argv[1]])' "$2"
}

rss_kb() { # PROCESS'S NAME
    awk '/^VmRSS/ { print $2 }' "/proc/${LAB_PID[$1]}/status"
}

for_ms() { # MILLISECONDS - lets them pass.
    sleep "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))"
}
