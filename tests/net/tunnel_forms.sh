#!/bin/bash
# Two edges reach a relay in each form: where only TLS passes, where only HTTP
# does, and by a proxy in each of them; and a certificate is checked where the
# settings want it.
#
#   alice---[ inside ]---gate (proxy.lab)---[ street ]---hub (relay.lab)
#   bob---------'
. "$(dirname "$0")/lab.sh"
. "$NET_DIR/load.sh"
. "$NET_DIR/middleboxes.sh"
needs openssl squid

lan inside
lan street
router gate
host hub
plug gate inside 198.18.0.1/24
plug gate street 203.0.113.1/24
plug hub street 203.0.113.10/24
gateway hub 203.0.113.1
for name in alice:2 bob:3; do
    host "${name%:*}"
    plug "${name%:*}" inside "198.18.0.${name#*:}/24"
    gateway "${name%:*}" 198.18.0.1
done
no_multicast inside
names relay.lab=203.0.113.10 proxy.lab=198.18.0.1

# The mesh names no relay: the edges' files do, in the form to be tried.
mesh office
"$ZS_BIN/zs-relay" init "$LAB/hub" --host relay.lab --mesh "$MESH_ID" \
    >"$LAB/hub.out" 2>&1
key=$(grep -oE 'key=[^ ]+' "$LAB/hub.out" | head -n 1)
sed -i 's/tcp: \["\*:443"\]/tcp: ["*:443", "*:80"]/' "$LAB/hub/relay.yaml"
start_relay hub hub
LAB_PATHS='paths: {tcp: false, udp: false, relay: true}'
member office alice
member office bob

# Starts both with these lines, and they talk.
by() { # FORM LINE...
    local form=$1 name
    shift
    for name in alice bob; do
        cp "$LAB/$name.yaml" "$LAB/$name.plain"
        conf $name "$@"
        edge $name $name
    done
    answers alice bob
    sees alice bob relay 20s
    says alice bob
    numbers alice bob
    check "the form is $form" settles alice "$form"
    for name in alice bob; do
        end $name
        mv "$LAB/$name.plain" "$LAB/$name.yaml"
        rm -f "$LAB/office/$name.routes"*
    done
}
# Alice does not reach the relay, and says why.
fails() { # WHAT ERROR LINE...
    local what=$1 error=$2
    shift 2
    cp "$LAB/alice.yaml" "$LAB/alice.plain"
    conf alice "$@"
    edge alice alice
    answers alice
    check "$what: $error" until_true 20 has_error "$error"
    end alice
    mv "$LAB/alice.plain" "$LAB/alice.yaml"
}
has_error() { # ERROR
    at alice status --json | grep -q "\"error\": *\"$1\""
}

wall gate reset 443:7443
middlebox looks gate 7443 tls
by wss "relays: [tcp://relay.lab:443?$key]"
wall gate reset 80:7080
middlebox reads gate 7080 http
by ws "relays: [tcp://relay.lab:443?$key]"
wall gate
as gate nft insert rule inet wall to_me tcp dport 3128 accept
squid_proxy squid gate 3128 plain
by tcp+proxy "relays: [tcp://relay.lab:443?$key]" 'proxy: http://proxy.lab:3128'
by wss+proxy "relays: [wss://relay.lab/?$key]" 'proxy: http://proxy.lab:3128'
by ws+proxy "relays: [ws://relay.lab/?$key]" 'proxy: http://proxy.lab:3128'
# The environment's proxy is one more way; no_proxy takes it away again.
export https_proxy=http://proxy.lab:3128
by tcp+proxy "relays: [tcp://relay.lab:443?$key]"
export no_proxy=.lab
fails "a host that no_proxy names" timeout "relays: [tcp://relay.lab:443?$key]"
unset no_proxy
# And one that is gone is no harm.
end squid KILL
wall gate 443
by tcp "relays: [tcp://relay.lab:443?$key]"
unset https_proxy

by wss "relays: [wss://relay.lab/?$key]" 'tls: {verify: false}'
fails "a self-signed certificate that is to be checked" tls \
    "relays: [wss://relay.lab/?$key]" 'tls: {verify: true}'
certificate site relay.lab
trust_ca
cat "$LAB/site.pem" "$LAB/ca.pem" >"$LAB/hub/site.pem"
cp "$LAB/site.key" "$LAB/hub/site.key"
chmod 600 "$LAB/hub/site.key"
end hub
echo 'tls: {certificate: site.pem, key: site.key}' >>"$LAB/hub/relay.yaml"
start_relay hub hub
by wss "relays: [wss://relay.lab/?$key]" 'tls: {verify: true}'
fails "a certificate for another name" tls 'tls: {verify: true}' \
    "relays: [{url: 'wss://relay.lab/?$key', server_name: other.lab}]"
by wss 'tls: {verify: true}' \
    "relays: [{url: 'wss://203.0.113.10/?$key', server_name: relay.lab}]"
finish
