#!/bin/bash
# The lab itself: do its walls stand, and do its checkers see what is wrong?
#
#   inner---[ home ]---gate (NAT)---[ street ]---outer
#                                      |
#                                    other       inner ==vpn== outer
#
export ZS_LAB_NO_PROGRAMS=1
. "$(dirname "$0")/lab.sh"
. "$NET_DIR/load.sh"

lan home
lan street
host inner
host outer
host other
router gate
plug inner home 198.18.1.2/24
plug gate home 198.18.1.1/24
plug gate street 203.0.113.1/24
plug outer street 203.0.113.2/24
plug other street 203.0.113.3/24
gateway inner 198.18.1.1
ip -n outer route add 198.18.1.0/24 via 203.0.113.1

# Small tools: a UDP or TCP listener that tells whom it hears, and a caller.
cat >"$LAB/hear.py" <<'PY'
import socket, struct, sys
kind, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
s = socket.socket(type=getattr(socket, "SOCK_" + kind))
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("", port))
if kind == "STREAM":
    s.listen()
elif address != "-":
    s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                 socket.inet_aton("239.255.90.83") + socket.inet_aton(address))
print("ready", flush=True)
while True:
    print(s.accept()[1] if kind == "STREAM" else s.recvfrom(99)[1], flush=True)
PY
cat >"$LAB/call.py" <<'PY'
import socket, sys
kind, mine, address, port = sys.argv[1:]
s = socket.socket(type=getattr(socket, "SOCK_" + kind))
s.settimeout(0.3)
if address.startswith("239."):
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                 socket.inet_aton(mine))
s.connect((address, int(port)))
s.send(b"hello")
PY

hears() { # HOST KIND PORT [ADDRESS]
    spawn "$1-$3" "$1" python3 "$LAB/hear.py" "$2" "${4:--}" "$3"
    until_true 5 grep -q ready "$LAB/$1-$3.log"
}
calls() { # HOST KIND ADDRESS PORT [MY_ADDRESS]
    as "$1" python3 "$LAB/call.py" "$2" "${5:--}" "$3" "$4"
}
calls_not() { ! calls "$@"; }
pings() { as "$1" ping -q -c 1 -W 0.3 "$2"; }
pings_not() { ! pings "$@"; }
# What is to pass, on a machine that takes its time.
calls_in_time() { until_true 2 calls "$@"; }
heard() { until_true 1 grep -q "$2" "$LAB/$1.log"; }
never_heard() { ! grep -q "$2" "$LAB/$1.log"; }

hears outer STREAM 443
hears inner STREAM 443
hears other STREAM 80

check "plain routing passes in" calls_in_time outer STREAM 198.18.1.2 443
nat gate eth1
check "a NAT lets its inside out" calls_in_time inner STREAM 203.0.113.2 443
check "and shows its own address" heard outer-443 "203.0.113.1"
check "a NAT lets nothing in" calls_not outer STREAM 198.18.1.2 443
check "nor to itself" pings_not outer 203.0.113.1

only_tcp_to other 203.0.113.2 443
check "the firewall lets 443 out" calls_in_time other STREAM 203.0.113.2 443
check "and nothing else" pings_not other 203.0.113.2
check "and nothing in" calls_not outer STREAM 203.0.113.3 80

hears outer DGRAM 9083 203.0.113.2
check "multicast passes" calls gate DGRAM 239.255.90.83 9083 203.0.113.1
check "and is heard" heard outer-9083 203.0.113.1
no_multicast street
: >"$LAB/outer-9083.log"
check "multicast is sent" calls gate DGRAM 239.255.90.83 9083 203.0.113.1
check "unicast still passes" calls gate DGRAM 203.0.113.2 9083
check "and is heard" heard outer-9083 203.0.113.1
check "multicast was dropped" test 1 = \
    "$(grep -c 203 "$LAB/outer-9083.log")"

as gate nft flush ruleset
one_way gate eth0 eth1
check "one way passes" calls_in_time inner STREAM 203.0.113.2 443
check "the other does not" calls_not outer STREAM 198.18.1.2 443

vpn vpn0 inner 198.18.9.1/24 outer 198.18.9.2/24
check "the VPN carries" until_true 2 pings inner 198.18.9.2
wire_say vpn0 cut a
check "a cut VPN does not" until_true 2 pings_not inner 198.18.9.2
wire_say vpn0 mend
check "a mended one does" until_true 2 pings inner 198.18.9.2
wire_say vpn0 delay 50
lab_slow() {
    as inner ping -c 1 -W 1 198.18.9.2 | grep -qE 'time=[1-9][0-9]{2}'
}
check "a delay of 50 ms is 100 ms there and back" until_true 5 lab_slow
wire_say vpn0 delay 0
wire_say vpn0 loss 50
wire_say vpn0 stats
lab_lossy() {
    as inner ping -q -c 50 -i 0.002 -W 0.1 198.18.9.2 |
        grep -qE ' [6-8][0-9](\.[0-9]+)?% packet loss'
}
check "a loss of 50 % is about 75 % there and back" until_true 3 lab_lossy
check "the VPN has no multicast" grep -qv MULTICAST \
    <(ip -n inner -o link show vpn0)

unplug inner home
check "an unplugged host is alone" pings_not inner 198.18.1.1
plug_again inner home
check "until it is plugged in again" until_true 2 pings inner 198.18.1.1

# The checker of numbers.
line() { echo "{\"event\":\"message\",\"type\":\"t\",\"data\":\"$1\"}"; }
judges() {
    for number in "$@"; do line "$number"; done |
        python3 "$NET_DIR/check_numbers.py" 3 t
}
judges_not() { ! judges "$@"; }
check "1 2 3 is right" judges 1 2 3
check "1 3 has one lost" judges_not 1 3
check "1 2 2 3 has one doubled" judges_not 1 2 2 3
check "1 3 2 is out of order" judges_not 1 3 2
check "1 2 3 4 has an unknown one" judges_not 1 2 3 4
# The checker of what edges tell.
tool numbers
cat >"$LAB/tell.py" <<'PY'
import os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen()
c = s.accept()[0]
os.remove(sys.argv[1])
c.recv(4096)
c.sendall(b'{"event":"synced"}\n' + sys.stdin.buffer.read())
PY
told() { # LINES [COUNT] - and the edge ends; five publications were made.
    python3 "$LAB/tell.py" "$LAB/edge.sock" <"$1" &
    until_true 5 test -S "$LAB/edge.sock"
    "$LAB/numbers" take "$LAB/edge.sock" "event:alice:${2:-5}"
}
takes() { "$LAB/numbers" events "$@" >"$LAB/lines" && told "$LAB/lines"; }
takes_not() { ! takes "$@"; }
check "five publications in order are right" takes 1 2 3 4 5
check "a gap that says what is missing is, too" takes 1 gap:2 4 5
check "one that says more is not" takes_not 1 gap:2 3 4 5
check "nor one that says less" takes_not 1 gap:1 4 5
check "one is lost" takes_not 1 2 3 5
check "the last is lost" takes_not 1 2 3 4
check "one came twice" takes_not 1 2 3 3 4 5
check "two changed places" takes_not 1 2 4 3 5
# Of a sender that goes on: its last message tells how many there were.
takes_to_last() {
    "$LAB/numbers" events "$@" >"$LAB/lines" && told "$LAB/lines" last
}
takes_not_to_last() { ! takes_to_last "$@"; }
check "all up to the last are right" takes_to_last 1 2 last:3
check "so they are with a gap" takes_to_last 1 gap:1 last:3
check "one before the last is lost" takes_not_to_last 1 last:3
check "the last never comes" takes_not_to_last 1 2 3
check "nothing comes" takes_not_to_last
check "there is more behind the last" takes_not_to_last 1 last:2 3
spoilt() { "$LAB/numbers" events 1 2 3 4 5 | sed 's/z/y/' >"$LAB/lines"; }
check "a letter is wrong" eval 'spoilt && ! told "$LAB/lines"'
# What was reported delivered, and what was had.
printf '%s ok\n' 1 2 3 >"$LAB/sent"
had() { # NUMBER...
    printf '%s message:alice\n' "$@" >"$LAB/had"
    python3 "$NET_DIR/delivered.py" "$LAB/sent" --numbers "$LAB/had"
}
had_not() { ! had "$@"; }
check "all that was reported delivered was had" had 1 2 3
check "one was not" had_not 1 2
check "one was had twice" had_not 1 2 2 3
check "two changed places there" had_not 1 3 2

# The longest silences.
silent() { # LATE_US BEGIN_US END_US - of the fault from 5 to 9 s
    echo "5000000 9000000 a cut" >"$LAB/faults"
    echo "$3 silence $(($3 - $2)) message:bob before 7" >"$LAB/silences"
    echo "$3 $1" >"$LAB/late"
    python3 "$NET_DIR/silences.py" "$LAB/faults" "alice=$LAB/silences" \
        --late "$LAB/late" | awk '$1 == "a_cut" { print $3 }'
}
check "a silence in a fault is its" test 2000 = "$(silent 0 6000000 8000000)"
check "so is one that begins just before it" test 2000 = "$(silent 0 4900000 6900000)"
check "not one that was there" test 0 = "$(silent 0 4000000 6000000)"
check "a late machine's is shorter" test 500 = "$(silent 500000 6000000 8000000)"

# A script that failed says so by its exit code.
ends_with() { # CODE SCRIPT
    printf '%s\n' '#!/bin/bash' "NET=$NET_DIR" '. "$NET/lab.sh"' "$2" >inner.sh
    local code=0
    TMPDIR=$LAB bash inner.sh || code=$?
    [ "$code" = "$1" ]
}
check "a good script exits 0" ends_with 0 'ok it; finish'
check "one not ok is exit 1" ends_with 1 'ok it; not_ok that; finish'
check "nothing checked is exit 1" ends_with 1 'finish'
check "a broken script is exit 1" ends_with 1 'ok it; false; ok that; finish'

# A time over its limit is passed only as far as the machine itself was late.
late_enough() { [ "$(late_ms "$stopped")" -ge 250 ]; }
stopped=$(now_us)
kill -s STOP "$(pid_of lateness)"
sleep 0.3
kill -s CONT "$(pid_of lateness)"
check "a machine that stands still is late" until_true 5 late_enough
check "and was not before the lab was" test 0 = "$(late_ms 0 1)"
check "a time over the limit is not ok" ends_with 1 'check_ms it 100100 100'
check "it is ok on a machine that was as late" ends_with 0 '
    echo "$(now_us) 100000000" >>"$LAB/lateness"
    check_ms it 100100 100'
check "no time is not ok there" ends_with 1 '
    echo "$(now_us) 1000000" >>"$LAB/lateness"
    check_ms it "" 100'
check "waiting ends" test 1 = "$(within 1 false || echo 1)"
check "patience does, too" test 1 = "$(until_true 1 false || echo 1)"
finish
