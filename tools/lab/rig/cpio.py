# SPDX-License-Identifier: GPL-2.0
"""Writes initramfs archives (cpio, format newc). Linux unpacks several in a row, so an image can be put together from
a base and overlays."""

import lzma
import os
import pathlib
import stat
import subprocess
import zlib

from .common import LabError


class Archive:
    """A tree of files in memory, by path without a leading slash."""

    def __init__(self):
        self._entries: dict = {}

    def __contains__(self, path: str) -> bool:
        return path in self._entries

    def _put(self, path: str, mode: int, data: bytes, device: tuple = (0, 0)) -> None:
        parent = os.path.dirname(path)
        if parent and parent not in self._entries:
            self.directory(parent)
        self._entries[path] = (mode, data, device)

    def directory(self, path: str, mode: int = 0o755) -> None:
        """Adds a directory and those above it."""
        self._put(path, stat.S_IFDIR | mode, b"")

    def link(self, path: str, target: str) -> None:
        """Adds a symbolic link."""
        self._put(path, stat.S_IFLNK | 0o777, target.encode())

    def device(self, path: str, major: int, minor: int) -> None:
        """Adds a character device."""
        self._put(path, stat.S_IFCHR | 0o600, b"", (major, minor))

    def data(self, path: str, data: bytes, mode: int = 0o644) -> None:
        """Adds a file with these contents."""
        self._put(path, stat.S_IFREG | mode, data)

    def file(self, path: str, source: pathlib.Path) -> None:
        """Adds a copy of a file, executable if the original is."""
        mode = 0o755 if os.access(source, os.X_OK) else 0o644
        self.data(path, source.read_bytes(), mode)

    def pack(self) -> bytes:
        """The archive, padded so that another may follow."""
        parts = []
        for number, (path, (mode, data, device)) in enumerate(sorted(self._entries.items()), 1):
            parts += _entry(number, path, mode, data, device)
        parts += _entry(0, "TRAILER!!!", 0, b"", (0, 0))
        packed = b"".join(parts)
        return packed + bytes(-len(packed) % 512)


def _entry(number: int, path: str, mode: int, data: bytes, device: tuple) -> list:
    name = path.encode() + b"\0"
    links = 2 if stat.S_ISDIR(mode) else 1
    fields = [number, mode, 0, 0, links, 0, len(data), 0, 0, *device, len(name), 0]
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name
    return [head, bytes(-len(head) % 4), data, bytes(-len(data) % 4)]


def compress(archive: bytes) -> bytes:
    """Compresses lightly, in the form that Linux reads; padded so that another archive may follow."""
    packed = subprocess.run(["lz4", "-l", "-9", "-c"], input=archive, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                            check=True).stdout
    return packed + bytes(-len(packed) % 4)


def decompress_module(path: pathlib.Path) -> bytes:
    """A kernel module's contents, whichever way the distribution packed it."""
    data = path.read_bytes()
    if path.suffix == ".xz":
        return lzma.decompress(data)
    if path.suffix == ".gz":
        return zlib.decompress(data, wbits=31)
    if path.suffix == ".zst":
        return subprocess.run(["zstd", "-dc"], input=data, stdout=subprocess.PIPE, check=True).stdout
    if path.suffix != ".ko":
        raise LabError(f"{path}: unknown kind of kernel module")
    return data
