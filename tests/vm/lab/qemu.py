"""QEMU: Debian's package, and for the VMware card a build of Debian's source with a patch.

The other cards use the unchanged QEMU, because their tests then need no build of ten minutes and show what all users see.
Only the VMware card of stock QEMU does not work with Linux's driver (qemu-vmware-svga.patch has the reason).
"""

import shutil
from pathlib import Path

from . import cache, tools
from .archive import Archive
from .command import logged
from .drivers import Driver

# The id of the card in commands to QEMU.
CARD_ID = "card"
PATCH = Path(__file__).resolve().parent.parent / "qemu-vmware-svga.patch"
SUITE = "bookworm"
CONFIGURE = ("--target-list=x86_64-softmmu", "--without-default-features", "--enable-tcg", "--enable-system", "--enable-fdt=system",
             "--disable-tools", "--disable-docs", "--disable-werror")
_PROGRAMS = ("dpkg-source", "gcc", "meson", "ninja", "patch", "pkg-config")
_PACKAGES = ("libc6-dev", "libfdt-dev", "libglib2.0-dev", "libpixman-1-dev", "python3-venv", "zlib1g-dev")
_RECIPE = 1


def command(driver: Driver, heads: int = 1) -> list[str]:
    """Returns the program and the options of its card."""
    # The firmware of the patched QEMU comes from the same packages.
    tools.need(["qemu-system-x86_64"], ["qemu-system-data", "seabios", "ipxe-qemu"] if tools.find("dpkg-query") else [], purpose="running guests")
    if driver.resizable:
        # -vga takes no properties, and the second head can be named only on a card with an id.
        return [tools.path_of("qemu-system-x86_64"), "-device", f"{driver.vga}-vga,id={CARD_ID},max_outputs={heads}"]
    if driver.vga != "vmware":
        return [tools.path_of("qemu-system-x86_64"), "-vga", driver.vga]
    return [str(patched()), "-L", "/usr/share/qemu", "-L", "/usr/share/seabios", "-vga", driver.vga]


def patched(*, update: bool = False) -> Path:
    recipe = {"recipe": _RECIPE, "suite": SUITE, "patch": cache.file_digest(PATCH), "configure": CONFIGURE}
    folder = cache.entry("qemu", recipe, _build, what="building QEMU for vmwgfx (about ten minutes)", rebuild=update)
    return folder / "qemu-system-x86_64"


def _build(work: Path) -> None:
    tools.need(_PROGRAMS, _PACKAGES, purpose="building QEMU for vmwgfx")
    log = cache.log_path("qemu")
    log.unlink(missing_ok=True)
    source = Archive(SUITE, with_source=True).source("qemu", work)
    logged(["patch", "-p1", "-d", source, "-i", PATCH], log)
    build = work / "build"
    build.mkdir()
    # The build must not slow down the other work of the machine.
    nice = ["nice", "-n", "19"]
    logged([*nice, source / "configure", *CONFIGURE], log, cwd=build, what="configure")
    logged([*nice, "ninja", "qemu-system-x86_64"], log, cwd=build, what="ninja", timeout=7200)
    logged(["strip", "-o", work / "qemu-system-x86_64", build / "qemu-system-x86_64"], log)
    (work / "source").write_text(source.name + "\n")
    shutil.rmtree(source)
    shutil.rmtree(build)
    for rest in work.glob("qemu_*"):
        rest.unlink()
