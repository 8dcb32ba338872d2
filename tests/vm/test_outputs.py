#!/usr/bin/env python3
"""Tests of a card with two outputs: one framebuffer on both, and a framebuffer for each.

    python3 tests/vm/test_outputs.py -v [Outputs[.test_clone_6_12]]...
"""

import re
import sys
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from lab import fbemu, framebuffer  # noqa: E402
from lab.boot import boot  # noqa: E402
from lab.fbemu import Fbemu  # noqa: E402
from lab.framebuffer import OpenFramebuffer  # noqa: E402
from lab.guest import Guest  # noqa: E402
from lab.options import Options  # noqa: E402
from lab.picture import Picture  # noqa: E402
from lab.suite import main  # noqa: E402

KERNELS = ("6.1", "6.12", "7.2")


class Outputs(unittest.TestCase):
    """Tests on virtio, the only card with two outputs that QEMU has without a viewer."""

    guest: Guest

    @contextmanager
    def second_monitor(self, kernel: str) -> Iterator[Picture]:
        """Boots a guest and connects a second monitor like the first one. Gives the picture of the console."""
        with boot(Options(kernel=kernel, heads=2, resizable=True)) as self.guest:
            framebuffer.install(self.guest)
            fbemu.install(self.guest, fbemu.find_build(None))
            console = self.guest.settled_screen()
            self.plug(1, console)
            self.assert_screen(console, head=1)
            yield console

    def plug(self, head: int, like: Picture | None) -> None:
        self.guest.resize_display(like.width if like else 0, like.height if like else 0, head=head)
        wanted = "connected" if like else "disconnected"
        self.guest.wait_until(f"grep -qx {wanted} /sys/class/drm/card0-Virtual-{head + 1}/status", timeout=10)

    def force_first(self, status: str, console: Picture) -> None:
        """Sets the status of the first output in sysfs, because QEMU does not unplug it. The kernel reports it with the next event."""
        self.guest.run(f"echo {status} > /sys/class/drm/card0-Virtual-1/status")
        for size in ((800, 600), (console.width, console.height)):
            self.guest.resize_display(*size, head=1)

    def wait_enabled(self, wanted: dict[str, bool]) -> None:
        def enabled() -> dict[str, bool]:
            return {output["name"]: output["enabled"] for output in framebuffer.status(self.guest)["outputs"]}

        self.guest.wait_for(lambda: enabled() == wanted, 10, f"have {wanted} enabled")

    def assert_screen(self, expected: Picture, head: int = 0) -> None:
        self.assertIsNone(self.guest.wait_screen(lambda now: now == expected, head=head).difference(expected), f"head {head}")

    def assert_screens(self, expected: Picture) -> None:
        for head in (0, 1):
            self.assert_screen(expected, head)

    def assert_only_short_conflicts(self, daemon: Fbemu) -> None:
        """Checks that the log has no warning but those of a call of the other daemon, each with its end. If the machine
        stops for a moment, such a call takes longer than 0.25 s, and fbemud reports it.
        """
        warnings = re.findall("warning: (.*)", daemon.log)
        self.assertEqual([text for text in warnings if "another program has the screen" not in text], [], daemon.log)
        self.assertEqual(daemon.log.count("is updated again"), len(warnings), daemon.log)

    def run_clone(self, kernel: str) -> None:
        with self.second_monitor(kernel) as console:
            daemon = fbemu.start(self.guest, fbemu.find_build(None), ["--no-cuse"])
            with OpenFramebuffer(self.guest, daemon) as screen:
                with self.subTest("both show the picture"):
                    self.assert_screens(screen.draw_pattern())
                    self.assert_screens(screen.fill(40, 40, 50, 50, 0x00FF00))
                    self.assert_screens(screen.write_line(100, 0xFF0000))
                with self.subTest("one is unplugged and plugged in again"):
                    self.plug(1, None)
                    self.assert_screen(screen.fill(140, 40, 50, 50, 0x0000FF))
                    self.plug(1, console)
                    self.assert_screens(screen.picture)
                with self.subTest("the other shows the picture alone, and both do again"):
                    self.force_first("off", console)
                    daemon.job.wait_for(lambda: "output Virtual-1 was disconnected" in daemon.log, 10, "see that the first output has gone")
                    self.assert_screen(screen.fill(240, 40, 50, 50, 0xFFFF00), head=1)
                    screen.tell("sync")
                    self.wait_enabled({"Virtual-1": False, "Virtual-2": True})
                    self.force_first("detect", console)
                    self.wait_enabled({"Virtual-1": True, "Virtual-2": True})
                    self.assert_screens(screen.fill(340, 40, 50, 50, 0x00FFFF))
                with self.subTest("a smaller monitor has it fitted"):
                    self.guest.resize_display(640, 400, head=1)
                    seen = self.guest.wait_screen(lambda now: now.width == 640 and now.pixel(35, 35) == (0, 255, 0), head=1)
                    # 1280x800 fits exactly at half the size.
                    self.assertEqual((seen.width, seen.height, seen.pixel(35, 35)), (640, 400, (0, 255, 0)))
                    self.assert_screen(screen.picture)
                    self.plug(1, console)
                    self.assert_screens(screen.picture)
            with self.subTest("both consoles are back"):
                self.assert_screens(console)
            self.assertEqual(daemon.stop(), 0, daemon.log)

    def run_one_each(self, kernel: str) -> None:
        with self.second_monitor(kernel) as console:
            daemons = [fbemu.start(self.guest, fbemu.find_build(None), ["--no-cuse", "--connector", f"Virtual-{number}"]) for number in (1, 2)]
            self.assertEqual([daemon.node for daemon in daemons], ["/dev/fb0", "/dev/fb1"])
            with OpenFramebuffer(self.guest, daemons[0]) as first:
                self.assert_screen(first.draw_pattern())
                self.assert_screen(console, head=1)
                with OpenFramebuffer(self.guest, daemons[1]) as second:
                    second.draw_pattern()
                    self.assert_screen(second.fill(0, 0, 600, 400, 0x112233), head=1)
                    with self.subTest("they take turns as DRM master and do not see each other"):
                        for step in range(20):
                            first.fill(20 * step, 40, 20, 20, 0x00FF00)
                            second.fill(20 * step, 80, 20, 20, 0xFF0000)
                        self.assert_screen(first.picture)
                        self.assert_screen(second.picture, head=1)
                self.assert_screen(console, head=1)
                self.assert_screen(first.fill(500, 500, 20, 20, 0x00FF00))
            self.assert_screens(console)
            for daemon in daemons:
                self.assertEqual(daemon.stop(), 0, daemon.log)
                self.assert_only_short_conflicts(daemon)


def add_tests(kernel: str) -> None:
    word = kernel.replace(".", "_")
    setattr(Outputs, f"test_clone_{word}", lambda self: self.run_clone(kernel))
    setattr(Outputs, f"test_one_each_{word}", lambda self: self.run_one_each(kernel))


for _kernel in KERNELS:
    add_tests(_kernel)

if __name__ == "__main__":
    main(Options(kernel=kernel, heads=2, resizable=True) for kernel in KERNELS)
