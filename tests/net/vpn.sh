#!/bin/bash
# (f) Two sites joined by a VPN (a TUN interface without multicast): found by
# the relay, then by discovery.peers without any relay; direct over the VPN.
#
#   alice (198.18.9.1) ======== vpn0, a TUN device ======== bob (198.18.9.2)
#     |                                                        |
#   [ site1 ]---gate1 (NAT)---[ street ]---gate2 (NAT)---[ site2 ]
#                                |
#                               hub (relay, 203.0.113.10:443)
. "$(dirname "$0")/lab.sh"

lan street
host hub
plug hub street 203.0.113.10/24
for i in 1 2; do
    lan site$i
    router gate$i
    plug gate$i site$i 198.18.$i.1/24
    plug gate$i street 203.0.113.$i/24
    nat gate$i eth1
done
host alice
host bob
plug alice site1 198.18.1.2/24
plug bob site2 198.18.2.2/24
gateway alice 198.18.1.1
gateway bob 198.18.2.1
vpn vpn0 alice 198.18.9.1/24 bob 198.18.9.2/24

mesh lonely # has no relay
member lonely alice
member lonely bob
conf alice 'discovery: {peers: ["198.18.9.2:9083"]}'
edge alice alice
edge bob bob
answers alice bob
sees alice bob tcp 5s
sees bob alice tcp 5s
over_the_vpn() {
    at "$1" peers --json | python3 "$NET_DIR/field.py" name "$2" endpoint |
        grep -q '^198\.18\.9\.'
}
check "discovery.peers: over the VPN" over_the_vpn alice bob
numbers alice bob
end alice
end bob

mesh office
relay_of_mesh office hub 203.0.113.10
member office alice
member office bob
start_relay hub hub
edge alice alice
edge bob bob
answers alice bob
sees alice bob tcp 5s
sees bob alice tcp 5s
check "by the relay: over the VPN" over_the_vpn alice bob
says alice bob
says bob alice
numbers alice bob
finish
