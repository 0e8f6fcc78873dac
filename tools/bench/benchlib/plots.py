# SPDX-License-Identifier: GPL-2.0
"""Plots as SVG, drawn by gnuplot."""

import os
import pathlib
import shutil
import subprocess
import sys

from .figures import BenchError, Figures
from .tables import ORDERS, PATHS, SCALE, SIZES

COLOURS = {"ours": "#0b5fa5", "netfront": "#d1495b", "veth": "#3a8f5c", "loopback": "#7a7a7a", "intree": "#b07d2b"}
MARKS = {"ours": 7, "netfront": 5, "veth": 9, "loopback": 13, "intree": 11}
HEAD = """
set terminal svg size 760,460 dynamic background "#ffffff" font "DejaVu Sans,13" linewidth 1.6
set output "{output}"
set title "{title}\\n{{/*0.8 {subtitle}}}" offset 0,-0.3
set border 3 linecolor "#444444"
set tics nomirror out
set grid ytics linecolor "#dddddd" linewidth 0.6
set key outside right center vertical Left reverse samplen 2 spacing 1.4
set xlabel "{xlabel}"
set ylabel "{ylabel}"
set xrange [{xmin}:{xmax}]
set yrange [{ymin}:*]
{more}
"""


class Plot:
    """Lines over steps of one thing; each line is (words, colour, mark, [value of each step, or None])."""

    def __init__(self, name: str, title: str, xlabel: str, steps: list, lines: list, log: bool = False):
        self.name, self.title, self.xlabel, self.steps, self.lines, self.log = name, title, xlabel, steps, lines, log

    def script(self, output: pathlib.Path, subtitle: str) -> str:
        """What gnuplot is to do."""
        tics = ", ".join(f'"{words}" {index}' for index, words in enumerate(self.steps))
        more = f"set xtics ({tics})\n" + ("set logscale y\nset format y '%g'\n" if self.log else "")
        text = HEAD.format(output=output, title=self.title, subtitle=subtitle, xlabel=self.xlabel, ylabel="Gbit/s",
                           xmin=-0.2, xmax=len(self.steps) - 0.8, ymin="*" if self.log else 0, more=more)
        parts = []
        for number, (words, colour, mark, values) in enumerate(self.lines):
            rows = [f"{index} {value / 1000}" for index, value in enumerate(values) if value is not None]
            style = f'with linespoints linecolor "{colour}" pointtype {mark} pointsize 0.9 title "{words}"'
            if rows:
                text += f"$line{number} << END\n" + "\n".join(rows) + "\nEND\n"
                parts.append(f"$line{number} using 1:2 {style}")
            else:
                parts.append(f"NaN {style}")
        return text + "plot " + ", ".join(parts) + "\n"


def _by_path(figures: Figures, metrics: list) -> list:
    lines = []
    for path, words in PATHS.items():
        found = [figures.get(metric, path) for metric in metrics]
        if not any(found):
            continue
        values = [figure.median if figure else None for figure in found]
        why = next((figure.why for figure in found if figure and figure.why), "")
        lines.append((f"{words}: {why}" if why and not any(values) else words, COLOURS[path], MARKS[path], values))
    return lines


def _plots(figures: Figures) -> list:
    plots = []
    for way, words in (("out", "guest to Dom0"), ("in", "Dom0 to guest")):
        plots.append(Plot(f"streams-{way}", f"iperf3, {words}", "streams", ["1", "2", "3", "4"],
                          _by_path(figures, [f"{way}-{streams}" for streams in (1, 2, 3, 4)])))
        plots.append(Plot(f"sizes-{way}", f"One stream, {words}, by size of writes", "write()", list(SIZES.values()),
                          _by_path(figures, [f"{way}-size-{size}" for size in SIZES]), log=True))
        plots.append(Plot(f"scale-{way}", f"Many streams, {words}", "active streams", [str(streams) for streams in SCALE],
                          _by_path(figures, [f"{way}-scale-{streams}" for streams in SCALE])))
    lines = []
    for way, words, mark in (("out", "guest to Dom0", 7), ("in", "Dom0 to guest", 5)):
        for streams, colour in ((1, COLOURS["ours"]), (4, COLOURS["netfront"])):
            values = [figures.median(f"{way}-{streams}-order-{order}", "ours") for order in ORDERS]
            lines.append((f"{words}, {streams}", colour, mark, values))
    sizes = [f"{2 << order} KiB" for order in ORDERS]
    plots.append(Plot("rings", "iperf3, 1 and 4 streams, by size of a ring", "ring, each direction", sizes, lines))
    return [plot for plot in plots if sum(value is not None for line in plot.lines for value in line[3]) > 1]


def check() -> None:
    """Installs gnuplot if it is missing, as root."""
    if shutil.which("gnuplot"):
        return
    if os.geteuid() != 0:
        raise BenchError("no gnuplot, and only root can install gnuplot-nox")
    print("installing gnuplot-nox", file=sys.stderr)
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    command = ["apt-get", "install", "-y", "-q", "-o", "DPkg::Lock::Timeout=600", "--no-install-recommends", "gnuplot-nox"]
    for argv in (command, ["apt-get", "update", "-q"], command):
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
        if shutil.which("gnuplot"):
            return
    raise BenchError(f"gnuplot-nox can't be installed: {done.stderr.strip()[-300:]}")


def draw(figures: Figures, directory: pathlib.Path) -> list:
    """Draws all plots for which there are figures; returns their files."""
    check()
    directory.mkdir(parents=True, exist_ok=True)
    about = figures.about
    subtitle = f"Linux {about['kernel']}, guest with 1 CPU, Dom0 with 2, clock that counts instructions"
    drawn = []
    for plot in _plots(figures):
        output = directory / f"{plot.name}.svg"
        done = subprocess.run(["gnuplot"], input=plot.script(output, subtitle), text=True, capture_output=True, check=False)
        if done.returncode or not output.exists():
            raise BenchError(f"gnuplot, {plot.name}: {done.stderr.strip()}")
        drawn.append(output)
    return drawn
