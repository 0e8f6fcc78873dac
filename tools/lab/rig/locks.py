# SPDX-License-Identifier: GPL-2.0
"""Locks between labs that run at the same time on one host."""

import contextlib
import fcntl
import os
import pathlib
import tempfile
import time

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


def _lock(file, flags: int = 0) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | flags)
    except BlockingIOError:
        return False
    return True


def _home() -> pathlib.Path:
    home = pathlib.Path(tempfile.gettempdir()) / f"pvcalls-mt-lab-{os.getuid()}"
    home.mkdir(exist_ok=True)
    return home


def _slots(stack: contextlib.ExitStack) -> list:
    """As many machines run at a time as the host has cores; more would only make each other time out."""
    slots = int(os.environ.get("PVCALLS_LAB_SLOTS") or os.cpu_count() or 1)
    return [stack.enter_context((_home() / f"slot-{number}").open("w")) for number in range(slots)]


@contextlib.contextmanager
def spare_slot(wanted):
    """Yields True with the right to run one machine more, False once it is not wanted any more. Whoever queues goes first."""
    with contextlib.ExitStack() as stack:
        files = _slots(stack)
        queue = stack.enter_context((_home() / "queue").open("w"))
        while wanted():
            if _lock(queue, fcntl.LOCK_NB):
                free = any(_lock(file, fcntl.LOCK_NB) for file in files)
                fcntl.flock(queue, fcntl.LOCK_UN)
                if free:
                    break
            time.sleep(0.5)
        else:
            yield False
            return
        yield True


@contextlib.contextmanager
def machine_slot():
    """The right to run a machine; those who want it queue."""
    with contextlib.ExitStack() as stack:
        files = _slots(stack)
        with (_home() / "queue").open("w") as queue:
            if not _lock(queue, fcntl.LOCK_NB):
                progress("other labs wait for a machine already; queueing behind them")
                _lock(queue)
            told = False
            # Only the head of the queue looks, because the kernel has no call to wait for any of several locks.
            while not any(_lock(file, fcntl.LOCK_NB) for file in files):
                if not told:
                    progress(f"{len(files)} machine(s) of other labs run (PVCALLS_LAB_SLOTS); waiting for one to end")
                told = True
                time.sleep(0.2)
        yield
