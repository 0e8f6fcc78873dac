#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of tools/lab/rig that need no lab: what it makes of logs, and how machines share scenarios."""

import argparse
import contextlib
import io
import pathlib
import re
import sys
import tempfile
import threading
import unittest
import unittest.mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools" / "lab"))
sys.dont_write_bytecode = True

from rig import scan, scenario  # noqa: E402
from rig.campaign import Campaign, Verdict, last_words  # noqa: E402
from rig.scenario import Scenario  # noqa: E402

FAULT = "(XEN) d{0}v0 Triple fault - invoking HVM shutdown action 1\n(XEN) Domain {0} (vcpu#0) crashed on cpu#1:\n"

CHAIN = """WARNING: possible circular locking dependency detected
Chain exists of:
  {}
Call Trace:
 <TASK>
 xs_suspend+0xad/0xb4
 </TASK>
"""
PROC = """[    2.0] WARNING: CPU: 0 PID: 71 at fs/proc/generic.c:718 remove_proc_entry+0x1b0/0x200
[    2.0] Call Trace:
[    2.0]  {}
[    2.0] ---[ end trace 0000000000000000 ]---
"""
# What Linux 6.1 says first
REPORTS = {
    "lockdep": "WARNING: possible circular locking dependency detected",
    "atomic sleep": "BUG: sleeping function called from invalid context at tests/detect/detect.c:45",
    "KFENCE": "BUG: KFENCE: use-after-free read in detect_init+0x1f/0x1000 [detect]",
    "kmemleak": "unreferenced object 0xffff8880041f0000 (size 4096):",
    "UBSAN": "UBSAN: shift-out-of-bounds in tests/detect/detect.c:91:22",
    "DEBUG_OBJECTS": "ODEBUG: free active (active state 0) object type: timer_list hint: late+0x0/0x10 [detect]",
    "hung task": "INFO: task insmod:152 blocked for more than 60 seconds.",
    "RCU stall": "rcu: INFO: rcu_sched self-detected stall on CPU",
    "refcount": "refcount_t: addition on 0; use-after-free.",
    "SLUB": "BUG kmalloc-32 (Tainted: G        W  O      ): Right Redzone overwritten",
    "list": "list_del corruption, ffffffffc0002000->next is LIST_POISON1 (dead000000000100)",
    "page": "pagealloc: memory corruption",
}


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

    def test_kernels_own_report(self):
        own = PROC.format("unregister_irq_proc+0x5a/0x90")
        ours = PROC.format("pvcalls_stream_close+0x5a/0x90")
        self.log("dom0.log", own)
        self.assertEqual(scan.scan(self.results, ""), [])
        self.log("dom0.log", own + ours + own)
        self.assertEqual(len(scan.scan(self.results, "")), 2)
        self.assertEqual(scan.count(self.results)["known"], 2)
        # a report that has no end must not hide what comes after it
        self.log("dom0.log", own.replace("---[ end trace", "---[") + ours)
        self.assertGreater(len(scan.scan(self.results, "")), 2)

    def test_interrupts_within_a_hypercall(self):
        report = PROC.replace("fs/proc/generic.c:718 remove_proc_entry", "kernel/softirq.c:401 __local_bh_enable_ip")
        self.log("dom0.log", report.format("privcmd_ioctl+0xe8/0x97a [xen_privcmd]"))
        self.assertEqual(scan.scan(self.results, ""), [])
        self.log("dom0.log", report.format("pvcalls_stream_close+0x5a/0x90"))
        self.assertEqual(len(scan.scan(self.results, "")), 2)

    def test_lockdep_off_after_its_own_report(self):
        off = "detector lockdep is off: debug_locks is 0\n"
        own = CHAIN.format("xs_response_mutex --> &u->msgbuffer_mutex --> xs_watch_rwsem")
        self.log("guest-g1.log", own)
        self.log("debug-g1.log", off)
        self.assertEqual(scan.scan(self.results, ""), [])
        self.assertEqual({name: number for name, number in scan.count(self.results).items() if number}, {"known": 1})
        # another domain's, and another report
        self.log("debug-g2.log", off)
        self.assertEqual(scan.scan(self.results, ""), [f"debug-g2.log: {off.strip()}"])
        self.log("debug-g2.log", "")
        self.log("guest-g1.log", own + CHAIN.format("xs_watch_rwsem --> &link->lock"))
        self.assertEqual(len(scan.scan(self.results, "")), 3)

    def test_each_detector(self):
        self.assertEqual(set(REPORTS), set(scan.KINDS))
        for kind, line in REPORTS.items():
            self.log("guest-g1.log", f"[    1.0] {line}\n")
            self.assertEqual(len(scan.scan(self.results, "")), 1, line)
            counts = scan.count(self.results)
            self.assertEqual([name for name, number in counts.items() if number], [kind], line)

    def test_detector_off(self):
        self.log("debug-g1.log", "detector lockdep is off: debug_locks is 0\n")
        self.assertEqual(len(scan.scan(self.results, "")), 1)
        self.assertEqual(scan.count(self.results)["lockdep"], 1)


class Again(unittest.TestCase):
    """When a scenario gets a second boot."""

    def again(self, verdict: Verdict, accel: str = "tcg", guest: str = "pvh", times: int = 1) -> bool:
        """Does it, at the last of so many times?"""
        options = argparse.Namespace(accel=accel, guest=guest, total_timeout=60, jobs=1)
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


class Scenarios(unittest.TestCase):
    """What the scenarios of tests/lab ask for."""

    def test_sourced_files_are_there(self):
        for name in scenario.names():
            one = scenario.load(name)
            there = set()
            for source, _, target in (word.partition(":") for word in one.words("files")):
                there.add(target or f"/lab/files/{pathlib.Path(source).name}")
            sourced = set(re.findall(r"^\. (/lab/files/\S+)", (scenario.HOME / name / "dom0").read_text(), re.M))
            self.assertEqual(sourced - there, set(), name)


class FakeMachine:
    """Runs scenarios at once: "bad" kills it, "late" waits until "early" has ended on another one, the rest pass."""

    booted = 0
    broken: tuple = ()  # boots that come to nothing
    early = threading.Event()

    def __init__(self, _options, _xen, _kernel, _initrd, results, _console):
        type(self).booted += 1
        self.results, self.events = results, ["error out of order" if self.booted in self.broken else "ready"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def order(self, text: str) -> None:
        """What the runner in Dom0 makes of it."""
        verb, _, name = text.partition(" ")
        if verb != "run":
            return
        if name == "late" and not self.early.wait(10):
            return
        if name == "early":
            self.early.set()
        (self.results / name).mkdir(exist_ok=True)
        self.events += [f"start {name}"] + ([] if name == "bad" else [f"end {name} 0 1.5 0.5"])

    def event(self, _timeout: float) -> str:
        """The next one; a machine without one is off."""
        if not self.events:
            raise EOFError
        return self.events.pop(0)

    def wait(self, _timeout: float) -> None:
        """Off at once."""


class Machines(unittest.TestCase):
    """How machines share scenarios."""

    def verdicts(self, names: list, jobs: int, broken: tuple = ()) -> list:
        """What comes of them."""
        options = argparse.Namespace(accel="tcg", guest="pv", total_timeout=60, timeout=5, boot_timeout=5, jobs=jobs,
                                     dom0_kernel="6.1", guest_kernel="6.1", nodes=1, icount=False, show_output=False)
        FakeMachine.booted, FakeMachine.broken = 0, broken
        FakeMachine.early = threading.Event()
        slot = unittest.mock.MagicMock()
        slot.return_value.__enter__.return_value = True
        with tempfile.TemporaryDirectory() as scratch, contextlib.redirect_stdout(io.StringIO()), \
                unittest.mock.patch.multiple("rig.campaign", Boot=unittest.mock.Mock(), Machine=FakeMachine, machine_slot=slot,
                                             spare_slot=slot, progress=unittest.mock.Mock()):
            for number in (1, 2):
                (pathlib.Path(scratch) / f"console-{number}.log").write_text("")
            found = Campaign(options, [Scenario(name, None) for name in names], pathlib.Path(scratch)).run()
        return [(verdict.name, verdict.verdict) for verdict in found]

    def test_one(self):
        self.assertEqual(self.verdicts(["one", "two", "three"], 1), [("one", "PASS"), ("two", "PASS"), ("three", "PASS")])
        self.assertEqual(FakeMachine.booted, 1)

    def test_crash(self):
        self.assertEqual(self.verdicts(["one", "bad", "three"], 1), [("one", "PASS"), ("bad", "FAIL"), ("three", "PASS")])
        self.assertEqual(FakeMachine.booted, 2)

    def test_beside_each_other(self):
        self.assertEqual(self.verdicts(["late", "early", "three"], 2), [("late", "PASS"), ("early", "PASS"), ("three", "PASS")])
        self.assertEqual(FakeMachine.booted, 2)

    def test_not_up(self):
        self.assertEqual(self.verdicts(["one", "two"], 1, (1,)), [("one", "FAIL"), ("two", "FAIL")])
        self.assertEqual(FakeMachine.booted, 1)
        self.assertEqual(self.verdicts(["one", "two"], 2, (1,)), [("one", "PASS"), ("two", "PASS")])
        self.assertEqual(FakeMachine.booted, 2)
        self.assertEqual(self.verdicts(["one", "two"], 2, (1, 2)), [("one", "FAIL"), ("two", "FAIL")])

    def test_last_words(self):
        with tempfile.TemporaryDirectory() as scratch:
            output = pathlib.Path(scratch) / "output"
            output.write_text("ok one\nFAIL two: no\nnot ok two\n" + "ok more\n" * 30 + "FAIL: 1 program\n")
            words = last_words(output)
        self.assertEqual(words[:3], ["FAIL two: no", "not ok two", "ok more"])
        self.assertEqual((len(words), words[-1]), (27, "FAIL: 1 program"))


if __name__ == "__main__":
    unittest.main()
