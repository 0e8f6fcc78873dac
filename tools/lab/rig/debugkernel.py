# SPDX-License-Identifier: GPL-2.0
"""The kernel `debug`: Linux 6.1 with detectors of kernel bugs, built by debug-kernel/build out of Debian's sources."""

import hashlib
import pathlib
import shutil

from .common import LAB, LabError, progress, run
from .locks import directory_lock

NAME = "debug"
# What it is a kernel of: scenarios that are for this one run on it, too
SERIES = "6.1"
SOURCE = f"linux-source-{SERIES}"
HOST_PACKAGES = [SOURCE, "flex", "bison", "bc", "libelf-dev"]
# Its detectors cost as much: what a scenario may take is multiplied
SLOWER = 4
KEPT = 3


def series(version: str) -> str:
    """The Linux version that Debian's packages name, of a kernel as the command line names it."""
    return SERIES if version == NAME else version


def applies(version: str, kernels: list) -> bool:
    """Does a scenario for these kernels run on this one?"""
    return version in kernels or series(version) in kernels


def slowness(options) -> int:
    """How many times longer a scenario may take."""
    return SLOWER if NAME in (options.dom0_kernel, options.guest_kernel) else 1


def _digest() -> str:
    version = run(["dpkg-query", "-W", "-f", "${Version}", SOURCE])
    recipe = "\n".join((LAB / "debug-kernel" / name).read_text() for name in ("config", "build"))
    # A comment changes nothing; what is set to n looks like one.
    lines = [line for line in recipe.splitlines() if not line.strip().startswith("#") or line.endswith(" is not set")]
    return hashlib.sha256("\n".join([version, *lines]).encode()).hexdigest()[:12]


def prepare(packages) -> tuple:
    """Builds the kernel unless the cache has it. Returns its release, its directory in the cache, and its headers'."""
    packages.install(HOST_PACKAGES)
    home = packages.cache / "debug-kernels"
    target = home / f"debug-{_digest()}"
    # Not all of them: another checkout's kernel can be used while this one is built.
    with directory_lock(home / f"lock-{target.name}"):
        # The script writes that file last.
        if not (target / "release").exists():
            shutil.rmtree(target, ignore_errors=True)
            _forget_old(home)
            _build(target)
        release = (target / "release").read_text().strip()
    return release, str(target.relative_to(packages.cache)), str(target / "headers")


def _forget_old(home: pathlib.Path) -> None:
    """Another checkout may use another kernel of the same cache, so some stay."""
    there = sorted(home.glob("debug-*/release"), key=lambda path: path.stat().st_mtime)
    for path in there[:-KEPT]:
        shutil.rmtree(path.parent, ignore_errors=True)


def _build(target: pathlib.Path) -> None:
    progress(f"building the debug kernel, which takes five minutes of two CPUs; its log is {target / 'log'}")
    try:
        run([LAB / "debug-kernel" / "build", f"/usr/src/{SOURCE}.tar.xz", target])
    except LabError as error:
        log = target / "log"
        lines = log.read_text(errors="replace").splitlines()[-20:] if log.exists() else []
        raise LabError("\n".join([str(error), *lines])) from None
    progress("the debug kernel is built")
