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

| driver | kernel | mode | changed pixels are shown by | scan-out | formats of the plane | mapping | with dmabuf | with shadow | vblank | picture | console back |
|---|---|---|---|---|---|---|---|---|---|---|---|
"""

TAIL = """
* *changed pixels are shown by*: `atomic clips` is an atomic commit with FB_DAMAGE_CLIPS; `legacy dirty` is DRM_IOCTL_MODE_DIRTYFB with
  clips; `none` means that the driver scans the buffer out directly (it answers DIRTYFB with ENOSYS). Modes are set by atomic commits on
  all of them.
* *scan-out* is the format of the buffer that fbemu took; programs have the depth that they ask for whatever it is. Of the formats of the plane,
  those in brackets are known to fbemu and not used unless `--card auto,format=FOURCC` asks for them.
* *mapping*: `MAP_DUMB` is the rule. *with dmabuf* says what `--mapping dmabuf` came to: a dma-buf with DMA_BUF_IOCTL_SYNC around each
  access, or MAP_DUMB where the driver does not export its buffers or must not be written to that way (vmwgfx). *with shadow* is the
  same of `--mapping shadow`: plain memory from which the damage is copied to a mapping that is made for it. No driver of these
  needs it.
* *vblank*: the driver's events, or a timer at the mode's rate where it has none.
* *picture*: whether a screendump of the guest was what a program drew, pixel for pixel, on all three ways.
* *console back*: whether the kernel's console was on the screen, as it was before, when the last program had closed the framebuffer.

## What a screen shows

Two screens of guests, as their users see them, and the commands that made them. vmwgfx shows only what was flushed:

    scripts/vm run --gpu vmwgfx --screenshot docs/vmwgfx.png -- 'exec 3<> $FRAMEBUFFER
        ffmpeg -v error -f lavfi -i testsrc=size=1280x800 -frames:v 1 -pix_fmt bgra -f fbdev $FRAMEBUFFER; echo SCREENSHOT; read x'

![A test picture of ffmpeg on vmwgfx](vmwgfx.png)

    scripts/vm run --gpu qxl --kernel 7.2 --screenshot docs/qxl.png -- 'exec 3<> $FRAMEBUFFER
        ffmpeg -v error -f lavfi -i smptehdbars=size=1024x768 -frames:v 1 -pix_fmt bgra -f fbdev $FRAMEBUFFER; echo SCREENSHOT; read x'

![Colour bars of ffmpeg on qxl](qxl.png)

The shell keeps the framebuffer open (`exec 3<>`): when the last writer has closed it, the console is back.

## How the screen is shared with the kernel's console

fbemud sets no mode until a program opens the framebuffer for writing. Until then, and after the last writer has closed it, the card's
node is not even open: the kernel brings its console back when the last descriptor of a card is closed, for whichever program that was,
and a daemon with nothing to show must not stand in the way. Before it closes the card, fbemud sets the CRTC as it found it, so that the
screen is not dark in between. A program that only reads (`fbset -i`) leaves the screen alone, and `fbemuctl screenshot` says that there
is nothing of the framebuffer on it.

**Terminals.** A framebuffer is shown while the terminal of a program that has it open for writing is in front: the controlling terminal
of its process; without one (ssh, a service) the terminal that was in front at the time of `open()`; or one whose device the process has
opened itself (X, SDL, `fbi -T`). Changing to another terminal gives the screen to whatever lives there, and changing back brings the
picture back whole. Meanwhile the program goes on: it draws unseen, FBIO_WAITFORVSYNC returns at the rate of the mode, and nothing is
uploaded.

**When the last program has closed it** (`--on-close`):

| | `console`, the default | `keep` |
|---|---|---|
| a program that maps the framebuffer, as `fbi`, games, X | the console is back after a third of a second, so that a program that opens it again at once does not make the screen flicker | the picture stays |
| `cat picture > /dev/fb0`, `dd`: write(2) alone | the picture stays until something is written on the terminal, which a typed key's echo is too; what comes within a second (the shell's prompt) does not count | the picture stays |
| another terminal is changed to | that terminal has the screen; the picture is over | that terminal has the screen; the picture is back with its own |

Where the kernel has no framebuffer console, the last picture stays as with `keep`; another terminal is dark unless a program lives there.
A program that switches its terminal to KD_GRAPHICS changes nothing of this: it keeps the kernel from drawing its console, which is not
what is scanned out then anyway. When it ends, it changes back to its old terminal, and with that the screen goes there at once.

When fbemud is killed, the kernel closes the card and brings the console back by itself. On bochs before 7.x it is black then until new
text comes: each mode set lets the card clear the start of its memory, where the console's picture lies.

**Other DRM programs.** DRM master is held for the length of one call, and flips are committed without waiting for them, so that it is held for
microseconds also on drivers whose commits take a frame. A compositor can start at any time. While it has the screen, programs draw on,
unseen and not held up, also through changes of the mode; each frame fbemud asks whether the screen is free again, and the picture is back
whole in that frame. The log says so once.

**Several monitors** show the same picture. Programs choose from the modes of the first output that was connected when fbemud started. The others
take their mode of the same size, or show the picture in their best one as `--scale` says, and come and go as cables are plugged.
Where the first one's cable is pulled, they show the picture alone. A card may have fewer CRTCs than connectors: the first output comes first, and one
for which nothing is left is told in the log and left out. `--connector` takes one output alone, and an instance of fbemud for each makes
each a framebuffer of its own, `/dev/fb0` and `/dev/fb1`.

**Another monitor** with other modes that is plugged in shows the picture as `--scale` says, in the mode that it prefers, or in the one that
the program asked for where it has that; programs keep their geometry. Events that come in a storm are taken together, at least
50 ms apart and up to 2 s. After a sleep of the machine mode, picture and power level are set again.

## When something goes wrong

`tests/vm/test_faults.py` tries these in guests.

| what | what fbemud does |
|---|---|
| no card, no such card, no permission, no display connected, a mode that is none | ends at once with one message that names the card, the connector and the error; the console stays |
| a mode that the driver refuses | FBIOPUT_VSCREENINFO fails with the driver's errno; picture and mode stay |
| another program has the display when a mode is asked for | the program goes on with it; it is set when the display is free |
| the display is unplugged | says so; drawing goes on, and the mode is set again when one is plugged in |
| the card vanishes while a program draws | says so once; drawing goes on in memory; changes of the mode fail with ENODEV |
| the card is back, driven by the same driver | the picture is on it within half a second |
| another program keeps the display, for an hour if it likes | programs draw on and get their vblanks; the log says so once; the picture is whole in the frame after it has gone |
| a storm of hotplug events | the first is looked at at once, those that follow together, at distances that double up to 2 s |
| a monitor that describes itself as nonsense | modes without a side, or with a rate outside 1 to 1000 Hz, are left out; where the driver has no mode at all, fbemud says so at its start, and goes on in the last one while a program runs |

Cards that vanish and come back are tested by taking virtio (on three kernels), bochs and cirrus from their drivers. fbemud closes the
node of a card that is gone: as long as anybody has it open, the kernel gives the card another number when it comes back. The driver has
to allow for it, and two do not, with fbemu or without. qxl of 6.12 does not switch its interrupt off when it is unbound, and the kernel
crashes in its handler. vmwgfx of 6.12 and 7.2 crashes while it is unbound, that of 6.1 where a client has a picture on it. A client that
is DRM master just when the kernel's console comes back to the card leaves the screen dark after it; so fbemud waits for that console,
a second at most.
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
        others = [seen_on(guest, ["--mapping", choice]) for choice in ("dmabuf", "shadow")]
    all_right = right and all(other[1] for other in others)
    card, mode = status["card_details"], status["mode"]
    used = status["scanout_format"]
    formats = " ".join(name if name == used else f"({name})" for name in card["formats"])
    cells = [gpu, kernel, f"{mode['width']}x{mode['height']}", card["flush"], used, formats, card["mapping"],
             *(other["card_details"]["mapping"] for other, _, _ in others), card["vblank"], "yes" if all_right else "NO",
             "yes" if back else "no"]
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
