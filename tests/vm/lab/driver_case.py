"""The base of the tests that share a guest for each driver and look for what fbemud leaves behind."""

import re
import unittest
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ClassVar, TypeVar

from . import console, fbemu, framebuffer
from .boot import boot
from .drivers import driver
from .fbemu import Fbemu
from .guest import Guest
from .options import Options
from .picture import Picture

# Drivers that crash their kernel when they are unbound, also without fbemu; vmwgfx of 6.1 only if a client shows a picture.
CRASH_WHEN_UNBOUND = {"qxl", "vmwgfx"}


class OnDriver(unittest.TestCase):
    """A guest for the tests of a driver. Each test restores its state: the console is on the screen, and nothing of fbemu is left."""

    kernel: ClassVar[str]
    gpu: ClassVar[str]
    guest: ClassVar[Guest]
    console: ClassVar[Picture]
    connector: ClassVar[str]
    in_sysfs: ClassVar[str]
    rebound: ClassVar[bool] = False  # The driver was unbound and bound in this guest.

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
        cls.guest.put(framebuffer.PROGRAMS / "unflushed.py", "/root/unflushed.py")
        cls.console = cls.guest.settled_screen()

    def assert_shows(self, expected: Picture, timeout: float = 5) -> None:
        self.assertIsNone(self.guest.wait_screen(lambda now: now == expected, timeout=timeout).difference(expected))

    def assert_console(self) -> None:
        """Waits for the console as it was; after a redraw, if the driver may have cleared it."""
        if console.forgets(self.guest.options):
            self.assertTrue(console.shows_text(console.rewrite(self.guest, "new text")))
        elif self.rebound:
            self.assertIsNone(console.wait_after_bind(self.guest, self.console, 5).difference(self.console))
        else:
            self.assert_shows(self.console)

    def assert_nothing_left(self) -> None:
        # The guard process, which cleans up, ends shortly after fbemud.
        self.guest.wait_until("! pgrep -x fbemud", timeout=10)
        self.assertNotIn("fbemu", self.guest.read_file("/proc/self/mountinfo").decode())
        self.guest.run("! ls /dev/fb* && test -z \"$(ls -A /run/fbemu)\"")

    def refused(self, arguments: list[str], *words: str, prefix: tuple[str, ...] = ()) -> None:
        """Checks that fbemud exits at once with one message that contains all `words`, and leaves nothing behind."""
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
        """Sets a mode with fbset. Returns its error output."""
        size = [str(width), str(height)]
        done = self.guest.run(["fbset", "-fb", node, "-xres", size[0], "-yres", size[1], "-vxres", size[0], "-vyres", size[1]], check=False)
        return done.stderr.decode()

    @contextmanager
    def without_driver(self) -> Iterator[None]:
        """Unbinds the driver from the card for the length of the block."""
        device = self.guest.run("basename $(readlink -f /sys/class/drm/card0/device)").text.strip()
        folder = self.guest.run("readlink -f /sys/class/drm/card0/device/driver").text.strip()
        self.guest.run(f"echo {device} > {folder}/unbind")
        try:
            yield
        finally:
            self.guest.run(f"echo {device} > {folder}/bind")
            type(self).rebound = True

    def seconds_used(self, daemon: Fbemu) -> float:
        """Returns the processor time that fbemud has used."""
        process = framebuffer.status(self.guest)["process"]
        fields = self.guest.read_file(f"/proc/{process}/stat").decode().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def uptime(self) -> float:
        return float(self.guest.read_file("/proc/uptime").split()[0])

    @contextmanager
    def without_busy_loop(self, daemon: Fbemu) -> Iterator[None]:
        """Checks that fbemud uses less than half of the processor during the block."""
        used, start = self.seconds_used(daemon), self.uptime()
        yield
        self.assertLess(self.seconds_used(daemon) - used, 0.5 * (self.uptime() - start), daemon.log)


Test = TypeVar("Test", bound=Callable[..., None])


def unbinds(test: Test) -> Test:
    """Marks a test that unbinds the driver. Drivers in CRASH_WHEN_UNBOUND do not have it."""
    test.unbinds = True  # type: ignore[attr-defined]
    return test
