#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of tools/bench that need no lab: what it makes of figures."""

import contextlib
import io
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools" / "bench"))
sys.dont_write_bytecode = True

from benchlib import figures, gate, goals, tables  # noqa: E402

ABOUT = {"commit": "none", "kernel": "6.1", "sets": ["quick"], "failed": []}


def lab(**values) -> figures.Figures:
    """Figures of all that the gate watches: path "ours" has 1000 unless said otherwise, the others 500."""
    found = {}
    for metric in gate.METRICS:
        found[f"{metric}/ours"] = f"{values.get(metric.replace('-', '_'), '990,1000,1010')} Mbit/s"
        for path in (gate.JUDGE, "netfront"):
            found[f"{metric}/{path}"] = "500,400,600 Mbit/s"
    found |= values.get("more", {})
    return figures.from_lab({"scenarios": [{"figures": found}]}, ABOUT)


class Figures(unittest.TestCase):
    """Reading, keeping."""

    def test_median_and_spread(self):
        figure = lab().get("rr", "ours")
        self.assertEqual(figure.median, 1000)
        self.assertAlmostEqual(figure.spread, 0.02)

    def test_words_instead_of_numbers(self):
        found = lab(more={"rr/intree": "stalled 1/s"})
        self.assertEqual(found.get("rr", "intree").why, "stalled")
        self.assertIsNone(found.median("rr", "intree"))
        self.assertIsNone(found.ratio("rr", "ours", "intree"))
        self.assertIn("stalled", "".join(table.text() for table in tables.tables(found)))

    def test_other_scenarios_figures(self):
        self.assertNotIn("plain", lab(more={"plain": "1 s"}).metrics())

    def test_merged(self):
        first = lab(rr="5", more={"idle-memory/ours": "1 bytes"})
        both = figures.merge([first, lab(rr="7")])
        self.assertEqual(both.median("rr", "ours"), 7)
        self.assertEqual(both.median("idle-memory", "ours"), 1)
        self.assertEqual(both.about["sets"], ["quick", "quick"])

    def test_kept_and_loaded(self):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "a" / "figures.json"
            found = lab(more={"rr/intree": "stalled 1/s"})
            found.save(path)
            again = figures.load(path)
            self.assertEqual(again.get("rr", "ours"), found.get("rr", "ours"))
            self.assertEqual(again.get("rr", "intree").why, "stalled")
            path.write_text('{"format": 99}')
            with self.assertRaises(figures.BenchError):
                figures.load(path)


class Gate(unittest.TestCase):
    """What passes, and what does not."""

    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.path = pathlib.Path(self.directory.name) / "baseline.json"
        gate.update(lab(), self.path)

    def compare(self, found) -> bool:
        with contextlib.redirect_stdout(io.StringIO()):
            return gate.compare(found, self.path, gate.TOLERANCE)

    def test_same(self):
        self.assertFalse(self.compare(lab()))

    def test_within(self):
        self.assertFalse(self.compare(lab(cr="975")))

    def test_beyond(self):
        for metric in gate.METRICS:
            self.assertTrue(self.compare(lab(**{metric.replace("-", "_"): "965"})), metric)

    def test_loopback_alone_is_no_judge(self):
        more = {f"{metric}/{gate.JUDGE}": "550 Mbit/s" for metric in gate.METRICS}
        self.assertFalse(self.compare(lab(more=more)))
        self.assertFalse(self.compare(lab(cr="975", more=more)))

    def test_all_slower(self):
        slower = {metric.replace("-", "_"): "800" for metric in gate.METRICS}
        self.assertFalse(self.compare(lab(**slower, more={f"{metric}/{gate.JUDGE}": "400 Mbit/s" for metric in gate.METRICS})))
        self.assertTrue(self.compare(lab(**slower, more={f"{metric}/{gate.JUDGE}": "420 Mbit/s" for metric in gate.METRICS})))

    def test_netfront_is_no_judge(self):
        self.assertFalse(self.compare(lab(more={f"{metric}/netfront": "600 Mbit/s" for metric in gate.METRICS})))

    def test_better(self):
        self.assertFalse(self.compare(lab(cr="2000")))

    def test_not_measured(self):
        with self.assertRaises(figures.BenchError):
            self.compare(lab(cr="stalled"))

    def test_bad_baselines(self):
        kept = self.path.read_text()
        for text in ("", "{}", '{"figures": {}, "ratios": {}}', kept.replace("2.0", "0"), kept.replace("1000", "0"),
                     kept.replace("figures", "other")):
            self.path.write_text(text)
            with self.assertRaises(figures.BenchError):
                gate.check(self.path)


class Tables(unittest.TestCase):
    """Rows and verdicts."""

    def row(self, found, words: str) -> list:
        return next(row for table in goals.tables(found) for row in table.rows if row[0].startswith(words))

    def test_goals(self):
        self.assertEqual(self.row(lab(), "out, 1 stream, ours/netfront")[1:], ["2.00", "3", "", "no"])
        self.assertEqual(self.row(lab(out_1="1500"), "out, 1 stream, ours/netfront")[-1], "reached")
        self.assertEqual(self.row(lab(), "out, 1 stream, ours/loopback")[-1], "moonshot")

    def test_limits(self):
        memory = {"idle-memory/ours": "20480 bytes", "idle-memory/loopback": "10240 bytes"}
        self.assertEqual(self.row(lab(more=memory), "Dom0's memory")[1:], ["15.00", "<= 16", "<= 8", "reached"])
        scale = {f"{way}-scale-{n}/ours": "100 Mbit/s" for way in ("out", "in") for n in (1, 10, 100)}
        scale |= {"out-scale-1000/ours": "80 Mbit/s"}
        self.assertEqual(self.row(lab(more=scale), "cost of a byte")[1:], ["25.00", "<= 15", "", "no"])

    def test_nothing(self):
        empty = figures.Figures(ABOUT, {})
        self.assertEqual(tables.tables(empty) + goals.tables(empty), [])

    def test_markdown(self):
        for table in tables.tables(lab()):
            widths = {line.count("|") for line in table.markdown().splitlines() if line.startswith("|")}
            self.assertEqual(len(widths), 1)


if __name__ == "__main__":
    unittest.main()
