#!/bin/bash
# A relay behind the servers of deploy/samples, which share their port 443 with
# a web site.
#
#   alice, bob---[ street ]---front---[ rack ]---hub (relay and www.lab)
#                             (relay.lab, www.lab: 203.0.113.10)
#
#     behind.sh [--full] [--only stream,stream-tcp,...]
#
#     stream haproxy http sslh   by the sample that has this name; and in each
#     stream-tcp stream-wss ...  form that passes there
. "$(dirname "$0")/lab.sh"
. "$NET_DIR/load.sh"
. "$NET_DIR/middleboxes.sh"
. "$NET_DIR/relay_forms.sh"
forms_options "$@"
needs nginx haproxy sslh-select openssl curl

lan street
lan rack
host front
host hub
host alice
host bob
plug front street 203.0.113.10/24
plug front rack 198.18.9.1/24
plug hub rack 198.18.9.2/24
plug alice street 203.0.113.2/24
plug bob street 203.0.113.3/24
for name in alice bob; do only_tcp_to $name 203.0.113.10 '{ 443, 80 }'; done
names relay.lab=203.0.113.10 www.lab=203.0.113.10
RELAY_LISTEN='{tcp: ["198.18.9.2:4443"], proxy_protocol: [198.18.9.1]}'
RELAY_PORT=4443
office hub alice bob

# www.lab, which hears the client's address by the PROXY protocol, or not.
certificate www www.lab
site() { # [proxy_protocol]
    local told=${1:+proxy_protocol_addr}
    end www
    nginx_conf www <<CONF
http {
    access_log off;
    server {
        listen 8443 ssl ${1:-};
        ssl_certificate $LAB/www.pem;
        ssl_certificate_key $LAB/www.key;
        return 200 "the site for \$${told:-remote_addr}";
    }
}
CONF
    serve www hub 8443 nginx -c "$LAB/www.conf"
}

site_answers() { # ADDRESS - that it sees
    [ "$(as alice curl -sS --max-time 25 --cacert "$LAB/ca.pem" \
        https://www.lab/)" = "the site for $1" ]
}

# The relay knows who alice is, behind whatever stands before it.
relay_sees() { # ADDRESS
    grep ' edge_up name=alice ' "$LAB/hub.log" | tail -n 1 |
        grep -q "address=$1:"
}

its_sample() { # FILE
    sample "$1" relay.lab 198.18.9.2:4443 www.lab 198.18.9.2:8443
}

# alice meets bob in each form that passes this server.
passes() { # NAME WHAT ADDRESS FORM...
    local name=$1 what=$2 address=$3 form
    shift 3
    start_bob
    for form in "$@"; do
        wanted "$name-$form" || continue
        fresh alice
        [ "$form" = tcp ] ||
            fresh alice "relays: ['$form://relay.lab/?$RELAY_KEY']"
        meets "$name-$form" "$what" "$form" 2000
        check "$name-$form: the relay knows her address" relay_sees "$address"
    done
}

if wanted stream; then
    site proxy_protocol
    its_sample nginx-stream.conf | nginx_conf stream
    serve stream front 443 nginx -c "$LAB/stream.conf"
    check "stream: the web site answers" site_answers 203.0.113.2
    passes stream "behind nginx, stream" 203.0.113.2 tcp wss
    end stream
fi
if wanted haproxy; then
    site proxy_protocol
    its_sample haproxy.cfg >"$LAB/haproxy.cfg"
    serve haproxy front 443 haproxy -db -f "$LAB/haproxy.cfg"
    check "haproxy: the web site answers" site_answers 203.0.113.2
    passes haproxy "behind haproxy" 203.0.113.2 tcp wss
    end haproxy
fi
if wanted http; then
    certificate front relay.lab
    {
        echo 'http {'
        its_sample nginx-http.conf
        echo '}'
    } | nginx_conf http
    serve http front 443 nginx -c "$LAB/http.conf"
    passes http "behind nginx, http" 203.0.113.2 wss ws
    end http
fi
if wanted sslh; then
    site
    end hub
    sed -i 's/, proxy_protocol: .*/}/' "$LAB/hub/relay.yaml"
    serve hub hub 4443 "$ZS_BIN/zs-relay" -c "$LAB/hub/relay.yaml"
    its_sample sslh.cfg >"$LAB/sslh.cfg"
    serve sslh front 443 sslh-select -F"$LAB/sslh.cfg"
    check "sslh: the web site answers" site_answers 198.18.9.1
    passes sslh "behind sslh" 198.18.9.1 tcp wss
    end sslh
fi
forms_table
finish
