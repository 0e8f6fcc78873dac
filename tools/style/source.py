# SPDX-License-Identifier: GPL-2.0
"""What a file of C in the kernel's style defines, includes and names.

This is no parser of C: it takes comments and strings out, follows braces, and
relies on the kernel's style for the rest.
"""

import collections
import pathlib
import re

BLANK = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.M)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+"([^"\n]+)"', re.M)
# a guard against a second inclusion has no value
MACRO = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)(?:\(|[ \t]+\S)", re.M)
TAG = re.compile(r"\b(?:struct|union|enum)\s+(\w+)\s*\{")
FORWARD = re.compile(r"^(?:struct|union|enum)\s+(\w+)\s*;", re.M)
ENUM = re.compile(r"\benum\b\s*\w*\s*\{([^}]*)\}")
EVENT = re.compile(r"^(?:TRACE_EVENT|DEFINE_EVENT\(\w+,)\s*\(?\s*(\w+)", re.M)
MEMBER = re.compile(r"(?:->|(?<!\.)\.(?!\.))\s*[A-Za-z_]\w*")
NAME = re.compile(r"(?:\b(struct|union|enum)\s+)?\b([A-Za-z_]\w*)")
BEFORE_PAREN = re.compile(r"\b([A-Za-z_]\w*)\s*\(")
ATTRIBUTE = re.compile(r"\b__\w+\s*(?:\((?:[^()]|\([^()]*\))*\))?")
LAST_NAME = re.compile(r"([A-Za-z_]\w*)\s*(?:\[[^]]*\]\s*)*$")
TYPE_ALONE = re.compile(r"(?:struct|union|enum)\s*\w*")
POINTER = re.compile(r"\(\s*\*\s*(\w+)\s*[)(\[]")


class Source:
    """One file. Names of structs, unions and enums are kept as "struct NAME"."""

    def __init__(self, path: pathlib.Path):
        text = path.read_text(errors="replace")
        self.includes = list(includes(text))
        # the numbers of the lines stay
        self.text = BLANK.sub(lambda m: "\n" * m[0].count("\n") or " ", text)
        self.header = path.suffix == ".h"
        self.functions = []     # (name, first line, last line)
        self.defines = set()    # what another file can use: its definition is here
        self.declares = set()   # functions and variables defined in another file
        self.private = set()    # what no other file can see
        self.forward = {f"struct {name}" for name in FORWARD.findall(self.text)}
        self._read_types()
        self._read_code()

    def uses(self) -> set[str]:
        """All names in it but those of members, and those that are only declared."""
        times = collections.Counter(f"struct {name}" if tag else name
                                    for tag, name in NAME.findall(MEMBER.sub(" ", self.text)))
        return {name for name, count in times.items() if count > 1 or name not in self.declares}

    def _read_types(self) -> None:
        """Takes macros, structs, enums and tracepoints."""
        found = set(MACRO.findall(self.text))
        found |= {f"struct {name}" for name in TAG.findall(self.text)}
        for body in ENUM.findall(self.text):
            found |= set(re.findall(r"(?:^|,)\s*(\w+)", body))
        (self.defines if self.header else self.private).update(found)
        self.defines |= {f"trace_{name}" for name in EVENT.findall(self.text)}

    def _read_code(self) -> None:
        """Takes functions and variables: what stands outside of all braces."""
        code = DIRECTIVE.sub(lambda m: "\n" * m[0].count("\n"), self.text)
        depth = start = 0
        head = None
        for mark in re.finditer(r"[{}();]", code):
            if mark[0] == "{" and depth == 0 and head is None:
                head = code[start:mark.start()]
            depth += {"{": 1, "(": 1, "}": -1, ")": -1}.get(mark[0], 0)
            if depth > 0 or mark[0] in "()":
                continue
            if mark[0] == ";":
                self._statement(code[start:mark.start()] if head is None else head)
            elif head is not None and "(" in head and "=" not in head:
                self._function(head, code, start, mark.start())
            else:
                continue
            start, head = mark.end(), None

    def _function(self, head: str, code: str, start: int, end: int) -> None:
        """Takes the definition of a function, from its first line to its brace."""
        name = BEFORE_PAREN.search(ATTRIBUTE.sub(" ", head))
        if name:
            first = start + len(head) - len(head.lstrip())
            self.functions.append((name[1], code.count("\n", 0, first) + 1, code.count("\n", 0, end) + 1))
            self._take(name[1], head, self.defines)

    def _statement(self, head: str) -> None:
        """Takes a declaration, given without the braces of its initialiser."""
        head = ATTRIBUTE.sub(" ", head.split("=")[0]).strip()
        pointer = POINTER.search(head)
        if head.startswith("typedef"):
            name = pointer or LAST_NAME.search(head)
            if name:
                self._take(name[1], head if self.header else "static", self.defines)
        elif "(" in head and not pointer:
            name = BEFORE_PAREN.search(head)
            # a macro at the outermost level has no type in front of it
            if name and name.start() > 0:
                self._take(name[1], head, self.declares)
        elif not TYPE_ALONE.fullmatch(head):
            name = pointer or LAST_NAME.search(head)
            if name and name.start() > 0:
                self._take(name[1], head, self.declares if head.startswith("extern") else self.defines)

    def _take(self, name: str, head: str, kind: set[str]) -> None:
        """Sorts a name in by who can see it."""
        (self.private if not self.header and re.search(r"\bstatic\b", head) else kind).add(name)


def includes(text: str):
    """Which files of ours it includes: pairs of name and line."""
    for match in INCLUDE.finditer(text):
        yield match[1], text.count("\n", 0, match.start()) + 1
