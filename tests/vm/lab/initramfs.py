"""The first user space of a guest: busybox, the kernel's modules and the lab's own programs (tests/vm/guest/).

It is made again when a kernel or one of these programs changes, which takes a second. The Debian image takes minutes, so it
does not depend on them.
"""

import shutil
from pathlib import Path

from . import cache
from .archive import Archive
from .command import logged
from .cpio import Writer
from .errors import LabError
from .kernels import Kernel

GUEST_PROGRAMS = Path(__file__).resolve().parent.parent / "guest"
_RECIPE = 1


def busybox(*, update: bool = False) -> Path:
    def build(work: Path) -> None:
        downloads = work / "deb"
        downloads.mkdir()
        for package in Archive("bookworm").download(["busybox-static"], downloads):
            logged(["dpkg-deb", "-x", package, work / "tree"], cache.log_path("busybox"))
        found = [path for path in (work / "tree").rglob("busybox") if path.is_file() and path.parent.name == "bin"]
        if len(found) != 1:
            raise LabError("the package busybox-static holds no busybox")
        found[0].rename(work / "busybox")
        shutil.rmtree(downloads)
        shutil.rmtree(work / "tree")

    return cache.entry("busybox", _RECIPE, build, what="fetching busybox", rebuild=update) / "busybox"


def get(kernel: Kernel) -> Path:
    programs = sorted(path for path in GUEST_PROGRAMS.iterdir() if path.is_file())
    shell = busybox()
    recipe = {
        "recipe": _RECIPE,
        "kernel": kernel.folder.name,
        "release": kernel.release,
        "built": kernel.image.stat().st_mtime_ns,
        "busybox": cache.file_digest(shell),
        "programs": {path.name: cache.file_digest(path) for path in programs},
    }

    def build(work: Path) -> None:
        # Not compressed, because an emulated processor needs more time to unpack the file than to load it.
        with (work / "initramfs").open("wb") as out:
            _write(Writer(out), kernel, shell, programs)

    name = f"initramfs-{kernel.name}"
    return cache.entry(name, recipe, build, what=f"making the initramfs of {kernel.release}") / "initramfs"


def _write(cpio: Writer, kernel: Kernel, shell: Path, programs: list[Path]) -> None:
    for folder in ("bin", "dev", "lab", "lib", "lib/modules", "proc", "root", "sbin", "sys"):
        cpio.folder(folder)
    # The kernel opens the console before anything has mounted /dev.
    cpio.device("dev/console", 0o600, 5, 1)
    cpio.file("bin/busybox", shell.read_bytes(), 0o755)
    # The kernel itself calls /sbin/modprobe, for instance when ext4 asks for a checksum.
    cpio.link("sbin/modprobe", "../bin/busybox")
    cpio.tree(kernel.modules, f"lib/modules/{kernel.release}")
    for program in programs:
        cpio.file(f"lab/{program.name}", program.read_bytes(), 0o755)
    cpio.link("init", "lab/init")
    cpio.close()
