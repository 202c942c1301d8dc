#!/bin/bash
# A receiver that is stopped under full load harms nobody else: memory stays
# within its limits, the others go on as fast, and what it missed arrives
# afterwards, in order, or is told by `gap` with the exact count.
#
#   alice, bob, carol, dave---[ street ]---hub (relay, 203.0.113.10:443)
#
# alice sends to each of the three and publishes to all, as fast as it goes;
# bob's edge is stopped. Directly and by the relay only; with a lost_after that
# bob outstays, so that it leaves and comes back, and with one that it does
# not. 6 s each; --full: 30 s.
#
# alone: it compares rates
. "$(dirname "$0")/lab.sh"
. "$NET_DIR/load.sh"

# Of the rate before, per cent: a stopped receiver that holds the others up costs
# them nearly all, other work on the machine a part of it.
stop=6 before=6 share=15
[ "${1:-}" != --full ] || stop=30 before=10 share=60
# limits.window and limits.queue by default, 4 MiB each. alice keeps a window
# for each of three sessions and a store for the group; a client of its API has
# 2 MiB under way, copied up to three times (its request, what waits for room,
# the answers). The relay has a queue for bob, and libzmq holds up to 256 packets
# of 64 KiB for its connection. 8 MiB are for whatever malloc keeps.
window_kb=4096
sender_kb=$((4 * window_kb + 4 * 3 * 2048 + 8192))
relay_kb=$((window_kb + 256 * 64 + 8192))

lan street
host hub
plug hub street 203.0.113.10/24
for place in alice:2 bob:3 carol:4 dave:5; do
    host "${place%:*}"
    plug "${place%:*}" street "203.0.113.${place#*:}/24"
done
everyone="alice bob carol dave"
mesh office
relay_of_mesh office hub 203.0.113.10
for name in $everyone; do member office $name; done
tool numbers
start_relay hub hub

# --- What is measured ----------------------------------------------------------

watch_memory() { # Notes the largest of both until `lab_until` is past.
    local kb
    while [ "$(now_ms)" -lt "$lab_until" ]; do
        for name in alice hub; do
            kb=$(rss_kb $name)
            [ "$kb" -le "${MOST[$name]}" ] || MOST[$name]=$kb
        done
        sleep 0.1
    done
}
declare -A MOST=()
memory_for() { # SECONDS
    lab_until=$(($(now_ms) + $1 * 1000))
    MOST=([alice]=0 [hub]=0)
    watch_memory
}

memory_is_bounded() { # SCENE PROCESS BEFORE MOST LIMIT
    local what="memory of $2 grows within $5 KiB, $1"
    if [ $(($4 - $3)) -le "$5" ]; then
        ok "$what" "$3, then at most $4, now $(rss_kb "$2") KiB"
    else
        not_ok "$what" "$3, then $4 KiB"
    fi
}

rate() { # EDGE STREAM FROM TO
    python3 "$NET_DIR/rates.py" "$LAB/$1.rates" "$2" "$3" "$4"
}

# False if not; WAS and IS are the rates.
rate_stayed() { # EDGE STREAM
    WAS=$(rate "$1" "$2" "$begun" "$stopped")
    IS=$(rate "$1" "$2" "$stopped" "$thawed")
    [ $((IS * 100)) -ge $((WAS * share)) ] && [ "$IS" -gt 0 ]
}

rates_stayed() {
    local name kind
    for name in carol dave; do
        for kind in message event; do
            rate_stayed $name $kind:alice || return
        done
    done
}

rate_stays() { # SCENE EDGE STREAM
    local what="$2 gets ${3%:*}s as fast as before, $1"
    if rate_stayed "$2" "$3"; then
        ok "$what" "$WAS a second, then $IS"
    else
        not_ok "$what" "$WAS a second, then $IS"
    fi
}

# --- A scene -------------------------------------------------------------------

start_load() {
    local name
    for name in bob carol dave; do
        taking $name message:alice:0 event:alice:0 --rates "$LAB/$name.rates" \
            --numbers "$LAB/$name.numbers" --with-holes
        sending alice $name 100000000 --size 1024 --most 2000000 --stubborn \
            --log "$LAB/$name.sent"
    done
    sending alice '*' 100000000 --size 1024 --most 2000000 --stubborn \
        --rate 2000 --log "$LAB/all.sent"
}

end_load() { # SCENE
    local name
    for name in bob carol dave all; do
        kill -s TERM "$(pid_of "send-alice-$name")"
    done
    for name in bob carol dave all; do
        done_with "all to $name was answered, $1" "send-alice-$name" 40
    done
    for name in bob carol dave; do kill -s USR1 "$(pid_of take-$name)"; done
    for name in bob carol dave; do
        done_with "$name had nothing twice or out of order, $1" take-$name 30
    done
}

# What was reported delivered arrived; and everything, if `all`.
unicast_arrived() { # SCENE EDGE [all]
    local log="$LAB/$2.sent"
    grep ' message:alice$' "$LAB/$2.numbers" >"$LAB/of.alice" || true
    check "all that was delivered to $2 arrived, $1" python3 \
        "$NET_DIR/delivered.py" "$log" --numbers "$LAB/of.alice"
    [ "$2" != bob ] || sed "s/^/# $2: /" "$LAB/check.out"
    [ -z "${3:-}" ] || check "and nothing failed" \
        test "$(grep -c ' ok$' "$log")" = "$(wc -l <"$log")"
}

events_add_up() { # SCENE EDGE
    local log="$LAB/take-$2.log" got missed published
    got=$(figure "$log" event:alice received)
    missed=$(figure "$log" event:alice missed)
    published=$(figure "$LAB/send-alice-all.log" sent ok)
    if [ $((got + missed)) = "$published" ]; then
        ok "events add up at $2, $1" "$got + $missed missed = $published"
    else
        not_ok "events add up at $2, $1" "$got + $missed != $published"
    fi
}

# Rates fall also when other work comes to the machine meanwhile, but not three
# times in a row.
scene() { # SCENE PATH LOST_AFTER
    local name begun stopped thawed what=$1 _
    for _ in 1 2 3; do
        run_scene "$@"
        ! rates_stayed || break
        echo "# the rates fell, $what: $WAS a second, then $IS"
    done
    for name in carol dave; do
        rate_stays "$what" $name message:alice
        rate_stays "$what" $name event:alice
    done
}

run_scene() { # SCENE PATH LOST_AFTER
    local name kb_alice kb_hub
    echo "# $what"
    for name in $everyone; do
        conf_of $name "node: {identity: office/$name.zs}" \
            "presence: {lost_after: $3}"
        edge $name $name
    done
    answers $everyone
    for name in bob carol dave; do sees alice $name "$2" 15s; done
    start_load
    begun=$(now_us)
    memory_for $before
    kb_alice=${MOST[alice]} kb_hub=${MOST[hub]}
    stopped=$(now_us)
    kill -s STOP "$(pid_of bob)"
    memory_for $stop
    thawed=$(now_us)
    kill -s CONT "$(pid_of bob)"
    memory_is_bounded "$what" alice "$kb_alice" "${MOST[alice]}" $sender_kb
    memory_is_bounded "$what" hub "$kb_hub" "${MOST[hub]}" $relay_kb
    until_true 20 at alice wait --peer bob --timeout 1s ||
        not_ok "bob is present again, $what"
    for_ms 2000
    end_load "$what"
    for name in carol dave; do
        unicast_arrived "$what" $name all
        events_add_up "$what" $name
    done
    [ "$3" = 60s ] && unicast_arrived "$what" bob all ||
        unicast_arrived "$what" bob
    events_add_up "$what" bob
    leaves=$(grep -c '"event":"leave"' "$LAB/carol.silences" || true)
    check "bob left as often as it should, $what" \
        test "$leaves" = $((stop > ${3%s}))
    for name in $everyone; do end $name; done
}

scene "directly, stays" tcp 60s
scene "directly, lost" tcp 3s
for name in $everyone; do only_tcp_to $name 203.0.113.10 443; done
scene "by relay, stays" relay 60s
scene "by relay, lost" relay 3s
finish
