#!/usr/bin/env python3
"""Writes docs/drivers.md: the behaviour of fbemu on each driver and kernel of the lab.

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

The behaviour of fbemu on real display drivers, observed in guests with Debian's kernels (`tests/vm/README.md`). This page is written by
`python3 tests/vm/driver_table.py > docs/drivers.md`; `fbemuctl status` reports the same on any machine.

| driver | kernel | mode | changed pixels are shown by | scan-out | formats of the plane | mapping | with dmabuf | with shadow | vblank | picture | console back |
|---|---|---|---|---|---|---|---|---|---|---|---|
"""

TAIL = """
* *changed pixels are shown by*: `atomic clips` is an atomic commit with FB_DAMAGE_CLIPS. `legacy dirty` is DRM_IOCTL_MODE_DIRTYFB with
  clips. `none` means that the driver scans the buffer out directly (it answers DIRTYFB with ENOSYS). All of the drivers set modes by
  atomic commits.
* *scan-out* is the format of the buffer that fbemu chose; programs get the depth that they request in any case. The *formats of the plane*
  are those that fbemu supports. It uses those in brackets only if `--card auto,format=FOURCC` requests them.
* *mapping*: `MAP_DUMB` is the default. *with dmabuf* is the result of `--mapping dmabuf`: a dma-buf with DMA_BUF_IOCTL_SYNC around each
  access. It is MAP_DUMB if the driver does not export its buffers, or must not be written to in this way (vmwgfx). *with shadow* is the
  result of `--mapping shadow`: plain memory, from which the damage is copied to a temporary mapping. None of these drivers needs it.
* *vblank*: the driver's events, or a timer at the mode's rate if the driver has none.
* *picture*: whether a screendump of the guest equals the program's picture, pixel for pixel, with all three kinds of mapping.
* *console back*: whether the kernel's console was on the screen again, unchanged, after the last program had closed the framebuffer.

## What a screen shows

Two screens of guests, and the commands that made them. vmwgfx shows only flushed pixels:

    scripts/vm run --gpu vmwgfx --screenshot docs/vmwgfx.png -- 'exec 3<> $FRAMEBUFFER
        ffmpeg -v error -f lavfi -i testsrc=size=1280x800 -frames:v 1 -pix_fmt bgra -f fbdev $FRAMEBUFFER; echo SCREENSHOT; read x'

![A test picture of ffmpeg on vmwgfx](vmwgfx.png)

    scripts/vm run --gpu qxl --kernel 7.2 --screenshot docs/qxl.png -- 'exec 3<> $FRAMEBUFFER
        ffmpeg -v error -f lavfi -i smptehdbars=size=1024x768 -frames:v 1 -pix_fmt bgra -f fbdev $FRAMEBUFFER; echo SCREENSHOT; read x'

![Colour bars of ffmpeg on qxl](qxl.png)

The shell keeps the framebuffer open (`exec 3<>`), because the console returns when the last writer closes it.

## How the screen is shared with the kernel's console

fbemud sets no mode until a program opens the framebuffer for writing. Before that, and after the last writer has closed it, the card's
node is not open. The kernel restores its console when any program closes the last descriptor of a card. A daemon with nothing to show
must not prevent that. Before fbemud closes the card, it restores the previous state of the CRTC, so that the screen is not dark in
between. A program that only reads (`fbset -i`) does not change the screen. `fbemuctl screenshot` reports that the framebuffer is not on
the screen then.

**Virtual terminals.** A framebuffer is shown while the terminal of a program that has it open for writing is the active VT. The terminal
of a program is one of these:

* the controlling terminal of its process;
* without one (ssh, a service), the VT that was active at the time of `open()`;
* a VT whose device the process has opened itself (X, SDL, `fbi -T`), among its first 1024 descriptors.

A switch to another VT gives it the screen, and a switch back shows the whole picture again. Meanwhile the program continues: it draws
invisibly, FBIO_WAITFORVSYNC returns at the rate of the mode, and nothing is uploaded.

**After the last program has closed it** (`--on-close`):

| | `console`, the default | `keep` |
|---|---|---|
| a program that maps the framebuffer, such as `fbi`, games, X | the console returns after a third of a second, so that a program that reopens it at once does not cause flicker | the picture stays |
| `cat picture > /dev/fb0`, `dd`: only write(2) | the picture stays until something is written on the terminal, including the echo of a key; output within a second (the shell's prompt) is ignored | the picture stays |
| a switch to another VT | that VT has the screen, and the picture does not return | that VT has the screen; the picture returns with its own VT |

If the kernel has no framebuffer console, the last picture stays as with `keep`. Another VT is dark then, unless a program draws there.
KD_GRAPHICS on a program's terminal changes none of this. It keeps the kernel from drawing its console, which is not scanned out at that
time in any case. When such a program exits, it switches to its previous VT, which gets the screen at once.

When fbemud is killed, the kernel closes the card and restores the console by itself. On bochs before 7.x the console is black until new
text arrives. The reason is that each mode set clears the start of the card's memory, which contains the console's picture.

**Other DRM programs.** DRM master is held for the duration of one call, and flips are committed without waiting for them. So it is held
for microseconds, even on drivers whose commits take a frame, and a compositor can start at any time. While the compositor has the screen,
programs continue to draw invisibly and without delay, also through mode changes. fbemud checks in each frame whether the screen is free,
and shows the whole picture in that frame. The log reports this once.

**Several monitors** show the same picture:

* Programs choose from the modes of the first output that was connected when fbemud started.
* The other outputs use their mode of the same size. Without one they show the picture in their best mode as `--scale` says. They are added
  and removed as cables are plugged and unplugged.
* If the cable of the first output is unplugged, the others continue to show the picture.
* A card may have fewer CRTCs than connectors. The first output has priority; an output without a CRTC is reported in the log and not used.
* `--connector` selects one output. With an instance of fbemud for each output, each one is a framebuffer of its own, `/dev/fb0` and
  `/dev/fb1`.

**Another monitor** with other modes shows the picture in the mode that the program requested, if it has that mode. Otherwise it uses its
preferred mode, as `--scale` says. Programs keep their geometry. Frequent hotplug events are combined, at intervals of 50 ms to 2 s. After
a suspend, mode, picture and power level are set again.

## When something goes wrong

`tests/vm/test_faults.py` and `tests/vm/test_monitors.py` test these cases in guests.

| case | reaction of fbemud |
|---|---|
| no card, no such card, no permission, no connected display, an invalid mode | exits at once with one message that names the card, the connector and the error; the console stays |
| a mode that the driver refuses | FBIOPUT_VSCREENINFO fails with the driver's errno; picture and mode stay |
| another program has the display when a program requests a mode | the program continues in that mode; the mode is set when the display is free |
| the display is unplugged | reports it; drawing continues, and the mode is set again when a display is plugged in |
| the card is unplugged while a program draws | reports it once; drawing continues in memory; mode changes fail with ENODEV |
| the card returns with the same driver | the picture is on it within half a second |
| another program keeps the display, even for an hour | programs continue to draw and receive vblanks; the log reports it once; the picture is back in the frame after that program has released the display |
| very frequent hotplug events | the first is handled at once; the following ones are combined, at intervals that double up to 2 s |
| a monitor with an invalid EDID | ignores modes without a side, or with a rate outside 1 to 1000 Hz; if no mode is left, fbemud reports it at its start, and keeps the last mode while a program runs |

Unplugged and returning cards are tested by unbinding virtio (on three kernels), bochs and cirrus from their drivers. fbemud closes the
node of an unplugged card. Otherwise the kernel gives the card another number when it returns, because the old node is still open.

The driver must support unbinding, and two do not, with or without fbemu. qxl of 6.12 does not disable its interrupt when it is unbound,
and the kernel crashes in the interrupt handler. vmwgfx of 6.12 and 7.2 crashes while it is unbound; vmwgfx of 6.1 does if a client has a
picture on it.

If a client is DRM master when the kernel's console attaches to the returned card, the screen stays dark after that client exits. So fbemud
waits for the console, for at most one second.
"""


def seen_on(guest: Guest, arguments: list[str]) -> tuple[dict[str, Any], bool, bool]:
    """Returns the status while a picture is shown, if the picture was right, and if the console came back."""
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
