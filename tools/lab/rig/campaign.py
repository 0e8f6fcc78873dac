# SPDX-License-Identifier: GPL-2.0
"""A run of scenarios: puts the images together, boots, follows the events, judges, and boots again after a crash."""

import collections
import json
import pathlib
import re
import tempfile
import threading
import time
from dataclasses import asdict, dataclass, field

from . import build, debugkernel, profile, scan
from .common import LAB, LabError, progress
from .cpio import Archive
from .image import Images
from .locks import directory_lock, machine_slot, spare_slot
from .machine import Machine
from .overlay import Overlays
from .packages import Packages
from .scenario import Scenario

ABORT_GRACE = 60
TAIL = 25
MIXED_UP = re.compile(r"Triple fault|stack guard page")


@dataclass
class Verdict:
    """What became of one scenario."""

    name: str
    verdict: str
    seconds: float = 0.0
    booting: float = 0.0  # of them: guests' boots
    cleaning: float = 0.0  # of them: after the script
    reason: str = ""
    splats: list = field(default_factory=list)
    figures: dict = field(default_factory=dict)
    reports: dict = field(default_factory=dict)
    title: str = ""


class Boot:
    """All files for booting one plan."""

    def __init__(self, options, scenarios: list, scratch: pathlib.Path):
        self.scenarios = scenarios
        self.options = options
        with directory_lock(options.cache):
            packages = Packages(options.cache)
            dom0, guest = packages.kernel(options.dom0_kernel), packages.kernel(options.guest_kernel)
            images = Images(options.cache, packages.userland())
            self.xen, self.kernel, guest_linux = images.hypervisor(), images.linux(dom0), images.linux(guest)
            kinds = {scenario.keys.get("image", "guest") for scenario in scenarios} | {"guest"}
            bases = {kind: images.base(kind, guest).read_bytes() for kind in sorted(kinds)}
            dom0_base = images.base("dom0", dom0).read_bytes()
            overlays = Overlays(options.cache, packages)
            self._overlay = {scenario.name: overlays.get(scenario.words("packages")) for scenario in scenarios
                             if scenario.words("packages")}
        with directory_lock(build.home(options.cache)):
            self.programs = build.programs(options.cache)
            kernels = {dom0.release: dom0, guest.release: guest}
            self._builds = {release: self._build(kernel) for release, kernel in kernels.items()}
            guests = {kind: self._guest(guest) + base for kind, base in bases.items()}
            self.initrd = scratch / "initrd"
            self.initrd.write_bytes(self._dom0(dom0, guest_linux, guests) + dom0_base)

    def _build(self, kernel) -> tuple:
        made = build.Build(self.options.cache, kernel)
        made.sync()
        return made, made.modules() + made.extra_modules([scenario for scenario in self.scenarios if scenario.directory])

    def _common(self, kernel) -> Archive:
        archive = Archive()
        made, modules = self._builds[kernel.release]
        for path in self.programs:
            archive.file(f"usr/bin/{path.name}", path)
        for path in modules:
            archive.data(f"lab/modules/{path.name}", build.stripped(path))
        for name in ("detectors", "faults"):
            archive.file(f"usr/bin/lab-{name}", LAB / "debug-kernel" / name)
        for scenario in self.scenarios:
            for word in scenario.words("files"):
                source, _, target = word.partition(":")
                path = made.find(source, scenario)
                target = (target or f"lab/files/{path.name}").lstrip("/")
                if path.suffix == ".ko":
                    archive.data(target, build.stripped(path))
                else:
                    archive.file(target, path)
        return archive

    def _guest(self, kernel) -> bytes:
        archive = self._common(kernel)
        archive.data("init", (LAB / "guest" / "init").read_bytes(), 0o755)
        return archive.pack()

    def _dom0(self, kernel, guest_linux: pathlib.Path, guests: dict) -> bytes:
        archive = self._common(kernel)
        archive.data("init", (LAB / "dom0" / "init").read_bytes(), 0o755)
        archive.data("lab/runner", (LAB / "dom0" / "runner").read_bytes())
        archive.data("lab/lab.sh", (LAB / "dom0" / "lab.sh").read_bytes())
        archive.link("usr/lib/lab.sh", "/lab/lab.sh")
        archive.data("etc/xen/scripts/vif-lab", (LAB / "dom0" / "vif-lab").read_bytes(), 0o755)
        archive.file("lab/guest/kernel", guest_linux)
        for kind, data in guests.items():
            archive.data(f"lab/guest/{kind}", data)
        for scenario in self.scenarios:
            home = f"lab/scenarios/{scenario.name}"
            archive.data(f"{home}/settings", scenario.settings(self.options, self._overlay.get(scenario.name, "")).encode())
            for path in sorted(scenario.directory.rglob("*")) if scenario.directory else []:
                if path.is_file() and not path.name.startswith("."):
                    archive.file(f"{home}/{path.relative_to(scenario.directory)}", path)
        return archive.pack()


class Campaign:
    """Runs scenarios and collects verdicts."""

    def __init__(self, options, scenarios: list, results: pathlib.Path):
        self.options = options
        self.scenarios = {scenario.name: scenario for scenario in scenarios}
        self.results = results
        self.verdicts: list = []
        self.again: set = set()
        self.deadline = time.monotonic() + options.total_timeout
        # what several machines share
        self._lock = threading.RLock()
        self._waiting: collections.deque = collections.deque()
        self._boots = 0
        self._errors: list = []
        self._not_up: tuple = ("", [])

    def run(self) -> list:
        """Runs all, over as many boots as crashes make necessary."""
        for scenario in self.scenarios.values():
            reason = scenario.why_not(self.options)
            if reason:
                self._tell(Verdict(scenario.name, "SKIP", reason=reason))
            else:
                self._waiting.append(scenario.name)
        if not self._waiting:
            return self.verdicts
        with tempfile.TemporaryDirectory(prefix="lab-") as scratch:
            boot = Boot(self.options, [self.scenarios[name] for name in self._waiting], pathlib.Path(scratch))
            helpers = [threading.Thread(target=self._help, args=(boot,), daemon=True)
                       for _ in range(min(self.options.jobs, len(self._waiting)) - 1)]
            with machine_slot():
                for helper in helpers:
                    helper.start()
                self._work(boot)
            for helper in helpers:
                helper.join()
        if self._errors:
            raise self._errors[0]
        self._give_up(*self._not_up)
        order = list(self.scenarios)
        return sorted(self.verdicts, key=lambda verdict: order.index(verdict.name))

    def _help(self, boot: Boot) -> None:
        """A thread with a machine of its own, if there is room for one, until nothing waits any more."""
        try:
            with spare_slot(lambda: bool(self._waiting)) as free:
                if free:
                    self._work(boot)
        except Exception as error:  # for the thread that started this one
            self._errors.append(error)

    def _work(self, boot: Boot) -> None:
        """One machine's part. One that does not come up leaves what waits to the others."""
        while self._waiting and self._one_boot(boot):
            pass

    def _take(self) -> str | None:
        """The next scenario, which is this machine's from now on."""
        with self._lock:
            if time.monotonic() > self.deadline:
                self._give_up("no time left (--total-timeout)", [])
            return self._waiting.popleft() if self._waiting else None

    def _give_up(self, reason: str, splats: list) -> None:
        """All that wait have failed."""
        with self._lock:
            while self._waiting:
                self._tell(Verdict(self._waiting.popleft(), "FAIL", reason=reason, splats=splats))

    def _one_boot(self, boot: Boot) -> bool:
        """Runs scenarios until none waits or one has broken the machine; false if it did not come up."""
        with self._lock:
            self._boots += 1
            console = self.results / f"console-{self._boots}.log"
        progress(f"booting Xen with {len(self._waiting)} scenario(s) to do")
        begin = time.monotonic()
        with Machine(self.options, boot.xen, boot.kernel, boot.initrd, self.results, console) as machine:
            reason = self._await_ready(machine)
            if reason:
                progress(reason)
                self._not_up = reason, tail(console)
                return False
            progress(f"Dom0 is up after {time.monotonic() - begin:.1f} s")
            while name := self._take():
                machine.order(f"run {name}")
                verdict, alive = self._follow(machine, name, console)
                with self._lock:
                    if self._emulators_fault(verdict):
                        self._waiting.appendleft(name)
                        return True
                    self._tell(verdict)
                if not alive:
                    return True
            machine.order("poweroff")
            machine.wait(15)
        return True

    def _emulators_fault(self, verdict: Verdict) -> bool:
        """
        Was it QEMU's? Its TCG mixes up the registers of a PVH guest and of Xen now and then, if many interrupts come in
        (a guest has been seen at an address of Xen's, on Xen's stack). Once for each scenario that is not held against us.
        """
        name = verdict.name
        guest = self.scenarios[name].keys.get("guest", self.options.guest)
        mixed_up = [line for line in verdict.splats if MIXED_UP.search(line)]
        if verdict.verdict != "FAIL" or self.options.accel != "tcg" or guest != "pvh" or not mixed_up or name in self.again:
            return False
        self.again.add(name)
        logs = self.results / name
        logs.rename(logs.with_name(f"{name}-first"))
        progress(f"{name}: {mixed_up[0]}: perhaps QEMU's fault, once more")
        return True

    def _await_ready(self, machine: Machine) -> str:
        limit = self.options.boot_timeout * self.options.jobs
        deadline = time.monotonic() + limit
        while True:
            try:
                event = machine.event(deadline - time.monotonic())
            except EOFError:
                return "the machine went off while booting"
            if event is None:
                return f"Dom0 was not up after {limit} s"
            if event == "ready":
                return ""
            if event.startswith("error"):
                return event

    def _follow(self, machine: Machine, name: str, console: pathlib.Path) -> tuple:
        """Follows one scenario to its end. Returns the verdict, and whether the machine can go on."""
        scenario = self.scenarios[name]
        begin = time.monotonic()
        # machines beside each other take CPU time from each other
        limit = scenario.timeout(self.options.timeout) * self.options.jobs * debugkernel.slowness(self.options)
        deadline = min(begin + limit, self.deadline)
        aborted = False
        figures: dict = {}
        while True:
            try:
                event = machine.event(deadline - time.monotonic())
            except EOFError:
                return self._crashed(scenario, begin, "the machine went off: Dom0 or Xen crashed", console), False
            if event is None and aborted:
                return self._crashed(scenario, begin, f"no end after {limit} s, nor when told to stop", console), False
            if event is None:
                aborted, deadline = True, time.monotonic() + ABORT_GRACE
                machine.order("abort")
                continue
            words = event.split()
            if words[:1] == ["progress"]:
                progress(" ".join([f"{name}:"] * (self.options.jobs > 1) + words[1:]))
            elif words[:1] == ["profile"] and machine.profiler:
                self._profile(machine, name, words[1:])
            elif words[:1] == ["figure"] and len(words) >= 3:
                figures[words[1]] = " ".join(words[2:])
            elif words[:2] == ["end", name]:
                seconds = time.monotonic() - begin
                verdict = self._judge(scenario, seconds, int(words[2]), f"no end after {limit} s" if aborted else "")
                verdict.figures = figures
                verdict.booting, verdict.cleaning = (float(word) for word in words[3:5])
                return verdict, self._sound(verdict)

    def _profile(self, machine: Machine, name: str, words: list) -> None:
        """Starts a count, or turns what was counted into a table."""
        logs = self.results / name
        if words == ["reset"]:
            machine.profiler.order("reset")
        elif len(words) == 1:
            logs.mkdir(exist_ok=True)
            dump = logs / f"profile-{words[0]}.blocks"
            machine.profiler.order(f"dump {dump}")
            while not dump.exists():
                time.sleep(0.05)
            # the newest Xen's last, if there are several
            symbols = [*sorted(self.options.cache.glob(profile.XEN_SYMBOLS))[-1:], *sorted(logs.glob("kallsyms*"))]
            profile.report(dump, symbols, logs / f"profile-{words[0]}")
            progress(f"profile: {logs / f'profile-{words[0]}'}")

    def _judge(self, scenario: Scenario, seconds: float, code: int, reason: str) -> Verdict:
        logs = self.results / scenario.name
        splats = scan.scan(logs, scenario.keys.get("allow", ""))
        last = [line for line in tail(logs / "output", 400) if line.startswith(("FAIL: ", "SKIP: "))]
        if code == 77 and not splats:
            return Verdict(scenario.name, "SKIP", seconds, reason=last[-1][6:] if last else "")
        if reason or code:
            reason = reason or (last[-1][6:] if last else f"exit code {code}")
            return Verdict(scenario.name, "FAIL", seconds, reason=reason, splats=splats)
        if splats:
            return Verdict(scenario.name, "FAIL", seconds, reason="the logs are not clean", splats=splats)
        return Verdict(scenario.name, "PASS", seconds)

    @staticmethod
    def _sound(verdict: Verdict) -> bool:
        """Is Dom0 fit for further scenarios? What one has broken must not be held against the next."""
        return not (any(line.startswith(("dom0.log: ", "debug-dom0.log: ")) for line in verdict.splats) or "can't be unloaded" in verdict.reason)

    def _crashed(self, scenario: Scenario, begin: float, reason: str, console: pathlib.Path) -> Verdict:
        logs = self.results / scenario.name
        logs.mkdir(exist_ok=True)
        text = console.read_text(errors="replace")
        (logs / "dom0.log").write_text(text[text.rfind(f"lab: scenario {scenario.name} begins") + 1:])
        splats = scan.scan(logs, "") or tail(console)
        return Verdict(scenario.name, "FAIL", time.monotonic() - begin, reason=reason, splats=splats)

    def _tell(self, verdict: Verdict) -> None:
        with self._lock:
            self._tell_locked(verdict)

    def _tell_locked(self, verdict: Verdict) -> None:
        verdict.title = self.scenarios[verdict.name].title
        verdict.seconds = round(verdict.seconds, 1)
        if debugkernel.slowness(self.options) > 1 and verdict.verdict != "SKIP":
            verdict.reports = scan.count(self.results / verdict.name)
        self.verdicts.append(verdict)
        print(f"{verdict.verdict} {verdict.name} ({verdict.seconds:.1f} s){': ' + verdict.reason if verdict.reason else ''}",
              flush=True)
        for line in verdict.splats:
            print(f"    {line}")
        if verdict.verdict == "FAIL":
            logs = self.results / verdict.name
            for line in last_words(logs / "output"):
                print(f"    | {line}")
            print(f"    logs: {logs}", flush=True)
        elif self.options.show_output:
            for line in tail(self.results / verdict.name / "output", 1000):
                print(f"    | {line}", flush=True)


def tail(path: pathlib.Path, lines: int = TAIL) -> list:
    """The last lines of a file, or none."""
    try:
        return [line for line in path.read_text(errors="replace").splitlines() if line.strip()][-lines:]
    except OSError:
        return []


def last_words(path: pathlib.Path) -> list:
    """The last lines of a failed scenario's output, after those before them in which its programs tell of differences."""
    lines = tail(path, 4000)
    return [line for line in lines[:-TAIL] if line.startswith(("FAIL", "not ok"))][-TAIL:] + lines[-TAIL:]


def report(options, verdicts: list, results: pathlib.Path) -> bool:
    """Prints the table, writes the JSON; true if nothing failed."""
    width = max((len(verdict.name) for verdict in verdicts), default=4)
    print()
    for verdict in verdicts:
        print(f"{verdict.verdict}  {verdict.name:{width}}  {verdict.seconds:7.1f} s  {verdict.booting:6.1f} s  {verdict.reason or verdict.title}")
    if debugkernel.slowness(options) > 1:
        print(f"\nreports: {scan.total([verdict.reports for verdict in verdicts])}")
    counts = {word: sum(verdict.verdict == word for verdict in verdicts) for word in ("PASS", "FAIL", "SKIP")}
    print(f"\n{counts['PASS']} passed, {counts['FAIL']} failed, {counts['SKIP']} skipped; logs in {results}")
    if options.json:
        document = {"dom0_kernel": options.dom0_kernel, "guest_kernel": options.guest_kernel, "guest": options.guest,
                    "accel": options.accel, "icount": options.icount, "results": str(results), **counts,
                    "scenarios": [asdict(verdict) for verdict in verdicts]}
        pathlib.Path(options.json).write_text(json.dumps(document, indent=1) + "\n")
    if not verdicts:
        raise LabError("no scenario was named")
    return counts["FAIL"] == 0
