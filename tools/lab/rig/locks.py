# SPDX-License-Identifier: GPL-2.0
"""Locks between labs that run at the same time on one host."""

import contextlib
import fcntl
import os
import pathlib
import random
import tempfile

from .common import progress


@contextlib.contextmanager
def directory_lock(directory: pathlib.Path):
    """Lets only one lab at a time change what is in a directory of the cache."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress(f"another lab works on {directory}; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def machine_slot():
    """As many machines at a time as the host has cores; more would only make each other time out."""
    slots = int(os.environ.get("PVCALLS_LAB_SLOTS") or os.cpu_count() or 1)
    home = pathlib.Path(tempfile.gettempdir()) / f"pvcalls-mt-lab-{os.getuid()}"
    home.mkdir(exist_ok=True)
    numbers = random.sample(range(slots), slots)
    with contextlib.ExitStack() as stack:
        for number in numbers:
            file = stack.enter_context((home / f"slot-{number}").open("w"))
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                pass
        else:
            progress(f"{slots} machine(s) of other labs run already (PVCALLS_LAB_SLOTS); waiting for one to end")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
