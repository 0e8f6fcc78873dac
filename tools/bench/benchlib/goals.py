# SPDX-License-Identifier: GPL-2.0
"""What these modules are to reach, and how far they are."""

from .figures import Figures
from .tables import SCALE, Table

# Words, metric, path that is compared with, goal and moonshot. The ratio is to be at least that.
RATIOS = [
    ("out, 1 stream", "out-1", "netfront", 3.0, None),
    ("out, 1 stream", "out-1", "loopback", 0.8, 1.0),
    ("in, 1 stream", "in-1", "netfront", 2.5, None),
    ("in, 1 stream", "in-1", "veth", None, 1.0),
    ("out, 4 streams", "out-4", "netfront", 2.5, None),
    ("out, 4 streams", "out-4", "veth", None, 1.0),
    ("in, 4 streams", "in-4", "netfront", 2.5, None),
    ("in, 4 streams", "in-4", "veth", None, 1.0),
    ("1-byte exchanges", "rr", "netfront", 1.5, None),
    ("1-byte exchanges", "rr", "loopback", None, 1.0),
    ("connect, exchange, close", "cr", "netfront", 1.5, None),
    ("connect, exchange, close", "cr", "loopback", None, 1.0),
    ("wrk, nginx in Dom0", "wrk", "netfront", 1.5, None),
    ("wrk, nginx in the guest", "wrk-served", "netfront", 1.5, None),
    ("redis-benchmark, Redis in Dom0", "redis", "netfront", 1.5, None),
    ("redis-benchmark, Redis in the guest", "redis-served", "netfront", 1.5, None),
]


def _worst(values: list, best=min) -> float | None:
    values = [value for value in values if value is not None]
    return best(values) if values else None


def _quotient(one: float | None, two: float | None) -> float | None:
    return one / two if one is not None and two else None


def _sum(one: float | None, two: float | None) -> float | None:
    return one + two if one is not None and two is not None else None


def _limits(figures: Figures) -> list:
    """Words, what was measured, goal, moonshot; it is to be at most that."""
    def median(metric: str, path: str = "ours") -> float | None:
        return figures.median(metric, path)

    memory, end = median("idle-memory"), median("idle-memory", "loopback")
    own = (memory - end / 2) / 1024 if memory is not None and end is not None else None
    losses = [_quotient(median(f"{way}-4-beside-idle"), median(f"{way}-4-alone")) for way in ("out", "in")]
    loss = [100 * (1 - value) for value in losses if value is not None]
    # the cost of a byte is the inverse of the rate
    costs = [_quotient(median(f"{way}-scale-10"), median(f"{way}-scale-{streams}")) for way in ("out", "in") for streams in SCALE]
    off = [abs(100 * (value - 1)) for value in costs if value is not None]
    return [
        ("notifications for 64 KiB", _worst([median(f"{way}-{streams}-notifications") for way in ("out", "in")
                                             for streams in (1, 4)], max), 1.0, 0.25),
        ("event and grant hypercalls for a connection, with Dom0's own interrupts", median("cr-events-and-grants"), 6.0, None),
        ("event and grant hypercalls for a connection, of the modules", _sum(median("cr-sent"), median("cr-grant-calls")), 6.0, None),
        ("p99 of an exchange beside 16 streams, times that alone",
         _worst([_quotient(median(f"latency-beside-{way}-p99"), median("latency-p99")) for way in ("out", "in")], max), 5.0, 2.0),
        ("loss of 4 streams beside 10,000 idle sockets, %", _worst(loss, max), 5.0, 2.0),
        ("Dom0's memory for an idle socket, KiB, less the server's", own, 16.0, 8.0),
        ("cost of a byte with 1 to 1000 streams, % off that with 10", _worst(off, max), 15.0, None),
    ]


def _row(words: str, value: float, goal: float | None, moonshot: float | None, least: bool) -> list:
    def reached(bound: float | None) -> bool:
        return bound is not None and (value >= bound if least else value <= bound)

    sign = "" if least else "<= "
    verdict = "moonshot" if reached(moonshot) else "reached" if reached(goal) else "no" if goal is not None else ""
    return [words, f"{value:.2f}", *("" if bound is None else f"{sign}{bound:g}" for bound in (goal, moonshot)), verdict]


def tables(figures: Figures) -> list:
    """One table, of the goals for which there are figures."""
    rows = []
    for words, metric, path, goal, moonshot in RATIOS:
        value = figures.ratio(metric, "ours", path)
        if value is not None:
            rows.append(_row(f"{words}, ours/{path}", value, goal, moonshot, True))
    for words, value, goal, moonshot in _limits(figures):
        if value is not None:
            rows.append(_row(words, value, goal, moonshot, False))
    return [Table("Goals", ["", "measured", "goal", "moonshot", ""], rows)] if rows else []
