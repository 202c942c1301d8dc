#!/bin/bash
# (a) One LAN, no relay: they meet by multicast and talk over TCP.
#
#   alice---[ home ]---bob        carol---[ six: IPv6 only ]---dave
#             :
#           erin, whose cable comes after her edge
#
# bob starts 20 times; the median time from his start until each sees the other
# should be under 20 ms. Speed is not judged here but far beyond that.
#
# alone: it measures times
. "$(dirname "$0")/lab.sh"

starts=20
far_beyond_ms=500

lan home
host alice
host bob
plug alice home 198.18.1.2/24
plug bob home 198.18.1.3/24
mesh_of alice bob carol dave erin

edge alice alice
answers alice
listen alice "$LAB/alice.json"

# Without the time by which the machine itself was late since `started`.
on_time() { # MS
    local late
    late=$(late_ms "$started" $((started + $1 * 1000)))
    echo $(($1 > late ? $1 - late : 0))
}
for i in $(seq $starts); do
    started=$(now_us)
    edge bob bob
    until_true 5 grep -q peer_joined "$LAB/bob.log" || break
    until_true 5 stamped_ms "$LAB/alice.json" "$started" '"join"' || break
    on_time "$(stamped_ms "$LAB/alice.json" "$started" '"join"')" >>"$LAB/at-alice"
    on_time "$(log_ms "$LAB/bob.log" peer_joined "$started")" >>"$LAB/at-bob"
    [ "$i" = $starts ] && break
    end bob
    until_true 5 stamped_ms "$LAB/alice.json" "$started" '"leave"' || break
    mv "$LAB/bob.log" "$LAB/bob.$i"
done
check "$starts starts" test $starts = "$(wc -l <"$LAB/at-bob")"
check_ms "alice sees bob (target 20 ms), median" \
    "$(median <"$LAB/at-alice")" $far_beyond_ms
check_ms "bob sees alice (target 20 ms), median" \
    "$(median <"$LAB/at-bob")" $far_beyond_ms

echo "# the best of them: $(sort -n "$LAB/at-alice" | head -n 1) and" \
    "$(sort -n "$LAB/at-bob" | head -n 1) ms"

sees alice bob tcp 3s
sees bob alice tcp 3s
says alice bob
says bob alice
numbers alice bob

host erin
edge erin erin
answers erin
plug erin home 198.18.1.4/24
sees erin alice tcp 5s
sees bob erin tcp 5s

lan six
host carol
host dave
plug carol six fd00:18::2/64
plug dave six fd00:18::3/64
edge carol carol
edge dave dave
answers carol dave
sees carol dave tcp 3s
says dave carol
finish
