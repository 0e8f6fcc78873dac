# SPDX-License-Identifier: GPL-2.0
"""Tables for people, as text or Markdown."""

from .figures import Figures

PATHS = {"ours": "these modules", "netfront": "netfront", "veth": "veth and bridge", "loopback": "Dom0 loopback",
         "intree": "in-tree pvcalls"}
SIZES = {"64": "64 B", "1K": "1 KiB", "16K": "16 KiB", "64K": "64 KiB", "1M": "1 MiB"}
ORDERS = (1, 4, 6, 8, 9)
SCALE = (1, 10, 100, 1000)
WAYS = {"out": "out", "in": "in"}


def number(value: float | None) -> str:
    """Three or four digits are as many as mean something."""
    if value is None:
        return "-"
    if value >= 1000 or value == int(value):
        return f"{value:.0f}"
    return f"{value:.3g}" if value >= 1 else f"{value:.2g}"


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


class Table:
    """A title, columns, rows of words, and what a reader must know."""

    def __init__(self, title: str, columns: list, rows: list, note: str = ""):
        self.title, self.columns, self.rows, self.note = title, columns, rows, note

    def text(self) -> str:
        """For a terminal."""
        table = [self.columns, *self.rows]
        widths = [max(len(row[index]) for row in table) for index in range(len(self.columns))]
        lines = ["  ".join([row[0].ljust(widths[0])] + [word.rjust(width) for word, width in zip(row[1:], widths[1:])]).rstrip()
                 for row in table]
        return "\n".join([self.title, "-" * len(self.title), *lines, *([self.note] if self.note else [])]) + "\n"

    def markdown(self) -> str:
        """For docs/."""
        lines = [f"| {' | '.join(row)} |" for row in self.rows]
        head = [f"| {' | '.join(self.columns)} |", "|" + " --- |" + " ---: |" * (len(self.columns) - 1)]
        return "\n".join([f"### {self.title}", "", *head, *lines, *(["", self.note] if self.note else [])]) + "\n"


def _cell(figures: Figures, metric: str, path: str) -> str:
    figure = figures.get(metric, path)
    if figure is None:
        return ""
    return figure.why or number(figure.median)


def _paths_table(figures: Figures, title: str, metrics: dict, note: str = "", ratios: bool = True) -> Table | None:
    """Rows are metrics, columns are paths, then the ratios of ours to each of the others."""
    metrics = {metric: words for metric, words in metrics.items() if figures.paths(metric)}
    if not metrics:
        return None
    paths = [path for path in PATHS if any(figures.get(metric, path) for metric in metrics)]
    against = [path for path in paths if path not in ("ours", "intree")] if ratios and "ours" in paths else []
    spread = any(len(figures.get(metric, path).windows) > 1 for metric in metrics for path in figures.paths(metric))
    rows = []
    for metric, words in metrics.items():
        found = [figures.get(metric, path) for path in figures.paths(metric)]
        row = [f"{words}, {found[0].unit}", *(_cell(figures, metric, path) for path in paths),
               *(_ratio(figures.ratio(metric, "ours", path)) for path in against)]
        rows.append(row + ([f"{100 * max(figure.spread for figure in found):.1f} %"] if spread else []))
    columns = ["", *(PATHS[path] for path in paths), *(f"ours/{path}" for path in against), *(["spread"] if spread else [])]
    return Table(title, columns, rows, note)


def _plural(streams: int) -> str:
    return f"{streams} stream{'' if streams == 1 else 's'}"


def _relative_table(figures: Figures, title: str, metrics: dict, base: dict, note: str) -> Table | None:
    """Each path's figure, and its ratio to that path's figure of another metric."""
    metrics = {metric: words for metric, words in metrics.items() if figures.paths(metric)}
    if not metrics:
        return None
    paths = [path for path in PATHS if any(figures.get(metric, path) for metric in metrics)]
    rows = []
    for metric, words in metrics.items():
        row = [f"{words}, {figures.get(metric, figures.paths(metric)[0]).unit}"]
        for path in paths:
            value, other = figures.median(metric, path), figures.median(base[metric], path)
            row += [_cell(figures, metric, path), _ratio(value / other if value is not None and other else None)]
        rows.append(row)
    columns = [""]
    for path in paths:
        columns += [PATHS[path], "ratio"]
    return Table(title, columns, rows, note)


def _ways(way: str, hows: tuple) -> dict:
    """Metrics of one stream by size of writes and by ring order, each in more ways than one."""
    metrics = {f"{way}-size-{size}-{how}": f"{words}, {how}" for size, words in SIZES.items() for how in hows}
    return metrics | {f"{way}-1-order-{order}-{how}": f"64 KiB, order {order}, {how}" for order in ORDERS for how in hows}


def _events(figures: Figures) -> list:
    """Notifications and hypercalls; each has a table, because of the widths."""
    work = {"out-1": "64 KiB out, 1 stream", "in-1": "64 KiB in, 1 stream", "out-4": "64 KiB out, 4 streams",
            "in-4": "64 KiB in, 4 streams", "rr": "an exchange", "cr": "a connection"}
    kinds = {"notifications": "sent", "handled": "handled"}
    calls = {"events-and-grants": "event channel and grant table", "event-calls-dom0": "event channel, Dom0",
             "event-calls-guest": "event channel, guest", "grant-calls": "grant table",
             "in-multicalls": "within multicalls", "all-hypercalls": "all of both kernels"}
    return [
        _paths_table(figures, "Notifications, of both ends together",
                     {f"{key}-{kind}": f"{words}: {verb}" for key, words in work.items() for kind, verb in kinds.items()},
                     "sent: calls of notify_remote_via_irq(), and what multicalls send. handled: calls of xen_irq_lateeoi().",
                     ratios=False),
        _paths_table(figures, "Hypercalls, of both ends together",
                     {f"{key}-{call}": f"{words}: {verb}" for key, words in work.items() for call, verb in calls.items()},
                     "Event channel calls of Dom0 include the interrupts that its CPUs send to each other.", ratios=False),
    ]


def tables(figures: Figures) -> list:
    """All tables for which there are figures."""
    bulk = {f"{way}-{streams}": f"{way}, {_plural(streams)}" for way in WAYS for streams in (1, 2, 3, 4)}
    sizes = {f"{way}-size-{size}": f"{way}, {words}" for way in WAYS for size, words in SIZES.items()}
    receive, send = _ways("in", ("recvmsg", "read_sock")), _ways("out", ("copied", "by-reference"))
    orders = {f"{way}-{streams}-order-{order}": f"{way}, {_plural(streams)}, order {order}"
              for way in WAYS for streams in (1, 4) for order in ORDERS}
    scale = {f"{way}-scale-{streams}": f"{way}, {_plural(streams)}" for way in WAYS for streams in SCALE}
    beside = {"latency-p50": "alone, p50", "latency-p99": "alone, p99"}
    beside |= {f"latency-beside-{way}-{p}": f"beside 16 streams {way}, {p}" for way in WAYS for p in ("p50", "p99")}
    alone = {metric: f"latency-{metric[-3:]}" for metric in beside}
    programs = {f"{metric}{suffix}": f"{words}, server in {where}"
                for suffix, where in {"": "Dom0", "-served": "the guest"}.items()
                for metric, words in {"wrk": "wrk", "redis": "redis-benchmark", "redis-pipelined": "redis-benchmark -P 16"}.items()}
    idle = {f"{way}-4-beside-idle": f"{way}, 4 streams beside idle sockets" for way in WAYS}
    found = [
        _paths_table(figures, "Paths beside each other", {
            **bulk, "rr": "1-byte exchanges", "cr": "connect, exchange, close"},
            "Medians of windows; spread: largest less smallest window of any path, in parts of its median. "
            "out: guest to Dom0. iperf3 with 64 KiB writes."),
        _paths_table(figures, "One stream, by size of writes", sizes, "iperf3 with -l."),
        _paths_table(figures, "Programs", programs,
                     "Requests of 50 clients for a file of 1 KiB to nginx with one process, and GET of 3 bytes to Redis."),
        _paths_table(figures, "Ring sizes", orders, "Order: log2 of a ring's pages; half of it is for each direction."),
        _paths_table(figures, "Ways to take bytes from TCP", receive, "One stream in, iperf3 with -l; order 8 where none is named."),
        _paths_table(figures, "Ways to give bytes to TCP", send,
                     "One stream out to a guest with a network card, iperf3 with -l; order 8 where none is named."),
        *_events(figures),
        _relative_table(figures, "Latency of a 1-byte exchange", beside, alone, "ratio: to the same percentile alone."),
        _relative_table(figures, "Many active streams", scale, {metric: f"{metric.partition('-')[0]}-scale-10" for metric in scale},
                        "ratio: to 10 streams. 64 KiB writes, one thread on epoll on each side."),
        _relative_table(figures, "10,000 idle sockets", idle,
                        {metric: metric.replace("beside-idle", "alone") for metric in idle},
                        "ratio: to the same without them."),
        _paths_table(figures, "What an idle socket costs", {
            "idle-working": "idle sockets that still work afterwards", "idle-memory": "Dom0's memory for one"},
            "Memory: with the smallest ring, and with the server's end in Dom0. A connection over loopback is two such ends, so "
            "half of loopback's figure is to be taken off.", ratios=False),
    ]
    return [table for table in found if table]
