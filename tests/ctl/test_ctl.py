#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""pvcallsctl, with files as the modules make them."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

REPO = pathlib.Path(__file__).resolve().parents[2]
SOCKETS = """socket 0x1 type dgram state open local 10.0.0.1:53 peer - ring 4096 in-error -107
socket 0x2 type stream state connected local - peer - ring 524288 queued 4
"""
USERS = """user 33 sockets 7 rings 6 pages 102 max-sockets 12288 max-pages 22656 refused 3
user all sockets 7 rings 8 pages 136 max-sockets 16384 max-pages 30208
"""
ACCOUNTS = """guest 3 account sockets has 12 limit 16384 refused 0
guest 3 account pages has 514 limit 49152 refused 2
guest all account sockets has 12 limit 65536 refused 7
guest all account pages has 514 limit 196608 refused 2
"""


class Ctl(unittest.TestCase):
    """One command each."""

    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.program = pathlib.Path(cls.scratch.name) / "pvcallsctl"
        subprocess.run(["gcc", "-O1", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined", "-o", cls.program,
                        *sorted((REPO / "tools/pvcallsctl").glob("*.c"))], check=True)

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(dir=self.scratch.name))

    def load(self, module, **files):
        """A module with some files in debugfs."""
        (self.root / "sys/module" / module / "parameters").mkdir(parents=True)
        debug = self.root / "sys/kernel/debug" / module
        debug.mkdir(parents=True)
        for name, text in files.items():
            (debug / name).write_text(text)
        return self.root / "sys/module" / module / "parameters"

    def run_ctl(self, *words):
        """Output, errors and exit code."""
        done = subprocess.run([self.program, "--root", self.root, *words], capture_output=True, text=True, check=False,
                              env=dict(os.environ, LC_ALL="C"))
        return done.stdout, done.stderr, done.returncode

    def test_table(self):
        self.load("pvcalls_mt_front", sockets=SOCKETS)
        out, err, code = self.run_ctl("sockets")
        self.assertEqual((err, code), ("", 0))
        lines = out.splitlines()
        self.assertEqual(lines[0].split(), ["socket", "type", "state", "local", "peer", "ring", "in-error", "queued"])
        self.assertEqual(lines[1].split(), ["0x1", "dgram", "open", "10.0.0.1:53", "-", "4096", "-107", "-"])
        self.assertEqual(len({len(line) for line in lines}), 1)

    def test_json(self):
        self.load("pvcalls_mt_front", sockets=SOCKETS)
        out, _, code = self.run_ctl("--json", "sockets")
        self.assertEqual(code, 0)
        first, second = json.loads(out)
        self.assertEqual(first, {"socket": "0x1", "type": "dgram", "state": "open", "local": "10.0.0.1:53", "peer": "-",
                                 "ring": 4096, "in-error": -107})
        self.assertEqual(second["queued"], 4)

    def test_users(self):
        self.load("pvcalls_mt_back")
        self.load("pvcalls_mt_front", users=USERS)
        out, err, code = self.run_ctl("users")
        self.assertEqual((err, code), ("", 0))
        self.assertEqual([line.split() for line in out.splitlines()],
                         [["user", "sockets", "rings", "pages", "max-sockets", "max-pages", "refused"],
                          ["33", "7", "6", "102", "12288", "22656", "3"], ["all", "7", "8", "136", "16384", "30208", "-"]])
        user, together = json.loads(self.run_ctl("--json", "users")[0])
        self.assertEqual((user["user"], user["refused"]), (33, 3))
        self.assertEqual((together["user"], together["pages"]), ("all", 136))

    def test_accounts(self):
        self.load("pvcalls_mt_back", accounts=ACCOUNTS)
        out, err, code = self.run_ctl("accounts")
        self.assertEqual((err, code), ("", 0))
        self.assertEqual([line.split() for line in out.splitlines()][:2],
                         [["guest", "account", "has", "limit", "refused"], ["3", "sockets", "12", "16384", "0"]])
        rows = json.loads(self.run_ctl("--json", "accounts")[0])
        self.assertEqual(rows[1], {"guest": 3, "account": "pages", "has": 514, "limit": 49152, "refused": 2})
        self.assertEqual((rows[2]["guest"], rows[2]["refused"]), ("all", 7))

    def test_both_modules(self):
        self.load("pvcalls_mt_front", sockets="socket 0x1 state open\n")
        self.load("pvcalls_mt_back", sockets="socket 0x2 domid 7 state idle\n")
        out, _, _ = self.run_ctl("--json", "sockets")
        self.assertEqual([line["socket"] for line in json.loads(out)], ["0x2", "0x1"])

    def test_nothing(self):
        self.load("pvcalls_mt_back", workers="", guests="")
        self.assertEqual(self.run_ctl("guests"), ("no guests\n", "", 0))
        self.assertEqual(json.loads(self.run_ctl("--json", "guests")[0]), [])

    def test_odd_lines(self):
        self.load("pvcalls_mt_back", workers="\nworker\nworker 1 " + "name value " * 3 + " ".join(
            f"n{i} {i}" for i in range(100)) + '\nworker a"b\\c\n')
        out, _, code = self.run_ctl("--json", "workers")
        self.assertEqual(code, 0)
        self.assertEqual(json.loads(out)[2]["worker"], 'a"b\\c')
        self.assertEqual(self.run_ctl("workers")[2], 0)

    def test_not_loaded(self):
        for what in ("sockets", "guests", "accounts", "workers", "backend", "users", "capture", "parameters"):
            _, err, code = self.run_ctl(what)
            self.assertEqual(code, 1, what)
            self.assertIn("loaded", err)

    def test_no_debugfs(self):
        self.load("pvcalls_mt_back")
        _, err, code = self.run_ctl("workers")
        self.assertEqual(code, 1)
        self.assertIn("debugfs", err)

    def test_parameters(self):
        parameters = self.load("pvcalls_mt_front")
        (parameters / "capture").write_text("all\n")
        (parameters / "ring_order").write_text("8\n")
        out, _, code = self.run_ctl("parameters")
        self.assertEqual(code, 0)
        self.assertEqual([line.split() for line in out.splitlines()],
                         [["pvcalls_mt_front", "capture", "all"], ["pvcalls_mt_front", "ring_order", "8"]])
        self.assertEqual(json.loads(self.run_ctl("--json", "parameters")[0])[1]["value"], "8")
        self.assertEqual(self.run_ctl("set", "capture", "off"), ("", "", 0))
        self.assertEqual((parameters / "capture").read_text(), "off")
        self.assertEqual(self.run_ctl("set", "nothing", "1")[2], 1)
        self.assertEqual(self.run_ctl("set", "../capture", "1")[2], 2)

    def test_trace(self):
        _, err, code = self.run_ctl("trace")
        self.assertEqual(code, 1)
        self.assertIn("tracefs", err)
        instances = self.root / "sys/kernel/tracing/instances"
        instances.mkdir(parents=True)
        _, err, code = self.run_ctl("trace")
        self.assertEqual(code, 1)
        self.assertIn("pvcalls_mt_back", err)
        self.assertEqual(list(instances.iterdir()), [])

    def test_usage(self):
        for words in ((), ("nonsense",), ("sockets", "more"), ("--watch", "x", "sockets"), ("--nonsense",), ("set", "a")):
            self.assertEqual(self.run_ctl(*words)[2], 2, words)
        self.assertEqual(self.run_ctl("--help")[2], 0)


if __name__ == "__main__":
    unittest.main()
