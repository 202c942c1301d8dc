# What a program says and how it ends, for the tests beside this file; and the
# lab. To be sourced.
. "$(dirname "${BASH_SOURCE[0]}")/../net/lab.sh"

# What a command printed is in said.out and said.err.
ends_with() { # CODE COMMAND...
    local want=$1 code=0
    shift
    timeout 20 "$@" >"$LAB/said.out" 2>"$LAB/said.err" || code=$?
    [ "$code" = "$want" ] || {
        echo "exit $code, not $want: $(cat "$LAB/said.out" "$LAB/said.err")"
        return 1
    }
}

said() { grep -qF -- "$1" "$LAB/said.out"; }
complained() { grep -qF -- "$1" "$LAB/said.err"; }
