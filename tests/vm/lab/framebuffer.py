"""A framebuffer device in a guest, a program that has it open, and the expected picture of the screen."""

import json
from pathlib import Path
from typing import Any

from . import pattern
from .errors import LabError
from .fbemu import Fbemu
from .guest import Guest
from .picture import Picture

PROGRAMS = Path(__file__).resolve().parent.parent / "programs"


def status(guest: Guest) -> dict[str, Any]:
    """Returns the status of fbemud."""
    found: dict[str, Any] = json.loads(guest.run(["fbemuctl", "status", "--json"]).text)
    return found


def install(guest: Guest) -> None:
    guest.put(PROGRAMS / "touch.py", "/root/touch.py")
    for bits in (32, 64):
        guest.write_file(f"/root/draw{bits}", pattern.program(bits), 0o755)


class OpenFramebuffer:
    """A running touch.py, which has the device open until close()."""

    def __init__(self, guest: Guest, daemon: Fbemu) -> None:
        self.guest = guest
        self.node = daemon.node
        self._job = guest.spawn(["python3", "-IS", "/root/touch.py", self.node], stdin=True)
        self._answers = 0
        self._job.wait_output(b"READY", 30)
        self.picture = Picture(1, 1, b"\0\0\0")

    def __enter__(self) -> "OpenFramebuffer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._job.close_stdin()
        self._job.wait(20)

    def tell(self, line: str) -> None:
        self._job.write(line.encode() + b"\n")
        self._answers += 1
        self._job.wait_for(lambda: self._job.stdout.count(b"\n") > self._answers or self._job.status is not None, 20, f"answer {line!r}")
        answer = self._job.stdout.decode().splitlines()[-1]
        if answer != "OK":
            raise LabError(f"{line!r}: {answer}")

    def draw_pattern(self, bits: int = 64) -> Picture:
        """Runs the static program, which fills the screen. Returns the expected picture of the screen."""
        words = self.guest.run([f"/root/draw{bits}", self.node]).text.split()
        width, height, _depth, _red, _green, _blue, found = map(int, words)
        if found != bits:
            raise LabError(f"a program of {bits} bits says that it has {found}")
        self.picture = pattern.picture(width, height)
        return self.picture

    def fill(self, x: int, y: int, width: int, height: int, colour: int) -> Picture:
        self.tell(f"fill {x} {y} {width} {height} {colour:06x}")
        self._paint(x, y, width, height, colour)
        return self.picture

    def write_line(self, y: int, colour: int) -> Picture:
        self.tell(f"write {y} {colour:06x}")
        self._paint(0, y, self.picture.width, 1, colour)
        return self.picture

    def _paint(self, x: int, y: int, width: int, height: int, colour: int) -> None:
        rgb = bytearray(self.picture.rgb)
        for row in range(y, y + height):
            at = (row * self.picture.width + x) * 3
            rgb[at:at + width * 3] = colour.to_bytes(3, "big") * width
        self.picture = Picture(self.picture.width, self.picture.height, bytes(rgb))
