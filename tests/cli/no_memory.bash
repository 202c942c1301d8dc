# no_memory - sourced by no_memory_*.sh: makes a mesh, runs no_memory (see
# tests/lib/no_memory.c) in the mode that is given.
set -u
bin=$(realpath "${ZS_BIN:?the folder of the programs}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cd "$work" || exit 1
"$bin/zs" mesh create office --dir office >mesh.txt 2>&1 &&
    "$bin/zs" mesh add alice --dir office >>mesh.txt 2>&1 &&
    "$bin/zs" mesh add bob --dir office >>mesh.txt 2>&1 || {
    cat mesh.txt
    exit 1
}
"$bin/no_memory" "$1" office/alice.zs office/bob.zs
