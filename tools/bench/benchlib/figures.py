# SPDX-License-Identifier: GPL-2.0
"""Figures: what was measured, by metric and path, with all windows; where they come from and how they are kept."""

import json
import pathlib
import statistics
from dataclasses import dataclass

FORMAT = 1


class BenchError(Exception):
    """Something that the user has to know; shown without a traceback."""


@dataclass
class Figure:
    """One metric of one path: a number for each window, or the words that say why there is none."""

    unit: str
    windows: list
    why: str = ""

    @property
    def median(self) -> float | None:
        """What the tables show."""
        return statistics.median(self.windows) if self.windows else None

    @property
    def spread(self) -> float:
        """Largest less smallest window, in parts of the median."""
        return (max(self.windows) - min(self.windows)) / self.median if self.windows and self.median else 0.0


class Figures:
    """All figures of a run."""

    def __init__(self, about: dict, figures: dict):
        self.about = about
        self._figures = figures

    def get(self, metric: str, path: str) -> Figure | None:
        """One figure, if it was measured."""
        return self._figures.get(metric, {}).get(path)

    def median(self, metric: str, path: str) -> float | None:
        """Its median, if there is a number."""
        figure = self.get(metric, path)
        return figure.median if figure else None

    def ratio(self, metric: str, path: str, other: str) -> float | None:
        """How many times as much the one path makes."""
        one, two = self.median(metric, path), self.median(metric, other)
        return one / two if one is not None and two else None

    def paths(self, metric: str) -> list:
        """For which paths a metric was measured."""
        return list(self._figures.get(metric, {}))

    def metrics(self) -> list:
        """All metrics."""
        return list(self._figures)

    def save(self, path: pathlib.Path) -> None:
        """Keeps them as JSON."""
        figures = {metric: {name: {"unit": figure.unit, "median": figure.median, "windows": figure.windows,
                                   **({"why": figure.why} if figure.why else {})}
                            for name, figure in paths.items()} for metric, paths in self._figures.items()}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"format": FORMAT, "about": self.about, "figures": figures}, indent=1) + "\n")


def _number(word: str) -> float:
    value = float(word)
    return int(value) if value == int(value) else value


def from_lab(document: dict, about: dict) -> Figures:
    """Figures in what `lab run --json` wrote. A value is numbers with commas between, or a word that is none."""
    figures: dict = {}
    for scenario in document["scenarios"]:
        for name, text in scenario["figures"].items():
            metric, slash, path = name.rpartition("/")
            value, _, unit = text.partition(" ")
            if not slash:
                continue
            try:
                figure = Figure(unit, [_number(word) for word in value.split(",")])
            except ValueError:
                figure = Figure(unit, [], value)
            figures.setdefault(metric, {})[path] = figure
    return Figures(about, figures)


def load(path: pathlib.Path) -> Figures:
    """Figures that save() kept."""
    try:
        document = json.loads(path.read_text())
        if document["format"] != FORMAT:
            raise BenchError(f"{path} has format {document['format']}, not {FORMAT}")
        return Figures(document["about"], {metric: {name: Figure(figure["unit"], figure["windows"], figure.get("why", ""))
                                                    for name, figure in paths.items()}
                                           for metric, paths in document["figures"].items()})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BenchError(f"{path}: no figures: {error}") from None


def merge(runs: list) -> Figures:
    """All figures of several runs; a later run's take the place of an earlier one's."""
    about = dict(runs[-1].about)
    about["sets"] = [name for run in runs for name in run.about.get("sets", [])]
    about["failed"] = [name for run in runs for name in run.about.get("failed", [])]
    figures: dict = {}
    for run in runs:
        for metric in run.metrics():
            figures.setdefault(metric, {}).update({path: run.get(metric, path) for path in run.paths(metric)})
    return Figures(about, figures)
