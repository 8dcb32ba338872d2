"""Programs and libraries of the host that the lab needs, and their Debian packages."""

import os
import shutil
import subprocess
from collections.abc import Sequence

from .cache import log_path
from .command import logged
from .errors import LabError, Skipped
from .report import say, step

PACKAGE_OF = {
    "depmod": "kmod",
    "dpkg-deb": "dpkg",
    "dpkg-source": "dpkg-dev",
    "ffmpeg": "ffmpeg",
    "gcc": "gcc",
    "mke2fs": "e2fsprogs",
    "mmdebstrap": "mmdebstrap",
    "modprobe": "kmod",
    "newuidmap": "uidmap",
    "ninja": "ninja-build",
    "meson": "meson",
    "patch": "patch",
    "pkg-config": "pkg-config",
    "qemu-system-x86_64": "qemu-system-x86",
    "unshare": "util-linux",
    "xz": "xz-utils",
}

# These folders are not in the PATH of an ordinary user of Debian.
_SYSTEM_PATHS = "/usr/sbin:/sbin"


def find(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ.get('PATH', os.defpath)}:{_SYSTEM_PATHS}")


def path_of(program: str) -> str:
    found = find(program)
    if not found:
        raise Skipped(f"{program} is missing; install the package {PACKAGE_OF.get(program, program)}")
    return found


def need(programs: Sequence[str], packages: Sequence[str] = (), *, purpose: str) -> None:
    """Installs missing programs and packages as root. For another user, raises Skipped with their names."""
    wanted = {PACKAGE_OF[program] for program in programs if not find(program)}
    wanted |= {package for package in packages if not _installed(package)}
    if not wanted:
        return
    names = " ".join(sorted(wanted))
    if os.geteuid() != 0:
        raise Skipped(f"{purpose} needs packages that are not installed; as root: apt-get install {names}")
    if not find("apt-get"):
        raise Skipped(f"{purpose} needs the Debian packages {names}, and there is no apt-get here to install them")
    with step(f"installing {names} ({purpose})"):
        _install(sorted(wanted), purpose)


def _install(packages: Sequence[str], purpose: str) -> None:
    log = log_path("apt-install")
    install = ["apt-get", "-o", "DPkg::Lock::Timeout=900", "install", "-y", "--no-install-recommends", *packages]
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        logged(install, log, env=quiet)
    except LabError:
        # The package lists may be missing or out of date.
        try:
            say("  trying again with fresh package lists")
            logged(["apt-get", "update"], log)
            logged(install, log, env=quiet)
        except LabError as error:
            raise Skipped(f"cannot install what {purpose} needs: {error}") from None


def _installed(package: str) -> bool:
    if not find("dpkg-query"):
        return False
    done = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status}", package], capture_output=True, text=True)
    return done.returncode == 0 and done.stdout.startswith("installed")
