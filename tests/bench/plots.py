"""Bars as SVG, with nothing but the standard library."""

import html
import statistics

WIDTH, LABEL, BAR, GAP = 760, 200, 18, 14
COLOURS = {"zeroservices": "#1769aa", "zeroservices, thread": "#6fa8d6",
           "libzmq CURVE": "#b5651d", "nats-server TLS": "#4a7c2f",
           "mosquitto QoS 1, TLS": "#7a5195", "nng pair, TLS": "#8a8a8a",
           "Zyre whisper, not encrypted": "#c2a83e"}
SIZES = {64: "64 B", 1024: "1 KiB", 65536: "64 KiB"}
RATES = {"relay": "By one relay: messages a second",
         "direct": "Direct: messages a second",
         "fan": "Fan-out to 100: deliveries a second"}
TRIPS = {"relay-rtt": "Round trip by one relay, microseconds",
         "direct-rtt": "Round trip, direct, microseconds"}


def text(x, y, words, anchor="start", weight="normal"):
    return (f'<text x="{x}" y="{y}" text-anchor="{anchor}" '
            f'font-weight="{weight}">{html.escape(words)}</text>')


def bars(title, groups):
    """groups: [(heading, [(label, value)])]; each group has its own scale, as
    sizes differ by a thousand."""
    parts, y = [text(8, 24, title, weight="bold")], 44
    for heading, values in groups:
        parts.append(text(8, y + 12, heading))
        y += 20
        largest = max(v for _, v in values)
        for label, value in values:
            length = (WIDTH - LABEL - 90) * value / largest
            parts.append(text(LABEL - 8, y + 13, label, "end"))
            parts.append(
                f'<rect x="{LABEL}" y="{y}" width="{length:.1f}" '
                f'height="{BAR}" fill="{COLOURS.get(label, "#666666")}"/>')
            parts.append(text(f"{LABEL + length + 6:.1f}", y + 13,
                              f"{value:,.0f}" if value >= 100
                              else f"{value:.3g}"))
            y += BAR + 4
        y += GAP
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
            f'height="{y}" font-family="sans-serif" font-size="13">\n'
            '<rect width="100%" height="100%" fill="white"/>\n'
            + "\n".join(parts) + "\n</svg>\n")


def values(rows, key, by="stack"):
    """[(label, median)] in the order in which they were measured."""
    found = {}
    for row in rows:
        if key in row:
            found.setdefault(str(row[by]), []).append(row[key])
    return [(label, statistics.median(x)) for label, x in found.items()]


def rate_groups(rows):
    for size in sorted({r["size"] for r in rows}):
        of = values([r for r in rows if r["size"] == size], "per_second")
        if of:
            yield SIZES[size], of


def trip_groups(rows):
    for key in ("p50_us", "p99_us"):
        of = values(rows, key)
        if of:
            yield key.removesuffix("_us"), of


def publish_groups(rows):
    rows = [r for r in rows if r["size"] == 1024 and "paced_as" not in r]
    for key, what in (("cpu_source_us", "its CPU, microseconds"),
                      ("uploaded", "its upload, bytes")):
        of = values(rows, key, "receivers")
        if of:
            yield what, of


def draw(rows, folder):
    """Writes a file for each that was measured: [(file, title)]."""
    wanted = [(b, t, rate_groups) for b, t in RATES.items()]
    wanted += [(b, t, trip_groups) for b, t in TRIPS.items()]
    wanted.append(("publish", "A message of 1 KiB to so many receivers: "
                   "the publisher", publish_groups))
    drawn = []
    folder.mkdir(exist_ok=True)
    for bench, title, groups in wanted:
        of = list(groups([r for r in rows if r["bench"] == bench]))
        if of:
            (folder / f"{bench}.svg").write_text(bars(title, of),
                                                 encoding="utf-8")
            drawn.append((f"{bench}.svg", title))
    return drawn
