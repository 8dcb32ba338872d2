"""The splash of drmclient/examples in a guest, and its expected picture."""

from . import fbemu
from .channel import Job
from .errors import LabError
from .fbemu import Build
from .guest import Guest
from .picture import Picture

BACKGROUND, TO_DO, DONE, INK = b"\x18\x24\x30", b"\x40\x50\x60", b"\xf0\xa0\x30", b"\xd0\xd8\xe0"


def install(guest: Guest, build: Build) -> None:
    program = build.fbemud.parent.parent / "drmclient" / "examples" / "splash" / "splash"
    if not program.is_file():
        raise LabError(f"there is no {program}; build the project first")
    fbemu.put_programs(guest, [program])


def start(guest: Guest, *arguments: str) -> Job:
    """Starts the splash, which reads percentages from its standard input."""
    return guest.spawn(["splash", *arguments], stdin=True)


def picture(width: int, height: int, percent: int, own: Picture | None = None) -> Picture:
    """Returns the expected picture of the screen. `own` is the picture on the command line, which is no larger than the screen."""
    rgb = bytearray(BACKGROUND * (width * height))
    shown = own or plain()
    _copy(rgb, width, shown, (width - shown.width) // 2, (height * 3 // 4 - shown.height) // 2)
    bar = Picture(width - width // 4 * 2, max(4, height // 40), b"")
    done = bar.width * percent // 100
    line = DONE * done + TO_DO * (bar.width - done)
    _copy(rgb, width, Picture(bar.width, bar.height, line * bar.height), width // 4, height * 5 // 6)
    return Picture(width, height, bytes(rgb))


def plain() -> Picture:
    """Returns the built-in picture: a display on its stand."""
    width, height = 160, 140
    rgb = bytearray(BACKGROUND * (width * height))
    for x1, y1, x2, y2, colour in ((0, 0, 160, 108, INK), (8, 8, 152, 100, DONE), (70, 108, 90, 128, INK), (40, 128, 120, 140, INK)):
        _copy(rgb, width, Picture(x2 - x1, y2 - y1, colour * ((x2 - x1) * (y2 - y1))), x1, y1)
    return Picture(width, height, bytes(rgb))


def _copy(rgb: bytearray, width: int, part: Picture, x: int, y: int) -> None:
    for row in range(part.height):
        at = ((y + row) * width + x) * 3
        rgb[at:at + part.width * 3] = part.rgb[row * part.width * 3:(row + 1) * part.width * 3]
