# SPDX-License-Identifier: GPL-2.0
"""The gate: figures of these modules against those that are kept.

On the clock that counts instructions a figure of these modules is the same from boot to boot, within a percent. That of
loopback, which has none of them, moves by up to four: so it does not judge alone, but tells whether the kernel or the
emulator has become slower, and not the modules.
"""

import json
import pathlib

from .figures import BenchError, Figures
from .tables import Table

# Percent; docs/man/pvcalls-bench.1 says why.
TOLERANCE = 3.0

METRICS = ["out-1", "in-1", "out-4", "in-4", "rr", "cr"]
JUDGE = "loopback"


def _figures(figures: Figures) -> tuple[dict, dict]:
    """Metric to the modules' own figure, and to its ratio to loopback's."""
    own, ratios = {}, {}
    for metric in METRICS:
        value, ratio = figures.median(metric, "ours"), figures.ratio(metric, "ours", JUDGE)
        if value is None or ratio is None:
            raise BenchError(f"{metric} was not measured for both ours and {JUDGE}")
        own[metric], ratios[metric] = value, ratio
    return own, ratios


def check(path: pathlib.Path) -> tuple[dict, dict]:
    """The kept figures and ratios."""
    try:
        document = json.loads(path.read_text())
        kept = document["figures"], document["ratios"]
        if not all(values[metric] > 0 for values in kept for metric in METRICS):
            raise ValueError("a figure of 0")
        return kept
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BenchError(f"no baseline, --update makes one: {path}: {error!r}") from None


def update(figures: Figures, path: pathlib.Path) -> None:
    """Makes these figures the ones to keep up with."""
    own, ratios = _figures(figures)
    document = {"about": figures.about, "figures": {name: round(value, 1) for name, value in own.items()},
                "ratios": {name: round(value, 4) for name, value in ratios.items()}}
    path.write_text(json.dumps(document, indent=1) + "\n")


def compare(figures: Figures, path: pathlib.Path, tolerance: float) -> bool:
    """Prints figures beside the kept ones.

    True if one has lost more than the tolerance, and not because loopback has, too: at least half of that is lost beside
    it.
    """
    (kept_own, kept_ratios), (own, ratios) = check(path), _figures(figures)
    rows, worse = [], 0
    for name in METRICS:
        change = 100 * (own[name] / kept_own[name] - 1)
        beside = 100 * (ratios[name] / kept_ratios[name] - 1)
        bad = change < -tolerance and beside < -tolerance / 2
        worse += bad
        verdict = "WORSE" if bad else "better" if change > tolerance else ""
        rows.append([name, f"{kept_own[name]:.0f}", f"{own[name]:.0f}", f"{change:+.1f} %",
                     f"{kept_ratios[name]:.3f}", f"{ratios[name]:.3f}", f"{beside:+.1f} %", verdict])
    head = ["", "baseline", "now", "change", f"/{JUDGE}", "now", "change", ""]
    print("\n" + Table("The modules' figures against the baseline", head, rows).text())
    print(f"bench-gate: {worse} of {len(METRICS)} figures more than {tolerance:g} % worse than the baseline")
    return worse > 0
