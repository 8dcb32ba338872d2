"""The kernel's console on the screen, after a driver may have lost its picture or its palette."""

import time

from .guest import Guest
from .options import Options
from .picture import Picture

# A mode set of bochs in Debian's 6.1 and 6.12 makes the card clear the start of its memory, which holds the console's picture.
_FORGET = {("6.1", "bochs"), ("6.12", "bochs")}
BLACK, GREY = (0, 0, 0), (170, 170, 170)


def forgets(options: Options) -> bool:
    """Returns true if a mode set may clear the console's picture, until something is written on the console."""
    return (options.kernel, options.gpu) in _FORGET


def shows_text(picture: Picture) -> bool:
    """Returns true if the screen shows text and nothing else."""
    return colours(picture) == {BLACK, GREY}


def rewrite(guest: Guest, text: str, terminal: int = 1) -> Picture:
    """Clears a VT and writes `text` on it, repeatedly until the screen shows text. The mode set that restores the console may come
    after the first attempt. Returns the last picture, also if it shows no text.
    """
    def written(now: Picture) -> bool:
        if shows_text(now):
            return True
        guest.run(f"printf '\\033[H\\033[2J{text}' > /dev/tty{terminal}")
        return False

    return guest.wait_screen(written)


def wait_after_bind(guest: Guest, expected: Picture, timeout: float) -> Picture:
    """Waits until the screen shows this console after the driver was unbound and bound. Returns the last picture.

    Linux 6.1 with initcall_blacklist=fbmem_init does not detach fbcon from an unbound card (/sys/class/vtconsole). So fbemud cannot see when
    fbcon attaches to the new one, and may be DRM master then. drm_fb_helper_setcmap() fails with EBUSY in this case, and text stays black
    until the next VT switch. This function switches VTs there, as a user would.
    """
    switch_seconds = timeout / 4 if guest.options.kernel == "6.1" else timeout
    end = time.monotonic() + timeout
    while True:
        seen = guest.wait_screen(lambda now: now == expected, switch_seconds)
        if seen == expected or time.monotonic() > end:
            return seen
        guest.run("chvt 2; chvt 1")


def colours(picture: Picture) -> set[tuple[int, ...]]:
    return set(zip(*(picture.rgb[channel::3] for channel in range(3))))
