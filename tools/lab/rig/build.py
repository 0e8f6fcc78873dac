# SPDX-License-Identifier: GPL-2.0
"""Builds the modules and programs that go into the images, per kernel, in copies of the sources."""

import filecmp
import hashlib
import os
import pathlib
import shutil
import tempfile

from . import debugkernel
from .common import LAB, REPO, LabError, progress, run
from .packages import Kernel
from .scenario import Scenario

SOURCES = ["Kbuild", "Makefile", "include", "ringbuf", "numa", "back", "front", "tests", "tools"]
NOT_SOURCES = shutil.ignore_patterns("*.o", "*.ko", "*.mod", "*.mod.c", ".*.cmd", "*.symvers", "modules.order", "__pycache__", ".*")
MODULES = ["back/pvcalls_mt_back.ko", "front/pvcalls_mt_front.ko"]
CFLAGS = ["-O2", "-Wall", "-pthread"]
UAPI = REPO / "include" / "uapi"


def _is_source(directory: pathlib.Path, name: str) -> bool:
    return name not in NOT_SOURCES(str(directory), [name])


def _sync(source: pathlib.Path, target: pathlib.Path) -> None:
    """Makes target's sources what source's are, without touching what is the same or what a build has made."""
    if source.is_file():
        if not target.is_file() or not filecmp.cmp(source, target, shallow=False):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
        return
    target.mkdir(parents=True, exist_ok=True)
    present = {path.name for path in source.iterdir() if _is_source(source, path.name)}
    for name in sorted(present):
        _sync(source / name, target / name)
    for path in target.iterdir():
        if path.name in present or not _is_source(target, path.name):
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _make_environment() -> dict:
    """Without what a make that called the lab has left there."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}


def home(cache: pathlib.Path) -> pathlib.Path:
    """Where this checkout's builds are; another checkout may share the cache."""
    return cache / "build" / hashlib.sha256(str(REPO).encode()).hexdigest()[:8]


class Build:
    """What was built for one kernel."""

    def __init__(self, cache: pathlib.Path, kernel: Kernel):
        self.kernel = kernel
        self.cache = cache
        self.tree = home(cache) / kernel.release

    def sync(self) -> None:
        """Brings the copy of the sources up to date."""
        for name in SOURCES:
            if (REPO / name).exists():
                _sync(REPO / name, self.tree / name)
            elif (self.tree / name).is_dir():
                shutil.rmtree(self.tree / name)

    def modules(self) -> list:
        """Builds the two modules; returns their files."""
        if not (self.tree / "Makefile").exists():
            progress("no Makefile at the top yet: running without modules")
            return []
        progress(f"building the modules for {self.kernel.release}")
        run(["make", "-C", self.tree, f"-j{os.cpu_count()}", "modules", "C=0", f"KDIR={self.kernel.headers}"],
            env=_make_environment())
        built = [self.tree / path for path in MODULES]
        for path in built:
            if not path.exists():
                raise LabError(f"make modules made no {path.name}")
        return built

    def extra_modules(self, scenarios: list) -> list:
        """Builds the directories of modules that scenarios name, after their host scripts; returns the files."""
        built: list = []
        env = dict(_make_environment(), KDIR=self.kernel.headers, KERNEL=debugkernel.series(self.kernel.version),
                   KERNEL_RELEASE=self.kernel.release, BUILD=str(self.tree), CACHE=str(self.cache))
        for scenario in scenarios:
            script = scenario.directory / "host"
            if script.exists():
                progress(f"running {scenario.name}/host")
                run([script], cwd=self.tree, env=env)
        for directory in dict.fromkeys(word for scenario in scenarios for word in scenario.words("modules")):
            progress(f"building {directory} for {self.kernel.release}")
            run(["make", "-C", self.kernel.headers, f"M={self.tree / directory}", f"-j{os.cpu_count()}", "modules"],
                env=env)
            built += sorted((self.tree / directory).glob("*.ko"))
        return built

    def find(self, path: str, scenario: Scenario) -> pathlib.Path:
        """A file that a scenario names: beside it, or built, or in the repository."""
        for base in (scenario.directory, self.tree, REPO):
            if (base / path).is_file():
                return base / path
        raise LabError(f"scenario {scenario.name} names {path}, which is neither beside it nor in the tree")


def stripped(module: pathlib.Path) -> bytes:
    """A module's contents without what debuggers want, which is nine tenths of it and would be unpacked in every boot."""
    with tempfile.NamedTemporaryFile(suffix=".ko") as target:
        run(["strip", "--strip-debug", "-o", target.name, module])
        return pathlib.Path(target.name).read_bytes()


def programs(cache: pathlib.Path) -> list:
    """Compiles labrpc and the test programs; returns their files."""
    target = home(cache) / "programs"
    target.mkdir(parents=True, exist_ok=True)
    progs, rpc = REPO / "tests" / "lab" / "progs", LAB / "rpc"
    jobs = {"labrpc": (sorted(rpc.glob("*.c")), sorted(rpc.glob("*.h")), ["-lxenstore"])}
    ctl = REPO / "tools" / "pvcallsctl"
    jobs["pvcallsctl"] = (sorted(ctl.glob("*.c")), sorted([*ctl.glob("*.h"), *UAPI.glob("*.h")]), ["-lmnl"])
    jobs |= {source.stem: ([source], sorted(progs.glob("*.h")), []) for source in sorted(progs.glob("*.c"))}
    built = []
    for name, (sources, headers, libraries) in jobs.items():
        output = target / name
        newest = max(path.stat().st_mtime for path in sources + headers)
        if not output.exists() or output.stat().st_mtime < newest:
            progress(f"compiling {name}")
            run(["gcc", *CFLAGS, f"-I{UAPI}", "-o", output, *sources, *libraries])
        built.append(output)
    return built
