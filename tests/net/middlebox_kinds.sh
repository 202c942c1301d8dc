#!/bin/bash
# Each firewall, proxy and server of middleboxes.sh passes and refuses what its
# name says, by curl: two web sites in place of a relay, relay.lab and www.lab.
#
#   alice---[ inside ]---gate (proxy.lab)---[ street ]---hub (both sites)
#                                               |
#                                             front---[ rack ]---hub
. "$(dirname "$0")/lab.sh"
. "$NET_DIR/load.sh"
. "$NET_DIR/middleboxes.sh"
needs curl openssl nginx haproxy sslh-select squid tinyproxy microsocks \
    mitmdump krb5kdc kadmin.local kinit

lan inside
lan street
lan rack
router gate
as gate sysctl -qw net.ipv6.conf.all.forwarding=1
for name in alice front hub; do host $name; done
plug gate inside 198.18.0.1/24 2001:db8:1::1/64
plug gate street 203.0.113.1/24 2001:db8:5::1/64
plug alice inside 198.18.0.2/24 2001:db8:1::2/64
plug front street 203.0.113.11/24
plug front rack 198.18.9.1/24
plug hub street 203.0.113.10/24 2001:db8:5::10/64
plug hub rack 198.18.9.2/24
for name in alice:198.18.0 front:203.0.113 hub:203.0.113; do
    gateway "${name%:*}" "${name#*:}.1"
done
ip -n alice -6 route add default via 2001:db8:1::1
ip -n hub -6 route add default via 2001:db8:5::1

names relay.lab=203.0.113.10 relay6.lab=2001:db8:5::10 proxy.lab=198.18.0.1
far_names far.lab=203.0.113.10 relay.lab=203.0.113.10
for name in relay www; do certificate $name $name.lab; done
certificate front relay.lab
certificate secure proxy.lab

# Both sites say who they are, and for whom they think that they answer.
sites() { # [proxy_protocol]
    local name sites='' told=${1:+proxy_protocol_addr}
    end sites
    for name in relay:4443 www:8443; do
        sites+="server {
            listen ${name#*:} ssl ${1:-};
            server_name ${name%:*}.lab;
            ssl_certificate $LAB/${name%:*}.pem;
            ssl_certificate_key $LAB/${name%:*}.key;
            return 200 '${name%:*} for \$${told:-remote_addr}';
        }"
    done
    nginx_conf sites <<CONF
http {
    access_log off;
    server {
        listen [::]:80 ipv6only=off;
        listen [::]:443 ssl ipv6only=off;
        ssl_certificate $LAB/relay.pem;
        ssl_certificate_key $LAB/relay.key;
        return 200 'relay by \$scheme';
    }
    server { # behind a server that opens the TLS
        listen 4444;
        return 200 'relay for \$http_x_forwarded_for, \$http_upgrade';
    }
    $sites
}
CONF
    serve sites hub 443 nginx -c "$LAB/sites.conf"
}
sites proxy_protocol

# Of what alice gets by curl, one line.
curl_says() { # WORDS ARGUMENT...
    local words=$1
    shift
    { as alice curl -sSk --max-time 25 "$@" 2>&1 || true; } |
        tr '\n' ' ' | grep -F -- "$words"
}
says_so() { # WHAT WORDS ARGUMENT...
    check "$1" curl_says "${@:2}"
}
# What comes back for these bytes, as printf takes them.
gets() { # PORT BYTES
    as alice timeout "${WAIT:-10}" bash -c 'exec 3<>"/dev/tcp/203.0.113.10/$0" &&
        printf "$1" >&3 && cat <&3' "$@" 2>&1 || true
}
reset_by() { gets "$@" | grep 'reset by peer'; }
greeting='\xff\0\0\0\0\0\0\0\x01\x7f'

# --- Firewalls ----------------------------------------------------------------

wall gate 443
says_so "a wall passes its port" "relay by https" https://relay.lab
says_so "and by IPv6" "relay by https" https://relay6.lab
says_so "and swallows others" "timed out" --max-time 1 http://relay.lab
wall gate reset 443
says_so "or resets them" "Couldn't connect" http://relay.lab

middlebox tls gate 7443 tls --silent 500
middlebox http gate 7080 http --silent 500
wall gate reset 443:7443 80:7080
for name in relay relay6; do
    says_so "tls passes TLS to $name" "relay by https" https://$name.lab
    says_so "http passes HTTP to $name" "relay by http" http://$name.lab
    says_so "tls resets HTTP to $name" reset http://$name.lab:443
    says_so "http resets TLS to $name" reset https://$name.lab:80
done
says_so "tls resets a hello without a name" reset https://203.0.113.10
check "tls resets CurveZMQ" reset_by 443 "$greeting"
check "http resets CurveZMQ" reset_by 80 "$greeting"
check "tls resets what says too little" reset_by 443 '\x16\x03\x01'
check "http resets what says too little" reset_by 80 'GET /'
check "tls logged the name" until_true 2 grep -q 'pass 203.0.113.10:443 relay.lab' "$LAB/tls.log"

portal portal gate 7081 7444
wall gate reset 443:7444 80:7081
says_so "a portal redirects HTTP" "http://portal.lab/login" -i http://relay.lab
says_so "a portal redirects HTTPS" "http://portal.lab/login" -i https://relay.lab
end portal

mitm opens gate 7445
wall gate reset 443:7445
says_so "mitmproxy passes HTTPS" "relay by https" https://relay.lab
says_so "and shows its own certificate" "CN=mitmproxy" -v https://relay.lab
# It takes that for a request, and waits for more of it.
silent_for() { ! WAIT=1 gets "$@" | grep .; }
check "and no CurveZMQ" silent_for 443 "$greeting"
end opens

# --- Proxies ------------------------------------------------------------------

wall gate
as gate nft insert rule inet wall to_me tcp dport 3000-4000 accept
as gate nft insert rule inet wall to_me tcp dport 88 accept
as gate nft insert rule inet wall to_me udp dport 88 accept
site=https://relay.lab

squid_proxy squid gate 3128 plain
says_so "squid passes CONNECT to 443" "relay by https" -x http://proxy.lab:3128 $site
says_so "squid refuses 444" "response 403" -x http://proxy.lab:3128 $site:444
end squid KILL
for kind in basic digest ntlm; do
    squid_proxy $kind gate 3129 $kind
    says_so "squid wants $kind" "response 407" -x http://proxy.lab:3129 $site
    says_so "squid takes $kind" "relay by https" -x http://proxy.lab:3129 \
        --proxy-$kind -U "$PROXY_USER:$PROXY_PASSWORD" $site
    [ $kind = ntlm ] || # ntlm_fake_auth believes everybody
        says_so "squid takes no wrong password by $kind" "response 407" \
            -x http://proxy.lab:3129 --proxy-$kind -U "$PROXY_USER:wrong" $site
    end $kind KILL
done
kdc kdc gate 198.18.0.1
squid_proxy negotiate gate 3129 negotiate
says_so "squid wants a ticket" "response 407" -x http://proxy.lab:3129 \
    --proxy-negotiate -U : $site
export KRB5CCNAME="FILE:$LAB/kdc/ticket"
says_so "squid takes a ticket" "relay by https" -x http://proxy.lab:3129 \
    --proxy-negotiate -U : $site
end negotiate KILL
end kdc
squid_proxy secure gate 3130 tls
says_so "squid by TLS" "relay by https" -x https://proxy.lab:3130 --proxy-cacert "$LAB/ca.pem" $site
says_so "its certificate is not that of strangers" "certificate" -x https://proxy.lab:3130 $site
end secure KILL

tinyproxy_at tiny gate 3131
says_so "tinyproxy" "relay by https" -x http://proxy.lab:3131 $site
tinyproxy_at tiny-basic gate 3132 basic
says_so "tinyproxy wants a password" "response 407" -x http://proxy.lab:3132 $site
says_so "tinyproxy takes it" "relay by https" -x http://proxy.lab:3132 \
    -U "$PROXY_USER:$TINY_PASSWORD" $site

socks socks gate 3133
says_so "SOCKS5 resolves names" "relay by https" -x socks5h://proxy.lab:3133 https://far.lab
says_so "which alice cannot" esolv -x socks5://proxy.lab:3133 https://far.lab
socks socks-password gate 3134 password
says_so "SOCKS5 wants a password" "authentication" -x socks5h://proxy.lab:3134 https://far.lab
says_so "SOCKS5 takes it" "relay by https" -U "$PROXY_USER:$PROXY_PASSWORD" \
    -x socks5h://proxy.lab:3134 https://far.lab

middlebox cut gate 3135 connect --cut 1500
says_so "a proxy with CONNECT" "relay by https" -x http://proxy.lab:3135 $site
middlebox idle gate 3136 connect --idle 1000
middlebox hold gate 3137 connect --hold 300
silent() { # PORT - how long an open tunnel lives when nobody speaks
    local begin
    begin=$(now_ms)
    as alice timeout 10 openssl s_client -quiet -proxy 198.18.0.1:"$1" \
        -connect relay.lab:443 </dev/null >/dev/null 2>&1
    echo $(($(now_ms) - begin))
}
check "cuts a tunnel" test "$(silent 3135)" -ge 1400
check "it says so" until_true 3 grep -q '^cut' "$LAB/cut.log"
check "cuts an idle tunnel" test "$(silent 3136)" -ge 900
check "it says so too" until_true 3 grep -q '^cut' "$LAB/idle.log"
held=$(as alice curl -sk --max-time 25 -o /dev/null -w '%{time_total}' \
    -x http://proxy.lab:3137 $site)
check "keeps small pieces back: $held s" awk "BEGIN { exit $held < 0.9 }"

# --- Servers in front of two sites --------------------------------------------

wall gate 443 80
names relay.lab=203.0.113.11 www.lab=203.0.113.11
FAR=()
its_sample() { # FILE
    sample "$1" relay.lab 198.18.9.2:4443 www.lab 198.18.9.2:8443
}
both_sites() { # WHAT ADDRESS_THAT_THEY_SEE
    local name
    for name in relay www; do
        check "$1 passes TLS for $name.lab to it" curl_says "$name for $2" https://$name.lab
    done
}
its_sample nginx-stream.conf | nginx_conf stream
serve stream front 443 nginx -c "$LAB/stream.conf"
both_sites "nginx, stream," 198.18.0.2
end stream
its_sample haproxy.cfg >"$LAB/haproxy.cfg"
serve haproxy front 443 haproxy -db -f "$LAB/haproxy.cfg"
both_sites haproxy 198.18.0.2
end haproxy
sites
its_sample sslh.cfg >"$LAB/sslh.cfg"
serve sslh front 443 sslh-select "-F$LAB/sslh.cfg"
both_sites sslh 198.18.9.1
end sslh
{
    echo 'http {'
    sample nginx-http.conf relay.lab 198.18.9.2:4444 www.lab 198.18.9.2:8443
    echo '}'
} | nginx_conf http
serve http front 443 nginx -c "$LAB/http.conf"
says_so "nginx, http, passes an upgrade" "relay for 198.18.0.2, zs" -H 'Upgrade: zs' https://relay.lab
says_so "and in plain HTTP" "relay for 198.18.0.2, zs" -H 'Upgrade: zs' http://relay.lab
says_so "it replaces X-Forwarded-For" "relay for 198.18.0.2, " -H 'X-Forwarded-For: 192.0.2.1' https://relay.lab
finish
