# SPDX-License-Identifier: GPL-2.0
"""Whole Debian packages for one scenario, in an archive that is unpacked over the images of Dom0 and guests."""

import hashlib
import pathlib
import re
import stat

from .common import LAB, progress, replace_file
from .cpio import Archive
from .image import unmerged
from .packages import Packages

# What no program opens in a test, and the largest library that one could do without (PostgreSQL's JIT)
LEFT_OUT = re.compile(r"^usr/share/(doc|man|locale|info|lintian|bug|bash-completion|doc-base|icons|pixmaps)/|"
                      r"^usr/lib/x86_64-linux-gnu/gconv/|^usr/lib/jvm/[^/]*/jmods/")
LEFT_OUT_PACKAGES = {"libllvm14", "libc-bin"}


class Overlays:
    """Archives by the packages that they are made of; each is built once."""

    def __init__(self, cache: pathlib.Path, packages: Packages):
        self.home = cache / "overlays"
        self.packages = packages
        self.home.mkdir(exist_ok=True)

    def get(self, names: list) -> str:
        """The name, below self.home, of the archive with these packages and the libraries that they need."""
        recipe = (LAB / "rig" / "overlay.py").read_text()
        target = self.home / f"{hashlib.sha256(' '.join([recipe, *names]).encode()).hexdigest()[:12]}.cpio"
        if not target.exists():
            # first: a list of packages that is not fresh names versions that are gone
            self.packages.update()
            trees = self.packages.unpack(self.packages.closure(names))
            progress(f"packing {' '.join(names)}")
            replace_file(target, _pack([tree for name, tree in trees.items() if name not in LEFT_OUT_PACKAGES]))
        return target.name


def _pack(trees: list) -> bytes:
    archive = Archive()
    for tree in trees:
        for source in sorted(tree.rglob("*")):
            path = unmerged(str(source.relative_to(tree)))
            if LEFT_OUT.match(path):
                continue
            if source.is_symlink():
                archive.link(path, str(source.readlink()))
            elif source.is_dir():
                if path not in ("bin", "sbin", "lib", "lib64"):
                    archive.directory(path, stat.S_IMODE(source.stat().st_mode))
            else:
                archive.file(path, source)
    return archive.pack()
