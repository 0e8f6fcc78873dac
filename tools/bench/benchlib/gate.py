# SPDX-License-Identifier: GPL-2.0
"""The gate: ratios of these modules to Dom0's loopback of the same boot, against those that are kept.

Loopback is the judge, because its windows spread by up to 5 %, most by 2; those of netfront do by up to 9 %.
"""

import json
import pathlib

from .figures import BenchError, Figures
from .tables import Table

# Percent; docs/man/pvcalls-bench.1 says why.
TOLERANCE = 3.0

METRICS = ["out-1", "in-1", "out-4", "in-4", "rr", "cr"]
JUDGE = "loopback"


def _ratios(figures: Figures) -> dict:
    """Metric to ratio."""
    ratios = {}
    for metric in METRICS:
        value = figures.ratio(metric, "ours", JUDGE)
        if value is None:
            raise BenchError(f"{metric} was not measured for both ours and {JUDGE}")
        ratios[metric] = value
    return ratios


def check(path: pathlib.Path) -> dict:
    """The kept ratios."""
    try:
        kept = json.loads(path.read_text())["ratios"]
        if not all(kept[metric] > 0 for metric in METRICS):
            raise ValueError("a ratio of 0")
        return kept
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BenchError(f"no baseline, --update makes one: {path}: {error!r}") from None


def update(figures: Figures, path: pathlib.Path) -> None:
    """Makes these figures' ratios the ones to keep up with."""
    ratios = {name: round(value, 4) for name, value in _ratios(figures).items()}
    path.write_text(json.dumps({"about": figures.about, "ratios": ratios}, indent=1) + "\n")


def compare(figures: Figures, path: pathlib.Path, tolerance: float) -> bool:
    """Prints ratios beside the kept ones; true if something got worse than the tolerance allows."""
    kept, ratios = check(path), _ratios(figures)
    change = {name: 100 * (ratios[name] / kept[name] - 1) for name in ratios}
    worse = sum(change[name] < -tolerance for name in METRICS)
    rows = []
    for name in METRICS:
        verdict = "WORSE" if change[name] < -tolerance else "better" if change[name] > tolerance else ""
        rows.append([f"{name}, ours/{JUDGE}", f"{kept[name]:.3f}", f"{ratios[name]:.3f}", f"{change[name]:+.1f} %", verdict])
    print("\n" + Table("Ratios against the baseline", ["", "baseline", "now", "change", ""], rows).text())
    print(f"bench-gate: {worse} of {len(METRICS)} ratios to {JUDGE} more than {tolerance:g} % worse than the baseline")
    return worse > 0
