#!/usr/bin/env python3
"""What goes wrong with cards and displays: fbemu says it once and clearly, keeps what it can, and leaves nothing behind.

    python3 tests/vm/test_faults.py -v [Class[.test]]...
"""

import json
import re
import sys
import unittest
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, TypeVar

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from lab import console, fbemu, framebuffer  # noqa: E402
from lab.boot import boot  # noqa: E402
from lab.drivers import DRIVERS, driver  # noqa: E402
from lab.fbemu import Fbemu  # noqa: E402
from lab.framebuffer import OpenFramebuffer  # noqa: E402
from lab.guest import Guest  # noqa: E402
from lab.options import Options  # noqa: E402
from lab.picture import Picture  # noqa: E402
from lab.suite import main  # noqa: E402

PROGRAMS = Path(__file__).resolve().parent / "programs"
MATRIX = [("6.12", gpu) for gpu in DRIVERS] + [(kernel, gpu) for kernel in ("6.1", "7.2") for gpu in ("virtio", "vmwgfx")]
# These crash their kernel when they are unbound, without fbemu as well; vmwgfx of 6.1 only where a client has a picture on it.
CRASH_WHEN_UNBOUND = {"qxl", "vmwgfx"}


class OnDriver(unittest.TestCase):
    """One guest for the tests of a driver. Each leaves it as it was: the console on the screen, and nothing of fbemu."""

    kernel: ClassVar[str]
    gpu: ClassVar[str]
    guest: ClassVar[Guest]
    console: ClassVar[Picture]
    connector: ClassVar[str]
    in_sysfs: ClassVar[str]

    def __init_subclass__(cls) -> None:
        if getattr(cls, "gpu", None) in CRASH_WHEN_UNBOUND:
            for name in dir(cls):
                if getattr(getattr(cls, name), "unbinds", False):
                    setattr(cls, name, None)

    @classmethod
    def setUpClass(cls) -> None:
        cls.guest = cls.enterClassContext(boot(Options(kernel=cls.kernel, gpu=cls.gpu, resizable=driver(cls.gpu).resizable)))
        cls.connector = cls.guest.run("ls /sys/class/drm | sed -n 's/^card0-//p'").text.split()[0]
        cls.in_sysfs = f"/sys/class/drm/card0-{cls.connector}"
        framebuffer.install(cls.guest)
        fbemu.install(cls.guest, fbemu.find_build(None))
        cls.guest.put(PROGRAMS / "unflushed.py", "/root/unflushed.py")
        cls.console = cls.guest.settled_screen()

    def assert_shows(self, expected: Picture, timeout: float = 5) -> None:
        self.assertIsNone(self.guest.wait_screen(lambda now: now == expected, timeout=timeout).difference(expected))

    def assert_console(self) -> None:
        """The console as it was; where the driver forgets it, text is there after a redraw."""
        if not console.forgets(self.guest.options):
            self.assert_shows(self.console)
            return
        self.assertTrue(console.shows_text(console.rewrite(self.guest, "new text")))

    def assert_nothing_left(self) -> None:
        # The guard that cleans up after fbemud ends a moment later.
        self.guest.wait_until("! pgrep -x fbemud", timeout=10)
        self.assertNotIn("fbemu", self.guest.read_file("/proc/self/mountinfo").decode())
        self.guest.run("! ls /dev/fb* && test -z \"$(ls -A /run/fbemu)\"")

    def refused(self, arguments: list[str], *words: str, prefix: tuple[str, ...] = ()) -> None:
        """fbemud ends at once, with one message in which there are all `words`, and changes nothing."""
        done = self.guest.run([*prefix, "fbemud", *arguments], check=False, timeout=20)
        said = done.stderr.decode()
        self.assertEqual(done.status, 1, said)
        self.assertEqual(said.count("fbemud: "), 1, said)
        for word in words:
            self.assertIn(word, said)
        self.assert_nothing_left()

    @contextmanager
    def daemon(self) -> Iterator[Fbemu]:
        daemon = fbemu.start(self.guest, fbemu.find_build(None), ["--no-cuse"])
        try:
            yield daemon
            self.assertEqual(daemon.stop(), 0, daemon.log)
            self.assert_nothing_left()
        finally:
            if daemon.job.status is None:
                daemon.kill()

    def wait_log(self, daemon: Fbemu, words: str) -> None:
        daemon.job.wait_for(lambda: words in daemon.log, 10, f"say {words!r}")

    def warnings(self, daemon: Fbemu) -> list[str]:
        return re.findall(r"(?:warning|error): .*", daemon.log)

    def set_mode(self, node: str, width: int, height: int) -> str:
        """Returns what fbset complained of."""
        size = [str(width), str(height)]
        done = self.guest.run(["fbset", "-fb", node, "-xres", size[0], "-yres", size[1], "-vxres", size[0], "-vyres", size[1]], check=False)
        return done.stderr.decode()

    @contextmanager
    def without_driver(self) -> Iterator[None]:
        """The driver lets the card go; at the end it has it again."""
        device = self.guest.run("basename $(readlink -f /sys/class/drm/card0/device)").text.strip()
        folder = self.guest.run("readlink -f /sys/class/drm/card0/device/driver").text.strip()
        self.guest.run(f"echo {device} > {folder}/unbind")
        try:
            yield
        finally:
            self.guest.run(f"echo {device} > {folder}/bind")

    def seconds_used(self, daemon: Fbemu) -> float:
        """Of a processor, by fbemud so far."""
        process = framebuffer.status(self.guest)["process"]
        fields = self.guest.read_file(f"/proc/{process}/stat").decode().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def uptime(self) -> float:
        return float(self.guest.read_file("/proc/uptime").split()[0])

    @contextmanager
    def without_busy_loop(self, daemon: Fbemu) -> Iterator[None]:
        """What is done within has to leave most of the processor alone."""
        used, start = self.seconds_used(daemon), self.uptime()
        yield
        self.assertLess(self.seconds_used(daemon) - used, 0.5 * (self.uptime() - start), daemon.log)


Test = TypeVar("Test", bound=Callable[..., None])


def unbinds(test: Test) -> Test:
    """Marks a test that takes the card from its driver: a driver that crashes its kernel at that does not have it."""
    test.unbinds = True  # type: ignore[attr-defined]
    return test


class Everywhere:
    """Not a test itself: what is checked on each driver."""

    class Faults(OnDriver):
        @unbinds
        def test_card_that_vanishes_while_a_program_draws(self) -> None:
            with self.daemon() as daemon:
                with OpenFramebuffer(self.guest, daemon) as screen:
                    self.assert_shows(screen.draw_pattern())
                    with self.without_driver():
                        screen.fill(30, 30, 40, 40, 0x33CC66)
                        self.wait_log(daemon, "No such device")
                        # More frames than lie between two tries to open the card.
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
            """The program goes on with it, and it is on the screen once that is free."""
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
            """It was there first, and holds DRM master for as long as it likes: the program waits for none of it."""
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
    """Its kernel driver tells of connectors that come and go."""

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
                # Once at once, and then at longer and longer distances.
                self.assertLessEqual(told, 8 + seconds, daemon.log)
                self.guest.run(f"echo detect > {self.in_sysfs}/status")
            self.assert_shows(self.console)
            self.assertEqual(self.warnings(daemon), [])

    def wait_connected(self) -> None:
        self.guest.wait_until("fbemuctl status --json | grep -A3 '\"output\":' | grep -q '\"connected\": true'", timeout=10)

    def statistic(self, name: str) -> int:
        return int(re.findall(rf"^{name} +(\d+)$", self.guest.run(["fbemuctl", "stats"]).text, re.M)[0])


class OnCirrus612(Everywhere.Faults):
    """Its card has little memory, which the driver learns of when the mode is set."""

    kernel, gpu = "6.12", "cirrus"

    def test_mode_that_the_driver_refuses(self) -> None:
        self.refused(["--mode", "1600x1000"], "/dev/dri/card0 (cirrus)", "VGA-1", "1600x1000", "Invalid argument")
        self.assert_shows(self.console)
        with self.daemon() as daemon, OpenFramebuffer(self.guest, daemon) as screen:
            self.assert_shows(screen.draw_pattern())
            self.assertIn("Invalid argument", self.set_mode(daemon.node, 1600, 1000))
            self.assert_shows(screen.fill(40, 40, 50, 50, 0xFF00FF))
            self.assertLessEqual(len(self.warnings(daemon)), 1, daemon.log)


def edid(*timings: bytes) -> bytes:
    """A monitor's description (EDID 1.4) with up to four detailed timings and a right checksum."""
    blocks = b"".join(timing.ljust(18, b"\0") for timing in timings).ljust(72, b"\0")
    head = b"\0\xff\xff\xff\xff\xff\xff\0" + b"\x04\x21" + bytes(6) + b"\x01\x22\x01\x04" + b"\x80\x30\x20\x78\x02" + bytes(10) + bytes(3) + b"\x01\x01" * 8
    body = head + blocks + b"\0"
    return body + bytes([-sum(body) % 256])


# 1024x768 of the standard: virtio takes no other as the preferred one, which is the first.
FIRST = bytes((0x64, 0x19, 0x00, 0x40, 0x41, 0x00, 0x26, 0x30, 0x18, 0x88, 0x36, 0x00, 0, 0, 0, 0, 0, 0x1E))
# 1000x700 at 60 Hz, which no list has.
SENSIBLE = edid(FIRST, bytes((0xA9, 0x13, 0xE8, 0xA0, 0x30, 0xBC, 0x1E, 0x20, 0x30, 0x20, 0x33, 0x00, 0, 0, 0, 0, 0, 0x1E)))
# Clock, sides, blanking and syncs as large, as small, and as contradictory as the fields allow.
TIMINGS = [b"\xff" * 17, b"\x01\0" + bytes(16), b"\xff\xff\x01\x00\x00\x01\x00\x00" + bytes(10), b"\x64\x19\x00\x40\x41\x00\x26\x30\x18\xff\xff\xff" + bytes(6)]
GARBAGE = {"noise": bytes((37 * at * at + 11) % 256 for at in range(256)), "zeros": bytes(128), "one byte": b"x", "no timings": edid(),
           **{f"timing {number}": edid(FIRST, timing) for number, timing in enumerate(TIMINGS)}, "all timings": edid(*TIMINGS)}


class Monitors(OnDriver):
    """virtio asks the monitor anew at each event, and takes it at its word, also where the word is the administrator's."""

    kernel, gpu = "6.12", "virtio"

    def describe(self, description: bytes) -> None:
        """The monitor says this of itself, and the driver has asked it."""
        self.assertTrue(self.override(SENSIBLE))
        self.ask_monitor(f"grep -qx 1000x700 {self.in_sysfs}/modes")
        if description != SENSIBLE and self.override(description):
            self.ask_monitor(f"! grep -qx 1000x700 {self.in_sysfs}/modes")

    def override(self, description: bytes) -> bool:
        """False where the kernel refuses it: it is no description at all."""
        self.guest.write_file("/root/edid", description)
        return self.guest.run("cat /root/edid > /sys/kernel/debug/dri/0/Virtual-1/edid_override", check=False).status == 0

    def ask_monitor(self, condition: str) -> None:
        for width, height in ((1024, 768), (self.console.width, self.console.height)):
            self.guest.resize_display(width, height)
        self.guest.wait_until(f"echo detect > {self.in_sysfs}/status; {condition}", timeout=10)

    def modes(self) -> list[tuple[int, int]]:
        """All that fbemud offers, none of them absurd."""
        modes = json.loads(self.guest.run(["fbemuctl", "modes", "--json"]).text)["modes"]
        for mode in modes:
            self.assertGreaterEqual(min(mode["width"], mode["height"]), 8, mode)
            self.assertTrue(1000 <= mode["refresh_millihertz"] <= 1_000_000, mode)
        return [(mode["width"], mode["height"]) for mode in modes]

    def test_monitor_that_describes_itself_as_nonsense(self) -> None:
        self.guest.run("mountpoint -q /sys/kernel/debug || mount -t debugfs none /sys/kernel/debug")
        try:
            self.describe(SENSIBLE)
            with self.daemon():
                self.assertIn((1000, 700), self.modes(), "the driver does not look")
            for name, description in GARBAGE.items():
                with self.subTest(name):
                    self.describe(description)
                    if self.guest.run(["cat", f"{self.in_sysfs}/modes"]).text == "":
                        self.refused([], "Virtual-1", "has no modes")
                        continue
                    with self.daemon() as daemon, OpenFramebuffer(self.guest, daemon) as screen:
                        self.assertTrue(self.modes())
                        self.assert_shows(screen.draw_pattern())
            with self.subTest("while a program runs"):
                self.assertTrue(self.override(SENSIBLE))
                self.ask_monitor(f"grep -qx 1000x700 {self.in_sysfs}/modes")
                with self.daemon() as daemon, OpenFramebuffer(self.guest, daemon) as screen:
                    self.assert_shows(screen.draw_pattern())
                    for step, description in enumerate(GARBAGE.values()):
                        self.describe(description)
                        screen.tell("sync")
                        screen.fill(40 * step, 50, 20, 20, 0x33CC66)
                        self.modes()
                    self.describe(SENSIBLE)
                    self.assert_shows(screen.picture)
        finally:
            self.guest.run("echo -n reset > /sys/kernel/debug/dri/0/Virtual-1/edid_override")


def add_classes() -> None:
    for kernel, gpu in MATRIX:
        name = f"On{gpu.capitalize()}{kernel.replace('.', '')}"
        if name not in globals():
            globals()[name] = type(name, (Everywhere.Faults,), {"kernel": kernel, "gpu": gpu})
    for kernel in ("6.1", "7.2"):
        name = f"Monitors{kernel.replace('.', '')}"
        globals()[name] = type(name, (Monitors,), {"kernel": kernel})


add_classes()

if __name__ == "__main__":
    main([Options(kernel=kernel, gpu=gpu) for kernel, gpu in MATRIX])
