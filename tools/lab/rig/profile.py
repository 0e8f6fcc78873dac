# SPDX-License-Identifier: GPL-2.0
"""Where the instructions go: `lab run --profile`, with a QEMU plugin that counts them by block."""

import bisect
import collections
import os
import pathlib

from .common import LAB, progress, run
from .packages import HYPERVISOR, Packages

# Where Xen and Linux keep themselves on x86-64
XEN = range(0xffff82d040000000, 0xffff82d080000000)
KERNEL = range(0xffffffff81000000, 0xffffffffa0000000)
TOP = 100
# In the cache: what Debian keeps of Xen for debuggers
XEN_SYMBOLS = f"packages/{HYPERVISOR}-dbg_*/usr/lib/debug/boot/xen-syms-*.map"


def prepare(directory: pathlib.Path) -> pathlib.Path:
    """Compiles the plugin in the cache, and gets Xen's symbols; returns the plugin's file."""
    Packages(directory).unpack([f"{HYPERVISOR}-dbg"])
    source, target = LAB / "profile" / "plugin.c", directory / "profile.so"
    if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
        progress("compiling the profiler")
        run(["gcc", "-O2", "-Wall", "-shared", "-fPIC", "-o", target, source, "-lpthread"])
    return target


class Profiler:
    """The plugin of one machine, told what to do over a FIFO."""

    def __init__(self, library: pathlib.Path, scratch: pathlib.Path):
        self.library = library
        self.fifo = scratch / "profile"
        os.mkfifo(self.fifo)

    def arguments(self) -> list:
        """QEMU's."""
        return ["-plugin", f"file={self.library},control={self.fifo}"]

    def order(self, text: str) -> None:
        """Tells the plugin; it must be running."""
        self.fifo.write_text(text + "\n")


class Symbols:
    """Names of addresses, from /proc/kallsyms of Dom0 and of the guest, and from Xen's map."""

    def __init__(self, files: list):
        self.names: dict = {}
        for path in files:
            for line in path.read_text(errors="replace").splitlines():
                words = line.split()
                if len(words) >= 3 and words[1].lower() in "tw":
                    self.names.setdefault(int(words[0], 16), words[2])
        self.starts = sorted(self.names)

    def find(self, address: int) -> str:
        """The function that an address is in."""
        if address < 1 << 47:
            return "[user]"
        at = bisect.bisect_right(self.starts, address) - 1
        return self.names[self.starts[at]] if at >= 0 else "?"


def _owners(blocks: list) -> dict:
    """
    Tells the blocks of Dom0's kernel from those of the guest's, which has the same addresses: each kernel's text is in
    one piece of the host's memory. The first domain is the one whose memory Xen has given out first.
    """
    weight: collections.Counter = collections.Counter()
    for vaddr, haddr, count in blocks:
        if vaddr in KERNEL:
            weight[haddr - vaddr] += count
    return {base: f"kernel {number}" for number, base in enumerate(sorted(base for base, _ in weight.most_common(2)))}


def report(dump: pathlib.Path, symbols: list, target: pathlib.Path) -> None:
    """Writes the table of functions, most instructions first."""
    names = Symbols(symbols)
    blocks = []
    for line in dump.read_text().splitlines():
        vaddr, haddr, count = line.split()
        blocks.append((int(vaddr, 16), int(haddr, 16), int(count)))
    owners = _owners(blocks)
    functions: collections.Counter = collections.Counter()
    domains: collections.Counter = collections.Counter()
    for vaddr, haddr, count in blocks:
        if vaddr in XEN:
            domain = "xen"
        elif vaddr < 1 << 47:
            domain = "programs"
        else:
            domain = owners.get(haddr - vaddr, "modules")
        functions[domain, names.find(vaddr)] += count
        domains[domain] += count
    total = sum(domains.values()) or 1
    with target.open("w") as out:
        out.write(f"{total} instructions\n\n")
        for domain, count in domains.most_common():
            out.write(f"{100 * count / total:6.2f} %  {count:14}  {domain}\n")
        out.write("\n")
        for (domain, function), count in functions.most_common(TOP):
            out.write(f"{100 * count / total:6.2f} %  {count:14}  {domain:10}  {function}\n")
