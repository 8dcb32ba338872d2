#!/usr/bin/env python3
"""Writes docs/drivers.md: what fbemu does on each driver and kernel of the lab, as seen there.

    python3 tests/vm/driver_table.py > docs/drivers.md
"""

import sys
from pathlib import Path
from typing import Any

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from lab import fbemu, framebuffer, kernels  # noqa: E402
from lab.boot import boot  # noqa: E402
from lab.drivers import DRIVERS  # noqa: E402
from lab.errors import LabError  # noqa: E402
from lab.framebuffer import OpenFramebuffer  # noqa: E402
from lab.guest import Guest  # noqa: E402
from lab.options import Options  # noqa: E402
from lab.report import say  # noqa: E402

HEAD = """\
# Display drivers

What fbemu does on real display drivers, as seen in guests with Debian's kernels (`tests/vm/README.md`). This page is written by
`python3 tests/vm/driver_table.py > docs/drivers.md`; `fbemuctl status` says the same of any machine.

| driver | kernel | mode | changed pixels are shown by | scan-out | formats of the plane | mapping | dma-buf mapping | vblank | picture | console back |
|---|---|---|---|---|---|---|---|---|---|---|
"""

TAIL = """
* *changed pixels are shown by*: `atomic clips` is an atomic commit with FB_DAMAGE_CLIPS; `legacy dirty` is DRM_IOCTL_MODE_DIRTYFB with
  clips; `none` means that the driver scans the buffer out directly (it answers DIRTYFB with ENOSYS). Modes are set by atomic commits on
  all of them.
* *scan-out* is the format of the buffer that fbemu took; programs have 32 bits a pixel whatever it is. Of the formats of the plane,
  those in brackets are known to fbemu and not used unless `--card auto,format=FOURCC` asks for them.
* *mapping*: `MAP_DUMB` is the rule. *dma-buf mapping* says what `--card auto,mapping=dma-buf` came to: a dma-buf with
  DMA_BUF_IOCTL_SYNC around each access, or MAP_DUMB where the driver does not export its buffers or must not be written to that way
  (vmwgfx).
* *vblank*: the driver's events, or a timer at the mode's rate where it has none.
* *picture*: whether a screendump of the guest was what a program drew, pixel for pixel, both through MAP_DUMB and with the other mapping.
* *console back*: whether the kernel's console was on the screen, as it was before, when the last program had closed the framebuffer.

## How the screen is shared with the kernel's console

fbemud sets no mode until a program opens the framebuffer for writing. Until then, and from a third of a second after the last writer has
closed it, the card's node is not even open: the kernel brings its console back when the last descriptor of a card is closed, for whichever
program that was, and a daemon with nothing to show must not stand in the way. Before it closes the card, fbemud sets the CRTC as it found
it, so that the screen is not dark in between. Where the kernel has no framebuffer console, the last picture stays. A program that only
reads (`fbset -i`) leaves the screen alone, and `fbemuctl screenshot` says that there is nothing of the framebuffer on it.

When fbemud is killed, the kernel closes the card and brings the console back by itself. On bochs before 7.x it is black then until new
text comes: each mode set lets the card clear the start of its memory, where the console's picture lies.

DRM master is held for the length of one call, so that a compositor can start at any time. While it runs, programs draw on, unseen; half a
second after it has gone the picture is back.
"""


def seen_on(guest: Guest, arguments: list[str]) -> tuple[dict[str, Any], bool, bool]:
    """The status while a picture is shown, whether it was right, and whether the console came back."""
    before = guest.settled_screen()
    daemon = fbemu.start(guest, fbemu.find_build(None), ["--no-cuse", *arguments])
    try:
        with OpenFramebuffer(guest, daemon) as screen:
            picture = screen.draw_pattern()
            right = guest.wait_screen(lambda now: now == picture) == picture
            screen.tell("sync")
            status = framebuffer.status(guest)
        back = guest.wait_screen(lambda now: now == before, timeout=3) == before
    finally:
        daemon.stop()
    return status, right, back


def row(kernel: str, gpu: str) -> str:
    with boot(Options(kernel=kernel, gpu=gpu)) as guest:
        framebuffer.install(guest)
        status, right, back = seen_on(guest, [])
        other, right_too, _ = seen_on(guest, ["--card", "auto,mapping=dma-buf"])
    card, mode = status["card_details"], status["mode"]
    used = status["scanout_format"]
    formats = " ".join(name if name == used else f"({name})" for name in card["formats"])
    cells = [gpu, kernel, f"{mode['width']}x{mode['height']}", card["flush"], used, formats, card["mapping"],
             other["card_details"]["mapping"], card["vblank"], "yes" if right and right_too else "NO", "yes" if back else "no"]
    return "| " + " | ".join(cells) + " |"


def main() -> int:
    rows = []
    for gpu in DRIVERS:
        for kernel in kernels.SUITES:
            say(f"{gpu} on {kernel}")
            try:
                rows.append(row(kernel, gpu))
            except LabError as error:
                say(str(error))
                return error.exit_status
    sys.stdout.write(HEAD + "\n".join(rows) + "\n" + TAIL)
    return 0


if __name__ == "__main__":
    sys.exit(main())
