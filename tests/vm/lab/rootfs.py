"""The Debian user land of the guests: a disk image to which nothing writes. QEMU stores the changes of a guest elsewhere."""

import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from . import cache, tools
from .command import logged, output
from .errors import LabError, Skipped
from .report import tail
from .sources import find_mirror

SUITE = "bookworm"
PACKAGES = (
    # fbemud's libraries
    "libdrm2", "libfmt9", "libfuse3-3", "libpixman-1-0", "libpng16-16", "libspdlog1.10", "libsystemd0", "libudev1", "libc6-i386",
    # programs that draw on a framebuffer, and their data
    "fbcat", "fbi", "fbset", "ffmpeg", "fonts-dejavu-core",
    # a compositor (compositor.py)
    "weston",
    # the console, and tools
    "bash", "fuse3", "kbd", "kmod", "less", "procps", "psmisc", "python3", "strace", "udev", "util-linux", "xz-utils",
)
_FREE_MEBIBYTES = 768
_RECIPE = 1


def get(extra: Iterable[str] = (), *, update: bool = False) -> Path:
    """Returns the disk image. Another set of packages makes another image."""
    more = sorted(set(extra) - set(PACKAGES))
    for package in more:
        if not re.fullmatch(r"[a-z0-9][a-z0-9.+-]+", package):
            raise LabError(f"--install: {package!r} is not the name of a Debian package")
    recipe = {"recipe": _RECIPE, "suite": SUITE, "packages": [*PACKAGES, *more]}
    what = "making the Debian image of the guests" + (f" with {', '.join(more)}" if more else "") + " (some minutes)"
    folder = cache.entry("debian", recipe, lambda work: _build(work, [*PACKAGES, *more], bool(more)), what=what, rebuild=update)
    return folder / "disk.img"


def libraries(image: Path) -> set[str]:
    """Returns the file names of the shared libraries in an image."""
    return set((image.parent / "libraries").read_text().split())


def _build(work: Path, packages: list[str], has_extra: bool) -> None:
    # Without root, the image is made in a user namespace.
    more = [] if os.geteuid() == 0 else ["unshare", "newuidmap"]
    tools.need(["mmdebstrap", "mke2fs", *more], purpose="making the Debian image of the guests")
    log = cache.log_path("debian")
    log.unlink(missing_ok=True)
    archive = work / "tree.tar"
    command = [tools.path_of("mmdebstrap"), "--variant=minbase", "--architectures=amd64", f"--include={','.join(packages)}",
               "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/locale/*",
               "--dpkgopt=path-exclude=/usr/share/doc/*",
               '--customize-hook=echo fbemu-guest > "$1/etc/hostname"',
               # The guests have no network, and do not need the address of the host's mirror.
               '--customize-hook=rm -f "$1/etc/resolv.conf" "$1/etc/apt/sources.list"',
               SUITE, str(archive), find_mirror().line(SUITE)]
    try:
        logged(command, log, what="mmdebstrap", timeout=3600)
    except LabError as error:
        unknown = re.findall(r"Unable to locate package (\S+)", tail(log, 200))
        if has_extra and unknown:
            raise LabError(f"--install: {SUITE} has no package {', '.join(unknown)}") from None
        raise Skipped(f"cannot make the Debian image: {error}") from None
    _make_disk(archive, work, log)
    archive.unlink()


def _make_disk(archive: Path, work: Path, log: Path) -> None:
    """Unpacks the archive and makes a disk of it. Without root this needs a user namespace, in which files may have any owner."""
    tree = work / "tree"
    tree.mkdir()
    inside = [] if os.geteuid() == 0 else [tools.path_of("unshare"), "--map-root-user", "--map-auto"]
    logged([*inside, "tar", "-C", tree, "--exclude=./dev/*", "--numeric-owner", "-xpf", archive], log)
    names = output([*inside, "find", tree, "-name", "*.so*", "-printf", "%f\\n"])
    (work / "libraries").write_text("\n".join(sorted(set(names.split()))) + "\n")
    used = int(output([*inside, "du", "-sm", "--apparent-size", tree]).split()[0])
    size = int(used * 1.15) + _FREE_MEBIBYTES
    logged([*inside, tools.path_of("mke2fs"), "-q", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-L", "fbemu-guest", "-d", tree,
            work / "disk.img", f"{size}M"], log)
    if inside:
        logged([*inside, "rm", "-rf", tree], log)
    else:
        shutil.rmtree(tree)
