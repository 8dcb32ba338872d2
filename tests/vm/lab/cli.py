"""scripts/vm: runs a program or a shell in a guest with a real display driver."""

import argparse
import signal
import sys
from pathlib import Path
from typing import Any

from . import initramfs, kernels, qemu, rootfs, session
from .drivers import DRIVERS
from .errors import LabError, Skipped
from .report import say, step
from .session import packages

DESCRIPTION = """\
Runs programs on real display drivers: Debian kernels in QEMU, with fbemu serving the framebuffer.

  scripts/vm run --gpu vmwgfx --screenshot out.png -- fbset -i
  scripts/vm run --gpu qxl --copy ./my-program -- ./my-program
  scripts/vm shell --kernel 6.1 --install fbterm
  scripts/vm prepare
"""

EPILOG = """\
Without --kernel-fbdev the kernel has no framebuffer device, and fbemu is /dev/fb0. With it /dev/fb0 is the kernel's, and fbemu
serves the next number. With --no-fbemu as well, there is only the kernel's. The variable FRAMEBUFFER has the device to use.

run: COMMAND runs as root in /root, which has the copied files. A single word is run by the shell, so 'a | b' works. The
screenshot is made when COMMAND prints a line SCREENSHOT, otherwise when it ends. With --screenshot, COMMAND can read an empty
line after the screenshot ("echo SCREENSHOT; read x" waits for it). Without --screenshot, it has no input.

Exit status: the one of COMMAND (128 + N for signal N). 77 if something is missing on the machine (network, QEMU) and nothing was
run, 124 if COMMAND took too long, 125 if the lab or the guest failed. ${XDG_CACHE_HOME:-~/.cache}/fbemu keeps downloads and builds.
"""


def main(arguments: list[str]) -> int:
    # A killed run must end its QEMU, so the signal becomes an exception, which runs all cleanup.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(128 + signal.SIGHUP))
    options = _parser().parse_args(arguments)
    try:
        status: int = options.action(options)
        return status
    except Skipped as error:
        say(f"skipped: {error}")
        return error.exit_status
    except LabError as error:
        say(str(error))
        return error.exit_status
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/vm", description=DESCRIPTION, epilog=EPILOG,
                                     formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    actions = parser.add_subparsers(metavar="run | shell | prepare", required=True)
    shape: dict[str, Any] = {"epilog": EPILOG, "formatter_class": argparse.RawDescriptionHelpFormatter, "allow_abbrev": False}
    run = actions.add_parser("run", help="run a command in a guest", usage="scripts/vm run [OPTION]... -- COMMAND [ARGUMENT]...", **shape)
    _guest_options(run)
    run.add_argument("--timeout", type=float, default=600, metavar="SECONDS", help="maximum time of COMMAND (600; 0: none)")
    run.add_argument("command", nargs="+", metavar="COMMAND")
    run.set_defaults(action=session.run)
    shell = actions.add_parser("shell", help="a root shell in a guest", usage="scripts/vm shell [OPTION]...", **shape)
    _guest_options(shell)
    shell.set_defaults(action=session.shell)
    prepare = actions.add_parser("prepare", help="download and build all that guests need", allow_abbrev=False)
    prepare.add_argument("--update", action="store_true", help="also fetch newer kernels and packages")
    prepare.add_argument("--install", action="append", default=[], metavar="PKG,...", help="also make the image with these packages")
    prepare.set_defaults(action=_prepare)
    return parser


def _guest_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--kernel", choices=list(kernels.SUITES), default="6.12", help="Debian's newest kernel of this series (6.12)")
    add("--gpu", choices=list(DRIVERS), default="virtio", help="the display driver (virtio)")
    add("--kernel-args", default="", metavar="S", help="more words for the kernel's command line")
    add("--install", action="append", default=[], metavar="PKG,...", help="more Debian packages in the guest")
    add("--copy", action="append", default=[], type=Path, metavar="FILE", help="put a file or folder into /root")
    add("--fetch", action="append", default=[], metavar="FILE=HERE", help="copy a file out of the guest when COMMAND has ended")
    add("--screenshot", type=Path, metavar="F.png", help="write a screenshot")
    add("--kernel-fbdev", action="store_true", help="keep the kernel's own /dev/fb0")
    add("--no-fbemu", action="store_true", help="do not start fbemud")
    add("--fbemud-args", default="", metavar="S", help="more options for fbemud")
    add("--build", type=Path, metavar="DIR", help="build folder of fbemud (build/release, build)")
    add("--log", type=Path, metavar="FILE", help="write the guest's kernel messages")


def _prepare(options: argparse.Namespace) -> int:
    with step("preparing the lab"):
        rootfs.get(update=options.update)
        if options.install:
            rootfs.get(packages(options.install), update=options.update)
        initramfs.busybox(update=options.update)
        for name in kernels.SUITES:
            kernel = kernels.get(name, update=options.update)
            initramfs.get(kernel)
            say(f"{name}: {kernel.release}")
        qemu.patched(update=options.update)
        for card in DRIVERS.values():
            qemu.command(card)
    return 0
