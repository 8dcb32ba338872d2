#!/usr/bin/env python3
"""Tests of faults of cards and displays: fbemu reports them once, continues if possible, and leaves nothing behind.

    python3 tests/vm/test_faults.py -v [Class[.test]]...
"""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from lab import fbemu, framebuffer  # noqa: E402
from lab.driver_case import OnDriver, unbinds  # noqa: E402
from lab.drivers import DRIVERS  # noqa: E402
from lab.fbemu import Fbemu  # noqa: E402
from lab.framebuffer import OpenFramebuffer  # noqa: E402
from lab.options import Options  # noqa: E402
from lab.suite import main  # noqa: E402

MATRIX = [("6.12", gpu) for gpu in DRIVERS] + [(kernel, gpu) for kernel in ("6.1", "7.2") for gpu in ("virtio", "vmwgfx")]


class Everywhere:
    """The tests of each driver, in a class that unittest does not run itself."""

    class Faults(OnDriver):
        @unbinds
        def test_card_that_vanishes_while_a_program_draws(self) -> None:
            with self.daemon() as daemon:
                with OpenFramebuffer(self.guest, daemon) as screen:
                    self.assert_shows(screen.draw_pattern())
                    with self.without_driver():
                        screen.fill(30, 30, 40, 40, 0x33CC66)
                        self.wait_log(daemon, "No such device")
                        # More frames than there are between two attempts to open the card.
                        for _ in range(40):
                            screen.tell("sync")
                        drawn = screen.fill(300, 300, 40, 40, 0xCC3366)
                        pixel = self.guest.run(f"dd if={daemon.node} bs=1 skip={(310 * drawn.width + 310) * 4} count=3 status=none").stdout
                        self.assertEqual(pixel, bytes((0x66, 0x33, 0xCC)))
                        self.assertIn("No such device", self.set_mode(daemon.node, 800, 600))
                        status = framebuffer.status(self.guest)
                        self.assertEqual((status["enabled"], status["mode"]["width"]), (False, drawn.width))
                    said = self.warnings(daemon)
                    self.assertEqual(len(said), 2, daemon.log)
                    for words in (self.connector, "/dev/dri/card0 (", "No such device"):
                        self.assertIn(words, said[0])
                    self.assertIn("refused the mode 800x600", said[1])
                    with self.subTest("the card is back"):
                        self.assert_shows(drawn)
                        self.assert_shows(screen.fill(500, 300, 40, 40, 0x6633CC))
                        self.assertEqual(len(re.findall(f"output {self.connector} .*is updated again", daemon.log)), 1, daemon.log)
                self.assert_console()
                self.assertEqual(len(self.warnings(daemon)), 2, daemon.log)

        @unbinds
        def test_end_while_the_card_is_gone(self) -> None:
            with self.without_driver_after_drawing() as daemon:
                self.assertEqual(daemon.stop(), 0, daemon.log)
                self.assert_nothing_left()
            self.assert_console()

        @contextmanager
        def without_driver_after_drawing(self) -> Iterator[Fbemu]:
            daemon = fbemu.start(self.guest, fbemu.find_build(None), ["--no-cuse"])
            screen = OpenFramebuffer(self.guest, daemon)
            self.assert_shows(screen.draw_pattern())
            with self.without_driver():
                screen.fill(0, 0, 9, 9, 0)
                self.wait_log(daemon, "No such device")
                screen.close()
                yield daemon

        def test_mode_change_while_another_program_has_the_display(self) -> None:
            """The program continues in the new mode, which is set when the display is free."""
            with self.daemon() as daemon, OpenFramebuffer(self.guest, daemon) as screen:
                self.assert_shows(screen.draw_pattern())
                screen.tell("sync")
                other = self.guest.spawn(["python3", "unflushed.py", "/dev/dri/card0"], stdin=True)
                other.wait_output(b"DRAWN", 60)
                self.assertEqual(self.set_mode(daemon.node, 800, 600), "")
                drawn = screen.draw_pattern()
                self.assertEqual((drawn.width, drawn.height), (800, 600))
                self.wait_log(daemon, "cannot be updated: another program has the screen")
                self.assertRegex(daemon.log, rf"{self.connector} of the card /dev/dri/card0 \(\w+(-drm)?\) cannot be updated: another")
                other.write(b"\n\n")
                self.assertEqual(other.wait(30), 0)
                self.assert_shows(drawn)
                self.assertEqual(len(self.warnings(daemon)), 1, daemon.log)

        def test_display_that_another_program_keeps(self) -> None:
            """The other program is DRM master first, and for any time. The program with the framebuffer does not wait for it."""
            with self.daemon() as daemon:
                other = self.guest.spawn(["python3", "unflushed.py", "/dev/dri/card0"], stdin=True)
                other.wait_output(b"DRAWN", 60)
                with OpenFramebuffer(self.guest, daemon) as screen:
                    drawn = screen.draw_pattern()
                    with self.without_busy_loop(daemon):
                        for step in range(200):
                            screen.tell("sync")
                            drawn = screen.fill(3 * step, 50, 20, 20, 0x33CC66)
                    self.wait_log(daemon, "another program has the screen")
                    self.assertFalse(framebuffer.status(self.guest)["enabled"])
                    other.write(b"\n\n")
                    self.assertEqual(other.wait(30), 0)
                    self.assert_shows(drawn)
                    self.assertEqual(len(self.warnings(daemon)), 1, daemon.log)
                self.assert_console()

        @unbinds
        def test_card_that_is_unbound_while_a_program_never_stops_drawing(self) -> None:
            with self.daemon() as daemon:
                with OpenFramebuffer(self.guest, daemon) as screen:
                    self.assert_shows(screen.draw_pattern())
                    painter = self.guest.spawn(["sh", "-c", f"while /root/draw64 {daemon.node} > /dev/null; do :; done"])
                    try:
                        for times in (1, 2, 3):
                            with self.without_driver():
                                daemon.job.wait_for(lambda: daemon.log.count("No such device") == times, 10, "see that the card has gone")
                            daemon.job.wait_for(lambda: daemon.log.count("is updated again") == times, 10, "show the picture again")
                        self.assertIsNone(painter.status, painter.stderr)
                    finally:
                        painter.signal(9)
                        painter.wait(20)
                    self.assert_shows(screen.draw_pattern())
                    self.assertEqual(len(self.warnings(daemon)), 3, daemon.log)
                self.assert_console()


class OnVirtio612(Everywhere.Faults):
    kernel, gpu = "6.12", "virtio"

    def test_paths_that_are_no_card(self) -> None:
        self.refused(["--card", "/dev/dri/card7"], "/dev/dri/card7", "No such file or directory", "--card auto")
        self.refused(["--card", "/dev/null"], "/dev/null is not a DRM card")
        self.refused(["--card", "/etc/passwd"], "/etc/passwd is not a DRM card")
        self.refused(["--card", "/dev/dri"], "/dev/dri", "Is a directory")
        self.refused(["--card", "/dev/dri/renderD128"], "/dev/dri/renderD128", "no display outputs")
        self.assert_shows(self.console)

    def test_no_permission(self) -> None:
        user = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
        for card in ("auto", "/dev/dri/card0"):
            self.refused(["--card", card, "--device", "/tmp/fb"], "/dev/dri/card0", "Permission denied", "group video", prefix=user)
        self.guest.run("! test -e /tmp/fb")

    def test_no_connected_output(self) -> None:
        self.guest.run(f"echo off > {self.in_sysfs}/status")
        try:
            self.refused(["--card", "auto"], "/dev/dri/card0 (virtio_gpu)", "Virtual-1 disconnected", "No such device")
            self.refused(["--card", "/dev/dri/card0"], "/dev/dri/card0 (virtio_gpu)", "Virtual-1", "No such device")
            self.refused(["--connector", "Virtual-1"], "/dev/dri/card0 (virtio_gpu)", "Virtual-1 of", "has no modes", "No such device")
        finally:
            self.guest.run(f"echo detect > {self.in_sysfs}/status")
        self.refused(["--connector", "Virtual-9"], "/dev/dri/card0 (virtio_gpu)", "Virtual-1 connected", "Virtual-9")
        self.assert_shows(self.console)

    def test_mode_that_is_none(self) -> None:
        self.refused(["--mode", "16000x16000"], "/dev/dri/card0 (virtio_gpu)", "Virtual-1", "16000x16000", "Invalid argument")
        self.assert_shows(self.console)

    def test_no_card(self) -> None:
        with self.without_driver():
            self.refused(["--card", "auto"], "there is no DRM card", "No such device", "--card headless")
            self.refused(["--card", "/dev/dri/card0"], "/dev/dri/card0", "No such file or directory")
        self.assert_shows(self.console)


class OnQxl612(Everywhere.Faults):
    """The driver of qxl reports connectors that are plugged and unplugged."""

    kernel, gpu = "6.12", "qxl"

    def test_display_that_is_unplugged_and_plugged_in_again(self) -> None:
        with self.daemon() as daemon:
            with OpenFramebuffer(self.guest, daemon) as screen:
                self.assert_shows(screen.draw_pattern())
                sets = self.statistic("mode_sets")
                self.guest.run(f"echo off > {self.in_sysfs}/status")
                try:
                    self.wait_log(daemon, "output Virtual-1 was disconnected")
                    self.assertFalse(framebuffer.status(self.guest)["output"]["connected"])
                    screen.fill(40, 40, 50, 50, 0xFF00FF)
                    screen.tell("sync")
                finally:
                    self.guest.run(f"echo on > {self.in_sysfs}/status")
                self.wait_log(daemon, "output Virtual-1 was connected")
                self.assert_shows(screen.picture)
                self.assertTrue(framebuffer.status(self.guest)["output"]["connected"])
                self.assertGreater(self.statistic("mode_sets"), sets)
                self.assert_shows(screen.fill(140, 40, 50, 50, 0x00FFFF))
                self.guest.run(f"echo detect > {self.in_sysfs}/status")
            self.assert_shows(self.console)
            self.assertEqual(self.warnings(daemon), [])

    def test_storm_of_hotplug_events(self) -> None:
        with self.daemon() as daemon:
            with OpenFramebuffer(self.guest, daemon) as screen:
                self.assert_shows(screen.draw_pattern())
                with self.without_busy_loop(daemon):
                    start = self.uptime()
                    self.guest.run(f"for i in $(seq 200); do echo off > {self.in_sysfs}/status; echo on > {self.in_sysfs}/status; done", timeout=60)
                    seconds = self.uptime() - start
                    for step in range(60):
                        screen.tell("sync")
                        screen.fill(3 * step, 50, 20, 20, 0x33CC66)
                self.assert_shows(screen.picture)
                self.wait_connected()
                self.assert_shows(screen.fill(300, 50, 20, 20, 0xCC3366))
                told = len(re.findall("was (?:dis)?connected", daemon.log))
                # The first event is reported at once, the following ones at growing intervals.
                self.assertLessEqual(told, 8 + seconds, daemon.log)
                self.guest.run(f"echo detect > {self.in_sysfs}/status")
            self.assert_shows(self.console)
            self.assertEqual(self.warnings(daemon), [])

    def wait_connected(self) -> None:
        self.guest.wait_until("fbemuctl status --json | grep -A3 '\"output\":' | grep -q '\"connected\": true'", timeout=10)

    def statistic(self, name: str) -> int:
        return int(re.findall(rf"^{name} +(\d+)$", self.guest.run(["fbemuctl", "stats"]).text, re.M)[0])


class OnCirrus612(Everywhere.Faults):
    """The card has little memory, and the driver checks this only when a mode is set."""

    kernel, gpu = "6.12", "cirrus"

    def test_mode_that_the_driver_refuses(self) -> None:
        self.refused(["--mode", "1600x1000"], "/dev/dri/card0 (cirrus)", "VGA-1", "1600x1000", "Invalid argument")
        self.assert_shows(self.console)
        with self.daemon() as daemon, OpenFramebuffer(self.guest, daemon) as screen:
            self.assert_shows(screen.draw_pattern())
            self.assertIn("Invalid argument", self.set_mode(daemon.node, 1600, 1000))
            self.assert_shows(screen.fill(40, 40, 50, 50, 0xFF00FF))
            self.assertLessEqual(len(self.warnings(daemon)), 1, daemon.log)


def add_classes() -> None:
    for kernel, gpu in MATRIX:
        name = f"On{gpu.capitalize()}{kernel.replace('.', '')}"
        if name not in globals():
            globals()[name] = type(name, (Everywhere.Faults,), {"kernel": kernel, "gpu": gpu})


add_classes()

if __name__ == "__main__":
    main([Options(kernel=kernel, gpu=gpu) for kernel, gpu in MATRIX])
