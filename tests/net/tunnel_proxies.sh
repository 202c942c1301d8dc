#!/bin/bash
# Two edges whose only way out is a proxy, of each kind, and a relay beyond it.
# They reach it by the proxy, and the password is in no log and no status.
#
#   alice---[ inside ]---gate (proxy.lab)---[ street ]---hub (relay)
#   bob---------'
. "$(dirname "$0")/lab.sh"
. "$NET_DIR/load.sh"
. "$NET_DIR/middleboxes.sh"
needs curl openssl squid tinyproxy microsocks krb5kdc kadmin.local kinit

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
wall gate
as gate nft insert rule inet wall to_me tcp dport 3000-4000 accept
as gate nft insert rule inet wall to_me tcp dport 88 accept
as gate nft insert rule inet wall to_me udp dport 88 accept
names relay.lab=203.0.113.10 proxy.lab=198.18.0.1
certificate secure proxy.lab
trust_ca

mesh office
relay_of_mesh office hub 203.0.113.10
sed -i 's/tcp: \["\*:443"\]/tcp: ["*:443", "*:80"]/' "$LAB/hub/relay.yaml"
start_relay hub hub
LAB_PATHS='paths: {tcp: false, udp: false, relay: true}'
member office alice
member office bob

# Starts both with the setting, and they talk; then they are ended.
by() { # WHAT FORM LINE...
    local what=$1 form=$2 name
    shift 2
    for name in alice bob; do
        cp "$LAB/$name.yaml" "$LAB/$name.plain"
        conf $name "$@"
        edge $name $name
    done
    answers alice bob
    sees alice bob relay 20s
    says alice bob
    says bob alice
    check "$what: the form is $form" settles alice "$form"
    at alice status >>"$LAB/said" 2>&1
    at alice status --json >>"$LAB/said" 2>&1
    for name in alice bob; do
        end $name
        cat "$LAB/$name.log" >>"$LAB/said"
        mv "$LAB/$name.plain" "$LAB/$name.yaml"
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
    at alice status --json >>"$LAB/said" 2>&1
    end alice
    cat "$LAB/alice.log" >>"$LAB/said"
    mv "$LAB/alice.plain" "$LAB/alice.yaml"
}
has_error() { # ERROR
    at alice status --json | grep -q "\"error\": *\"$1\""
}


wall gate reset 80
by "a firewall with only port 80 open" ws 'proxy: ""'
wall gate
as gate nft insert rule inet wall to_me tcp dport 3000-4000 accept
as gate nft insert rule inet wall to_me tcp dport 88 accept
as gate nft insert rule inet wall to_me udp dport 88 accept

proxy=proxy.lab
squid_proxy squid gate 3128 plain
by "squid" tcp+proxy "proxy: http://$proxy:3128"
end squid KILL
for kind in basic digest ntlm; do
    squid_proxy $kind gate 3129 $kind
    by "squid with $kind" tcp+proxy "proxy: http://$PROXY_LOGIN@$proxy:3129"
    # ntlm_fake_auth takes any password.
    [ $kind = ntlm ] || fails "a wrong password by $kind" proxy_auth \
        "proxy: http://$PROXY_USER:wrong@$proxy:3129"
    [ $kind = ntlm ] ||
        fails "no password for $kind" proxy_auth "proxy: http://$proxy:3129"
    end $kind KILL
done
kdc kdc gate 198.18.0.1
squid_proxy negotiate gate 3129 negotiate
export KRB5CCNAME="FILE:$LAB/kdc/ticket"
by "squid with a ticket" tcp+proxy "proxy: http://$proxy:3129"
unset KRB5CCNAME
end negotiate KILL
end kdc
squid_proxy secure gate 3130 tls
by "squid by TLS" tcp+proxy "proxy: https://$proxy:3130"
end secure KILL
tinyproxy_at tiny gate 3131 basic
by "tinyproxy" tcp+proxy "proxy: http://$PROXY_USER:$TINY_PASSWORD@$proxy:3131"
end tiny
socks socks gate 3134 password
for scheme in socks5 socks5h; do
    by "$scheme" tcp+proxy "proxy: $scheme://$PROXY_LOGIN@$proxy:3134"
done
fails "a wrong password by SOCKS5" proxy_auth \
    "proxy: socks5h://$PROXY_USER:wrong@$proxy:3134"
end socks
fails "no proxy there" refused "proxy: http://$proxy:3200"

check "no password is in a log or status" \
    sh -c "! grep -F -e '$PROXY_PASSWORD' -e '${PROXY_LOGIN#*:}' -e $TINY_PASSWORD '$LAB/said'"
finish
