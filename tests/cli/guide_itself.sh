#!/bin/bash
# guide.py finds what is wrong in a page: small pages, each with one mistake.
#
#   alice
. "$(dirname "$0")/guide.sh"

host alice

page() { # its lines on standard input; what guide.py says is in said.
    rm -rf "$LAB/hosts" && mkdir "$LAB/hosts"
    cat >"$LAB/page.md"
    python3 -B "$NET_DIR/../cli/guide.py" "$LAB/page.md" "$LAB/hosts" \
        "/old=$LAB" >"$LAB/said" 2>&1
}

good() { # WHAT
    local code=0
    page || code=$?
    check "$1" test "$code" = 0
    [ "$code" = 0 ] || tail -n 12 "$LAB/said"
}

wrong() { # WHAT COMPLAINT
    local code=0
    page || code=$?
    check "$1: fails" test "$code" = 1
    check "$1: says so" grep -qF -- "$2" "$LAB/said"
}

good "a page that is right" <<'END'
<!--
```sh alice/folder/file
echo "one $1"
```
-->
```console
alice$ cd folder; export WORDS='a  b'
alice$ bash file two; echo "$WORDS"; pwd
one two
a b
/old/hosts/alice/folder
alice$ echo 0123456789abcdef0123 2026-01-02 03:04:05, 0.31 ms of 51234
ffffffffffffffffffff 1999-09-09 09:09:09, 12.00 ms of 40000
alice$ false                                    # exit 1
alice$ seq 5
1
...
5
alice$ echo begin; sleep 0.2; echo end; sleep 60          # stays
begin
```
```console alice
end
```
```console
alice$ ^C
```
END

wrong "another word" 'it says:' <<'END'
```console
alice$ echo hello
hallo
```
END
wrong "a line that is not shown" 'it says:' <<'END'
```console
alice$ seq 2
1
```
END
wrong "a line too many" 'it says:' <<'END'
```console
alice$ echo 1
1
2
```
END
wrong "a number that is no port" 'it says:' <<'END'
```console
alice$ echo 1234
1235
```
END
wrong "another exit code" 'exit 3, not 0' <<'END'
```console
alice$ exit 3
```
END
wrong "an exit code that does not come" 'exit 0, not 3' <<'END'
```console
alice$ true # exit 3
```
END
wrong "what goes on has ended, and said something else" 'it says:' <<'END'
```console
alice$ echo no # stays
yes
```
END
wrong "what it says later" 'it says:' <<'END'
```console
alice$ echo first; echo no # stays
first
```
```console alice
second
```
END
wrong "an unknown host" 'there is no host carol' <<'END'
```console
carol$ true
```
END
wrong "no command" 'nothing was run' <<'END'
```sh
true
```
END
finish
