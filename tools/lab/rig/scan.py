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
    r"Out of memory", r"unregister_netdevice: waiting", r"unreferenced object 0x", r"^detector ", r"bad unlock balance",
    r"lock held when returning", r"Invalid wait context", r"locking correctness validator", r"non-static key",
    r"pagealloc: ",
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

# What the debug kernel's detectors say first in each of their reports.
KINDS = {name: re.compile(pattern) for name, pattern in {
    "lockdep": r"WARNING: (possible (circular|recursive|irq)|.*lock (state|balance|freed|held)|suspicious RCU|[Nn]ested lock)|"
               r"Invalid wait context|MAX_LOCK\w* too low|non-static key|DEBUG_LOCKS_WARN_ON|detector lockdep",
    "atomic sleep": r"sleeping function called|scheduling while atomic",
    "KFENCE": r"BUG: KFENCE: |detector KFENCE",
    "kmemleak": r"unreferenced object 0x|detector kmemleak",
    "UBSAN": r"UBSAN: ",
    "DEBUG_OBJECTS": r"ODEBUG: |detector DEBUG_OBJECTS",
    "hung task": r"INFO: task .* blocked for more than|detector hung",
    "RCU stall": r"rcu.*detected.* stall|detector RCU",
    "refcount": r"refcount_t: ",
    "SLUB": r"BUG [\w-]+ *\(.*\): ",
    "list": r"list_(add|del) corruption",
    "page": r"pagealloc: |Bad page",
}.items()}

# Reports that are the kernel's own fault: how one begins, how its text ends, what is in between, and why it is not ours.
END_OF_TRACE = r"---\[ end trace"
KNOWN = [(re.compile(begin), re.compile(end), re.compile(inside), why) for begin, end, inside, why in [
    (r"WARNING: .* remove_proc_entry", END_OF_TRACE, r"unregister_irq_proc",
     "register_irq_proc() does without the files of an interrupt if memory is short, and unregister_irq_proc() removes them all"),
    (r"WARNING: possible circular locking", r"</TASK>", r"xs_response_mutex --> &u->msgbuffer_mutex --> xs_watch_rwsem",
     "a domain that is saved while a program has a watch through /dev/xen/xenbus, as the lab's agent has"),
    (r"WARNING: .* __local_bh_enable_ip", END_OF_TRACE, r"privcmd_ioctl",
     "an event in the softirq of an event that came in a toolstack's hypercall: xen_pv_evtchn_do_upcall() leaves the inner "
     "one without irqentry_exit(), so lockdep takes interrupts for disabled"),
]]
LONGEST_REPORT = 120
# lockdep is off after a report of its own
LOCKDEP = re.compile(r"WARNING: possible")
LOCKDEP_IS_OFF = re.compile(r"^detector lockdep is off.*$", re.M)


def without_known(text: str) -> tuple:
    """A log without the reports that are the kernel's own fault, and how many those were."""
    lines, left, known = text.splitlines(), [], 0
    while lines:
        length = _known_length(lines)
        known += length > 0
        left += [] if length else lines[:1]
        lines = lines[length or 1:]
    return "\n".join(left), known


def _known_length(lines: list) -> int:
    """The lines of the known report that the first one begins; 0 if it begins none."""
    for begin, end, inside, _ in KNOWN:
        if not begin.search(lines[0]):
            continue
        for number, line in enumerate(lines[:LONGEST_REPORT]):
            # Its own end is missing, so what follows is another report.
            if number and begin.search(line):
                break
            if end.search(line):
                if any(inside.search(part) for part in lines[:number]):
                    return number + 1
                break
    return 0


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


def _lockdep_may_be_off(path: pathlib.Path) -> bool:
    """Is this what the detectors of a domain say, and had its lockdep no other reports than known ones?"""
    domain = path.name.removeprefix("debug-")
    log = path.with_name(domain if domain == "dom0.log" else f"guest-{domain}")
    if domain == path.name or not log.exists():
        return False
    text = log.read_text(errors="replace")
    return bool(LOCKDEP.search(text)) and not LOCKDEP.search(without_known(text)[0])


def _read(path: pathlib.Path) -> tuple:
    """A log without what is the kernel's own fault, and how many reports of that there were."""
    text, known = without_known(path.read_text(errors="replace"))
    return LOCKDEP_IS_OFF.sub("", text) if _lockdep_may_be_off(path) else text, known


def _logs(results: pathlib.Path) -> list:
    """All logs that a scenario left, each with its text."""
    names = ["dom0.log", "xen.log", "debug-*.log", "guest-*.log"]
    found = [path for name in names for path in sorted(results.glob(name))]
    return [(path, _read(path)[0]) for path in found]


def count(results: pathlib.Path) -> dict:
    """How many reports of each kind are in a scenario's logs, by the debug kernel's detectors; and known ones."""
    split = [_read(path) for path in results.glob("*.log") if not path.name.startswith("died-")]
    lines = [line for text, _ in split for line in text.splitlines()]
    counts = {kind: sum(1 for line in lines if pattern.search(line)) for kind, pattern in KINDS.items()}
    return {**counts, "known": sum(known for _, known in split)}


def total(counts: list) -> str:
    """The sums of what count() gave for several scenarios, in words."""
    sums = {kind: sum(each.get(kind, 0) for each in counts) for kind in [*KINDS, "known"]}
    return ", ".join(f"{kind} {number}" for kind, number in sums.items())


def scan(results: pathlib.Path, allow: str) -> list:
    """Scans all logs that a scenario left; returns lines for people, each with its log's name."""
    found = []
    for log, text in _logs(results):
        if log.name == "xen.log":
            bad = scan_text(without_dead(text, results), allow, XEN)
        else:
            bad = scan_text(text, allow)
        found += [f"{log.name}: {line}" for line in bad[:SHOWN]]
        if len(bad) > SHOWN:
            found.append(f"{log.name}: ... and {len(bad) - SHOWN} more")
    return found
