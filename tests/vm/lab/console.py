"""The kernel's console on the screen, where its driver may have lost the picture of it."""

from .guest import Guest
from .options import Options
from .picture import Picture

# A mode set of bochs in Debian's 6.1 and 6.12 lets the card clear the start of its memory, where the console's picture is.
_FORGET = {("6.1", "bochs"), ("6.12", "bochs")}
BLACK, GREY = (0, 0, 0), (170, 170, 170)


def forgets(options: Options) -> bool:
    """Whether the console's picture may be lost with a mode set, until something is written on it."""
    return (options.kernel, options.gpu) in _FORGET


def shows_text(picture: Picture) -> bool:
    """Whether there is text on the screen, and nothing else."""
    return colours(picture) == {BLACK, GREY}


def rewrite(guest: Guest, text: str, terminal: int = 1) -> Picture:
    """Clears a terminal and writes this on it, again and again until the screen shows text: the mode set that brings the console back
    may come after the first time. Returns the last picture, also when it never did.
    """
    def written(now: Picture) -> bool:
        if shows_text(now):
            return True
        guest.run(f"printf '\\033[H\\033[2J{text}' > /dev/tty{terminal}")
        return False

    return guest.wait_screen(written)


def colours(picture: Picture) -> set[tuple[int, ...]]:
    return set(zip(*(picture.rgb[channel::3] for channel in range(3))))
