#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The documents say what the sources have, and the checks see it when they do not."""

import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
REPO = HERE.parents[1]
BUILT = shutil.ignore_patterns("*.o", "*.ko", "*.mod*", ".*.cmd", "__pycache__", "build")


class Docs(unittest.TestCase):
    """Both checks, on the repository and on copies with a fault."""

    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.copy = pathlib.Path(cls.scratch.name)
        for tree in ("back", "front", "ringbuf", "numa", "include", "docs", "tests", "tools"):
            shutil.copytree(REPO / tree, cls.copy / tree, ignore=BUILT)
        shutil.copy(REPO / "README.md", cls.copy)

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def check(self, name, root=REPO):
        """Its exit code and what it prints."""
        done = subprocess.run([HERE / name, root], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return done.returncode, done.stdout

    def finds(self, name, file, old, new, what):
        """The check must find what a change of one file of the copy breaks."""
        path = self.copy / file
        before = path.read_text()
        text, n = re.subn(old, new, before, count=1, flags=re.M)
        self.assertEqual(n, 1, f"{file} has no {old}")
        path.write_text(text)
        try:
            code, out = self.check(name, self.copy)
        finally:
            path.write_text(before)
        self.assertEqual(code, 1, out)
        self.assertIn(what, out)

    def test_messages(self):
        code, out = self.check("check-messages")
        self.assertEqual(code, 0, out)

    def test_names(self):
        code, out = self.check("check-names")
        self.assertEqual(code, 0, out)

    def test_message_missing(self):
        self.finds("check-messages", "docs/TROUBLESHOOTING.md", r"^\| `unknown command N` .*\n", "", "unknown command")

    def test_message_new(self):
        self.finds("check-messages", "back/main.c", r"^static int __init .*\n\{\n", r'\g<0>\tpr_info("hello %u\\n", 1);\n',
                   "hello %u")

    def test_rule_new(self):
        self.finds("check-messages", "front/link/cmd.c", r'"response to no request"', '"a riddle"', "a riddle")

    def test_message_gone(self):
        self.finds("check-messages", "docs/TROUBLESHOOTING.md", r"^\| `unknown command N`",
                   r"| `nobody says so` | | | |\n\g<0>", "nobody says so")

    def test_name_gone(self):
        self.finds("check-names", "docs/tuning.md", r"\Z", "\n`pvcalls_no_such()`\n", "pvcalls_no_such")

    def test_path_gone(self):
        self.finds("check-names", "docs/tuning.md", r"\Z", "\n`back/no/such.c`\n", "no such path")

    def test_parameter_undocumented(self):
        self.finds("check-names", "docs/tuning.md", r"^\| `poll_us` \|.*\n", "", "parameter not documented: poll_us")

    def test_parameter_gone(self):
        self.finds("check-names", "docs/man/pvcalls_mt_back.4", r'^\.BR poll_us " \(', '.BR poll_ns " (', "no such parameter: poll_ns")


if __name__ == "__main__":
    unittest.main()
