# SPDX-License-Identifier: GPL-2.0
"""The command line of the lab."""

import argparse
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from . import accel, build, debugkernel, profile, scenario
from .campaign import Boot, Campaign, report, tail
from .common import LAB, REPO, LabError, default_cache, progress
from .image import Images
from .locks import directory_lock
from .machine import Machine
from .packages import HOST_PACKAGES, KERNELS, Packages

RESULTS_KEPT = 20
CHOICES = [*KERNELS, debugkernel.NAME]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lab", description="Boots Xen, Dom0 and guests under QEMU and runs scenarios.")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--cache", type=pathlib.Path, default=default_cache(), metavar="DIR",
                        help="downloads, images, builds and results (PVCALLS_LAB_CACHE; now %(default)s)")
    common.add_argument("--kernel", choices=CHOICES, action="append", help="kernel of Dom0 and guests (6.1)")
    machine = argparse.ArgumentParser(add_help=False)
    add = machine.add_argument
    add("--dom0-kernel", choices=CHOICES, help="another kernel for Dom0")
    add("--guest-kernel", choices=CHOICES, help="another kernel for guests")
    add("--guest", choices=("pv", "pvh"), default="pv", help="type of guest where a scenario does not say (%(default)s)")
    add("--vcpus", type=int, default=2, help="of a guest (%(default)s)")
    add("--dom0-vcpus", type=int, default=2, help="of Dom0 (%(default)s)")
    add("--cpus", type=int, default=2, help="of the machine (%(default)s)")
    add("--memory", type=int, default=512, help="MB of a guest (%(default)s)")
    add("--dom0-memory", type=int, default=1024, help="MB of Dom0 (%(default)s)")
    add("--machine-memory", type=int, default=4096, help="MB of the machine (%(default)s)")
    add("--nodes", type=int, default=1, help="NUMA nodes of the machine (%(default)s)")
    add("--accel", choices=("auto", "tcg", "kvm"), default="auto", help="auto takes KVM if a trial boot under it works")
    add("--icount", action="store_true", help="a clock that counts instructions: slow, but independent of the host")
    add("--boot-timeout", type=int, default=180, help="seconds until Dom0 must be up (%(default)s)")
    add("--xen-cmdline", default="", help="more words for Xen's command line")
    add("--dom0-cmdline", default="", help="more words for Dom0's kernel command line")
    add("--guest-cmdline", default="", help="more words for guests' kernel command line")
    add("--back-args", default="", help="parameters of the backend, where a scenario does not say")
    add("--front-args", default="", help="parameters of guests' frontends, where a scenario does not say")

    verbs = parser.add_subparsers(dest="verb", required=True, metavar="COMMAND")
    verbs.add_parser("prepare", parents=[common], help="install and download what the lab needs (all kernels by default)",
                     description="Installs the host's packages (as root), downloads those of the images, builds base images.")
    verbs.add_parser("build", parents=[common], help="build modules and test programs",
                     description="Builds modules and test programs for each named kernel.")
    run = verbs.add_parser("run", parents=[common, machine], help="run scenarios",
                           description="Runs scenarios of tests/lab/scenarios, by name or directory; exit code 0 if none failed.")
    run.add_argument("scenarios", nargs="+", metavar="SCENARIO", help="a name, a directory, or 'all'")
    run.add_argument("--timeout", type=int, default=300, help="seconds for a scenario that does not say (%(default)s)")
    run.add_argument("--total-timeout", type=int, default=3600, help="seconds for all (%(default)s)")
    run.add_argument("--jobs", type=int, default=1, help="machines that share the scenarios (%(default)s)")
    run.add_argument("--json", metavar="FILE", help="write the verdicts there")
    run.add_argument("--results", type=pathlib.Path, metavar="DIR", help="for logs (a new directory in the cache)")
    run.add_argument("--profile", action="store_true", help="with --icount: where the instructions go (see README)")
    run.add_argument("--show-output", action="store_true", help="show the output of scenarios that pass, too")
    demo = verbs.add_parser("demo", parents=[common, machine], help="show what this is about, in a few minutes",
                            description="iperf3 and curl in a guest without a network card, beside one that has one.")
    demo.set_defaults(jobs=1, timeout=600, total_timeout=1800, json=None, results=None, show_output=False)
    shell = verbs.add_parser("shell", parents=[common, machine], help="a shell in Dom0, with a guest g1 running",
                             description="Boots Dom0 and a guest g1 and gives you a shell in Dom0 on this terminal.")
    shell.add_argument("--no-modules", action="store_true", help="don't load our modules")
    verbs.add_parser("list", help="list the scenarios", description="Lists tests/lab/scenarios.")
    verbs.add_parser("clean", parents=[common], help="remove builds and results, keep downloads",
                     description="Removes builds, images and results from the cache; downloads stay.")
    return parser


def _complete(options) -> None:
    """Fills in what follows from other options."""
    kernels = options.kernel or []
    if len(kernels) > 1:
        raise LabError("one --kernel per boot")
    default = kernels[0] if kernels else "6.1"
    options.dom0_kernel = options.dom0_kernel or default
    options.guest_kernel = options.guest_kernel or default
    if getattr(options, "profile", False):
        if not options.icount:
            raise LabError("--profile needs --icount")
        options.profile = profile.prepare(options.cache)
    if options.icount:
        options.accel = "tcg"
    if getattr(options, "jobs", 1) < 1:
        raise LabError("--jobs needs a number above 0")
    packages = Packages(options.cache)
    packages.install(HOST_PACKAGES)
    if debugkernel.NAME in (options.dom0_kernel, options.guest_kernel):
        # before the cache is locked: other labs need not wait for the build
        packages.kernel(debugkernel.NAME)
    if options.accel == "auto":
        options.accel = accel.choose(options)


def _prepare(options) -> int:
    if debugkernel.NAME in (options.kernel or []):
        # likewise
        Packages(options.cache).kernel(debugkernel.NAME)
    with directory_lock(options.cache):
        packages = Packages(options.cache)
        packages.forget()
        packages.update()
        packages.install(HOST_PACKAGES)
        images = Images(options.cache, packages.userland())
        images.hypervisor()
        for version in options.kernel or KERNELS:
            kernel = packages.prepare_kernel(version) if version in KERNELS else packages.kernel(version)
            progress(f"kernel {version} is {kernel.release}")
            for kind in ("dom0", "guest"):
                images.base(kind, kernel)
    progress(f"ready; all is in {options.cache}")
    return 0


def _build(options) -> int:
    packages = Packages(options.cache)
    with directory_lock(build.home(options.cache)):
        build.programs(options.cache)
        for version in options.kernel or ["6.1"]:
            made = build.Build(options.cache, packages.kernel(version))
            made.sync()
            for path in made.modules():
                print(path)
    return 0


def _results(options) -> pathlib.Path:
    if options.results:
        options.results.mkdir(parents=True, exist_ok=True)
        return options.results.resolve()
    home = options.cache / "results"
    home.mkdir(parents=True, exist_ok=True)
    for old in sorted(path for path in home.iterdir() if path.is_dir())[:-RESULTS_KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return pathlib.Path(tempfile.mkdtemp(prefix=time.strftime("%Y%m%d-%H%M%S-"), dir=home))


def _run(options) -> int:
    _complete(options)
    wanted = [name for word in options.scenarios for name in (scenario.names() if word == "all" else [word])]
    loaded = [scenario.load(name) for name in dict.fromkeys(wanted)]
    results = _results(options)
    verdicts = Campaign(options, loaded, results).run()
    return 0 if report(options, verdicts, results) else 1


def _demo(options) -> int:
    """The main job on real input, for people: a table, a file, and how to look around."""
    _complete(options)
    results = _results(options)
    verdict = Campaign(options, [scenario.load("demo")], results).run()[0]
    if verdict.verdict != "PASS":
        return 1

    def cell(path: str, way: str, streams: int) -> float:
        return float(verdict.figures[f"{path}-{way}-{streams}"].split()[0])

    print("\niperf3 (Mbit/s)       streams   pvcalls   netfront   ratio")
    for way, words in (("out", "guest to Dom0"), ("in", "Dom0 to guest")):
        for streams in (1, 4):
            ours, theirs = cell("pvcalls", way, streams), cell("netfront", way, streams)
            print(f"{words:20}  {streams:7}  {ours:8.0f}  {theirs:9.0f}  {ours / theirs:6.2f}")
    for line in tail(results / "demo" / "output", 1000):
        if line.startswith("curl "):
            print(f"\n{line}")
    print(f"logs: {results}")
    print(f"\nTo look around in Dom0, and from there in the guest (xl console g1): {LAB.relative_to(REPO)}/lab shell")
    return 0


def _shell(options) -> int:
    _complete(options)
    options.results = None
    results = _results(options)
    stand_in = scenario.for_shell()
    if options.no_modules:
        stand_in.keys.update(back="no", front="no")
    with tempfile.TemporaryDirectory(prefix="lab-") as scratch:
        boot = Boot(options, [stand_in], pathlib.Path(scratch))
        terminal = sys.stdin.isatty()
        saved = subprocess.run(["stty", "-g"], capture_output=True, text=True, check=True).stdout.strip() if terminal else ""
        try:
            with Machine(options, boot.xen, boot.kernel, boot.initrd, results, None) as machine:
                machine.wait()
        finally:
            if terminal:
                subprocess.run(["stty", saved], check=False)
    return 0


def _list(_options) -> int:
    for name in scenario.names():
        print(f"{name:20} {scenario.load(name).title}")
    return 0


def _clean(options) -> int:
    for name in ("build", "debug-kernels", "images", "overlays", "results"):
        shutil.rmtree(options.cache / name, ignore_errors=True)
    return 0


def _on_term(_signal, _frame) -> None:
    raise SystemExit(143)


def main() -> int:
    """Entry point; the exit code is the caller's."""
    signal.signal(signal.SIGTERM, _on_term)
    signal.signal(signal.SIGHUP, _on_term)
    options = _parser().parse_args()
    if hasattr(options, "cache"):
        options.cache = options.cache.absolute()
    verbs = {"prepare": _prepare, "build": _build, "run": _run, "demo": _demo, "shell": _shell, "list": _list, "clean": _clean}
    try:
        return verbs[options.verb](options)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("lab: interrupted", file=sys.stderr)
        return 130
