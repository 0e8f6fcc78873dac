#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of tools/lab/rig that need no lab: what it makes of logs."""

import argparse
import pathlib
import sys
import tempfile
import unittest
import unittest.mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools" / "lab"))
sys.dont_write_bytecode = True

from rig import scan  # noqa: E402
from rig.campaign import Campaign, Verdict  # noqa: E402
from rig.scenario import Scenario  # noqa: E402

FAULT = "(XEN) d{0}v0 Triple fault - invoking HVM shutdown action 1\n(XEN) Domain {0} (vcpu#0) crashed on cpu#1:\n"


class Logs(unittest.TestCase):
    """Which lines of a scenario's logs are held against it."""

    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.results = pathlib.Path(self.scratch.name)
        self.addCleanup(self.scratch.cleanup)

    def log(self, name: str, text: str) -> None:
        """Writes one of the logs that a scenario leaves."""
        (self.results / name).write_text(text)

    def test_healthy(self):
        self.log("dom0.log", "[    1.0] Spectre V2 : WARNING: Unprivileged eBPF is enabled\n")
        self.log("xen.log", "(XEN) d2v0: upcall vector f3\n(XEN) Domain 2 crashed by request\n")
        self.log("guest-g1.log", "lab: init\n")
        self.assertEqual(scan.scan(self.results, ""), [])

    def test_splat(self):
        self.log("dom0.log", "[    1.0] BUG: sleeping function called from invalid context\n")
        self.log("guest-g1.log", "[    1.0] Oops: 0002 [#1]\nsaid so: Oops\n")
        found = scan.scan(self.results, "")
        self.assertEqual([line.split(":")[0] for line in found], ["dom0.log", "guest-g1.log", "guest-g1.log"])
        self.assertEqual(len(scan.scan(self.results, "said so")), 2)

    def test_guest_that_died(self):
        self.log("xen.log", FAULT.format(4))
        self.log("guest-g1.log", "lab: init\n")
        self.assertEqual(len(scan.scan(self.results, "")), 2)

    def test_guest_that_died_while_it_booted(self):
        self.log("xen.log", FAULT.format(4))
        self.log("died-g1-4.log", "Oops in a kernel that has been replaced\n")
        self.log("guest-g1.log", "lab: init\n")
        self.assertEqual(scan.scan(self.results, ""), [])

    def test_another_than_died_while_it_booted(self):
        self.log("xen.log", FAULT.format(4) + FAULT.format(44) + FAULT.format(5))
        self.log("died-g1-4.log", "")
        found = scan.scan(self.results, "")
        self.assertEqual(len(found), 4)
        self.assertFalse([line for line in found if "d4v0" in line or "Domain 4 " in line])


class Again(unittest.TestCase):
    """When a scenario gets a second boot."""

    def again(self, verdict: Verdict, accel: str = "tcg", guest: str = "pvh", times: int = 1) -> bool:
        """Does it, at the last of so many times?"""
        options = argparse.Namespace(accel=accel, guest=guest, total_timeout=60)
        with tempfile.TemporaryDirectory() as scratch:
            results = pathlib.Path(scratch)
            campaign = Campaign(options, [Scenario(verdict.name, None)], results)
            for _ in range(times):
                (results / verdict.name).mkdir(exist_ok=True)
                with unittest.mock.patch("rig.campaign.progress"):
                    answer = campaign._emulators_fault(verdict)
            return answer

    def test_which(self):
        fault = Verdict("one", "FAIL", splats=["xen.log: (XEN) d4v0 Triple fault - invoking HVM shutdown action 1"])
        self.assertTrue(self.again(fault))
        self.assertFalse(self.again(fault, times=2))
        self.assertFalse(self.again(fault, guest="pv"))
        self.assertFalse(self.again(fault, accel="kvm"))
        self.assertFalse(self.again(Verdict("one", "FAIL", splats=["dom0.log: BUG: something else"])))
        self.assertFalse(self.again(Verdict("one", "PASS")))


if __name__ == "__main__":
    unittest.main()
