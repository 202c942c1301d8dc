#!/bin/bash
# The relay's STUN: clients of coturn and of classic STUN learn the address that
# the relay sees, beside it and behind NATs; floods and garbage get no answer
# and hurt nobody.
#
#   alice---[ home: NAT ]---+
#   carol---[ cafe: NAT,    |
#             random ports]-+--[ street ]--+--hub (relay, 203.0.113.10, 2001:db8:5::10)
#   bob---------------------+
. "$(dirname "$0")/lab.sh"

command -v turnutils_stunclient >/dev/null || not_ok "coturn's client is there"
command -v stun >/dev/null || not_ok "the classic client is there"

lan street
lan attic
lan cellar
host hub
host bob
host alice
host carol
router home
router cafe
plug hub street 203.0.113.10/24 2001:db8:5::10/64
plug bob street 203.0.113.3/24 2001:db8:5::3/64
plug home street 203.0.113.2/24
plug home attic 192.168.1.1/24
plug alice attic 192.168.1.2/24
gateway alice 192.168.1.1
plug cafe street 203.0.113.4/24
plug cafe cellar 192.168.2.1/24
plug carol cellar 192.168.2.2/24
gateway carol 192.168.2.1
nat home eth0
nat cafe eth0 random

mesh office
relay_of_mesh office hub 203.0.113.10
start_relay hub hub
check_logged "the relay says where it answers" hub "stun_listening" 2

# `reflexive addr: 203.0.113.2:34567` of coturn's client.
coturn_says() { # HOST SERVER PORT ADDRESS [LOCAL_ADDRESS]
    as "$1" timeout 25 turnutils_stunclient -p "$3" ${5:+-L "$5"} "$2" \
        >"$LAB/coturn" 2>&1 || true
    grep -F "reflexive addr: $4:" "$LAB/coturn"
}
check "coturn's client beside the relay" coturn_says bob 203.0.113.10 3478 203.0.113.3
check "at 443 too" coturn_says bob 203.0.113.10 443 203.0.113.3
check "by IPv6" coturn_says bob 2001:db8:5::10 3478 2001:db8:5::3
check "by IPv6 at 443" coturn_says bob 2001:db8:5::10 443 2001:db8:5::3
check "behind a NAT" coturn_says alice 203.0.113.10 3478 203.0.113.2
check "behind a symmetric NAT" coturn_says carol 203.0.113.10 3478 203.0.113.4

# Of the classic client the first test is all that one server of one address
# can answer; -v prints what it heard.
classic_says() { # HOST ADDRESS
    as "$1" timeout 20 stun 203.0.113.10 -v >"$LAB/classic" 2>&1 || true
    grep -q "MappedAddress = $2:" "$LAB/classic"
}
check "the classic client beside the relay" classic_says bob 203.0.113.3
check "and behind a NAT" classic_says alice 203.0.113.2

# Both ports of the server show whether the mapping depends on the port. The
# edges of the product will ask so; here a few lines of Python do.
mapped_at_both() { # HOST - the outside ports that 443 and 3478 saw of one socket
    as "$1" python3 -B - <<'PY'
import os, socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(25)
for port in (443, 3478):
    ident = os.urandom(12)
    s.sendto(struct.pack(">HHI", 1, 0, 0x2112a442) + ident, ("203.0.113.10", port))
    data, source = s.recvfrom(100)
    assert source == ("203.0.113.10", port) and data[8:20] == ident, source
    print(struct.unpack(">H", data[26:28])[0] ^ 0x2112)
PY
}
ports() { # HOST COUNT - so many different outside ports
    test "$(mapped_at_both "$1" | sort -u | wc -l)" = "$2"
}
check "a home NAT keeps the port for both" ports alice 1
check "a symmetric NAT does not" ports carol 2

# Garbage, requests whose answers are bent elsewhere, and requests without end.
flood() {
    as bob python3 -B - <<'PY'
import os, socket, struct, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setblocking(False)
good = struct.pack(">HHI", 1, 0, 0x2112a442) + os.urandom(12)
bent = good[:2] + b"\0\x08" + good[4:] + struct.pack(">HHI", 3, 4, 2)
kinds = [os.urandom(n) for n in range(0, 600, 7)] + [bent, b"", good[:19]]
sent = answered = 0
end = time.monotonic() + 60

def send(data):
    global sent
    try:
        s.sendto(data, ("203.0.113.10", 3478))
        sent += 1
    except BlockingIOError:
        time.sleep(0.001)

while sent < 200000 and time.monotonic() < end:
    send(kinds[sent % len(kinds)])
try:
    s.recv(100)
    print("garbage was answered")
except BlockingIOError:
    pass
start = time.monotonic()
end = start + 60
requests = sent + 50000
while sent < requests and time.monotonic() < end:
    send(good)
    try:
        s.recv(100)
        answered += 1
    except BlockingIOError:
        pass
allowed = 64 + (time.monotonic() - start) / 0.03 + 1
print("ok" if 0 < answered <= allowed else f"{answered} of {allowed:.0f}")
PY
}
before=$(ps -o rss= -p "$(pid_of hub)")
check "a flood is answered up to the rate, garbage never" test "$(flood)" = ok
after=$(ps -o rss= -p "$(pid_of hub)")
check "and costs no memory" test $((after - before)) -lt 2048
check "others are answered as before" coturn_says alice 203.0.113.10 3478 203.0.113.2

finish
