"""The options of a guest, and the files from which it is made."""

from dataclasses import dataclass
from pathlib import Path

from . import initramfs, kernels, qemu, rootfs
from .drivers import driver
from .errors import LabError


@dataclass(frozen=True)
class Options:
    kernel: str = "6.12"
    gpu: str = "virtio"
    # False: no in-kernel fbdev, as on the systems for which fbemu is made. True: /dev/fb0 is the kernel's.
    kernel_fbdev: bool = False
    kernel_args: str = ""
    packages: tuple[str, ...] = ()
    memory_mebibytes: int = 1024
    # Number of outputs, and whether guest.resize_display() works; only virtio has these. The second of two heads is disconnected until
    # it gets a size.
    heads: int = 1
    resizable: bool = False


@dataclass(frozen=True)
class Parts:
    """The files of a guest, all in the cache."""

    kernel: kernels.Kernel
    initramfs: Path
    disk: Path
    qemu: tuple[str, ...]


def prepare(options: Options) -> Parts:
    """Makes the missing parts. With a full cache it needs no network."""
    card = driver(options.gpu)
    if (options.heads > 1 or options.resizable) and not card.resizable:
        raise LabError(f"{card.name} has one head, and its display cannot be resized from outside")
    kernel = kernels.get(options.kernel)
    return Parts(kernel, initramfs.get(kernel), rootfs.get(options.packages), tuple(qemu.command(card, options.heads)))


def kernel_command_line(options: Options) -> str:
    words = [
        # Without console=tty0 the kernel's messages are not on the screen. The cursor is off, so an idle screen does not change.
        "console=ttyS0,115200", "vt.global_cursor_default=0",
        # A fault in the kernel ends the guest at once, so the run fails.
        "panic=-1", "oops=panic",
        f"fbemu.gpu={','.join(driver(options.gpu).modules)}",
    ]
    if not options.kernel_fbdev:
        words.append("initcall_blacklist=fbmem_init")
    return " ".join([*words, options.kernel_args]).strip()
