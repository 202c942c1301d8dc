#!/bin/bash
# Hosts with more interfaces than a socket has memberships (20), and than 64. The
# LAN that two of them have in common is the last one, and there is no relay.
#
#   alice, bob: 39 others each, IPv4 only        alice---[ home ]---bob
#   carol, dave: 99 others each, both families   carol---[ work ]---dave
#
# What cannot be joined, is missing, or finds no room is named by the health
# lines.
#
# alone: while the kernel makes and ends hundreds of interfaces, it lets no other
# namespace change one
. "$(dirname "$0")/lab.sh"

# others HOST COUNT: so many interfaces that lead nowhere.
others() {
    local i
    for i in $(seq "$2"); do
        echo "link add d$i type veth peer name p$i"
        echo "link set p$i up"
        echo "link set d$i up"
        echo "address add 10.$((i / 250)).$((i % 250)).1/24 dev d$i"
    done >"$LAB/$1.batch"
    ip -n "$1" -batch "$LAB/$1.batch"
}

lan home
lan work
for name in alice bob carol dave; do host "$name"; done
as alice sysctl -qw net.ipv6.conf.all.disable_ipv6=1 \
    net.ipv6.conf.default.disable_ipv6=1
as bob sysctl -qw net.ipv6.conf.all.disable_ipv6=1 \
    net.ipv6.conf.default.disable_ipv6=1
others alice 39
others bob 39
others carol 99
others dave 99
plug alice home 198.18.1.2/24
plug bob home 198.18.1.3/24
plug carol work 198.18.2.2/24
plug dave work 198.18.2.3/24
mesh_of alice bob carol dave
for name in alice bob carol dave; do edge $name $name; done
answers alice bob carol dave

sees alice bob tcp 10s
sees bob alice tcp 10s
says alice bob
sees carol dave tcp 10s
sees dave carol tcp 10s
says dave carol

# code NAME CODE WORDS: its health has such a line.
code() {
    at "$1" status --json >"$LAB/status.json"
    python3 - "$LAB/status.json" "$2" "$3" <<'END'
import json, sys
health = json.load(open(sys.argv[1]))["health"]
found = [h for h in health if h["code"] == sys.argv[2]]
print(found or health)
sys.exit(not any(sys.argv[3] in h["text"] and h["remedy"] for h in found))
END
}
none_of() {
    ! code "$1" "$2" ""
}

check "all groups were joined" none_of alice multicast_not_joined
check "so with 100 interfaces" none_of carol multicast_not_joined
check "what finds no room in the announcement is told" until_true 5 \
    code carol addresses_left_out "of this host's addresses"

# An interface that comes later is heard as well.
host erin
as alice ip link add late type veth peer name later
plug erin home 198.18.1.4/24
plug alice home 198.18.1.5/24
member office erin
edge erin erin
answers erin
sees erin alice tcp 10s

# The kernel lets nobody join.
end bob
as bob sysctl -qw net.ipv4.igmp_max_memberships=0
edge bob bob
answers bob
check "what cannot be joined is named" until_true 5 \
    code bob multicast_not_joined " more: multicast is not heard there"
check_logged "and logged" bob groups_not_joined

# A name that is no interface's.
end dave
conf dave 'listen: {interfaces: [eth0, eth77]}'
check "--check warns of it, and finds it good" bash -c \
    "'$ZS_BIN/zs-edge' -c '$LAB/dave.yaml' --check 2>&1 >/dev/null |
        grep -q 'no interface .eth77. now'"
check "it is good all the same" "$ZS_BIN/zs-edge" -c "$LAB/dave.yaml" --check
edge dave dave
answers dave
check "health names it" until_true 5 code dave interface_missing "eth77, which"
check_logged "so does the log" dave 'interface_missing name=eth77'
sees dave carol tcp 10s
as dave ip link add eth77 type veth peer name eth78
as dave ip link set eth78 up
as dave ip address add 10.77.0.1/24 dev eth77
as dave ip link set eth77 up
gone() { none_of dave interface_missing; }
check "and no longer once it is there" until_true 10 gone

# One by one: with its namespace the kernel would end them all in one piece, for
# seconds, in the next test.
for name in alice bob carol dave; do end $name; done
for name in alice bob carol dave; do
    ip -n $name -o link | grep -o ': d[0-9]*@' | tr -d ': @' |
        sed 's/^/link del /' >"$LAB/$name.batch"
    ip -n $name -batch "$LAB/$name.batch"
done
finish
