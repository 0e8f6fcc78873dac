# SPDX-License-Identifier: GPL-2.0
"""Debian packages: what this host needs is installed, what goes into the images is only unpacked into the cache."""

import json
import os
import pathlib
import re
import shutil
import subprocess
from dataclasses import asdict, dataclass

from . import debugkernel
from .common import LabError, progress, replace_file, run

# perl: make modules checks the comments with the kernel's kernel-doc.
HOST_PACKAGES = ["qemu-system-x86", "gcc", "libc6-dev", "make", "perl", "binutils", "kmod", "xz-utils", "lz4", "zstd",
                 "libxen-dev", "libmnl-dev"]
HYPERVISOR = "xen-hypervisor-4.17-amd64"
IMAGE_PACKAGES = ["busybox-static", "libc6", "libgcc-s1", "iproute2", "iperf3", "curl", "xenstore-utils",
                  "xen-utils-4.17", HYPERVISOR]
FAT_PACKAGES = ["python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib"]

# Libraries come with the programs that need them, by way of Depends; other packages only when named above.
LIBRARY = re.compile(r"^(lib(?!python|debconf|pam)[a-z0-9.+-]+|zlib1g)$")

# What this host has installed, perhaps from elsewhere, is of no interest to the images.
ANY_HOST = ["-o", "Dir::State::status=/dev/null"]

KERNELS = {"6.1": "linux-image-amd64", "6.12": "linux-image-6.12-amd64"}


@dataclass
class Kernel:
    """One kernel as the lab uses it; paths are relative to the cache."""

    version: str
    release: str
    image: str
    headers: str


def _apt_environment() -> dict:
    return dict(os.environ, DEBIAN_FRONTEND="noninteractive", LC_ALL="C.UTF-8")


def _apt(*words: str) -> str:
    return run(["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=600", "-o", "DPkg::Options::=--force-unsafe-io",
                *words], env=_apt_environment())


def _not_installed(packages: list) -> list:
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\\n", *packages], capture_output=True,
                          text=True, check=False)
    return [package for package in packages if f"{package} installed" not in done.stdout.splitlines()]


class Packages:
    """The package cache below one directory."""

    def __init__(self, cache: pathlib.Path):
        self.cache = cache
        self.tree = cache / "packages"
        self._updated = False

    def update(self) -> None:
        """Refreshes apt's lists, once per run."""
        if self._updated:
            return
        self._updated = True
        progress("apt-get update")
        _apt("update")

    def install(self, packages: list) -> None:
        """Installs what is missing on this host."""
        missing = _not_installed(packages)
        if not missing:
            return
        if os.geteuid() != 0:
            raise LabError(f"not installed, and only root can: {' '.join(missing)}")
        progress(f"installing {' '.join(missing)}")
        try:
            _apt("install", "--no-install-recommends", *missing)
        except LabError:
            if self._updated:
                raise
            self.update()
            _apt("install", "--no-install-recommends", *missing)

    def _depends(self, packages: list) -> list:
        text = run(["apt-cache", *ANY_HOST, "depends", "--no-recommends", "--no-suggests", "--no-conflicts", "--no-breaks",
                    "--no-replaces", "--no-enhances", *packages])
        return re.findall(r"^ [ |](?:Pre)?Depends: ([^<\s]+)$", text, re.MULTILINE)

    def closure(self, packages: list) -> list:
        """The named packages and the library packages that they need, directly or not."""
        known = list(packages)
        fresh = known
        while fresh:
            wanted = dict.fromkeys(name for name in self._depends(fresh) if LIBRARY.match(name))
            fresh = [name for name in wanted if name not in known]
            known = known + fresh
        return known

    def _candidates(self, packages: list) -> dict:
        text = run(["apt-cache", *ANY_HOST, "policy", *packages])
        found = re.findall(r"^(\S+?)(?::\w+)?:\n  Installed: .*\n  Candidate: (\S+)", text, re.MULTILINE)
        return {name: version for name, version in found if version != "(none)"}

    def unpack(self, packages: list) -> dict:
        """Downloads and unpacks packages, each into a directory of its own. Returns them by name."""
        versions = self._candidates(packages)
        if any(package not in versions for package in packages):
            self.update()
            versions = self._candidates(packages)
        unknown = [package for package in packages if package not in versions]
        if unknown:
            raise LabError(f"apt knows no package {' '.join(unknown)}: does this host have Debian 12's sources, "
                           "bookworm-security among them?")
        where = {name: self.tree / f"{name}_{versions[name].replace(':', '%')}" for name in packages}
        missing = [name for name in packages if not where[name].is_dir()]
        if missing:
            self._download(missing, where)
        return where

    def _download(self, packages: list, where: dict) -> None:
        progress(f"downloading {len(packages)} package(s): {' '.join(packages[:6])}{' ...' if len(packages) > 6 else ''}")
        incoming = self.tree / f".incoming.{os.getpid()}"
        incoming.mkdir(parents=True)
        try:
            run(["apt-get", *ANY_HOST, "-q", "-o", "APT::Sandbox::User=root", "download", *packages], cwd=incoming,
                env=_apt_environment())
            for deb in sorted(incoming.glob("*.deb")):
                name = deb.name.split("_")[0]
                scratch = incoming / name
                run(["dpkg-deb", "-x", deb, scratch])
                deb.unlink()
                if not where[name].exists():
                    scratch.rename(where[name])
        finally:
            shutil.rmtree(incoming, ignore_errors=True)

    def resolve_kernel(self, version: str) -> str:
        """The kernel package that apt would install for 6.1 or 6.12."""
        meta = KERNELS[version]
        for attempt in range(2):
            try:
                names = [name for name in self._depends([meta]) if name.startswith(f"linux-image-{version}.")]
                if names:
                    return names[0]
            except LabError:
                pass
            if attempt == 0:
                self.update()
        raise LabError(f"apt has no {meta}: does this host have Debian 12's sources, bookworm-security among them?")

    def prepare_kernel(self, version: str) -> Kernel:
        """Unpacks a kernel and installs its headers."""
        package = self.resolve_kernel(version)
        try:
            tree = self.unpack([package])[package]
        except LabError:
            if self._updated:
                raise
            self.update()
            package = self.resolve_kernel(version)
            tree = self.unpack([package])[package]
        release = package.removeprefix("linux-image-")
        self.install([f"linux-headers-{release}"])
        if not (tree / "lib/modules" / release / "modules.dep").exists():
            run(["depmod", "-b", tree, release])
        kernel = Kernel(version, release, str(tree.relative_to(self.cache)), f"/usr/src/linux-headers-{release}")
        replace_file(self._record(version), json.dumps(asdict(kernel), indent=1).encode())
        return kernel

    def _record(self, version: str) -> pathlib.Path:
        return self.cache / "kernels" / f"{version}.json"

    def kernel(self, version: str) -> Kernel:
        """A kernel prepared before, or prepared now."""
        if version == debugkernel.NAME:
            return Kernel(version, *debugkernel.prepare(self))
        try:
            kernel = Kernel(**json.loads(self._record(version).read_text()))
            if (self.cache / kernel.image).is_dir() and pathlib.Path(kernel.headers).is_dir():
                return kernel
        except (OSError, ValueError, TypeError):
            pass
        return self.prepare_kernel(version)

    def userland(self) -> dict:
        """The unpacked packages of the images, by name; remembered, so that a run needs no apt."""
        record = self.cache / "userland.json"
        key = IMAGE_PACKAGES + FAT_PACKAGES
        try:
            saved = json.loads(record.read_text())
            where = {name: self.cache / path for name, path in saved["where"].items()}
            if saved["key"] == key and all(path.is_dir() for path in where.values()):
                return where
        except (OSError, ValueError, KeyError):
            pass
        try:
            where = self.unpack(self.closure(key))
        except LabError:
            if self._updated:
                raise
            self.update()
            where = self.unpack(self.closure(key))
        paths = {name: str(path.relative_to(self.cache)) for name, path in where.items()}
        replace_file(record, json.dumps({"key": key, "where": paths}, indent=1).encode())
        return where

    def forget(self) -> None:
        """Makes the next look-up ask apt again for newer versions."""
        for record in [self.cache / "userland.json", *self.cache.glob("kernels/*.json")]:
            record.unlink(missing_ok=True)
