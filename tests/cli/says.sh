# What a program says and how it ends, for the tests beside this file; and the
# lab. To be sourced.
. "$(dirname "${BASH_SOURCE[0]}")/../net/lab.sh"

# A program that takes so long hangs; a late machine never needs it.
PATIENCE_S=100

# What a command printed is in said.out and said.err.
ends_with() { # CODE COMMAND...
    local want=$1 code=0
    shift
    timeout $PATIENCE_S "$@" >"$LAB/said.out" 2>"$LAB/said.err" || code=$?
    [ "$code" = "$want" ] || {
        echo "exit $code, not $want: $(cat "$LAB/said.out" "$LAB/said.err")"
        return 1
    }
}

said() { grep -qF -- "$1" "$LAB/said.out"; }
# A `zs listen` subscribes with its first bytes, and does not sleep before it
# has sent them. The process must be zs itself, and no function in background.
listens() { # PID
    [ "$(awk '{ print $3 }' "/proc/$1/stat")" = S ] &&
        [ -n "$(find "/proc/$1/fd" -lname 'socket:*')" ]
}

complained() { grep -qF -- "$1" "$LAB/said.err"; }
