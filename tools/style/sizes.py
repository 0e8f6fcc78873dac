#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""No function of more than 60 lines, no source file of more than 600.

usage: sizes.py FILE...    files of C and Python, and scripts; others are passed over

Ends with 1 if anything was found.
"""

import ast
import pathlib
import re
import sys

sys.dont_write_bytecode = True

from source import Source  # noqa: E402

FUNCTION_LINES = 60
FILE_LINES = 600
SHELL_FUNCTION = re.compile(
    r"^(?:function[ \t]+)?([\w-]+)[ \t]*(?:\(\))?[ \t]*[{(](?:[^\n]*[^\n})])?\n(?:.*?\n)??[)}]", re.M | re.S)


def language(path: pathlib.Path) -> str:
    """What a file is written in: c, python, shell, or nothing that is looked at."""
    kind = {".c": "c", ".h": "c", ".py": "python", ".sh": "shell"}.get(path.suffix, "")
    if kind:
        return kind
    with path.open("rb") as file:
        first = file.readline(200)
    if not first.startswith(b"#!"):
        return ""
    if b"python" in first:
        return "python"
    return "shell" if re.search(rb"[/ ](?:ba|da)?sh\b", first) else "other"


def functions(path: pathlib.Path, kind: str):
    """All functions of a file: name, first line and last line."""
    if kind == "c":
        yield from Source(path).functions
        return
    text = path.read_text(errors="replace")
    if kind == "python":
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield node.name, node.lineno, node.end_lineno
    if kind == "shell":
        for match in SHELL_FUNCTION.finditer(text):
            first = text.count("\n", 0, match.start()) + 1
            yield match[1], first, first + match[0].count("\n")


def findings(path: pathlib.Path):
    """What of a file is too long."""
    kind = language(path)
    if not kind:
        return
    lines = len(path.read_bytes().splitlines())
    if lines > FILE_LINES:
        yield f"{path}: {lines} lines, more than {FILE_LINES}"
    for name, first, last in functions(path, kind):
        if last - first >= FUNCTION_LINES:
            yield f"{path}:{first}: {name} has {last - first + 1} lines, more than {FUNCTION_LINES}"


def main() -> int:
    found = [line for name in sys.argv[1:] for line in findings(pathlib.Path(name))]
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
