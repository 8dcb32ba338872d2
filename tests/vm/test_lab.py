#!/usr/bin/env python3
"""Tests of the lab itself, in guests: its reports about a guest are true. They need no fbemu.

    python3 tests/vm/test_lab.py -v [Class[.test]]...
"""

import contextlib
import io
import os
import sys
import unittest
from pathlib import Path
from unittest import mock

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from lab import compositor, pattern  # noqa: E402
from lab.boot import BREAK_BOOTS, boot  # noqa: E402
from lab.drivers import DRIVERS  # noqa: E402
from lab.errors import CommandFailed, GuestDied, GuestTimeout, LabError  # noqa: E402
from lab.guest import Completed, Guest  # noqa: E402
from lab.options import Options  # noqa: E402
from lab.picture import Picture  # noqa: E402
from lab.suite import main  # noqa: E402

PROGRAMS = Path(__file__).resolve().parent / "programs"
MATRIX = [("6.12", gpu) for gpu in DRIVERS] + [(kernel, gpu) for kernel in ("6.1", "7.2") for gpu in ("virtio", "vmwgfx")]


class Commands(unittest.TestCase):
    """Tests in a guest with the default options."""

    guest: Guest

    @classmethod
    def setUpClass(cls) -> None:
        cls.guest = cls.enterClassContext(boot(Options()))

    def test_status(self) -> None:
        for status in (0, 1, 77, 137, 255):
            self.assertEqual(self.guest.run(f"exit {status}", check=False).status, status)
        self.assertEqual(self.guest.run("kill -9 $$", check=False).status, 137)
        self.assertEqual(self.guest.run(["/nowhere/at/all"], check=False).status, 127)
        self.assertEqual(self.guest.run(["/etc/passwd"], check=False).status, 126)
        with self.assertRaisesRegex(CommandFailed, "status 3: why"):
            self.guest.run("echo why >&2; exit 3")

    def test_output_is_exact(self) -> None:
        everything = bytes(range(256)) * 3 + b"\r\n\n\0"
        done = self.guest.run(["cat"], input=everything)
        self.assertEqual((done.stdout, done.stderr), (everything, b""))
        done = self.guest.run("printf out; printf err >&2; exit 4", check=False)
        self.assertEqual((done.stdout, done.stderr, done.status), (b"out", b"err", 4))

    def test_much_output(self) -> None:
        data = os.urandom(1 << 20) * 8
        self.guest.write_file("/root/much", data)
        self.assertEqual(self.guest.read_file("/root/much"), data)
        self.assertEqual(self.guest.run("cat /root/much; exit 137", check=False), Completed(137, data, b""))

    def test_arguments_are_not_split(self) -> None:
        self.assertEqual(self.guest.run(["printf", "%s|", "a b", "", "$HOME", "ä"]).text, "a b||$HOME|ä|")

    def test_what_runs_on_in_the_background_is_not_waited_for(self) -> None:
        self.assertEqual(self.guest.run("yes > /dev/null & while :; do echo x; done & echo started; exit 5", check=False, timeout=30).status, 5)
        self.guest.run("pkill yes; pkill bash", check=False)

    def test_a_command_that_does_not_end(self) -> None:
        with self.assertRaises(GuestTimeout):
            self.guest.run("exec tail -f /dev/null", timeout=1)
        self.guest.wait_until("! pgrep -x tail", timeout=10)

    def test_two_at_once(self) -> None:
        first = self.guest.spawn(["cat"], stdin=True)
        self.assertEqual(self.guest.run("echo second").text, "second\n")
        first.write(b"first\n")
        first.wait_output(b"first\n", 10)
        first.close_stdin()
        self.assertEqual(first.wait(10), 0)

    def test_notify(self) -> None:
        send = "import os,socket; s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM); s.sendto(b'READY=1',os.environ['NOTIFY_SOCKET'])"
        job = self.guest.spawn(["python3", "-c", send], notify=True)
        self.assertEqual(job.wait(20), 0)
        self.assertEqual(job.notices, b"READY=1\n")

    def test_terminal(self) -> None:
        job = self.guest.spawn(["/bin/sh", "-c", "tty; stty size; read line; echo got $line"], terminal=(33, 99))
        job.wait_output(b"33 99\r\n", 20)
        job.write(b"hello\n")
        self.assertEqual(job.wait(20), 0)
        self.assertIn(b"got hello", job.stdout)

    def test_32_bit_program(self) -> None:
        self.guest.write_file("/root/draw32", pattern.program(32), 0o755)
        done = self.guest.run(["/root/draw32", "/dev/fb0"], check=False)
        self.assertEqual((done.status, done.stderr), (1, b"open: error 2\n"))

    def test_no_leftovers(self) -> None:
        self.assertEqual(self.guest.run("ps -eo stat= | grep -c ^Z", check=False).text, "0\n")


class Boot(unittest.TestCase):
    def test_one_early_death_is_forgiven_and_told_and_the_guest_can_be_powered_off(self) -> None:
        said = io.StringIO()
        with mock.patch.dict(os.environ, {BREAK_BOOTS: "1"}), contextlib.redirect_stderr(said), boot(Options()) as machine:
            self.assertEqual(machine.run("echo here").text, "here\n")
            machine.power_off()
            self.assertFalse(machine.running)
        self.assertIn("died early in boot (attempt 1 of 2)", said.getvalue())
        self.assertIn("booting it once more", said.getvalue())

    def test_two_are_a_failure(self) -> None:
        with mock.patch.dict(os.environ, {BREAK_BOOTS: "2"}), contextlib.redirect_stderr(io.StringIO()), \
                self.assertRaisesRegex(GuestDied, "attempt 2 of 2") as failure, boot(Options()):
            self.fail("there was a guest")
        self.assertEqual(failure.exception.exit_status, 125)

    def test_death_in_mid_command(self) -> None:
        with self.assertRaisesRegex(GuestDied, "sysrq"), boot(Options()) as machine:
            machine.run("echo c > /proc/sysrq-trigger")
        self.assertFalse(machine.running)


class Machines(unittest.TestCase):
    """Tests in a guest for each kernel and driver, without the kernel's fbdev."""

    def test_without_the_kernels_fbdev(self) -> None:
        for kernel, gpu in MATRIX:
            with self.subTest(kernel=kernel, gpu=gpu), boot(Options(kernel=kernel, gpu=gpu)) as machine:
                with self.subTest("there is no fbdev"):
                    self.check_no_fbdev(machine)
                if gpu == "vmwgfx":
                    with self.subTest("vmwgfx shows only what was flushed"):
                        self.check_unflushed(machine)
                if kernel == "6.12":
                    with self.subTest("suspended and woken"):
                        self.check_suspend(machine)

    def check_no_fbdev(self, machine: Guest) -> None:
        machine.run("test -c /dev/dri/card0 && test -c /dev/cuse && test -c /dev/fuse && test ! -e /dev/fb0 && test ! -e /proc/fb")
        self.assertNotIn(" 29 ", machine.read_file("/proc/devices").decode(), "the kernel's fbdev has its device number")

    def check_unflushed(self, machine: Guest) -> None:
        machine.put(PROGRAMS / "unflushed.py", "/root/unflushed.py")
        job = machine.spawn(["python3", "unflushed.py", "/dev/dri/card0"], stdin=True)
        job.wait_output(b"DRAWN", 60)
        blue = b"\x33\x66\xcc"
        before = machine.settled_screen()
        self.assertEqual(before.rgb.count(blue), 0, "pixels that were never flushed are on the screen")
        job.write(b"\n")
        job.wait_output(b"FLUSHED", 60)
        after = machine.settled_screen()
        rows = [before.rgb[row * before.width * 3:(row + 1) * before.width * 3] for row in range(before.height)]
        for row in range(50, 90):
            rows[row] = rows[row][:300] + blue * 200 + rows[row][900:]
        self.assertIsNone(after.difference(Picture(before.width, before.height, b"".join(rows))))
        job.write(b"\n")
        self.assertEqual(job.wait(30), 0)

    def check_suspend(self, guest: Guest) -> None:
        before = guest.settled_screen()
        guest.suspend_and_wake()
        log = guest.run(["dmesg"]).text
        self.assertIn("PM: suspend exit", log)
        self.assertEqual("Waking up from system sleep state S3" in log, DRIVERS[guest.options.gpu].suspend == "mem", log)
        self.assertIsNone(guest.wait_screen(lambda now: now == before).difference(before))
        guest.run("printf 'after it' > /dev/tty1")
        self.assertNotEqual(guest.wait_screen(lambda now: now != before), before, "the screen stands still")


class Screens(unittest.TestCase):
    def test_the_screendump_is_what_was_drawn(self) -> None:
        """Draws on the kernel's /dev/fb0 of each driver, with programs of 64 and of 32 bits."""
        for kernel, gpu in MATRIX:
            with self.subTest(kernel=kernel, gpu=gpu), boot(Options(kernel=kernel, gpu=gpu, kernel_fbdev=True)) as machine:
                for bits in (32, 64):
                    self.draw(machine, bits)

    def draw(self, machine: Guest, bits: int) -> None:
        machine.run("cat /dev/zero > /dev/fb0", check=False)
        machine.write_file("/root/draw", pattern.program(bits), 0o755)
        words = machine.run(["/root/draw", "/dev/fb0"]).text.split()
        width, height, depth, red, green, blue, found = map(int, words)
        self.assertEqual(found, bits)
        expected = pattern.picture(width, height).reduced(red, green, blue)
        picture = machine.wait_screen(lambda now: now.reduced(red, green, blue) == expected)
        self.assertIsNone(picture.reduced(red, green, blue).difference(expected), f"{bits} bits, depth {depth}")
        options = machine.options
        print(f"\n  {options.kernel} {options.gpu}: {width}x{height}x{depth}, {bits}-bit program, booted in {machine.boot_seconds:.1f} s",
              file=sys.stderr)


class Compositors(unittest.TestCase):
    def test_weston(self) -> None:
        """Weston shows its desktop, and the console returns after each kind of end. The last weston has no card."""
        with boot(Options()) as guest:
            before = guest.settled_screen()
            weston = compositor.start(guest, terminal=3)
            self.assertIn("10.0", weston.log)
            self.assertEqual(guest.read_file("/sys/class/tty/tty0/active"), b"tty3\n")
            self.assertEqual(weston.stop(), 0, weston.log)
            self.back_to(guest, before)
            weston = compositor.start(guest)
            weston.kill()
            self.assertFalse(compositor.shows_desktop(guest.wait_screen(lambda now: not compositor.shows_desktop(now))))
            weston.reset_terminal()
            self.back_to(guest, before)
            guest.run("rm /dev/dri/card0")
            with self.assertRaisesRegex(LabError, "(?s)status 1.*no drm device found"):
                compositor.start(guest)

    def back_to(self, guest: Guest, console: Picture) -> None:
        guest.run(["chvt", "1"])
        self.assertIsNone(guest.wait_screen(lambda now: now == console).difference(console))


class Displays(unittest.TestCase):
    """Tests of displays that are resized, connected and disconnected."""

    def wait_modes(self, guest: Guest, connector: str, first: str) -> None:
        guest.wait_until(f"test \"$(head -n 1 /sys/class/drm/card0-{connector}/modes)\" = '{first}'", timeout=10)

    def test_resized(self) -> None:
        with boot(Options(resizable=True)) as guest:
            events = guest.spawn(["udevadm", "monitor", "--kernel", "--property", "--subsystem-match=drm"])
            events.wait_output(b"KERNEL - the kernel uevent", 20)
            # A width that is no multiple of four, because the lines of QEMU's picture are longer then.
            guest.resize_display(1111, 777)
            self.wait_modes(guest, "Virtual-1", "1111x777")
            events.wait_output(b"HOTPLUG=1", 20)
            screen = guest.wait_screen(lambda now: (now.width, now.height) == (1111, 777))
            self.assertEqual((screen.width, screen.height), (1111, 777))
            self.assertGreater(len(set(screen.rgb)), 1, "the console does not show")

    def test_second_head(self) -> None:
        with boot(Options(heads=2, resizable=True)) as guest:
            self.wait_modes(guest, "Virtual-1", "1280x800")
            self.wait_modes(guest, "Virtual-2", "")
            guest.resize_display(640, 480, head=1)
            self.wait_modes(guest, "Virtual-2", "640x480")
            screen = guest.wait_screen(lambda now: (now.width, now.height) == (640, 480), head=1)
            self.assertEqual((screen.width, screen.height), (640, 480))
            weston = compositor.start(guest)
            weston.wait_desktop(head=1)
            self.assertEqual((guest.screen().width, guest.screen(head=1).width), (1280, 640))
            weston.stop()
            guest.resize_display(0, 0, head=1)
            self.wait_modes(guest, "Virtual-2", "")

    def test_cards_without(self) -> None:
        with self.assertRaisesRegex(LabError, "one head"), boot(Options(gpu="qxl", heads=2)):
            self.fail("there was a guest")


if __name__ == "__main__":
    main([*(Options(kernel=kernel, gpu=gpu) for kernel, gpu in MATRIX), Options(heads=2, resizable=True)])
