#!/usr/bin/env python3
"""Tests of fbemu on real display drivers: the screen shows the pixels of programs exactly, and the console comes back.

    python3 tests/vm/test_drivers.py -v [Drivers[.test_virtio_6_12]]...

There is one guest for each driver and kernel, which takes a minute or two. The exit status is 77 if something that the guests need is
missing on the machine, and 1 in that case if CI is set. The programs are those of the build folder FBEMU_BUILD (build/release).

In each guest, the tests of pixels run with each mapping of the card's memory (fbemud's --mapping): MAP_DUMB, dma-buf and shadow. A failure
names its mapping as mapping=... FBEMU_MAPPING=default, dmabuf or shadow tests one mapping alone.
"""

import os
import sys
import time
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from lab import console, fbemu, framebuffer, mapping  # noqa: E402
from lab.boot import boot  # noqa: E402
from lab.drivers import DRIVERS  # noqa: E402
from lab.fbemu import Fbemu  # noqa: E402
from lab.framebuffer import OpenFramebuffer  # noqa: E402
from lab.guest import Guest  # noqa: E402
from lab.options import Options  # noqa: E402
from lab.picture import Picture  # noqa: E402
from lab.suite import main  # noqa: E402

# Kernel, driver, true if the kernel's own /dev/fb0 exists as well, mappings.
MATRIX = [
    *(("6.12", gpu, False, mapping.ALL) for gpu in DRIVERS),
    *((kernel, gpu, False, mapping.ALL) for kernel in ("6.1", "7.2") for gpu in ("virtio", "vmwgfx")),
    ("6.12", "virtio", True, mapping.ALL),
    # Guests in which fbemud uses MAP_DUMB in place of a dma-buf.
    *(("6.1", gpu, False, ("dmabuf",)) for gpu in ("bochs", "qxl")),
]

PROGRAMS = Path(__file__).resolve().parent / "programs"
# QEMU's old VMware card shows 16 bits a pixel wrongly.
UNTRUSTED_FORMATS = {"vmwgfx": {"RG16", "XR15"}}
BITS = {"RG16": (5, 6, 5), "XR15": (5, 5, 5)}


def build() -> fbemu.Build:
    folder = os.environ.get("FBEMU_BUILD")
    return fbemu.find_build(Path(folder) if folder else None)


class Drivers(unittest.TestCase):
    """The checks share a guest and run in order. After a failed check, the next ones still run."""

    guest: Guest
    before: Picture
    mapping: str

    def run_checks(self, kernel: str, gpu: str, kernel_fbdev: bool, mappings: tuple[str, ...]) -> None:
        start = time.monotonic()
        with boot(Options(kernel=kernel, gpu=gpu, kernel_fbdev=kernel_fbdev)) as self.guest:
            framebuffer.install(self.guest)
            for choice in mapping.chosen(mappings):
                with self.subTest(mapping=choice):
                    self.check_mapping(choice)
            # A mapping ends with its process, so this check does not depend on the mapping.
            if mapping.DEFAULT in mapping.chosen(mappings):
                self.check_killed()
        print(f"\n  {kernel} {gpu}{' beside the kernel-s fbdev' if kernel_fbdev else ''}: {time.monotonic() - start:.1f} s",
              file=sys.stderr)

    def check_mapping(self, choice: str) -> None:
        """Runs the checks that depend on the mapping, and with the default mapping all others, too."""
        self.mapping = choice
        self.before = self.guest.settled_screen()
        self.assertGreater(len(set(self.before.rgb)), 1, "there is no console on the screen to come back")
        formats, taken = self.check_shown()
        self.check_formats(formats, taken)

    @contextmanager
    def daemon(self, *arguments: str) -> Iterator[Fbemu]:
        daemon = fbemu.start(self.guest, build(), ["--no-cuse", *mapping.arguments(self.mapping), *arguments])
        try:
            yield daemon
            self.assertEqual(daemon.stop(), 0, daemon.log)
        finally:
            if daemon.job.status is None:
                daemon.kill()
            self.guest.run("rm -f /tmp/*.png; umount -q -l /dev/fb1 2> /dev/null", check=False)

    def assert_screen(self, expected: Picture, bits: tuple[int, int, int] = (8, 8, 8), timeout: float = 5) -> None:
        wanted = expected.reduced(*bits)
        seen = self.guest.wait_screen(lambda now: now.reduced(*bits) == wanted, timeout=timeout)
        self.assertIsNone(seen.reduced(*bits).difference(wanted))

    def assert_mapping(self) -> None:
        """Checks that the mapping is the one of --mapping, or the driver's replacement. Call it after something was drawn."""
        self.assertEqual(framebuffer.status(self.guest)["card_details"]["mapping"], mapping.expected(self.guest.options, self.mapping))

    def assert_screen_stays(self, expected: Picture) -> None:
        self.assert_screen(expected)
        time.sleep(0.2)
        self.assertIsNone(self.guest.settled_screen().difference(expected))

    def assert_console(self) -> None:
        """Waits for the console as it was, or for new text if the driver may have cleared the console."""
        if not console.forgets(self.guest.options):
            self.assert_screen_stays(self.before)
            return
        self.assertTrue(console.shows_text(console.rewrite(self.guest, "new text")))

    # The checks

    def check_shown(self) -> tuple[list[str], str]:
        """Returns the formats that the driver scans out, and the one that fbemu uses."""
        node = "/dev/fb1" if self.guest.options.kernel_fbdev else "/dev/fb0"
        with self.daemon() as daemon:
            self.assertEqual(daemon.node, node)
            with self.subTest("an idle daemon leaves the console where it is"):
                self.assert_screen_stays(self.before)
                said = self.guest.run(["fbemuctl", "screenshot", "/tmp/idle.png"], check=False)
                self.assertEqual(said.status, 1)
                self.assertIn(b"console", said.stderr)
            with OpenFramebuffer(self.guest, daemon) as screen:
                self.check_drawing(screen)
                status = framebuffer.status(self.guest)
                self.assert_mapping()
                # The mapping does not change what the kernel does with its console.
                if self.mapping == mapping.DEFAULT:
                    self.check_console_does_not_disturb(screen)
            with self.subTest("the console comes back"):
                self.assert_screen_stays(self.before)
            self.check_programs(daemon)
            with OpenFramebuffer(self.guest, daemon) as screen:
                screen.draw_pattern()
                self.check_another_master(screen)
                self.check_modes(screen)
                self.check_blanking(screen)
            with self.subTest("the console comes back after other masters and modes"):
                self.assert_console()
        with self.subTest("the console is there when the daemon has ended"):
            self.assert_console()
        return status["card_details"]["formats"], status["scanout_format"]

    def check_drawing(self, screen: OpenFramebuffer) -> None:
        for bits in (32, 64):
            with self.subTest(f"a static program of {bits} bits"):
                screen.fill(0, 0, 1, 1, 0)
                self.assert_screen(screen.draw_pattern(bits))
        width, height = screen.picture.width, screen.picture.height
        with self.subTest("one pixel"):
            self.assert_screen(screen.fill(101, 77, 1, 1, 0xFF8000))
        with self.subTest("one line"):
            self.assert_screen(screen.fill(0, 300, width, 1, 0x00FF40))
        with self.subTest("two far corners"):
            screen.fill(0, 0, 2, 2, 0xC0FFEE)
            self.assert_screen(screen.fill(width - 3, height - 3, 3, 3, 0xBADA55))
        with self.subTest("the last page of the screen"):
            self.assert_screen(screen.fill(width - 1, height - 1, 1, 1, 0x123456))
        with self.subTest("write() of one line"):
            self.assert_screen(screen.write_line(500, 0x8040FF))
        with self.subTest("nothing else has changed"):
            self.assert_screen_stays(screen.picture)
        with self.subTest("fbemuctl screenshot is what the screen shows"):
            self.guest.run(["fbemuctl", "screenshot", "/tmp/shown.png"])
            self.assertIsNone(Picture.from_png(self.guest.read_file("/tmp/shown.png")).difference(screen.picture))

    def check_console_does_not_disturb(self, screen: OpenFramebuffer) -> None:
        with self.subTest("text on the console does not disturb the picture, and is there when it is back"):
            self.guest.run("printf 'written meanwhile' > /dev/tty1")
            self.assert_screen_stays(screen.picture)
            self.guest.run(r"printf '\r\033[K' > /dev/tty1")

    def check_another_master(self, screen: OpenFramebuffer) -> None:
        with self.subTest("another program that takes the display gets it, and the picture is back when it has ended"):
            self.guest.put(PROGRAMS / "unflushed.py", "/root/unflushed.py")
            # The program becomes DRM master as the first opener, so no commit may be in progress; in 7.x a commit takes a frame.
            self.assert_screen_stays(screen.picture)
            other = self.guest.spawn(["python3", "unflushed.py", "/dev/dri/card0"], stdin=True)
            other.wait_output(b"DRAWN", 60)
            changed = screen.fill(40, 40, 50, 50, 0x0000FF)
            other.write(b"\n")
            other.wait_output(b"FLUSHED", 60)
            theirs = self.guest.wait_screen(lambda now: now.pixel(150, 60) == (0x33, 0x66, 0xCC))
            self.assertEqual(theirs.pixel(150, 60), (0x33, 0x66, 0xCC))
            self.assertNotEqual(theirs, changed)
            other.write(b"\n")
            self.assertEqual(other.wait(30), 0)
            self.assert_screen(changed)

    def check_modes(self, screen: OpenFramebuffer) -> None:
        first = screen.picture
        with self.subTest("a mode of 800x600"):
            self.guest.run(["fbset", "-fb", screen.node, "-xres", "800", "-yres", "600", "-vxres", "800", "-vyres", "600"])
            picture = screen.draw_pattern()
            self.assertEqual((picture.width, picture.height), (800, 600))
            self.assert_screen(picture)
        with self.subTest("a mode that the driver refuses leaves the picture"):
            refused = self.guest.run(["fbset", "-fb", screen.node, "-xres", "16000", "-yres", "16000", "-vxres", "16000", "-vyres", "16000"],
                                     check=False)
            self.assertNotEqual(refused.status, 0)
            self.assert_screen_stays(picture)
        size = [str(first.width), str(first.height)]
        self.guest.run(["fbset", "-fb", screen.node, "-xres", size[0], "-yres", size[1], "-vxres", size[0], "-vyres", size[1]])
        with self.subTest("and back"):
            self.assert_screen(screen.draw_pattern())

    def check_blanking(self, screen: OpenFramebuffer) -> None:
        with self.subTest("blanking"):
            screen.tell("blank 4")
            screen.fill(10, 10, 20, 20, 0xFFFFFF)
            screen.tell("sync")
            screen.tell("blank 0")
            self.assert_screen(screen.picture)

    def check_fbset(self, daemon: Fbemu) -> None:
        with self.subTest("fbset -i"):
            said = self.guest.run(["fbset", "-fb", daemon.node, "-i"]).text
            width, height = self.before.width, self.before.height
            self.assertIn(f"geometry {width} {height} {width} {height} 32", said)
            self.assertIn("Name        : fbemu", said)

    def check_programs(self, daemon: Fbemu) -> None:
        width, height = self.before.width, self.before.height
        if self.mapping == mapping.DEFAULT:
            self.check_fbset(daemon)
        holder = OpenFramebuffer(self.guest, daemon)
        try:
            with self.subTest("ffmpeg"):
                frame = ["-frames:v", "1", "-pix_fmt", "bgra"]
                raw = self.guest.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"testsrc=size={width}x{height}:rate=10",
                                      *frame, "-f", "fbdev", daemon.node, *frame, "-f", "rawvideo", "-"]).stdout
                self.assert_screen(Picture.from_xrgb(width, height, raw))
        finally:
            holder.close()
        # The check of fbi is about its VT; its pixels reach the screen like those of the static program.
        if self.mapping == mapping.DEFAULT:
            self.check_fbi(daemon)

    def check_fbi(self, daemon: Fbemu) -> None:
        width, height = self.before.width, self.before.height
        with self.subTest("fbi"):
            self.guest.write_file("/tmp/picture.png", framebuffer.pattern.picture(width, height).png())
            # Without a controlling terminal, because fbi forks and its first process ends. If that process leads a terminal's session,
            # the hangup kills the second one before its setsid().
            job = self.guest.spawn(["fbi", "-T", "9", "-d", daemon.node, "--noverbose", "-a", "/tmp/picture.png"])
            self.assertEqual(job.wait(20), 0, job.stderr)
            try:
                self.assert_screen(framebuffer.pattern.picture(width, height), timeout=20)
            finally:
                self.guest.run(["pkill", "-x", "fbi"])
                self.guest.wait_until("! pgrep -x fbi", timeout=10)
                self.guest.run(["chvt", "1"])

    def check_formats(self, formats: list[str], taken: str) -> None:
        """Checks each format that the driver scans out, and the legacy KMS calls."""
        # The default format was already checked.
        others = [name for name in formats if name not in {taken, *UNTRUSTED_FORMATS.get(self.guest.options.gpu, ())}]
        for option in (*(f"format={name}" for name in others), "commit=legacy"):
            with self.subTest(option), self.daemon("--card", f"auto,{option}") as daemon, OpenFramebuffer(self.guest, daemon) as screen:
                screen.draw_pattern()
                kind = framebuffer.status(self.guest)["scanout_format"]
                self.assert_screen(screen.picture, BITS.get(kind, (8, 8, 8)))
                screen.fill(201, 99, 7, 3, 0xFFFFFF)
                self.assert_screen(screen.picture, BITS.get(kind, (8, 8, 8)))
                self.assert_mapping()

    def check_killed(self) -> None:
        with self.subTest("SIGKILL: the console comes back"):
            daemon = fbemu.start(self.guest, build(), ["--no-cuse"])
            screen = OpenFramebuffer(self.guest, daemon)
            screen.fill(0, 0, 1, 1, 0)
            self.assert_screen(screen.draw_pattern())
            daemon.kill()
            self.assert_console()
            self.guest.wait_until(f"! grep -q ' {daemon.node} ' /proc/self/mountinfo", timeout=10)


def add_tests() -> None:
    def make(kernel: str, gpu: str, kernel_fbdev: bool, mappings: tuple[str, ...]) -> None:
        name = f"test_{gpu}_{kernel.replace('.', '_')}{'_beside_the_kernels_fbdev' if kernel_fbdev else ''}"
        setattr(Drivers, name, lambda self: self.run_checks(kernel, gpu, kernel_fbdev, mappings))

    for entry in MATRIX:
        make(*entry)


add_tests()

if __name__ == "__main__":
    main(Options(kernel=kernel, gpu=gpu, kernel_fbdev=kernel_fbdev) for kernel, gpu, kernel_fbdev, _ in MATRIX)
