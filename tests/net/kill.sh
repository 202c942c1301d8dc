#!/bin/bash
# An edge that is killed has left within 500 ms at the others, on the direct
# path and by the relay; a frozen or unplugged host within lost_after + 1 s.
# Each comes back by itself.
#
#   alice---[ home ]---bob
#             |
#           gate (NAT)---[ street ]---gate2 (NAT)---[ away ]---dave
#                            |
#                           hub (relay, 203.0.113.10:443)
#
# alice and bob see each other by tcp; dave and they by the relay.
#
# alone: it measures times
. "$(dirname "$0")/lab.sh"

killed_ms=500
silent_ms=4000 # lost_after, 3 s by default, and 1 s

lan street
host hub
plug hub street 203.0.113.10/24
lan home
lan away
router gate
plug gate home 198.18.1.1/24
plug gate street 203.0.113.1/24
nat gate eth1
router gate2
plug gate2 away 198.18.2.1/24
plug gate2 street 203.0.113.2/24
nat gate2 eth1
host alice
host bob
host dave
plug alice home 198.18.1.2/24
plug bob home 198.18.1.3/24
plug dave away 198.18.2.2/24
gateway alice 198.18.1.1
gateway bob 198.18.1.1
gateway dave 198.18.2.1

mesh office
relay_of_mesh office hub 203.0.113.10
for name in alice bob dave; do member office $name; done
start_relay hub hub
for name in alice bob dave; do edge $name $name; done
answers alice bob dave

all_meet() { # WHEN
    sees alice bob tcp 10s
    sees alice dave relay 10s
    sees bob dave relay 10s
    sees dave bob relay 10s
    # In another form than tcp an edge may return for 5 s [P-14.9].
    for name in alice bob dave; do
        settles $name tcp >/dev/null || not_ok "$name's form is tcp, $1"
    done
}

# Until the event came; the time since, or nothing.
event_ms() { # AT WHOM EVENT SINCE
    until_true 8 stamped_ms "$LAB/$1.json" "$4" "\"$3\"" "\"$2\"" || return 0
    stamped_ms "$LAB/$1.json" "$4" "\"$3\"" "\"$2\""
}

expect() { # WHAT WHOM EVENT SINCE LIMIT AT...
    local what=$1 whom=$2 event=$3 since=$4 limit=$5 where
    shift 5
    for where in "$@"; do
        check_ms "$what: $whom's $event at $where, by $(path_before "$where")" \
            "$(event_ms "$where" "$whom" "$event" "$since")" "$limit" "$since"
    done
}

declare -A BEFORE=()
path_before() { echo "${BEFORE[$1]:-?}"; }
remember_paths() { # WHOM AT...
    local whom=$1 where
    shift
    for where in "$@"; do BEFORE[$where]=$(path_of "$where" "$whom"); done
}

all_meet "at the start"
listen alice "$LAB/alice.json"
listen dave "$LAB/dave.json"
remember_paths bob alice dave

since=$(now_us)
end bob KILL
expect "kill -9" bob leave "$since" $killed_ms alice dave
edge bob bob
answers bob
all_meet "after the kill"

since=$(now_us)
kill -s STOP "$(pid_of bob)"
expect "frozen" bob leave "$since" $silent_ms alice dave
since=$(now_us)
kill -s CONT "$(pid_of bob)"
expect "thawed" bob join "$since" 5000 alice dave
all_meet "after the thaw"

since=$(now_us)
unplug bob home
expect "unplugged" bob leave "$since" $silent_ms alice dave
since=$(now_us)
plug_again bob home
expect "plugged in" bob join "$since" 8000 alice dave
all_meet "after the cable"

listen bob "$LAB/bob.json"
remember_paths dave alice bob
since=$(now_us)
end dave KILL
expect "kill -9" dave leave "$since" $killed_ms alice bob
edge dave dave
answers dave
all_meet "after dave's kill"

since=$(now_us)
unplug dave away
expect "unplugged" dave leave "$since" $silent_ms alice bob
since=$(now_us)
plug_again dave away
expect "plugged in" dave join "$since" 8000 alice bob
finish
