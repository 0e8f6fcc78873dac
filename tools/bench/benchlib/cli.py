# SPDX-License-Identifier: GPL-2.0
"""The command line of the benchmark."""

import argparse
import json
import pathlib
import signal
import subprocess
import sys
import tempfile

from . import figures, gate, goals, plots, tables
from .figures import BenchError

HERE = pathlib.Path(__file__).resolve().parent.parent
REPO = HERE.parent.parent
LAB = REPO / "tools" / "lab" / "lab"
BASELINE = HERE / "baseline.json"

SETS = {
    "quick": "the few figures that bench-gate watches",
    "paths": "bulk with 1 to 4 streams, exchanges, connections; four paths",
    "events": "notifications and hypercalls",
    "latency": "of an exchange, alone and beside bulk",
    "sizes": "writes of 64 bytes to 1 MiB",
    "rings": "ring sizes",
    "receive": "ways to take bytes from TCP",
    "send": "ways to give bytes to TCP that leave the host",
    "scale": "1 to 1000 active streams",
    "idle": "10,000 idle sockets",
    "programs": "nginx with wrk, Redis with redis-benchmark",
    "intree": "the in-tree drivers",
}
FULL = [name for name in SETS if name != "quick"]


def _parser() -> argparse.ArgumentParser:
    sets = "; ".join(f"{name}: {words}" for name, words in SETS.items())
    parser = argparse.ArgumentParser(
        prog="bench", description="Measures these modules beside other paths, in one boot of the lab on its clock that counts "
        "instructions.", epilog=f"Sets of figures: {sets}.")
    add = parser.add_argument
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--quick", action="store_true", help="only what the gate watches")
    what.add_argument("--sets", metavar="NAME,...", help="only these sets of figures")
    what.add_argument("--from", dest="sources", type=pathlib.Path, metavar="FILE", nargs="+",
                      help="measure nothing, take the figures that --json wrote, of several runs if need be")
    add("--kernel", default="6.1", help="of Dom0 and guests (%(default)s)")
    add("--json", type=pathlib.Path, metavar="FILE", help="write all figures there")
    add("--markdown", type=pathlib.Path, metavar="FILE", help="write the tables there")
    add("--plots", type=pathlib.Path, metavar="DIR", help="draw SVG plots there")
    add("--gate", action="store_true", help="compare with the baseline, exit with 1 if something got worse")
    add("--update", action="store_true", help="make these figures the baseline")
    add("--baseline", type=pathlib.Path, default=BASELINE, metavar="FILE", help="(%(default)s)")
    add("--tolerance", type=float, default=gate.TOLERANCE, metavar="PERCENT",
        help="what a figure may lose against the baseline (%(default)s)")
    return parser


def _commit() -> str:
    done = subprocess.run(["git", "-C", REPO, "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _measure(options) -> figures.Figures:
    """Runs the lab; its progress is the user's."""
    names = ["quick"] if options.quick else options.sets.split(",") if options.sets else FULL
    unknown = [name for name in names if name not in SETS]
    if unknown:
        raise BenchError(f"no set {' '.join(unknown)}; there are {' '.join(SETS)}")
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        command = [LAB, "run", "--icount", "--kernel", options.kernel, "--total-timeout", "14400", "--json", file.name,
                   *(f"bench-{name}" for name in names)]
        with subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL) as lab:
            try:
                code = lab.wait()
            except BaseException:
                lab.send_signal(signal.SIGTERM)
                raise
        try:
            document = json.load(file)
        except ValueError:
            raise BenchError(f"the lab could not run, exit code {code}") from None
    failed = [scenario["name"] for scenario in document["scenarios"] if scenario["verdict"] != "PASS"]
    about = {"commit": _commit(), "kernel": options.kernel, "sets": names, "failed": failed}
    return figures.from_lab(document, about)


def _on_term(_signal, _frame) -> None:
    raise SystemExit(143)


def _run(options) -> int:
    if options.plots:
        plots.check()
    if options.gate and not options.update:
        gate.check(options.baseline)
    found = figures.merge([figures.load(path) for path in options.sources]) if options.sources else _measure(options)
    shown = [*goals.tables(found), *tables.tables(found)]
    if options.json:
        found.save(options.json)
    if options.markdown:
        options.markdown.parent.mkdir(parents=True, exist_ok=True)
        options.markdown.write_text("\n".join(table.markdown() for table in shown))
    for table in shown:
        print(f"\n{table.text()}", end="")
    if options.plots:
        for path in plots.draw(found, options.plots):
            print(f"plot: {path}")
    failed = found.about.get("failed", [])
    if failed:
        print(f"\nincomplete, because these failed: {' '.join(failed)}")
    if options.update and not failed:
        gate.update(found, options.baseline)
        print(f"\nthe baseline is {options.baseline}")
    worse = gate.compare(found, options.baseline, options.tolerance) if options.gate else False
    return 1 if failed or worse else 0


def main() -> int:
    """Entry point; the exit code is the caller's."""
    signal.signal(signal.SIGTERM, _on_term)
    options = _parser().parse_args()
    try:
        return _run(options)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
