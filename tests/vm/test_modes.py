#!/usr/bin/env python3
"""Tests of depths, palettes, modes, panning and rotation on real display drivers. The picture on the screen is compared with a
calculated one.

    python3 tests/vm/test_modes.py -v [Modes[.test_virtio]]...

All tests run with each mapping of the card's memory (fbemud's --mapping), in the same guest. A failure names its mapping as mapping=...
FBEMU_MAPPING=default, dmabuf or shadow tests one mapping alone.
"""

import json
import os
import sys
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from lab import fbemu, framebuffer, mapping  # noqa: E402
from lab.boot import boot  # noqa: E402
from lab.errors import LabError  # noqa: E402
from lab.fbemu import Fbemu  # noqa: E402
from lab.guest import Guest  # noqa: E402
from lab.options import Options  # noqa: E402
from lab.picture import Picture  # noqa: E402
from lab.suite import main  # noqa: E402

PROGRAM = Path(__file__).resolve().parent / "programs" / "paint.py"
# The bits of each channel in a scan-out format.
BITS = {"RG16": (5, 6, 5), "XR15": (5, 5, 5)}


class Painter:
    """A running paint.py, which has the device open."""

    def __init__(self, guest: Guest, node: str) -> None:
        self.job = guest.spawn(["python3", "/root/paint.py", node], stdin=True)
        self.job.wait_output(b"READY", 30)
        self._answers = 1
        self.geometry: dict[str, Any] = {}

    def send(self, line: str) -> None:
        self.job.write(line.encode() + b"\n")

    def answer(self, timeout: float = 30) -> None:
        self._answers += 1
        self.job.wait_for(lambda: self.job.stdout.count(b"\n") >= self._answers or self.job.status is not None, timeout, "answer")
        word, _, rest = self.job.stdout.decode().splitlines()[self._answers - 1].partition(" ")
        if word != "OK":
            raise LabError(f"paint.py: {word} {rest}")
        self.geometry = json.loads(rest)

    def tell(self, line: str) -> None:
        self.send(line)
        self.answer()

    def close(self) -> None:
        self.job.close_stdin()
        self.job.wait(20)

    # The expected picture

    def picture(self, seed: int, palette: int | None = None) -> Picture:
        """Returns the expected view after `fill SEED`, decoded from the bytes as the var describes them."""
        geometry = self.geometry
        width, height, lines = geometry["xres"], geometry["yres"], geometry["yres_virtual"]
        rows: dict[int, bytes] = {}
        out = []
        for y in range(height):
            line = (y + geometry["yoffset"]) % lines & 255
            if line not in rows:
                rows[line] = _row(line, seed, palette, width, geometry["xoffset"], geometry["line_length"], geometry["bits_per_pixel"],
                                  bool(geometry["grayscale"]), tuple(map(tuple, geometry["fields"])))
            out.append(rows[line])
        return Picture(width, height, b"".join(out))


# The pictures do not depend on the mapping, so they are calculated once.
@cache
def _row(line: int, seed: int, palette: int | None, width: int, first: int, line_length: int, bits: int, grayscale: bool,
         fields: tuple[tuple[int, int], ...]) -> bytes:
    data = bytes((3 * at + 5 * line + seed) & 255 for at in range(line_length))
    row = bytearray()
    for x in range(first, first + width):
        if bits == 1:
            row += b"\xff\xff\xff" if data[x // 8] & 0x80 >> x % 8 else b"\0\0\0"
            continue
        value = int.from_bytes(data[x * bits // 8:x * bits // 8 + bits // 8], "little")
        if grayscale:
            row += bytes([value] * 3)
        elif bits == 8:
            assert palette is not None
            row += bytes([(value + palette) & 255, (3 * value + palette) & 255, 255 - value])
        else:
            row += bytes(_widen(value >> offset & (1 << length) - 1, length) for offset, length in fields)
    return bytes(row)


def _widen(value: int, bits: int) -> int:
    return value if bits == 8 else (value << 8 - bits | value >> 2 * bits - 8) & 255


@cache
def clockwise(picture: Picture) -> Picture:
    pixels = [picture.rgb[at:at + 3] for at in range(0, len(picture.rgb), 3)]
    width, height = picture.width, picture.height
    return Picture(height, width, b"".join(pixels[(height - 1 - x) * width + y] for y in range(width) for x in range(height)))


@cache
def upside_down(picture: Picture) -> Picture:
    return Picture(picture.width, picture.height, b"".join(reversed([picture.rgb[at:at + 3] for at in range(0, len(picture.rgb), 3)])))


@cache
def enlarged(picture: Picture, factor: int) -> Picture:
    rows = []
    for y in range(picture.height):
        row = picture.rgb[y * picture.width * 3:(y + 1) * picture.width * 3]
        rows += [b"".join(row[at:at + 3] * factor for at in range(0, len(row), 3))] * factor
    return Picture(picture.width * factor, picture.height * factor, b"".join(rows))


def in_the_middle(picture: Picture, width: int, height: int) -> Picture:
    left, top = (width - picture.width) // 2, (height - picture.height) // 2
    rows = [bytes(width * 3)] * top
    for y in range(picture.height):
        row = picture.rgb[y * picture.width * 3:(y + 1) * picture.width * 3]
        rows.append(bytes(left * 3) + row + bytes((width - left - picture.width) * 3))
    rows += [bytes(width * 3)] * (height - top - picture.height)
    return Picture(width, height, b"".join(rows))


class Modes(unittest.TestCase):
    guest: Guest
    width: int
    height: int
    mapping: str

    def run_checks(self, kernel: str, gpu: str) -> None:
        with boot(Options(kernel=kernel, gpu=gpu)) as guest:
            self.guest = guest
            guest.put(PROGRAM, "/root/paint.py")
            before = guest.settled_screen()
            self.width, self.height = before.width, before.height
            for choice in mapping.chosen():
                with self.subTest(mapping=choice):
                    self.check_mapping(choice)

    def check_mapping(self, choice: str) -> None:
        self.mapping = choice
        with self.painter() as painter:
            self.check_depths(painter)
            self.check_palette(painter)
            self.check_modes(painter)
            self.check_panning(painter)
            self.check_program_rotation(painter)
        with self.painter("--rotate", "270", "--depth", "16") as painter:
            self.check_display_rotation(painter)
        with self.painter("--scale", "integer") as painter:
            self.check_integer_scale(painter)

    @contextmanager
    def painter(self, *arguments: str) -> Iterator[Painter]:
        """Gives a running fbemud with these options, and a painter. By default, a small picture is shown in the middle."""
        folder = os.environ.get("FBEMU_BUILD")
        options = arguments if "--scale" in arguments else ("--scale", "none", *arguments)
        build = fbemu.find_build(Path(folder) if folder else None)
        daemon: Fbemu = fbemu.start(self.guest, build, ["--no-cuse", *mapping.arguments(self.mapping), *options])
        try:
            painter = Painter(self.guest, daemon.node)
            yield painter
            self.assertEqual(framebuffer.status(self.guest)["card_details"]["mapping"], mapping.expected(self.guest.options, self.mapping))
            painter.close()
            self.assertEqual(daemon.stop(), 0, daemon.log)
        finally:
            if daemon.job.status is None:
                daemon.kill()

    def assert_screen(self, expected: Picture) -> None:
        bits = BITS.get(framebuffer.status(self.guest)["scanout_format"], (8, 8, 8))
        wanted = expected.reduced(*bits)
        seen = self.guest.wait_screen(lambda now: now.reduced(*bits) == wanted)
        self.assertIsNone(seen.reduced(*bits).difference(wanted))

    def set_size(self, painter: Painter, width: int, height: int, more: str = "") -> None:
        painter.tell(f"set xres={width} yres={height} xres_virtual={width} yres_virtual={height} xoffset=0 yoffset=0 {more}")

    def check_depths(self, painter: Painter) -> None:
        for depth in (1, 15, 16, 24, 32):
            with self.subTest(f"{depth} bits per pixel"):
                painter.tell(f"set bits_per_pixel={depth}")
                painter.tell(f"fill {depth}")
                self.assert_screen(painter.picture(depth))
        with self.subTest("fbset -depth, while another program has the device open"):
            for depth in (8, 16, 24, 32):
                self.guest.run(["fbset", "-fb", "/dev/fb0", "-depth", str(depth)])
                painter.tell("fill 77")
                self.assertEqual(painter.geometry["bits_per_pixel"], depth)
                if depth != 8:
                    self.assert_screen(painter.picture(77))
        with self.subTest("levels of grey"):
            painter.tell("set bits_per_pixel=8 grayscale=1")
            painter.tell("fill 9")
            self.assert_screen(painter.picture(9))
            painter.tell("set bits_per_pixel=32 grayscale=0")

    def check_palette(self, painter: Painter) -> None:
        painter.tell("set bits_per_pixel=8")
        painter.tell("fill 3")
        for seed in (0, 1, 100, 255):
            with self.subTest(f"the palette alone recolours the screen: {seed}"):
                painter.tell(f"palette {seed}")
                self.assert_screen(painter.picture(3, seed))
        painter.tell("set bits_per_pixel=32")

    def check_modes(self, painter: Painter) -> None:
        for width, height in ((640, 480), (800, 600)):
            with self.subTest(f"a mode of {width}x{height}"):
                self.set_size(painter, width, height)
                painter.tell("fill 50")
                self.assert_screen(painter.picture(50))
        with self.subTest("a mode of /etc/fb.modes"):
            self.guest.run(["fbset", "-fb", "/dev/fb0", "640x480-75"])
            painter.tell("palette 40")
            painter.tell("fill 52")
            self.assertEqual([painter.geometry[name] for name in ("xres", "yres", "bits_per_pixel")], [640, 480, 8])
            self.assert_screen(painter.picture(52, 40))
            painter.tell("set bits_per_pixel=32")
        with self.subTest("a size that no mode has is in the middle of a larger one"):
            self.set_size(painter, 333, 222, "bits_per_pixel=16")
            painter.tell("fill 51")
            self.assert_screen(in_the_middle(painter.picture(51), self.width, self.height))
        self.set_size(painter, self.width, self.height, "bits_per_pixel=32")

    def check_panning(self, painter: Painter) -> None:
        width, height = self.width, self.height
        with self.subTest("panning in both directions, and around the end"):
            painter.tell(f"set bits_per_pixel=16 xres_virtual={width + 64} yres_virtual={height + 300}")
            painter.tell("fill 5")
            for pan in ("pan 0 0", "pan 64 300", "pan 33 1", "pan 7 700 wrap"):
                painter.tell(pan)
                self.assert_screen(painter.picture(5))
            painter.tell("pan 0 0")
        with self.subTest("double buffering shows whole frames only"):
            painter.tell(f"set bits_per_pixel=32 xres_virtual={width} yres_virtual={2 * height}")
            painter.tell("flip 1")
            self.assert_screen(Picture(width, height, bytes(width * height * 3)))
            frames = 150
            painter.send(f"flip {frames}")
            seen = []
            while painter.job.stdout.count(b"\n") <= painter._answers:
                screen = self.guest.screen()
                self.assertEqual(screen.rgb, screen.rgb[:3] * (width * height), "two frames at once")
                seen.append(screen.rgb[:3])
            painter.answer()
            self.assertGreater(len(set(seen)), 3, "no more than three frames were met")
            last = ((frames - 1) * 0x010305 & 0xFFFFFF).to_bytes(3, "big")
            self.assert_screen(Picture(width, height, last * (width * height)))
        self.set_size(painter, width, height)

    def check_program_rotation(self, painter: Painter) -> None:
        with self.subTest("a program turns its picture"):
            self.set_size(painter, self.height, self.width, "rotate=1")
            painter.tell("fill 60")
            self.assert_screen(clockwise(painter.picture(60)))
            self.set_size(painter, self.width, self.height, "rotate=2")
            painter.tell("fill 61")
            self.assert_screen(upside_down(painter.picture(61)))
            self.set_size(painter, self.width, self.height, "rotate=0")

    def check_display_rotation(self, painter: Painter) -> None:
        with self.subTest("a display that is turned"):
            painter.tell("fill 12")
            self.assertEqual((painter.geometry["xres"], painter.geometry["yres"]), (self.height, self.width))
            self.assert_screen(upside_down(clockwise(painter.picture(12))))

    def check_integer_scale(self, painter: Painter) -> None:
        with self.subTest("a small picture in whole pixels"):
            self.set_size(painter, 320, 200, "bits_per_pixel=8")
            painter.tell("fill 21")
            painter.tell("palette 4")
            factor = min(self.width // 320, self.height // 200)
            self.assert_screen(in_the_middle(enlarged(painter.picture(21, 4), factor), self.width, self.height))


GUESTS = [("6.12", "virtio"), ("6.12", "vmwgfx"), ("6.12", "bochs"), ("7.2", "virtio")]


def add_tests() -> None:
    def make(kernel: str, gpu: str) -> None:
        setattr(Modes, f"test_{gpu}_{kernel.replace('.', '_')}", lambda self: self.run_checks(kernel, gpu))

    for guest in GUESTS:
        make(*guest)


add_tests()

if __name__ == "__main__":
    main([Options(kernel=kernel, gpu=gpu) for kernel, gpu in GUESTS])
