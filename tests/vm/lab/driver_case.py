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
        cls.guest.put(framebuffer.PROGRAMS / "unflushed.py", "/root/unflushed.py")
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
