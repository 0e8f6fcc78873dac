#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Arrows between the files of the modules point down, and none go in a circle.

A room is one X.c with its X.h, or either alone. A wing is what a line of the
table names: a directory, or a single room. Two things are found:

- an include, or the use of a function, for which the table has no arrow;
- a circle of rooms. One room uses another if it names a function or variable
  that is defined there, wherever that is declared, or a type, macro or inline
  function of a header that it includes, itself or through others.

Ends with 1 if anything was found.
"""

import argparse
import collections
import pathlib
import sys

sys.dont_write_bytecode = True

from source import Source  # noqa: E402

TOPS = ("back", "front", "ringbuf", "numa", "include")
# where the modules' builds look for headers, after a file's own directory
PATHS = ("include", "ringbuf", "numa")
NAMES_SHOWN = 6


class Table:
    """Which wings there are, and the arrows between them."""

    def __init__(self, path: pathlib.Path):
        self.faults = []
        self._below = {}
        paragraphs = [[]]
        for line in path.read_text().splitlines():
            line = line.split("#")[0].strip()
            if line:
                name, _, used = line.partition(":")
                paragraphs[-1].append((name.strip(), used.split()))
            elif paragraphs[-1]:
                paragraphs.append([])
        order = [name for lines in paragraphs for name, _ in lines]
        for lines in paragraphs:
            for place, (name, used) in enumerate(lines):
                self._below[name] = {other for other, _ in lines[place + 1:]} if "*" in used else set()
                for other in set(used) - {"*"}:
                    if other not in order or order.index(other) <= order.index(name):
                        self.faults.append(f"{path}: {name} is to use {other}, which does not stand below")
                    self._below[name].add(other)

    def wing(self, room: str) -> str:
        """The wing that a room belongs to; nothing if there is none."""
        parts = room.split("/")
        for length in range(len(parts), 0, -1):
            if "/".join(parts[:length]) in self._below:
                return "/".join(parts[:length])
        return ""

    def allows(self, user: str, used: str) -> bool:
        """Whether one wing may use another."""
        return user == used or used in self._below[user]


class House:
    """All files of the modules, the rooms that they make, and who uses whom."""

    def __init__(self, root: pathlib.Path):
        self.files = {}
        for top in TOPS:
            for path in sorted((root / top).rglob("*.[ch]")):
                if not path.name.endswith(".mod.c"):
                    self.files[path.relative_to(root).as_posix()] = Source(path)
        self.rooms = collections.defaultdict(list)
        self._owners = collections.defaultdict(set)
        for name, source in self.files.items():
            self.rooms[room_of(name)].append(name)
            # a port defines for user space what the kernel has
            for thing in source.defines if not name.endswith("_port.h") else ():
                self._owners[thing].add(name)
        self.includes = {name: self._resolve(name) for name in self.files}
        self.arrows = {room: self._uses(room) for room in self.rooms}

    def _resolve(self, name: str) -> dict[str, int]:
        """Which files one includes, and in which line."""
        found = {}
        here = pathlib.PurePosixPath(name).parent
        for included, line in self.files[name].includes:
            for base in (here, here.parts[0], *PATHS):
                path = normal(pathlib.PurePosixPath(base) / included)
                if path in self.files:
                    found.setdefault(path, line)
                    break
        return found

    def _reach(self, names: list[str]) -> set[str]:
        """These files and all that they include, themselves or through others."""
        reach, new = set(), list(names)
        while new:
            name = new.pop()
            if name not in reach:
                reach.add(name)
                new += self.includes[name]
        return reach

    def _uses(self, room: str) -> dict[str, set[str]]:
        """Which rooms one uses, and what of them."""
        own = [self.files[name] for name in self.rooms[room]]
        reach = self._reach(self.rooms[room])
        direct = {path for name in self.rooms[room] for path in self.includes[name]}
        declared = set().union(*(self.files[name].declares for name in reach))
        known = set().union(*(source.defines | source.private for source in own))
        forward = set().union(*(source.forward for source in own))
        uses = collections.defaultdict(set)
        for thing in set().union(*(source.uses() for source in own)) - known:
            owners = {owner for owner in self._owners[thing] if owner in reach or (
                not self.files[owner].header and thing in declared)} if thing in self._owners else set()
            near = {owner for owner in owners if owner.split("/")[0] == room.split("/")[0]}
            for owner in near or owners:
                # no more than a pointer is passed on
                if thing in forward and owner not in direct:
                    continue
                uses[room_of(owner)].add(thing)
        return uses

    def circles(self) -> list[list[str]]:
        """Rooms that use each other, directly or through others: Tarjan's way."""
        index, low, stack, found = {}, {}, [], []

        def visit(room):
            index[room] = low[room] = len(index)
            stack.append(room)
            for other in self.arrows[room]:
                if other not in index:
                    visit(other)
                    low[room] = min(low[room], low[other])
                elif other in stack:
                    low[room] = min(low[room], index[other])
            if low[room] == index[room]:
                place = stack.index(room)
                if len(stack) - place > 1:
                    found.append(sorted(stack[place:]))
                del stack[place:]

        for room in self.rooms:
            if room not in index:
                visit(room)
        return found


def room_of(name: str) -> str:
    """The room of a file: its path without .c or .h."""
    return name.rsplit(".", 1)[0]


def normal(path: pathlib.PurePosixPath) -> str:
    """A path without `..`."""
    parts = []
    for part in path.parts:
        if part == ".." and parts:
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def upward(house: House, table: Table):
    """Findings: rooms of no wing, and arrows that the table does not have."""
    homeless = sorted(room for room in house.rooms if not table.wing(room))
    for room in homeless:
        yield f"{room}: in no wing of the table"
    told = set()
    for name, included in house.includes.items():
        for path, line in included.items():
            user, used = table.wing(room_of(name)), table.wing(room_of(path))
            if user and used and not table.allows(user, used):
                told.add((room_of(name), room_of(path)))
                yield f"{name}:{line}: includes {path}, but {user} may not use {used}"
    for room, arrows in house.arrows.items():
        for other, things in arrows.items():
            user, used = table.wing(room), table.wing(other)
            if user and used and not table.allows(user, used) and (room, other) not in told:
                yield f"{room}: uses {', '.join(sorted(things))} of {other}, but {user} may not use {used}"


def circle_lines(house: House, circle: list[str], shown: int):
    """Findings: one circle, with what each of its rooms uses of the others."""
    yield f"circle of {len(circle)}: {', '.join(circle)}"
    for room in circle:
        for other in sorted(set(circle) & set(house.arrows[room])):
            things = sorted(house.arrows[room][other])
            more = f" and {len(things) - shown} more" if len(things) > shown else ""
            yield f"    {room} -> {other}: {', '.join(things[:shown])}{more}"


def main() -> int:
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=pathlib.Path, default=here.parents[1], help="the tree to look at")
    parser.add_argument("--layers", type=pathlib.Path, default=here / "layers", help="the table of wings")
    parser.add_argument("--all", action="store_true", help="all names, where only the first are shown")
    options = parser.parse_args()
    house, table = House(options.root), Table(options.layers)
    findings = [*table.faults, *upward(house, table)]
    for circle in house.circles():
        findings += circle_lines(house, circle, sys.maxsize if options.all else NAMES_SHOWN)
    print(*findings, sep="\n", end="\n" if findings else "")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
