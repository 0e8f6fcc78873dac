# SPDX-License-Identifier: GPL-2.0
"""The base images of Dom0 and guests: programs, their libraries and kernel modules, out of unpacked packages."""

import hashlib
import lzma
import pathlib
import re
import subprocess
import tempfile
import zlib

from . import debugkernel
from .common import LAB, LabError, progress, replace_file, run
from .cpio import Archive, compress, decompress_module
from .packages import FAT_PACKAGES, HYPERVISOR, Kernel

XEN_BIN = "usr/lib/xen-4.17/bin"

# What an image has beside busybox: package and path in it.
COMMON_PROGRAMS = [
    ("iproute2", "usr/bin/ip"), ("iproute2", "usr/bin/ss"), ("iperf3", "usr/bin/iperf3"), ("curl", "usr/bin/curl"),
    *[("xenstore-utils", f"usr/bin/xenstore{suffix}") for suffix in
      ("", "-chmod", "-exists", "-list", "-ls", "-read", "-rm", "-watch", "-write")],
]
DOM0_PROGRAMS = [("xen-utils-4.17", f"{XEN_BIN}/{name}") for name in
                 ("xl", "xenstored", "xenconsoled", "xenconsole", "xen-init-dom0", "libxl-save-helper", "lsevtchn",
                  "xen-diag", "xentop", "xen-mfndump", "xenpm")]
# Loaded by name at run time, so that no program names them.
EXTRA_LIBRARIES = ["libgcc_s.so.1", "libnss_dns.so.2", "libnss_files.so.2"]

COMMON_MODULES = ["xen-evtchn", "xen-gntdev", "xen-gntalloc", "xen-privcmd", "xenfs", "dummy", "veth", "tcp_bbr",
                  "tcp_diag", "inet_diag", "sch_netem", "sch_tbf", "tls"]
DOM0_MODULES = [*COMMON_MODULES, "xen-netback", "bridge", "virtio_pci", "9p", "9pnet_virtio", "crc32c_generic", "nf_tables",
                "nft_reject_inet", "nft_fib_inet", "nft_socket", "sch_htb", "cls_fw"]
# Parts of the kernel that take programs' sockets for their own purposes: pvcasts gives them ours.
CAST_MODULES = ["l2tp_ppp", "l2tp_netlink", "gtp", "kcm", "nbd", "nfsd", "iscsi_tcp", "mptcp_diag", "udp_diag", "esp4", "esp6", "xfrm_user",
                "usbip-core", "vhci-hcd", "fou", "rds_tcp", "smc", "smc_diag", "gcm", "ctr", "ghash-generic", "aes_generic",
                "crc32c_generic"]
GUEST_MODULES = [*COMMON_MODULES, *CAST_MODULES, "xen-netfront"]

# Debian's BusyBox has more; these would only shadow the real programs.
NOT_APPLETS = {"ip", "busybox"}


def unmerged(path: str) -> str:
    """Where a file of a package ends up on a system whose /bin, /sbin and /lib are links into /usr."""
    return re.sub(r"^(bin|sbin|lib|lib64)/", r"usr/\1/", path)


class Tree:
    """All files of some unpacked packages, by their path in the image."""

    def __init__(self, packages: dict):
        self.packages = packages
        self._libraries: dict = {}
        for tree in packages.values():
            for path in [*tree.glob("lib/x86_64-linux-gnu/*.so*"), *tree.glob("usr/lib/x86_64-linux-gnu/*.so*")]:
                self._libraries.setdefault(path.name, path)

    def find(self, package: str, path: str) -> pathlib.Path:
        """A file of a package, wherever the package has it."""
        tree = self.packages[package]
        for candidate in (path, path.removeprefix("usr/"), path.replace("usr/bin/", "sbin/"), path.replace("usr/bin/", "usr/sbin/")):
            if (tree / candidate).is_file():
                return tree / candidate
        raise LabError(f"{package} has no {path}")

    def libraries_of(self, files: list) -> dict:
        """The shared libraries that these files need, directly or not, by name."""
        found: dict = {}
        fresh = list(files)
        while fresh:
            needed = re.findall(r"\(NEEDED\).*\[(.+)\]", run(["readelf", "-d", *fresh]))
            fresh = []
            for name in needed:
                if name in found:
                    continue
                if name not in self._libraries:
                    raise LabError(f"no package of the image has {name}")
                found[name] = self._libraries[name].resolve()
                fresh.append(found[name])
        return found

    def library(self, name: str) -> pathlib.Path | None:
        """One library by its name."""
        return self._libraries.get(name)


def _is_dynamic(path: pathlib.Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def _skeleton(archive: Archive) -> None:
    for name in ("bin", "sbin", "lib", "lib64"):
        archive.directory(f"usr/{name}")
        archive.link(name, f"usr/{name}")
    for name in ("dev", "proc", "sys", "run", "tmp", "root", "etc", "lab", "var/lib/xen", "var/log/xen/console", "mnt"):
        archive.directory(name, 0o1777 if name == "tmp" else 0o755)
    archive.link("var/run", "/run")
    archive.link("var/lock", "/run/lock")
    archive.device("dev/console", 5, 1)
    archive.device("dev/null", 1, 3)
    archive.data("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")
    archive.data("etc/group", b"root:x:0:\nnogroup:x:65534:\n")
    archive.data("etc/hosts", b"127.0.0.1 localhost\n10.0.0.1 dom0\n")
    archive.data("etc/nsswitch.conf", b"passwd: files\ngroup: files\nhosts: files dns\n")


def _applets(archive: Archive, busybox: pathlib.Path) -> None:
    archive.file("usr/bin/busybox", busybox)
    for name in run([busybox, "--list"]).split():
        path = f"usr/bin/{name}"
        if name not in NOT_APPLETS and path not in archive:
            archive.link(path, "busybox")


def _programs(archive: Archive, tree: Tree, programs: list) -> None:
    files = []
    for package, path in programs:
        source = tree.find(package, path)
        archive.file(path, source)
        files.append(source)
    binaries = [path for path in files if _is_dynamic(path)]
    _libraries(archive, tree, binaries)


def _libraries(archive: Archive, tree: Tree, binaries: list) -> None:
    extra = [tree.library(name) for name in EXTRA_LIBRARIES if tree.library(name)]
    found = tree.libraries_of(binaries + extra)
    found.update({path.name: path.resolve() for path in extra})
    for name, path in found.items():
        archive.data(f"usr/lib/x86_64-linux-gnu/{name}", path.read_bytes(), 0o755)
    archive.link("usr/lib64/ld-linux-x86-64.so.2", "../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2")


def _modules(archive: Archive, image: pathlib.Path, kernel: Kernel, names: list) -> None:
    root = image / "lib/modules" / kernel.release
    paths, needs = {}, {}
    for line in (root / "modules.dep").read_text().splitlines():
        path, _, words = line.partition(":")
        name = pathlib.Path(path).name.split(".")[0].replace("_", "-")
        paths[name], needs[path] = path, words.split()
    builtin = {pathlib.Path(line).stem.replace("_", "-") for line in (root / "modules.builtin").read_text().split()}
    wanted: dict = {}
    # The debug kernel is small: a scenario that needs such a module and does not find it skips what it cannot do.
    optional = {name.replace("_", "-") for name in CAST_MODULES}
    for name in (name.replace("_", "-") for name in names):
        if name in paths:
            wanted.update(dict.fromkeys([paths[name], *needs[paths[name]]]))
        elif name not in builtin and not (kernel.version == debugkernel.NAME and name in optional):
            raise LabError(f"kernel {kernel.release} has no module {name}")
    with tempfile.TemporaryDirectory() as scratch:
        base = pathlib.Path(scratch) / "lib/modules" / kernel.release
        for path in wanted:
            target = base / re.sub(r"\.ko\..*$", ".ko", path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(decompress_module(root / path))
        for name in ("modules.builtin", "modules.order"):
            (base / name).write_bytes((root / name).read_bytes())
        run(["depmod", "-b", scratch, kernel.release])
        for path in sorted(base.rglob("*")):
            if path.is_file() and not path.name.endswith(".bin"):
                archive.file(f"usr/lib/modules/{kernel.release}/{path.relative_to(base)}", path)


def _python(archive: Archive, packages: dict) -> None:
    """CPython with its standard library, and every library that its extension modules need."""
    binaries = []
    for name in FAT_PACKAGES:
        tree = packages[name]
        for path in sorted(tree.rglob("*")):
            relative = str(path.relative_to(tree))
            if not path.is_file() or relative.startswith("usr/share") or "/test/" in relative:
                continue
            archive.file(unmerged(relative), path)
            if path.suffix == ".so" or relative == "usr/bin/python3.11":
                binaries.append(path)
    archive.link("usr/bin/python3", "python3.11")
    _libraries(archive, Tree(packages), binaries)


def unpack_linux(image: bytes) -> bytes:
    """The ELF file in a bzImage (Documentation/arch/x86/boot.rst: payload_offset counts from the protected-mode code)."""
    start = (image[0x1F1] + 1) * 512 + int.from_bytes(image[0x248:0x24C], "little")
    payload = image[start:start + int.from_bytes(image[0x24C:0x250], "little")]
    if payload.startswith(b"\xfd7zXZ"):
        unpacked = lzma.LZMADecompressor().decompress(payload)
    elif payload.startswith(b"\x1f\x8b"):
        unpacked = zlib.decompressobj(wbits=31).decompress(payload)
    elif payload.startswith(b"\x28\xb5\x2f\xfd"):
        # The size that the kernel's build appends is no part of the archive.
        unpacked = subprocess.run(["zstd", "-dc"], input=payload[:-4], stdout=subprocess.PIPE, check=True).stdout
    else:
        raise LabError("the kernel is packed in a way that the lab doesn't know")
    if not unpacked.startswith(b"\x7fELF"):
        raise LabError("there is no ELF file in the kernel's image")
    return unpacked


class Images:
    """Base images, built once for each kernel and kind."""

    def __init__(self, cache: pathlib.Path, packages: dict):
        self.cache = cache
        self.packages = packages

    def hypervisor(self) -> pathlib.Path:
        """Xen as QEMU's -kernel wants it: a plain ELF file."""
        packed = next(self.packages[HYPERVISOR].glob("boot/xen-4.17-amd64.gz"))
        target = self.cache / "images" / f"{self.packages[HYPERVISOR].name}.elf"
        if not target.exists():
            replace_file(target, subprocess.run(["gzip", "-dc", packed], stdout=subprocess.PIPE, check=True).stdout)
        return target

    def linux(self, kernel: Kernel) -> pathlib.Path:
        """The kernel unpacked, because Xen and xl would take seconds of emulated time for it."""
        packed = self.cache / kernel.image / "boot" / f"vmlinuz-{kernel.release}"
        target = self.cache / "images" / f"vmlinux-{pathlib.Path(kernel.image).name}"
        if not target.exists():
            replace_file(target, unpack_linux(packed.read_bytes()))
        return target

    def base(self, kind: str, kernel: Kernel) -> pathlib.Path:
        """The base initramfs of dom0, guest or fat (a guest with Python)."""
        recipe = "".join(path.read_text() for path in sorted((LAB / "rig").glob("*.py")) if path.name in ("image.py", "cpio.py"))
        inputs = [recipe, kernel.image, *(str(path) for path in self.packages.values())]
        digest = hashlib.sha256("\n".join(inputs).encode()).hexdigest()[:12]
        target = self.cache / "images" / f"{kind}-{kernel.release}-{digest}.cpio.lz4"
        if not target.exists():
            progress(f"building the {kind} image for {kernel.release}")
            for stale in target.parent.glob(f"{kind}-{kernel.release}-*.cpio.lz4"):
                stale.unlink()
            replace_file(target, compress(self._build(kind, kernel).pack()))
        return target

    def _build(self, kind: str, kernel: Kernel) -> Archive:
        archive, tree = Archive(), Tree(self.packages)
        _skeleton(archive)
        _programs(archive, tree, COMMON_PROGRAMS + (DOM0_PROGRAMS if kind == "dom0" else []))
        archive.link("usr/sbin/ip", "../bin/ip")
        if kind == "dom0":
            for name in ("xl", "xenstored", "xenconsoled", "lsevtchn", "xen-diag", "xentop", "xenpm"):
                archive.link(f"usr/sbin/{name}", f"/{XEN_BIN}/{name}")
            archive.data("etc/xen/xl.conf", b"")
        _applets(archive, tree.find("busybox-static", "usr/bin/busybox"))
        _modules(archive, self.cache / kernel.image, kernel, DOM0_MODULES if kind == "dom0" else GUEST_MODULES)
        if kind == "fat":
            _python(archive, self.packages)
        return archive


