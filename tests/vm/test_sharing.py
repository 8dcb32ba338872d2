#!/usr/bin/env python3
"""Tests of a framebuffer beside consoles and other programs on the same screen.

    python3 tests/vm/test_sharing.py -v [Sharing[.test_virtio_6_12]]...
"""

import re
import sys
import time
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from lab import compositor, console, fbemu, framebuffer  # noqa: E402
from lab.boot import boot  # noqa: E402
from lab.channel import Job  # noqa: E402
from lab.drivers import DRIVERS  # noqa: E402
from lab.fbemu import Fbemu  # noqa: E402
from lab.framebuffer import OpenFramebuffer  # noqa: E402
from lab.guest import Guest  # noqa: E402
from lab.options import Options  # noqa: E402
from lab.picture import Picture  # noqa: E402
from lab.suite import main  # noqa: E402

MATRIX = [("6.12", gpu) for gpu in DRIVERS] + [(kernel, gpu) for kernel in ("6.1", "7.2") for gpu in ("virtio", "vmwgfx")]
KERNELS = ("6.1", "6.12", "7.2")
PROGRAMS = Path(__file__).resolve().parent / "programs"
# Longer than the resolution of the guest's clock, one second.
SLEEP_SECONDS = 2.5
TEXT = "a line of text on the second terminal"


class Sharing(unittest.TestCase):
    """The checks share a guest and run in order. After each one, the first VT is active and nothing is open."""

    guest: Guest
    consoles: dict[int, Picture]

    def run_checks(self, kernel: str, gpu: str) -> None:
        start = time.monotonic()
        with boot(Options(kernel=kernel, gpu=gpu)) as self.guest:
            framebuffer.install(self.guest)
            fbemu.install(self.guest, fbemu.find_build(None))
            self.guest.put(PROGRAMS / "unflushed.py", "/root/unflushed.py")
            self.consoles = {1: self.guest.settled_screen()}
            self.guest.run(f"chvt 2; printf '{TEXT}' > /dev/tty2")
            self.consoles[2] = self.guest.wait_screen(lambda now: now != self.consoles[1])
            self.consoles[2] = self.guest.settled_screen()
            self.guest.run(["chvt", "1"])
            self.assert_screen(self.consoles[1])
            self.check_terminals()
            self.check_program_on_another_terminal()
            self.check_written_picture()
            self.check_kept_picture()
            self.check_other_master()
            self.check_compositor()
        print(f"\n  {kernel} {gpu}: {time.monotonic() - start:.1f} s", file=sys.stderr)

    @contextmanager
    def daemon(self, *arguments: str) -> Iterator[Fbemu]:
        daemon = fbemu.start(self.guest, fbemu.find_build(None), ["--no-cuse", *arguments])
        try:
            yield daemon
            self.assertEqual(daemon.stop(), 0, daemon.log)
        finally:
            if daemon.job.status is None:
                daemon.kill()
            self.guest.run(["chvt", "1"])

    def assert_screen(self, expected: Picture, timeout: float = 5) -> None:
        seen = self.guest.wait_screen(lambda now: now == expected, timeout=timeout)
        self.assertIsNone(seen.difference(expected))

    def assert_console(self, terminal: int) -> None:
        """Waits for the VT as it was; after a redraw, if the driver may have cleared it."""
        if console.forgets(self.guest.options):
            self.assertTrue(console.shows_text(console.rewrite(self.guest, TEXT if terminal == 2 else "new text", terminal)))
            return
        self.assert_screen(self.consoles[terminal])

    def change_to(self, terminal: int) -> None:
        self.guest.run(["chvt", str(terminal)])

    def start_on(self, terminal: int, command: str) -> Job:
        """Starts a command in a new session with this controlling terminal, as a login shell does."""
        return self.guest.spawn(["setsid", "--wait", "sh", "-c", f"exec < /dev/tty{terminal} > /dev/tty{terminal} 2>&1; {command}"])

    # The checks

    def check_terminals(self) -> None:
        with self.subTest("the picture belongs to its terminal"), self.daemon() as daemon, OpenFramebuffer(self.guest, daemon) as screen:
            self.assert_screen(screen.draw_pattern())
            self.change_to(2)
            self.assert_console(2)
            status = framebuffer.status(self.guest)
            self.assertEqual((status["enabled"], status["on_active_vt"]), (False, False))
            drawn = screen.fill(60, 60, 70, 70, 0x00AAFF)
            screen.tell("sync")
            self.change_to(1)
            self.assert_screen(drawn)
            self.assert_screen(screen.fill(160, 60, 70, 70, 0xFFAA00))
            self.change_to(2)
            self.assert_console(2)
        with self.subTest("and a terminal that was changed to stays when the program has ended"):
            self.change_to(2)
            self.assert_console(2)
            self.change_to(1)
            self.assert_console(1)

    def check_program_on_another_terminal(self) -> None:
        with self.subTest("a program of a terminal behind is seen when that comes to the front"), self.daemon() as daemon:
            program = self.start_on(2, f"exec 3<> {daemon.node}; /root/draw64 {daemon.node} > /dev/null; exec sleep 1000")
            try:
                self.guest.wait_until("pgrep -x sleep")
                self.assertFalse(framebuffer.status(self.guest)["enabled"])
                self.assert_console(1)
                self.change_to(2)
                width, height = self.consoles[1].width, self.consoles[1].height
                self.assert_screen(framebuffer.pattern.picture(width, height))
                self.change_to(1)
                self.assert_console(1)
            finally:
                self.guest.run(["pkill", "-x", "sleep"])
                program.wait(20)

    def check_written_picture(self) -> None:
        """Writes a picture as `cat picture > /dev/fb0` does."""
        with self.subTest("a written picture stays until the terminal is used"), self.daemon() as daemon:
            picture = self.write_picture(daemon)
            # A shell prints its prompt after the command.
            self.guest.run("printf '# ' > /dev/tty1")
            self.assert_screen(picture)
            self.guest.wait_for(self.watches, 20, "open the text of the terminal in fbemud")
            self.assert_screen(picture)
            self.guest.run(r"printf '\r\033[K' > /dev/tty1")
            self.assert_console(1)
            self.write_picture(daemon)
            self.change_to(2)
            self.assert_console(2)
            self.change_to(1)
            self.assert_console(1)

    def write_picture(self, daemon: Fbemu) -> Picture:
        width, height = self.consoles[1].width, self.consoles[1].height
        picture = framebuffer.pattern.picture(width, height)
        raw = b"".join(bytes((*reversed(picture.rgb[at:at + 3]), 0)) for at in range(0, len(picture.rgb), 3))
        self.guest.write_file("/tmp/picture.raw", raw)
        self.guest.run(f"cat /tmp/picture.raw > {daemon.node}")
        self.assert_screen(picture)
        return picture

    def watches(self) -> bool:
        """Returns true if fbemud has the VT's text open, to see when it is used."""
        return self.guest.run("ls -l /proc/$(pgrep -ox fbemud)/fd | grep -q /dev/vcs", check=False).status == 0

    def check_kept_picture(self) -> None:
        with self.subTest("--on-close keep"), self.daemon("--on-close", "keep") as daemon:
            with OpenFramebuffer(self.guest, daemon) as screen:
                self.assert_screen(screen.draw_pattern())
                picture = screen.picture
            self.guest.run("printf 'typed' > /dev/tty1")
            self.assert_screen(picture)
            self.change_to(2)
            self.assert_console(2)
            self.change_to(1)
            self.assert_screen(picture)
        self.guest.run(r"printf '\r\033[K' > /dev/tty1")
        with self.subTest("the console is back with the end of fbemud"):
            self.assert_console(1)

    def check_other_master(self) -> None:
        with self.subTest("another DRM program takes the display and leaves it, killed"), self.daemon() as daemon, \
                OpenFramebuffer(self.guest, daemon) as screen:
            self.assert_screen(screen.draw_pattern())
            for end in ("order", "kill"):
                screen.tell("sync")
                other = self.guest.spawn(["python3", "unflushed.py", "/dev/dri/card0"], stdin=True)
                other.wait_output(b"DRAWN", 60)
                other.write(b"\n")
                other.wait_output(b"FLUSHED", 60)
                theirs = self.guest.wait_screen(lambda now: now.pixel(150, 60) == (0x33, 0x66, 0xCC))
                self.assertEqual(theirs.pixel(150, 60), (0x33, 0x66, 0xCC))
                changed = screen.fill(40, 40, 50, 50, 0x0000FF if end == "order" else 0x00FF00)
                # The program receives vblanks all the same.
                screen.tell("sync")
                self.guest.wait_until("fbemuctl status --json | grep -q '\"preempted\": *true'", timeout=10)
                if end == "order":
                    other.write(b"\n")
                    self.assertEqual(other.wait(30), 0)
                else:
                    other.signal(9)
                    other.wait(30)
                self.assert_screen(changed)
            said = re.findall("cannot be updated: another program has the screen", daemon.log)
            self.assertLessEqual(len(said), 2, daemon.log)
        self.assert_console(1)


    def check_compositor(self) -> None:
        """Runs last, because weston clears its VTs."""
        with self.daemon() as daemon, OpenFramebuffer(self.guest, daemon) as screen:
            self.assert_screen(screen.draw_pattern())
            with self.subTest("a compositor on another terminal"):
                weston = compositor.start(self.guest, terminal=2)
                drawn = screen.fill(60, 60, 70, 70, 0x00AAFF)
                self.assertTrue(compositor.shows_desktop(self.guest.settled_screen()))
                self.change_to(1)
                self.assert_screen(drawn)
                self.change_to(2)
                weston.wait_desktop()
                self.assertEqual(weston.stop(), 0, weston.log)
                self.change_to(1)
                self.assert_screen(drawn)
            with self.subTest("a compositor on the program's own terminal"):
                weston = compositor.start(self.guest, terminal=1)
                drawn = screen.fill(160, 60, 70, 70, 0xFFAA00)
                screen.tell("sync")
                self.assertTrue(compositor.shows_desktop(self.guest.settled_screen()))
                self.assertEqual(weston.stop(), 0, weston.log)
                self.assert_screen(drawn)
            with self.subTest("a compositor that crashes with master held"):
                weston = compositor.start(self.guest, terminal=1)
                drawn = screen.fill(260, 60, 70, 70, 0xAA00FF)
                screen.tell("sync")
                weston.kill()
                self.assert_screen(drawn)
                weston.reset_terminal()
                self.assert_screen(drawn)
            self.assertLessEqual(len(re.findall("warning: ", daemon.log)), 2, daemon.log)


class Neighbours(unittest.TestCase):
    """Tests of other monitors and of sleep, while a program draws."""

    guest: Guest

    @contextmanager
    def drawing(self, options: Options) -> Iterator[tuple[Fbemu, OpenFramebuffer]]:
        """Boots a guest in which a program draws the pattern. At the end, checks that the daemon ends without error."""
        with boot(options) as self.guest:
            framebuffer.install(self.guest)
            daemon = fbemu.start(self.guest, fbemu.find_build(None), ["--no-cuse"])
            with OpenFramebuffer(self.guest, daemon) as screen:
                self.assert_screen(screen.draw_pattern())
                yield daemon, screen
            self.assertEqual(daemon.stop(), 0, daemon.log)

    def assert_screen(self, expected: Picture, timeout: float = 5) -> None:
        self.assertIsNone(self.guest.wait_screen(lambda now: now == expected, timeout=timeout).difference(expected))

    def wait_status(self, name: str, value: object) -> None:
        self.guest.wait_for(lambda: framebuffer.status(self.guest)[name] == value, 10, f"have {name} {value}")

    def test_display_that_the_host_resizes(self) -> None:
        for kernel in KERNELS:
            with self.subTest(kernel=kernel), self.drawing(Options(kernel=kernel, resizable=True)) as (_, screen):
                before = screen.picture
                self.guest.resize_display(640, 400)
                seen = self.guest.wait_screen(lambda now: (now.width, now.height) == (640, 400))
                self.assertEqual((seen.width, seen.height), (640, 400))
                # 1280x800 fits exactly at half the size.
                status = framebuffer.status(self.guest)
                self.assertEqual((status["visible"]["width"], status["visible"]["height"]), (before.width, before.height))
                self.wait_status("shown_at", {"x": 0, "y": 0, "width": 640, "height": 400})
                screen.fill(200, 200, 200, 200, 0x00FF00)
                inside = [(102, 102), (150, 150), (197, 197)]
                seen = self.guest.wait_screen(lambda now: all(now.pixel(*at) == (0, 255, 0) for at in inside))
                self.assertEqual([seen.pixel(*at) for at in inside], [(0, 255, 0)] * 3)
                self.guest.resize_display(before.width, before.height)
                self.assert_screen(screen.picture)

    def test_sleep(self) -> None:
        for gpu in ("bochs", "qxl", "cirrus"):
            with self.subTest(gpu=gpu), self.drawing(Options(gpu=gpu)) as (daemon, screen):
                self.guest.suspend_and_wake(asleep=SLEEP_SECONDS)
                self.assert_screen(screen.picture)
                daemon.job.wait_for(lambda: "asleep" in daemon.log, 10, "say that the machine was asleep")
                self.assert_screen(screen.fill(60, 60, 70, 70, 0x00AAFF))
                screen.tell("blank 4")
                self.guest.suspend_and_wake(asleep=SLEEP_SECONDS)
                daemon.job.wait_for(lambda: daemon.log.count("asleep") == 2, 10, "say that the machine was asleep again")
                self.wait_status("blank_level", 4)
                screen.tell("blank 0")
                self.assert_screen(screen.picture)


def add_test(kernel: str, gpu: str) -> None:
    def test(self: Sharing) -> None:
        self.run_checks(kernel, gpu)

    setattr(Sharing, f"test_{gpu}_{kernel.replace('.', '_')}", test)


for _kernel, _gpu in MATRIX:
    add_test(_kernel, _gpu)

if __name__ == "__main__":
    main([*(Options(kernel=kernel, gpu=gpu) for kernel, gpu in MATRIX), *(Options(kernel=kernel, resizable=True) for kernel in KERNELS)])
