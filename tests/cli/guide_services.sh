#!/bin/bash
# deploy/guide/services.md: its programs are built, run and asked; its web page
# is opened where there is a Chromium.
#
#   alice---[ home ]---bob
command -v node >/dev/null || {
    echo "guide_services: node is not installed (deploy/setup test): skipped" >&2
    exit 77
}
. "$(dirname "$0")/guide.sh"

build=$(dirname "$ZS_BIN")
prefix=$LAB/prefix
if ! cmake --install "$build" --prefix "$prefix" >"$LAB/install.out" 2>&1; then
    tail -n 3 "$LAB/install.out" >&2
    lab_refuse "cmake --install $build fails: is all of it built?"
fi
lib=$(dirname "$(find "$prefix" -name zeroservices.pc)")
export PKG_CONFIG_PATH=$lib LD_LIBRARY_PATH=${lib%/*}

# A program that loads a library with sanitizers needs them, too.
cat >"$LAB/bin/cc" <<END
#!/bin/bash
flags=()
nm -D "${lib%/*}/libzeroservices.so" | grep -q __asan_init &&
    flags=(-fsanitize=address)
nm -D "${lib%/*}/libzeroservices.so" | grep -q __tsan_init &&
    flags=(-fsanitize=thread)
exec /usr/bin/cc -Wall -Wextra -Werror "\$@" "\${flags[@]}"
END

# What a browser shows of a page once it has the words; or the words alone.
cat >"$LAB/bin/browse" <<'END'
#!/bin/bash
url=$1 words=$2
command -v chromium >/dev/null || { echo "$words"; exit; }
for _ in {1..10}; do
    chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
        --user-data-dir="$HOME/chromium" --virtual-time-budget=3000 \
        --dump-dom "$url" 2>/dev/null | grep -oF "$words" && exit
done
exit 1
END

# Node.js comes without npm from Debian. This is what it does with a folder.
command -v npm >/dev/null || cat >"$LAB/bin/npm" <<'END'
#!/bin/bash
mkdir -p node_modules && ln -s "${!#}" node_modules/zeroservices
END
chmod +x "$LAB"/bin/*

lan home
host alice
host bob
plug alice home 192.168.1.20/24
plug bob home 192.168.1.30/24
guide services.md "/usr/local=$prefix"
finish
