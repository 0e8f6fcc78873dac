#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""pvcallsctl, with files and answers as the modules make them."""

import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import yaml

REPO = pathlib.Path(__file__).resolve().parents[2]
TOOL = REPO / "tools/pvcallsctl"
GCC = ["gcc", "-O1", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined", f"-I{REPO / 'include/uapi'}"]
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
        subprocess.run([*GCC, "-o", cls.program, *sorted(TOOL.glob("*.c")), "-lmnl"], check=True)

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
        path = f"{self.root}/bin:{os.environ['PATH']}"
        done = subprocess.run([self.program, "--root", self.root, *words], capture_output=True, text=True, check=False,
                              env=dict(os.environ, LC_ALL="C", PATH=path))
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
        self.load("pvcalls_mt_back", workers="", sockets="")
        self.assertEqual(self.run_ctl("sockets"), ("no sockets\n", "", 0))
        self.assertEqual(json.loads(self.run_ctl("--json", "sockets")[0]), [])

    def test_odd_lines(self):
        self.load("pvcalls_mt_back", workers="\nworker\nworker 1 " + "name value " * 3 + " ".join(
            f"n{i} {i}" for i in range(100)) + '\nworker a"b\\c\n')
        out, _, code = self.run_ctl("--json", "workers")
        self.assertEqual(code, 0)
        self.assertEqual(json.loads(out)[2]["worker"], 'a"b\\c')
        self.assertEqual(self.run_ctl("workers")[2], 0)

    def test_not_loaded(self):
        for what in ("sockets", "guests", "accounts", "workers", "backend", "users", "capture", "parameters", "policy 1",
                     "policy 1 set"):
            _, err, code = self.run_ctl(*what.split(), *([""] if what.endswith("set") else []))
            self.assertEqual(code, 1, what)
            self.assertIn("loaded", err)

    def test_no_netlink(self):
        self.load("pvcalls_mt_back")
        for words in (("guests",), ("policy", "1"), ("policy", "1", "show"), ("policy", "1", "set", "local=none")):
            out, err, code = self.run_ctl(*words)
            self.assertEqual((out, code), ("", 1), words)
            self.assertIn("netlink", err)

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

    def host(self, xen="", kernel="quiet", memory=4194304, ports="32768\t60999", **parameters):
        """A backend with parameters, what xl says of Xen, and Linux."""
        where = self.load("pvcalls_mt_back", accounts=ACCOUNTS)
        defaults = {"guest_share": 25, "host_sockets": 65536, "host_queued": 32768, "host_ports": 16384,
                    "host_pages": 196608}
        for name, value in {**defaults, **parameters}.items():
            (where / name).write_text(f"{value}\n")
        for name, text in {"cmdline": f"root=/dev/xvda {kernel}", "meminfo": f"MemTotal:  {memory} kB\nMemFree: 1 kB",
                           "sys/net/ipv4/ip_local_port_range": ports}.items():
            file = self.root / "proc" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text + "\n")
        (self.root / "bin").mkdir()
        (self.root / "bin/xl").write_text(f"#!/bin/sh\necho host : x\necho 'xen_commandline : {xen}'\n")
        (self.root / "bin/xl").chmod(0o755)

    def doctor(self, *words):
        """{check: (fits, have, need)}, and the exit code."""
        out, err, code = self.run_ctl("--json", "doctor", *words)
        self.assertEqual(err, "")
        return {row["check"]: (row["fits"], row["have"], row["need"]) for row in json.loads(out)}, code

    def test_doctor_defaults(self):
        self.host()
        found, code = self.doctor()
        self.assertEqual(code, 0)
        # one guest has an account
        self.assertEqual(found, {
            "maptrack": (True, 262144, 196608 + 1568), "pages": (True, 43008, 2056), "grants": (True, 32768, 2056),
            "events": (True, 131072, 1023), "ports": (True, 28232, 20480),
            "memory": (True, 2097152, 65536 * 5 + 32768 * 5 // 2)})
        out, _, code = self.run_ctl("doctor")
        self.assertEqual(code, 0)
        self.assertEqual([line.split()[0] for line in out.splitlines()], ["ok"] * 6)

    def test_doctor_guests(self):
        self.host()
        # 65536 entries are left for other devices
        self.assertEqual(self.doctor("41")[0]["maptrack"], (True, 262144, 196608 + 41 * 1568))
        found, code = self.doctor("42")
        self.assertEqual((found["maptrack"], code), ((False, 262144, 196608 + 42 * 1568), 1))
        self.assertIn("gnttab_max_maptrack_frames=1026 is enough", self.run_ctl("doctor", "42")[0])
        # x = 25 % of what the others leave of seven eighths, for each
        self.assertEqual(self.doctor("4")[0]["pages"][1], 172032 // 7)
        self.assertTrue(self.doctor("80")[0]["pages"][0])
        self.assertFalse(self.doctor("81")[0]["pages"][0])
        # and no less than a 64th of the rest
        self.assertEqual(self.doctor("1000")[0]["pages"][1], 384)
        self.assertTrue(self.doctor("128")[0]["events"][0])
        self.assertFalse(self.doctor("129")[0]["events"][0])

    def test_doctor_xen(self):
        self.host(xen="dom0_mem=1G gnttab_max_maptrack_frames=2048 gnttab_max_frames=2", kernel="xen.fifo_events=0")
        found, code = self.doctor("5")
        self.assertEqual(found["maptrack"][:2], (True, 524288))
        self.assertEqual(found["grants"], (False, 1024, 2056))
        self.assertEqual(found["events"], (False, 4096, 5 * 1023))
        self.assertEqual(code, 1)

    def test_doctor_linux(self):
        self.host(memory=524288, ports="40000\t50000", guest_share=100, host_pages=1000)
        found, code = self.doctor()
        self.assertEqual(found["ports"], (False, 10001, 20480))
        self.assertEqual(found["memory"][:2], (False, 262144))
        self.assertEqual(found["pages"], (False, 875, 2056))
        self.assertEqual(code, 1)

    def test_doctor_blind(self):
        self.host()
        (self.root / "bin/xl").write_text("#!/bin/sh\nexit 1\n")
        _, err, code = self.run_ctl("doctor")
        self.assertEqual(code, 0)
        self.assertIn("xl info", err)
        (self.root / "sys/module/pvcalls_mt_back/parameters/host_pages").unlink()
        _, err, code = self.run_ctl("doctor")
        self.assertEqual(code, 1)
        self.assertIn("host_pages", err)
        for words in (("doctor", "0"), ("doctor", "x"), ("doctor", "1", "2")):
            self.assertEqual(self.run_ctl(*words)[2], 2, words)

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
        for words in ((), ("nonsense",), ("sockets", "more"), ("--watch", "x", "sockets"), ("--nonsense",), ("set", "a"),
                      ("flows", "x"), ("flows", "65536"), ("policy",), ("policy", "x"), ("policy", "65536"), ("policy", "1", "set"), ("policy", "1", "show", "x"),
                      ("policy", "1", "put", "x")):
            self.assertEqual(self.run_ctl(*words)[2], 2, words)
        self.assertEqual(self.run_ctl("--help")[2], 0)


class Answers(unittest.TestCase):
    """What is made of the answers of the netlink family, and what specifies it."""

    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.program = pathlib.Path(cls.scratch.name) / "answers"
        subprocess.run([*GCC, f"-I{TOOL}", "-o", cls.program, REPO / "tests/ctl/answers.c", TOOL / "flows.c", TOOL / "netlink.c",
                        TOOL / "table.c", "-lmnl"], check=True)

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def answers(self, what):
        """Output and errors."""
        done = subprocess.run([self.program, what], capture_output=True, text=True, check=True, env=dict(os.environ, LC_ALL="C"))
        return done.stdout, done.stderr

    def test_guests(self):
        lines = [line.split() for line in self.answers("guests")[0].splitlines()]
        self.assertEqual(lines[0], ["guest", "sockets", "pages", "deferred", "denied", "delayed", "mark", "extensions", "flags"])
        self.assertEqual(lines[1:], [["1", "3", "0", "0", "0", "0", "0x1000", "0", "0"],
                                     ["32000", "3", "0", "0", "1099511627776", "549755813888", "0x1000", "0", "0"]])
        second = json.loads(self.answers("guests-json")[0])[1]
        self.assertEqual((second["guest"], second["denied"], second["mark"]), (32000, 1 << 40, "0x1000"))

    def test_policy(self):
        words = ["local=none", "bytes=4000000000", "congestion=reno,cubic", "shortcuts=none", "deny connect 10.0.0.0/8"]
        self.assertEqual(self.answers("policy")[0], "".join(word + "\n" for word in words))
        self.assertEqual(json.loads(self.answers("policy-json")[0]),
                         {"domid": 7, "rules": words,
                          "denied": {"loopback": 2, "rule": 1 << 33}})

    def test_flows(self):
        first = "2023-11-14T22:13:20.123Z dom7 tcp 10.0.0.1:80 < 10.0.0.2:40000 begins"
        ends = "ends in 1099511627776 out 7 after 2.500001 s:"
        self.assertEqual(self.answers("flows")[0].splitlines(), [
            first, "4 messages were lost",
            f"2023-11-14T22:13:22.623Z dom7 tcp 10.0.0.1:80 < 10.0.0.2:40000 {ends} error (Connection reset by peer)",
            f"2023-11-14T22:13:22.623Z dom7 icmpv6 [fd00::1]:80 > - {ends} closed",
            "2023-11-14T22:13:20.123Z dom7 icmpv6 10.0.0.9:80 > [::1]:0 begins"])
        begin, lost, end, last, _ = map(json.loads, self.answers("flows-json")[0].splitlines())
        self.assertEqual(begin, {
            "time": "2023-11-14T22:13:20.123Z", "event": "begin", "domid": 7, "socket": "0x1000", "protocol": "tcp", "by": "peer",
            "local": "10.0.0.1:80", "peer": "10.0.0.2:40000"})
        self.assertEqual(lost, {"event": "lost", "messages": 4})
        self.assertEqual((end["event"], end["in"], end["out"], end["seconds"], end["why"], end["error"]),
                         ("end", 1 << 40, 7, 2.500001, "error", "Connection reset by peer"))
        self.assertEqual((last["why"], last["peer"], "error" in last), ("closed", "-", False))

    def test_refused(self):
        self.assertEqual(self.answers("refused"), ("", 'pvcallsctl: Invalid argument: because: "nothing"\n'))

    def test_specification(self):
        spec = yaml.safe_load((REPO / "docs/netlink/pvcalls.yaml").read_text())
        header = (REPO / "include/uapi" / spec["uapi-header"]).read_text()
        self.assertIn(f'#define PVCALLS_FAMILY_NAME\t"{spec["name"]}"', header)
        self.assertEqual([f'#define PVCALLS_GROUP_{group["name"].upper()}\t"{group["name"]}"' in header
                          for group in spec["mcast-groups"]["list"]], [True])
        wanted = [[f"PVCALLS_{words['name']}_{entry['name']}" for entry in words["entries"]] for words in spec["definitions"]]
        wanted += [[f"PVCALLS_A_{group['name']}_{attribute['name']}" for attribute in group["attributes"]]
                   for group in spec["attribute-sets"]]
        wanted.append([f"PVCALLS_CMD_{operation['name']}" for operation in spec["operations"]["list"]])
        self.assertEqual([operation["value"] for operation in spec["operations"]["list"]],
                         list(range(1, len(wanted[-1]) + 1)))
        found = [re.findall(r"^\t(PVCALLS_\w+)(?: = 1)?,$", body, re.M) for body in re.findall(r"^enum \{(.*?)^\}", header, re.M | re.S)]
        self.assertEqual(found, [[name.upper().replace("-", "_") for name in names] for names in wanted])


if __name__ == "__main__":
    unittest.main()
