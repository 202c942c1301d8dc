"""Which layer may use what: the one table that the checks of the tree read.

A layer is a folder. It may include its own headers, those of the layers that
it stands on (and of what these stand on), and the headers of its libraries.
A pure layer does no I/O, reads no clock, draws no randomness, starts no
thread: of the system it sees only a few headers of the C standard.
"""

from collections import namedtuple

Layer = namedtuple("Layer", "on libraries pure", defaults=[(), (), False])

LAYERS = {
    "common/base": Layer(libraries=["sodium"], pure=True),
    "common/wire": Layer(["common/base"], ["sodium"], pure=True),
    "common/core": Layer(["common/wire"], ["sodium", "crypto"], pure=True),
    "common/zmtp": Layer(["common/core"], ["sodium"], pure=True),
    "edge/core": Layer(["common/core"], ["sodium"], pure=True),
    "relay/core": Layer(["common/core"], ["sodium"], pure=True),
    "common/conf": Layer(["common/core"], ["sodium", "yaml", "jansson"]),
    "common/io": Layer(["common/core"], ["sodium", "zmq", "uv", "jansson"]),
    "edge/shell": Layer(
        ["edge/core", "common/conf", "common/io", "common/zmtp"],
        ["sodium", "crypto", "zmq", "uv", "jansson", "ngtcp2", "gnutls",
         "natpmp", "miniupnpc", "curl"],
    ),
    "relay/shell": Layer(
        ["relay/core", "common/conf", "common/io", "common/zmtp"],
        ["sodium", "zmq", "uv", "jansson", "gnutls"],
    ),
    "edge/lib": Layer(["edge/shell"], ["sodium", "uv"]),
    "edge/examples": Layer(libraries=["zeroservices"]),
    "edge/daemon": Layer(["edge/shell"], ["sodium", "uv"]),
    "relay/daemon": Layer(["relay/shell"], ["sodium", "uv"]),
    "edge/term": Layer(["common/conf"], ["jansson"]),
    "edge/cli": Layer(
        ["edge/term", "common/conf", "common/io"],
        ["sodium", "jansson", "ncurses"],
    ),
}

# Which library a header is of; all others in <> are the system's.
LIBRARY_HEADERS = {
    "sodium.h": "sodium",
    "openssl/crypto.h": "crypto",
    "openssl/err.h": "crypto",
    "openssl/evp.h": "crypto",
    "openssl/sha.h": "crypto",
    "zmq.h": "zmq",
    "uv.h": "uv",
    "ngtcp2/ngtcp2.h": "ngtcp2",
    "ngtcp2/ngtcp2_crypto.h": "ngtcp2",
    "ngtcp2/ngtcp2_crypto_gnutls.h": "ngtcp2",
    "gnutls/gnutls.h": "gnutls",
    "gnutls/x509.h": "gnutls",
    "zeroservices.h": "zeroservices",
    "jansson.h": "jansson",
    "yaml.h": "yaml",
    "ncurses.h": "ncurses",
    "cmocka.h": "cmocka",
    "curl/curl.h": "curl",
    "natpmp.h": "natpmp",
    "miniupnpc/miniupnpc.h": "miniupnpc",
    "miniupnpc/upnpreplyparse.h": "miniupnpc",
}

# A library that only these may use.
LIBRARY_USERS = {
    "crypto": ("common/core/aead.c",        # the ciphers
               "common/core/digest.c",      # SHA-256
               "common/core/one_time_mac.c",  # Poly1305
               "edge/shell/edge_open.c"),   # reads its configuration
    "ngtcp2": ("edge/shell/quic.c", "edge/shell/quic_events.c",
               "edge/shell/quic_write.c", "edge/shell/quic_private.h",
               "edge/shell/quic_tls.c", "edge/shell/quic_tls.h"),
    "gnutls": ("edge/shell/quic_tls.c",
               "relay/shell/tls_conn.c",    # one connection
               "relay/shell/tls_pair.c"),   # a certificate and its key
    "curl": ("edge/shell/curl_connect.c",),
    "natpmp": ("edge/shell/nat_pmp.c",),
    "miniupnpc": ("edge/shell/upnp.c",),
}

# The system's headers that a pure layer may include.
PURE_HEADERS = {
    "ctype.h", "inttypes.h", "limits.h", "stdalign.h", "stdarg.h",
    "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h",
    "stdatomic.h",  # who holds a block; no thread is made, none waits
    "malloc.h",  # malloc_usable_size, nothing else
    "immintrin.h",  # vectors, where the caller says that there are any
    "arpa/inet.h",  # inet_pton, inet_ntop: addresses as text, nothing else
}

# What may stand at the top of the tree, besides dotfiles.
TOP = {
    "edge", "relay", "common", "config", "tests", "deploy",
    "CMakeLists.txt", "CMakePresets.json", "README.md", "ARCHITECTURE.md",
    "PROTOCOL.md", "CONTRIBUTING.md", "LICENSE",
}
TOP_DOT = {
    ".ci", ".clang-format", ".clang-tidy", ".editorconfig", ".gitattributes",
    ".gitignore",
}

# Tags that a test defines again on purpose: its own struct stands in for one
# that the product never shows.
FAKES = {"edge": "tests/unit/fake_edge.h"}

# Lines: (worth a look, too many). A file of tests is read a test at a time.
FILE_LINES = (400, 600)
TEST_FILE_LINES = (600, 1000)
FUNCTION_LINES = (60, 100)


def layer_of(path):
    """The layer that a file (relative to the top) belongs to, or None."""
    folder = path.rpartition("/")[0]
    return folder if folder in LAYERS else None


def reachable(name):
    """The layers that a layer may include headers of, itself first."""
    found = [name]
    for layer in found:
        found += [x for x in LAYERS[layer].on if x not in found]
    return found
