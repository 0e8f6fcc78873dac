# SPDX-License-Identifier: GPL-2.0
"""Whether KVM can be used. A /dev/kvm node proves nothing: only a boot of Xen and Dom0 under it does."""

import argparse
import json
import os
import pathlib
import platform
import re
import tempfile
import time

from .common import LAB, LabError, progress, replace_file, run
from .cpio import Archive
from .image import Images
from .locks import directory_lock
from .machine import Machine
from .packages import Packages

TRIAL_SECONDS = 60


def _fingerprint(xen: pathlib.Path) -> str:
    """What the answer depends on."""
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    version = run(["qemu-system-x86_64", "--version"]).splitlines()[0]
    return " / ".join([platform.release(), model.group(1) if model else "unknown CPU", version, xen.name])


def _trial(options, images: Images, xen: pathlib.Path, kernel) -> bool:
    """Boots until Dom0's init speaks."""
    trial = argparse.Namespace(**{**vars(options), "accel": "kvm", "icount": False})
    archive = Archive()
    archive.data("init", (LAB / "dom0" / "init").read_bytes(), 0o755)
    with tempfile.TemporaryDirectory(prefix="lab-") as scratch:
        results = pathlib.Path(scratch)
        initrd = results / "initrd"
        initrd.write_bytes(archive.pack() + images.base("dom0", kernel).read_bytes())
        deadline = time.monotonic() + TRIAL_SECONDS
        try:
            with Machine(trial, xen, images.linux(kernel), initrd, results, results / "console") as machine:
                return machine.event(deadline - time.monotonic()) == "booted"
        except (EOFError, LabError):
            return False


def choose(options) -> str:
    """kvm if a trial boot has shown that it works, else tcg; the trial's result is kept."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    record = options.cache / "accel.json"
    with directory_lock(options.cache):
        packages = Packages(options.cache)
        images = Images(options.cache, packages.userland())
        xen, kernel = images.hypervisor(), packages.kernel(options.dom0_kernel)
        fingerprint = _fingerprint(xen)
        try:
            known = json.loads(record.read_text())
        except (OSError, ValueError):
            known = {}
        if known.get("fingerprint") == fingerprint:
            return known["accel"]
        progress(f"there is a /dev/kvm: trying for up to {TRIAL_SECONDS} s whether Xen boots under it")
        chosen = "kvm" if _trial(options, images, xen, kernel) else "tcg"
        progress(f"using {chosen}")
        replace_file(record, json.dumps({"fingerprint": fingerprint, "accel": chosen}).encode())
    return chosen
