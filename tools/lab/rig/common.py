# SPDX-License-Identifier: GPL-2.0
"""What every part needs: where things are, how errors and progress are told, how programs are run."""

import os
import pathlib
import subprocess
import sys
import time

LAB = pathlib.Path(__file__).resolve().parent.parent
REPO = LAB.parent.parent

_started = time.monotonic()


class LabError(Exception):
    """Something that the user has to know; shown without a traceback."""


def default_cache() -> pathlib.Path:
    """The directory for downloads, images and builds."""
    named = os.environ.get("PVCALLS_LAB_CACHE")
    if named:
        return pathlib.Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "pvcalls-mt-lab"


def progress(text: str) -> None:
    """One line about what is going on, with the seconds since the start."""
    print(f"[{time.monotonic() - _started:6.1f}] {text}", file=sys.stderr, flush=True)


def run(argv: list, *, cwd: pathlib.Path | None = None, env: dict | None = None) -> str:
    """Runs a program and returns what it printed; a failure shows the end of its output."""
    argv = [str(word) for word in argv]
    done = subprocess.run(argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-30:])
        raise LabError(f"{' '.join(argv[:6])} failed with exit code {done.returncode}:\n{tail}")
    return done.stdout


def replace_file(path: pathlib.Path, data: bytes) -> None:
    """Writes a file so that nobody ever sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(data)
    temporary.replace(path)
