#!/bin/bash
# An edge whose only way out is a proxy reaches its relay through it.
#
#   alice|---[ inside ]---proxy---[ street ]---hub (relay.lab, 203.0.113.10)
#                                    |
#                                   bob| (who may only reach the relay's 443)
#
# alice resolves proxy.lab and no other name; the proxies resolve relay.lab.
#
#     proxies.sh [--full] [--only SITUATION,...]
#
#     squid basic digest ntlm negotiate   squid, with each kind of password
#     tls            squid by TLS
#     tinyproxy tinyproxy-basic
#     socks socks-password
#     environment    a proxy that https_proxy names
#     inspecting     a proxy that opens the TLS inside, and passes nothing else
#     cut            a proxy that cuts every tunnel after 10 s
#     hold           a proxy that keeps small pieces back
#     idle           a proxy that cuts what is idle for 30 s (with --full)
#     refused        wrong password, a port that it refuses: what the edge says
. "$(dirname "$0")/lab.sh"
. "$NET_DIR/load.sh"
. "$NET_DIR/middleboxes.sh"
. "$NET_DIR/relay_forms.sh"
forms_options "$@"
needs squid tinyproxy microsocks mitmdump openssl krb5kdc kinit

lan inside
lan street
host proxy
host alice
host bob
host hub
plug proxy inside 198.18.0.1/24
plug proxy street 203.0.113.1/24
plug alice inside 198.18.0.2/24
plug bob street 203.0.113.3/24
plug hub street 203.0.113.10/24
gateway alice 198.18.0.1 # which passes nothing on
only_tcp_to alice 198.18.0.1 1-65535
only_tcp_to bob 203.0.113.10 443
names proxy.lab=198.18.0.1
far_names proxy.lab=198.18.0.1 relay.lab=203.0.113.10
office hub alice bob
start_bob

alice_by() { # PROXY_URL
    fresh alice "proxy: \"$1\""
}

squid_situation() { # KIND PORT LOGIN WHAT [NAME=VALUE...]
    wanted "$1" || return 0
    squid_proxy "$1" proxy "$2" "$1"
    alice_by "http://$3proxy.lab:$2"
    meets "$1" "$4" tcp+proxy 2000 "${@:5}"
    end "$1" KILL
}

if wanted squid; then
    squid_proxy squid proxy 3128 plain
    alice_by http://proxy.lab:3128
    meets squid "squid" tcp+proxy 2000
    end squid KILL
fi
squid_situation basic 3130 "$PROXY_LOGIN@" "squid, Basic"
squid_situation digest 3131 "$PROXY_LOGIN@" "squid, Digest"
squid_situation ntlm 3132 "$PROXY_LOGIN@" "squid, NTLM"
if wanted negotiate; then
    kdc kdc proxy 198.18.0.1
    squid_situation negotiate 3133 "" "squid, Negotiate" \
        KRB5CCNAME="FILE:$LAB/kdc/ticket"
    end kdc
fi
if wanted tls; then
    certificate tls proxy.lab
    trust_ca
    squid_proxy tls proxy 3134 tls
    alice_by https://proxy.lab:3134
    meets tls "squid by TLS" tcp+proxy 2000
    end tls KILL
fi
if wanted tinyproxy; then
    tinyproxy_at tinyproxy proxy 3135
    alice_by http://proxy.lab:3135
    meets tinyproxy "tinyproxy" tcp+proxy 2000
fi
if wanted tinyproxy-basic; then
    tinyproxy_at tinyproxy-basic proxy 3136 basic
    alice_by "http://$PROXY_USER:$TINY_PASSWORD@proxy.lab:3136"
    meets tinyproxy-basic "tinyproxy, Basic" tcp+proxy 2000
fi
if wanted socks; then
    socks socks proxy 1080
    alice_by socks5h://proxy.lab:1080
    meets socks "SOCKS5" tcp+proxy 2000
fi
if wanted socks-password; then
    socks socks-password proxy 1081 password
    alice_by "socks5h://$PROXY_LOGIN@proxy.lab:1081"
    meets socks-password "SOCKS5, with a password" tcp+proxy 2000
fi
if wanted environment; then
    middlebox environment proxy 3137 connect
    fresh alice
    # tcp+proxy begins, and the others follow in steps: on a slow machine one of
    # these may be first.
    meets environment "https_proxy names the proxy" '*+proxy' 2000 \
        https_proxy=http://proxy.lab:3137
fi
if wanted inspecting; then
    mitm inspecting proxy 3138 regular
    alice_by http://proxy.lab:3138
    meets inspecting "a proxy that opens the TLS" wss+proxy 2000
    end inspecting
fi

# --- Proxies that mistreat tunnels ----------------------------------------------

if wanted hold; then
    middlebox hold proxy 3139 connect --hold 100
    alice_by http://proxy.lab:3139
    # Each way of a handshake takes 100 ms longer.
    AGAIN_MS=2000
    meets hold "a proxy keeps small pieces back" tcp+proxy 2000
    AGAIN_MS=500
fi

tunnels_cut() { [ "$(grep -c '^cut' "$LAB/$1.log")" -ge "$2" ]; }

if wanted cut; then
    middlebox cut proxy 3140 connect --cut 10000
    alice_by http://proxy.lab:3140
    start_alice
    streams_begin
    begin=$(now_us)
    check "cut: tunnels are cut" until_true 40 tunnels_cut cut 2
    for_ms 3000
    streams_end cut
    check_ms "cut: the longest silence" "$(longest_silence "$begin")" 4000 "$begin"
fi

if wanted idle && [ -n "$FULL" ]; then
    middlebox idle proxy 3141 connect --idle 30000
    alice_by http://proxy.lab:3141
    start_alice
    for_ms 70000
    check "no tunnel was cut" test 0 = "$(grep -c '^cut' "$LAB/idle.log")"
    check "bob still answers" at alice ping bob -c 1
fi

# --- What the edge says of a proxy that refuses ------------------------------------

no_password() { # PASSWORD
    ! grep -F ":$1@" "$LAB/alice.log" /proc/[0-9]*/cmdline &&
        ! at alice status --json | grep -F ":$1@"
}
says_why() { # WHAT ERROR - alice, anew
    end alice
    edge alice alice
    answers alice
    check "$1" until_true 10 says_error alice "$2"
}
if wanted refused; then
    tinyproxy_at tinyproxy-refuses proxy 3142 basic
    alice_by "http://$PROXY_USER:wrong@proxy.lab:3142"
    says_why "tinyproxy: a wrong password is told" proxy_auth
    check "the password is in no log and no list of processes" no_password wrong
    alice_by http://proxy.lab:3142
    says_why "tinyproxy: a missing password is told" proxy_auth
    squid_proxy squid-refuses proxy 3143 basic
    alice_by "http://$PROXY_USER:wrong@proxy.lab:3143"
    says_why "squid: a wrong password is told" proxy_auth
    fresh alice "relays: ['wss://relay.lab:444/?$RELAY_KEY']" \
        "proxy: 'http://$PROXY_LOGIN@proxy.lab:3143'"
    says_why "a port that it refuses is told" proxy_refused
fi
forms_table
finish
