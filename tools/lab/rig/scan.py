# SPDX-License-Identifier: GPL-2.0
"""Looks for what no log may show: splats of either kernel, and Xen's complaints about a domain."""

import pathlib
import re

SPLATS = re.compile("|".join([
    r"\bBUG\b[: ]", r"WARNING: ", r"\bOops\b", r"general protection", r"[Uu]nable to handle", r"Kernel panic",
    r"Call Trace", r"possible (circular|recursive) locking", r"inconsistent lock state", r"held lock freed",
    r"suspicious RCU", r"INFO: lockdep", r"INFO: task .* blocked", r"rcu.*stall", r"soft lockup", r"hard LOCKUP",
    r"workqueue lockup", r"refcount_t:", r"UBSAN", r"KFENCE", r"KASAN", r"KCSAN", r"kmemleak: \d+ new",
    r"ODEBUG", r"sleeping function called", r"scheduling while atomic", r"\bleak(ed|ing)\b", r"Bad page", r"Bad rss",
    r"page allocation failure", r"list_(add|del) corruption", r"slab.* corruption", r"Segmentation fault",
    r"segfault at", r"Objects remaining in", r"still has objects", r"xen:grant_table: ", r"deferring g\.e\.",
    r"Out of memory", r"unregister_netdevice: waiting",
]))
XEN = re.compile("|".join([
    r"Xen (BUG|WARN)", r"Assertion .* failed", r"Panic on CPU", r"domain_crash", r"[Cc]rashed", r"Fatal", r"[Tt]riple fault",
    r"grant_table\.c", r"Bad (flags|ref|grant|frame)", r"d\d+v?\d* .*(unexpected|invalid)", r"event_channel\.c",
]))
# Said by healthy kernels and hypervisors.
HEALTHY = re.compile("|".join([
    r"Spectre V2 .*WARNING", r"Retbleed: WARNING", r"RETBleed: WARNING", r"xen:grant_table: Grant tables using",
    r"grant_table\.c:\d+:d\d+(v\d+)? Expanding",
    r"Domain \d+ (has )?crashed by request",
]))
SHOWN = 12


def scan_text(text: str, allow: str, pattern: re.Pattern = SPLATS) -> list:
    """The lines of a log that are not healthy; 'allow' is a scenario's own expression for those it provokes."""
    allowed = re.compile(allow) if allow else None
    bad = []
    for line in text.splitlines():
        if pattern.search(line) and not HEALTHY.search(line) and not (allowed and allowed.search(line)):
            bad.append(line.strip())
    return bad


def without_dead(text: str, results: pathlib.Path) -> str:
    """
    Xen's log without what it says of domains whose kernel died before it ran anything of ours, and which the scenario
    has replaced: died-NAME-DOMID.log is what they had printed (guest_boot_again in dom0/lab.sh).
    """
    dead = {path.stem.rpartition("-")[2] for path in results.glob("died-*-*.log")}
    if not dead:
        return text
    about = re.compile(rf"\b(d|Dom|[Dd]omain )({'|'.join(sorted(dead))})(v\d+)?\b")
    return "\n".join(line for line in text.splitlines() if not about.search(line))


def scan(results: pathlib.Path, allow: str) -> list:
    """Scans all logs that a scenario left; returns lines for people, each with its log's name."""
    found = []
    logs = [results / "dom0.log", results / "xen.log", *sorted(results.glob("guest-*.log"))]
    for log in logs:
        try:
            text = log.read_text(errors="replace")
        except OSError:
            continue
        if log.name == "xen.log":
            bad = scan_text(without_dead(text, results), allow, XEN)
        else:
            bad = scan_text(text, allow)
        found += [f"{log.name}: {line}" for line in bad[:SHOWN]]
        if len(bad) > SHOWN:
            found.append(f"{log.name}: ... and {len(bad) - SHOWN} more")
    return found
