#!/usr/bin/env python3
"""Tests of the splash of drmclient/examples on real drivers: it shows its picture, moves the bar, and yields to other programs.

    python3 tests/vm/test_splash.py -v [Splash[.test_virtio_6_12]]...

The programs are those of the build folder FBEMU_BUILD (build/release).
"""

import sys
import time
import unittest
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from lab import compositor, console, fbemu, framebuffer, splash  # noqa: E402
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
# The driver of cirrus copies each frame to the same memory of the card, so a flip is visible in progress.
COPIES = {("6.12", "cirrus")}
SECONDS = 20


class Splash(unittest.TestCase):
    """The checks share a guest and run in order. After each one, the console is on the screen."""

    guest: Guest
    console: Picture

    def run_checks(self, kernel: str, gpu: str) -> None:
        start = time.monotonic()
        with boot(Options(kernel=kernel, gpu=gpu)) as self.guest:
            framebuffer.install(self.guest)
            fbemu.install(self.guest, fbemu.find_build(None))
            splash.install(self.guest, fbemu.find_build(None))
            self.console = self.guest.settled_screen()
            self.copies = (kernel, gpu) in COPIES
            self.check_shown()
            self.check_picture()
            self.check_framebuffer_takes_over()
            self.check_compositor_takes_over()
        print(f"\n  {kernel} {gpu}: {time.monotonic() - start:.1f} s", file=sys.stderr)

    @contextmanager
    def splash(self, *arguments: str) -> Iterator[Job]:
        job = splash.start(self.guest, *arguments)
        try:
            yield job
        finally:
            if job.status is None:
                job.signal(9)
                job.wait(SECONDS)

    def assert_screen(self, expected: Picture) -> None:
        self.assertIsNone(self.guest.wait_screen(lambda now: now == expected).difference(expected))

    def assert_console(self) -> None:
        """Waits for the console as it was, or for new text if the driver may have cleared the console."""
        if console.forgets(self.guest.options):
            self.assertTrue(console.shows_text(console.rewrite(self.guest, "new text")))
            return
        self.assertIsNone(self.guest.wait_screen(lambda now: now == self.console).difference(self.console))

    def assert_ended(self, job: Job) -> None:
        self.assertEqual(job.wait(SECONDS), 0, job.stderr)
        self.assertEqual((job.stdout, job.stderr), (b"", b""))

    # The checks

    def check_shown(self) -> None:
        width, height = self.console.width, self.console.height
        for number in (15, 2):
            with self.subTest(f"the picture, a bar that moves, and the console after signal {number}"), self.splash() as job:
                self.assert_screen(splash.picture(width, height, 0))
                for percent in (1, 50, 49, 100):
                    job.write(f"{percent}\n".encode())
                    self.assert_screen(splash.picture(width, height, percent))
                job.signal(number)
                self.assert_ended(job)
                self.assert_console()

    def check_picture(self) -> None:
        with self.subTest("a picture of one's own"):
            colours = Picture(256, 200, bytes(value for y in range(200) for x in range(256) for value in (x, y, 255 - x)))
            self.guest.write_file("/root/own.png", colours.png())
            with self.splash("/root/own.png") as job:
                self.assert_screen(splash.picture(self.console.width, self.console.height, 0, colours))
                job.close_stdin()
                job.signal(15)
                self.assert_ended(job)
            self.assert_console()

    def check_framebuffer_takes_over(self) -> None:
        """Checks that each screendump during the hand-over is the splash's picture, and then the program's."""
        with self.subTest("fbemud takes over"), self.daemon() as daemon:
            with OpenFramebuffer(self.guest, daemon) as screen:
                # The picture stays in the framebuffer, which is not shown until a program opens it.
                after = screen.draw_pattern()
                self.assert_screen(after)
            self.assert_console()
            with self.splash() as job:
                job.write(b"30\n")
                before = splash.picture(self.console.width, self.console.height, 30)
                self.assert_screen(before)
                program = self.guest.spawn(["python3", "-IS", "/root/touch.py", daemon.node], stdin=True)
                seen = self.watch(lambda now: now == after and job.status is not None)
                self.assert_handed_over(job, seen, before, after, daemon)
                program.close_stdin()
                self.assertEqual(program.wait(SECONDS), 0)
            self.assert_console()
        with self.subTest("and what ends there does not come back to the splash"):
            self.assertEqual(self.guest.run("pgrep -x splash", check=False).status, 1)

    @contextmanager
    def daemon(self) -> Iterator[Fbemu]:
        daemon = fbemu.start(self.guest, fbemu.find_build(None), ["--no-cuse"])
        try:
            yield daemon
            self.assertEqual(daemon.stop(), 0, daemon.log)
        finally:
            if daemon.job.status is None:
                daemon.kill()

    def watch(self, is_last: Callable[[Picture], bool]) -> list[Picture]:
        """Returns the successive pictures of the screen, with as many screendumps as possible."""
        seen = [self.guest.screen()]
        looks = 1
        end = time.monotonic() + SECONDS
        while not is_last(seen[-1]) and time.monotonic() < end:
            now = self.guest.screen()
            looks += 1
            if now != seen[-1]:
                seen.append(now)
        print(f"\n  {self.guest.options.gpu}: {looks} looks at the hand-over", file=sys.stderr)
        return seen

    def assert_handed_over(self, job: Job, seen: list[Picture], before: Picture, after: Picture, daemon: Fbemu) -> None:
        self.assert_ended(job)
        if self.copies:
            seen = [picture for picture in seen if picture in (before, after) or not picture.is_mixture(before, after)]
        known = [(before, "splash"), (after, "program"), (self.console, "console")]
        names = [next((name for picture, name in known if picture == now), f"{len(console.colours(now))} colours: {now.difference(after)}")
                 for now in seen]
        self.assertEqual(names, ["splash", "program"], daemon.log)

    def check_compositor_takes_over(self) -> None:
        with self.subTest("a compositor takes over"), self.splash() as job:
            self.assert_screen(splash.picture(self.console.width, self.console.height, 0))
            weston = compositor.start(self.guest)
            try:
                self.assert_ended(job)
                # weston may repaint at this moment.
                weston.wait_desktop()
                with self.splash() as second:
                    second.write(b"20\n")
                    # When it reports the error, it has read its input and has tried to take the screen more than once.
                    second.write(b"?\n")
                    second.wait_for(lambda: b"not '?'" in second.stderr, SECONDS, "complain")
                    self.assertTrue(compositor.shows_desktop(self.guest.settled_screen()))
                    self.assertEqual(weston.stop(), 0, weston.log)
                    self.assert_screen(splash.picture(self.console.width, self.console.height, 20))
                    second.signal(15)
                    self.assertEqual(second.wait(SECONDS), 0, second.stderr)
            finally:
                if weston.job.status is None:
                    weston.kill()
                self.guest.run(["chvt", "1"])
            self.assert_console()


class Displays(unittest.TestCase):
    def test_outputs_that_come_change_and_go(self) -> None:
        with boot(Options(heads=2, resizable=True)) as guest:
            fbemu.install(guest, fbemu.find_build(None))
            splash.install(guest, fbemu.find_build(None))
            console = guest.settled_screen()
            job = splash.start(guest)
            job.write(b"70\n")
            self.assert_screen(guest, splash.picture(1280, 800, 70))
            guest.resize_display(640, 480, head=1)
            self.assert_screen(guest, splash.picture(640, 480, 70), head=1)
            guest.resize_display(1024, 600)
            self.assert_screen(guest, splash.picture(1024, 600, 70))
            job.write(b"80\n")
            self.assert_screen(guest, splash.picture(1024, 600, 80))
            self.assert_screen(guest, splash.picture(640, 480, 80), head=1)
            guest.resize_display(0, 0, head=1)
            guest.wait_until("grep -qx disconnected /sys/class/drm/card0-Virtual-2/status", timeout=10)
            job.write(b"90\n")
            self.assert_screen(guest, splash.picture(1024, 600, 90))
            guest.resize_display(console.width, console.height)
            self.assert_screen(guest, splash.picture(console.width, console.height, 90))
            with self.subTest("it stays while one of two outputs is its own"):
                guest.resize_display(640, 480, head=1)
                self.assert_screen(guest, splash.picture(640, 480, 90), head=1)
                daemon = fbemu.start(guest, fbemu.find_build(None), ["--no-cuse", "--connector", "Virtual-1"])
                framebuffer.install(guest)
                with OpenFramebuffer(guest, daemon) as screen:
                    self.assert_screen(guest, screen.draw_pattern())
                    job.write(b"95\n")
                    self.assert_screen(guest, splash.picture(640, 480, 95), head=1)
                    self.assert_screen(guest, screen.picture)
                self.assertEqual(daemon.stop(), 0, daemon.log)
            job.signal(15)
            self.assertEqual(job.wait(SECONDS), 0, job.stderr)
            self.assertEqual(job.stderr, b"")
            self.assert_screen(guest, console)

    def assert_screen(self, guest: Guest, expected: Picture, head: int = 0) -> None:
        self.assertIsNone(guest.wait_screen(lambda now: now == expected, head=head).difference(expected))

    def test_card_that_goes(self) -> None:
        with boot(Options()) as guest:
            splash.install(guest, fbemu.find_build(None))
            job = splash.start(guest)
            self.assert_screen(guest, splash.picture(1280, 800, 0))
            device = guest.run("basename $(readlink -f /sys/class/drm/card0/device)").text.strip()
            driver = guest.run("readlink -f /sys/class/drm/card0/device/driver").text.strip()
            guest.run(f"echo {device} > {driver}/unbind")
            self.assertEqual(job.wait(SECONDS), 1)
            self.assertRegex(job.stderr.decode(), "^splash: the card /dev/dri/card0: No such device\n$")


def add_tests() -> None:
    def make(kernel: str, gpu: str) -> None:
        setattr(Splash, f"test_{gpu}_{kernel.replace('.', '_')}", lambda self: self.run_checks(kernel, gpu))

    for entry in MATRIX:
        make(*entry)


add_tests()

if __name__ == "__main__":
    main([*(Options(kernel=kernel, gpu=gpu) for kernel, gpu in MATRIX), Options(heads=2, resizable=True)])
