# shellcheck shell=bash
# A page of deploy/guide on hosts of its own; guide.py says how it is run. To be
# sourced, and then:
#
#     lan home
#     host alice; plug alice home 192.168.1.20/24
#     guide first-lan.md
#     finish
. "$(dirname "${BASH_SOURCE[0]}")/says.sh"

GUIDE_TOP=$(realpath "$NET_DIR/../..")
export PATH=$LAB/bin:$ZS_BIN:$PATH NO_COLOR=1 HOME=$LAB
mkdir "$LAB/bin" "$LAB/hosts"

# Each host's home is a folder here, so a copy is enough: FILE... HOST:
cat >"$LAB/bin/scp" <<'END'
#!/bin/bash
set -e
cp -p "${@:1:$#-1}" "${HOME%/*}/${!#%:}/"
END
chmod +x "$LAB/bin/scp"

guide() { # PAGE [FROM=TO]...
    local page=$1
    shift
    if python3 -B "$NET_DIR/../cli/guide.py" "$GUIDE_TOP/deploy/guide/$page" \
        "$LAB/hosts" "$@" >"$LAB/guide.out" 2>&1; then
        ok "$page" "$(tail -n 1 "$LAB/guide.out")"
    else
        not_ok "$page"
        tail -n 40 "$LAB/guide.out"
    fi
}
