# SPDX-License-Identifier: GPL-2.0
"""One emulated machine: QEMU with Xen on it, its console in a file or on the terminal, and the line of events."""

import ctypes
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from .common import LabError
from .profile import Profiler

PR_SET_PDEATHSIG = 1


LIBC = ctypes.CDLL(None)


def _die_with_parent() -> None:
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _quote(path: pathlib.Path) -> str:
    """QEMU takes a doubled comma for a comma."""
    return str(path).replace(",", ",,")


# svm, npt and nrip-save for PVH guests; with rdrand no kernel spends its first seconds on gathering randomness
CPU = "qemu64,+svm,+npt,+nrip-save,+rdrand"


def _accel(options) -> list:
    if options.icount:
        return ["-accel", "tcg,thread=single", "-icount", "shift=1,sleep=off", "-rtc", "base=2026-01-01,clock=vm",
                "-seed", "1", "-cpu", CPU]
    if options.accel == "kvm":
        return ["-accel", "kvm", "-cpu", "host"]
    return ["-accel", "tcg,thread=multi", "-cpu", CPU]


def _topology(options) -> list:
    nodes = options.nodes
    cpus = max(options.cpus, 2 * nodes if nodes > 1 else 1)
    if nodes == 1:
        return ["-smp", str(cpus), "-m", str(options.machine_memory)]
    cpus -= cpus % nodes
    each, memory = cpus // nodes, options.machine_memory // nodes
    words = ["-smp", f"{cpus},sockets={nodes}", "-m", str(memory * nodes)]
    for node in range(nodes):
        words += ["-object", f"memory-backend-ram,id=m{node},size={memory}M",
                  "-numa", f"node,nodeid={node},cpus={node * each}-{node * each + each - 1},memdev=m{node}"]
    for node in range(nodes):
        for other in range(node + 1, nodes):
            words += ["-numa", f"dist,src={node},dst={other},val=20"]
    return words


def xen_arguments(options) -> str:
    """Xen's command line."""
    memory = f"dom0_mem={options.dom0_memory}M,max:{options.dom0_memory}M"
    return (f"console=com1 com1=115200,8n1 {memory} dom0_max_vcpus={options.dom0_vcpus} loglvl=warning "
            f"guest_loglvl=all conring_size=2m bootscrub=0 {options.xen_cmdline}").strip()


def dom0_arguments(options) -> str:
    """Dom0's kernel command line."""
    return f"console=hvc0 loglevel=5 oops=panic panic=1 log_buf_len=4M {options.dom0_cmdline}".strip()


class Machine:
    """Runs from construction until stop(); use it in a with statement."""

    def __init__(self, options, xen: pathlib.Path, kernel: pathlib.Path, initrd: pathlib.Path, results: pathlib.Path,
                 console: pathlib.Path | None):
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="lab-"))
        overlays = options.cache / "overlays"
        overlays.mkdir(exist_ok=True)
        self._buffer = b""
        self.profiler = Profiler(options.profile, self.scratch) if getattr(options, "profile", None) else None
        line = self.scratch / "events"
        arguments = dom0_arguments(options).replace(",", ",,")
        terminal = f"file,id=console,path={_quote(console)}" if console else "stdio,id=console,signal=off"
        self.command = [
            "qemu-system-x86_64", *_accel(options), *_topology(options), "-display", "none", "-vga", "none", "-no-reboot",
            "-nic", "none", "-monitor", "none",
            "-kernel", str(xen), "-append", xen_arguments(options),
            "-initrd", f"{_quote(kernel)} {arguments},{_quote(initrd)}",
            "-chardev", terminal, "-serial", "chardev:console",
            "-chardev", f"socket,id=events,path={_quote(line)},server=on,wait=off", "-serial", "chardev:events",
            *(self.profiler.arguments() if self.profiler else []),
            "-virtfs", f"local,path={_quote(results)},mount_tag=results,security_model=none,id=results",
            "-virtfs", f"local,path={_quote(overlays)},mount_tag=overlays,security_model=none,id=overlays,readonly=on",
        ]
        self.log = (results / (f"qemu-{console.name}" if console else "qemu.log")).open("w")
        self.process = subprocess.Popen(self.command, stdin=None if console is None else subprocess.DEVNULL,
                                        stdout=None if console is None else self.log, stderr=self.log,
                                        preexec_fn=_die_with_parent)
        try:
            self.socket = self._connect(line)
        except BaseException:
            self.stop()
            raise

    def _connect(self, path: pathlib.Path) -> socket.socket:
        """QEMU makes the socket early in its start, but tells nobody when."""
        connection = socket.socket(socket.AF_UNIX)
        deadline = time.monotonic() + 20
        while True:
            try:
                connection.connect(str(path))
                return connection
            except OSError:
                if self.process.poll() is not None:
                    raise LabError(f"QEMU ended at once; see {self.log.name}") from None
                if time.monotonic() > deadline:
                    raise LabError("QEMU does not start") from None
                time.sleep(0.02)

    def event(self, timeout: float) -> str | None:
        """The next line from Dom0; None if none comes in time. Raises EOFError when the machine is off."""
        deadline = time.monotonic() + timeout
        while b"\n" not in self._buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                return None
            try:
                data = self.socket.recv(4096)
            except ConnectionResetError:
                data = b""
            if not data:
                raise EOFError
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.decode(errors="replace").strip()

    def order(self, text: str) -> None:
        """Tells Dom0's runner something."""
        try:
            self.socket.sendall(text.encode() + b"\n")
        except OSError:
            pass

    def wait(self, timeout: float | None = None) -> None:
        """Waits until the machine is off."""
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            pass

    def stop(self) -> None:
        """Off, now."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
