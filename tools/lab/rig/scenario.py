# SPDX-License-Identifier: GPL-2.0
"""Scenarios: directories of tests/lab/scenarios with a "scenario" file of settings and a "dom0" script."""

import pathlib
import re
import shlex
from dataclasses import dataclass, field

from . import debugkernel
from .common import REPO, LabError

HOME = REPO / "tests" / "lab" / "scenarios"

KEYS = {"title", "guest", "guests", "vcpus", "memory", "kernels", "needs", "timeout", "allow", "back", "back_args",
        "front", "front_args", "cmdline", "image", "files", "modules", "packages"}
NEEDS = {"netfront", "numa", "icount", "realtime"}


@dataclass
class Scenario:
    """One scenario's settings; a key's meaning is in README.md."""

    name: str
    directory: pathlib.Path | None
    title: str = ""
    keys: dict = field(default_factory=dict)

    def words(self, key: str) -> list:
        """A key's value as a list of words."""
        return self.keys.get(key, "").replace(",", " ").split()

    def timeout(self, default: int) -> int:
        """Seconds after which it counts as hung."""
        return int(self.keys.get("timeout", default))

    def settings(self, options, overlay: str) -> str:
        """The settings as the shell in Dom0 reads them; overlay is the archive of its packages, if it has any."""
        get = self.keys.get
        values = {
            "LAB_NAME": self.name,
            "LAB_KERNEL": options.guest_kernel,
            "LAB_GUEST": get("guest", options.guest),
            "LAB_VCPUS": get("vcpus", str(options.vcpus)),
            "LAB_MEMORY": get("memory", str(options.memory)),
            "LAB_IMAGE": get("image", "guest"),
            "LAB_BACK": get("back", "yes"),
            # of a module's parameter that is given twice the last one counts
            "LAB_BACK_ARGS": f"{options.back_args} {get('back_args', '')}".strip(),
            "LAB_FRONT": get("front", "yes"),
            "LAB_FRONT_ARGS": ",".join([*options.front_args.split(), *get("front_args", "").split()]),
            "LAB_CMDLINE": " ".join(["loglevel=5", *get("cmdline", "").split(), *options.guest_cmdline.split()]),
            "LAB_NODES": str(options.nodes),
            "LAB_ACCEL": options.accel,
            # machines beside each other take CPU time from each other
            "LAB_BOOT_TIMEOUT": str(150 * getattr(options, "jobs", 1)),
            "LAB_ICOUNT": "yes" if options.icount else "no",
            "LAB_SLOWER": str(debugkernel.slowness(options)),
            "LAB_OVERLAY": f"/overlays/{overlay}" if overlay else "",
        }
        return "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())

    def why_not(self, options) -> str:
        """Why it doesn't apply to this run; empty if it does."""
        kernels = self.words("kernels")
        used = {options.dom0_kernel, options.guest_kernel}
        if kernels and not all(debugkernel.applies(version, kernels) for version in used):
            return f"only for kernel {' or '.join(kernels)}"
        guests = self.words("guests")
        if guests and self.keys.get("guest", options.guest) not in guests:
            return f"only for {' or '.join(guests)} guests"
        needs = self.words("needs")
        if "numa" in needs and options.nodes < 2:
            return "needs --nodes 2"
        if "icount" in needs and not options.icount:
            return "needs --icount"
        if "realtime" in needs and options.icount:
            return "makes no sense with --icount"
        return ""


def load(name: str) -> Scenario:
    """Reads a scenario by its name in tests/lab/scenarios, or by its directory."""
    directory = pathlib.Path(name) if "/" in name else HOME / name
    try:
        text = (directory / "scenario").read_text()
    except OSError as error:
        raise LabError(f"no scenario {name}: {error.strerror}: {directory / 'scenario'}") from None
    if not (directory / "dom0").exists():
        raise LabError(f"scenario {name} has no dom0 script")
    keys = {}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        key, equals, value = line.partition("=")
        if not equals or key.strip() not in KEYS:
            raise LabError(f"{directory / 'scenario'}:{number}: unknown setting: {line}")
        keys[key.strip()] = value.strip()
    scenario = Scenario(directory.resolve().name, directory.resolve(), keys.get("title", ""), keys)
    unknown = set(scenario.words("needs")) - NEEDS
    if unknown:
        raise LabError(f"{directory / 'scenario'}: unknown need: {' '.join(unknown)}")
    try:
        re.compile(keys.get("allow", ""))
        scenario.timeout(0)
    except (re.error, ValueError) as error:
        raise LabError(f"{directory / 'scenario'}: {error}") from None
    return scenario


def names() -> list:
    """All of tests/lab/scenarios."""
    return sorted(path.parent.name for path in HOME.glob("*/scenario"))


def for_shell() -> Scenario:
    """What stands in for a scenario when a person has the shell."""
    return Scenario("shell", None, "a person's shell")
