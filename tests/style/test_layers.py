#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of tools/style, with small trees that have the faults it looks for."""

import contextlib
import io
import pathlib
import sys
import tempfile
import unittest
import unittest.mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools" / "style"))
sys.dont_write_bytecode = True

import layers  # noqa: E402
import sizes  # noqa: E402
from source import Source  # noqa: E402

TABLE = """# top first
back/main: * include
back/sock: back/ring include
back/ring: include
back/trace:

include:
"""

# main.c uses sock/, which uses ring/: nothing is wrong with it
TREE = {
    "back/main.c": '#include "sock/sock.h"\nint pvcalls_main(void)\n{\n\treturn pvcalls_sock(NULL);\n}\n',
    "back/sock/sock.h": '#include "ring/ring.h"\nstruct pvcalls_sock {\n\tstruct pvcalls_ring ring;\n};\n'
                        "int pvcalls_sock(struct pvcalls_sock *s);\n",
    "back/sock/sock.c": '#include "sock.h"\nint pvcalls_sock(struct pvcalls_sock *s)\n{\n'
                        "\treturn pvcalls_ring(&s->ring);\n}\n",
    "back/ring/ring.h": '#include "pvcalls_ext.h"\nstruct pvcalls_ring {\n\tu32 order[PVCALLS_MAX];\n};\n'
                        "int pvcalls_ring(struct pvcalls_ring *r);\n",
    "back/ring/ring.c": '#include "ring.h"\n\nstatic int helper(void)\n{\n\treturn 0;\n}\n\n'
                        "int pvcalls_ring(struct pvcalls_ring *r)\n{\n\treturn helper();\n}\n",
    "include/pvcalls_ext.h": "#ifndef EXT_H\n#define EXT_H\n#define PVCALLS_MAX 9\n#endif\n",
}


class Tree(unittest.TestCase):
    """A tree of files that a test changes."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = pathlib.Path(scratch.name)
        self.table = self.write("layers", TABLE)
        for name, text in TREE.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> pathlib.Path:
        """Makes a file, and the directories above it."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def append(self, name: str, text: str) -> None:
        """Adds to a file."""
        self.write(name, (self.root / name).read_text() + text)

    def found(self) -> list[str]:
        """What layers.py prints; its exit code goes with it."""
        out = io.StringIO()
        arguments = ["layers.py", "--root", str(self.root), "--layers", str(self.table)]
        with unittest.mock.patch("sys.argv", arguments), contextlib.redirect_stdout(out):
            code = layers.main()
        self.assertEqual(code, 1 if out.getvalue() else 0)
        return out.getvalue().splitlines()


class Arrows(Tree):
    """Which includes and uses are told as pointing up."""

    def test_none(self):
        self.assertEqual(self.found(), [])

    def test_include_that_points_up(self):
        self.append("back/ring/ring.c", '\n#include "../sock/sock.h"\n')
        self.assertEqual(self.found(), [
            "back/ring/ring.c:13: includes back/sock/sock.h, but back/ring may not use back/sock"])

    def test_include_by_the_search_path(self):
        self.append("back/ring/ring.c", '#include "sock/sock.h"\n')
        self.assertEqual(len(self.found()), 1)

    def test_below_but_not_in_the_table(self):
        self.write("back/trace.h", "")
        self.append("back/sock/sock.c", '#include "trace.h"\n')
        self.assertEqual(self.found(), [
            "back/sock/sock.c:6: includes back/trace.h, but back/sock may not use back/trace"])

    def test_call_that_points_up(self):
        self.write("back/trace.c", "int pvcalls_main(void);\nint pvcalls_trace(void)\n{\n\treturn pvcalls_main();\n}\n")
        self.assertEqual(self.found(), [
            "back/trace: uses pvcalls_main of back/main, but back/trace may not use back/main"])

    def test_no_wing(self):
        self.write("back/new.c", "")
        self.assertEqual(self.found(), ["back/new: in no wing of the table"])

    def test_table_that_points_up(self):
        self.write("layers", TABLE.replace("back/ring: include", "back/ring: include back/sock"))
        self.assertEqual(len(self.found()), 1)


class Circles(Tree):
    """Rooms that use each other."""

    def circles(self) -> list[str]:
        """The first lines of all circles that are found."""
        return [line for line in self.found() if line.startswith("circle")]

    def test_two_by_includes(self):
        self.write("back/ring/grant.h", "struct pvcalls_grant {\n\tu32 ref;\n};\nint pvcalls_grant(void);\n")
        self.write("back/ring/grant.c", '#include "grant.h"\n#include "ring.h"\nint pvcalls_grant(void)\n{\n'
                                        "\tstruct pvcalls_ring r;\n\treturn pvcalls_ring(&r);\n}\n")
        self.assertEqual(self.found(), [])
        self.append("back/ring/ring.c", '#include "grant.h"\n')
        # nothing of grant.h is used
        self.assertEqual(self.found(), [])
        self.append("back/ring/ring.c", "struct pvcalls_grant pvcalls_first;\n")
        self.assertEqual(self.found(), [
            "circle of 2: back/ring/grant, back/ring/ring",
            "    back/ring/grant -> back/ring/ring: pvcalls_ring, struct pvcalls_ring",
            "    back/ring/ring -> back/ring/grant: struct pvcalls_grant"])

    def test_two_by_calls(self):
        # close.c has no header: ring.h declares its function
        self.append("back/ring/ring.h", "void pvcalls_close(void);\n")
        self.write("back/ring/close.c", '#include "ring.h"\nvoid pvcalls_close(void)\n{\n\tpvcalls_ring(NULL);\n}\n')
        self.assertEqual(self.found(), [])
        self.append("back/ring/ring.c", "static void end(void)\n{\n\tpvcalls_close();\n}\n")
        self.assertEqual(self.circles(), ["circle of 2: back/ring/close, back/ring/ring"])

    def test_three(self):
        for name, other in (("a", "b"), ("b", "c"), ("c", "a")):
            self.write(f"back/sock/{name}.h", f"int pvcalls_{name}(void);\n")
            self.write(f"back/sock/{name}.c", f'#include "{other}.h"\nint pvcalls_{name}(void)\n{{\n'
                                              f"\treturn pvcalls_{other}();\n}}\n")
        self.assertEqual(self.found(), [
            "circle of 3: back/sock/a, back/sock/b, back/sock/c",
            "    back/sock/a -> back/sock/b: pvcalls_b",
            "    back/sock/b -> back/sock/c: pvcalls_c",
            "    back/sock/c -> back/sock/a: pvcalls_a"])

    def test_pointer_that_is_passed_on(self):
        self.write("back/ring/deep.h", "struct pvcalls_ring;\nstruct pvcalls_deep {\n\tstruct pvcalls_ring *ring;\n};\n"
                                       "void pvcalls_deep(struct pvcalls_deep *d);\n")
        self.write("back/ring/deep.c", '#include "deep.h"\n#include "ring.h"\n'
                                       "void pvcalls_deep(struct pvcalls_deep *d)\n{\n\tpvcalls_ring(d->ring);\n}\n")
        self.write("back/ring/through.h", '#include "deep.h"\n')
        self.append("back/ring/ring.c", '#include "through.h"\nstruct pvcalls_deep;\nstruct pvcalls_deep *pvcalls_given;\n')
        self.assertEqual(self.found(), [])
        self.append("back/ring/ring.c", '#include "deep.h"\n')
        self.assertEqual(self.circles(), ["circle of 2: back/ring/deep, back/ring/ring"])

    def test_words_that_are_no_use(self):
        # a comment, a string, a member, a designator, a static function, a pointer that is passed on
        self.append("back/ring/ring.h", "struct pvcalls_sock;\n")
        self.append("back/ring/ring.c", """
/* pvcalls_sock() calls this */
static int pvcalls_main(struct pvcalls_sock *s)
{
	pr_info("pvcalls_sock()\\n");
	return s->pvcalls_sock;
}

static const struct ops ops = { .pvcalls_sock = pvcalls_main };
""")
        self.assertEqual(self.found(), [])


class Sizes(Tree):
    """What is too long."""

    def sizes(self, name: str, text: str) -> list[str]:
        """What sizes.py finds in a file."""
        return [line.replace(f"{self.root}/", "") for line in sizes.findings(self.write(name, text))]

    def test_functions(self):
        for lines in (60, 61):
            body = lines - 2
            text = {
                "a.c": "static int\nlong_one(void)\n{\n" + "\tx++;\n" * (body - 3) + "\treturn 0;\n}\nint b(void)\n{\n}\n",
                "a.py": "def long_one():\n" + "    x = 1\n" * (lines - 1) + "\n\ndef b():\n    pass\n",
                "a.sh": "one() { two; }\nlong_one() {\n" + "\ttrue\n" * body + "}\nb() {\n\ttrue\n}\n",
                "script": "#!/usr/bin/env bash\nlong_one() {\n" + "\ttrue\n" * body + "}\n",
            }
            for name in text:
                found = self.sizes(name, text[name])
                self.assertEqual(len(found), lines - 60, found)
                for line in found:
                    self.assertIn("long_one has 61 lines", line)

    def test_files(self):
        self.assertEqual(self.sizes("a.h", "\n" * 600), [])
        self.assertEqual(self.sizes("a.h", "\n" * 601), ["a.h: 601 lines, more than 600"])
        self.assertEqual(self.sizes("README", "\n" * 601), [])


class Reading(Tree):
    """What is taken for a definition."""

    def test_functions(self):
        source = Source(self.write("a.c", """
#define ENTRY(x) { x, \\
	{ 1 } }
static const struct ops table[] = { ENTRY(1), { .a = f(2) } };
__printf(1, 2) void said(const char *format, ...);
static DEFINE_MUTEX(lock);
unsigned int shared = 3;
extern int other;

static __always_inline int __must_check
first(struct a *a,
      int (*f)(int))
	__must_hold(&a->lock)
{
	if (a) {
		return '{';
	}
	return 0; // }
}

void __init second(void) { }
"""))
        self.assertEqual(source.functions, [("first", 10, 19), ("second", 21, 21)])
        self.assertEqual(source.defines, {"second", "shared"})
        self.assertEqual(source.declares, {"said", "other"})

    def test_header(self):
        source = Source(self.write("a.h", """
#ifndef A_H
#define A_H
enum state {
	IDLE = 1,	/* nothing, yet */
	BUSY
};
typedef int (*handler)(int);
TRACE_EVENT(happened, TP_PROTO(int a), TP_fast_assign(__entry->a = a; b = a;));
static inline int f(void) { return 0; }
#define G(x) (x)
#endif
"""))
        self.assertEqual(source.defines, {"struct state", "IDLE", "BUSY", "handler", "trace_happened", "f", "G"})


if __name__ == "__main__":
    unittest.main()
