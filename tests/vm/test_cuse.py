#!/usr/bin/env python3
"""Tests of the CUSE device in guests: a true character device beneath the file that fbemud mounts.

    python3 tests/vm/test_cuse.py -v [Class[.test]]...
"""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import ClassVar

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from lab import fbemu  # noqa: E402
from lab.boot import boot  # noqa: E402
from lab.guest import Guest  # noqa: E402
from lab.options import Options  # noqa: E402
from lab.suite import main  # noqa: E402

PROBE = Path(__file__).resolve().parent / "programs" / "cuse_probe.c"
CARD = ["--card", "headless:640x480"]
MEMORY = 640 * 480 * 4 * 2


def probe(bits: int) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "cuse_probe"
        subprocess.run(["gcc", f"-m{bits}", "-O1", "-nostdlib", "-static", "-fno-stack-protector", "-fno-pic", "-no-pie",
                        "-I/usr/include/x86_64-linux-gnu", "-o", str(program), str(PROBE)], check=True)
        return program.read_bytes()


class OnKernel:
    """The tests of each kernel, in one boot without the kernel's own framebuffers."""

    kernel: ClassVar[str]
    guest: ClassVar[Guest]

    @classmethod
    def setUpClass(cls) -> None:
        context = boot(Options(kernel=cls.kernel, gpu="bochs"))
        cls.guest = context.__enter__()
        cls.addClassCleanup(context.__exit__, None, None, None)  # type: ignore[attr-defined]

    def start(self, *arguments: str) -> fbemu.Fbemu:
        daemon = fbemu.start(self.guest, fbemu.find_build(None), [*CARD, *arguments])
        self.addCleanup(self.end, daemon)  # type: ignore[attr-defined]
        return daemon

    def end(self, daemon: fbemu.Fbemu) -> None:
        if daemon.job.status is None:
            assert daemon.stop() == 0, daemon.log
        self.guest.wait_until("! test -e /dev/fb0", 5)
        assert "fbemu" not in self.guest.read_file("/proc/self/mountinfo").decode()
        assert self.guest.run(["ls", "-A", "/run/fbemu"]).text == ""

    def test_number_owner_and_sysfs(self) -> None:
        self.start()
        assert self.guest.read_file("/sys/class/cuse/fb0/dev") == b"29:0\n"
        assert self.guest.run(["stat", "-c", "%F %G %a %s", "/dev/fb0"]).text == f"regular file video 660 {MEMORY}\n"
        self.guest.run("mkdir -p /mnt/dev && mount --bind /dev /mnt/dev")
        try:
            assert self.guest.run(["stat", "-c", "%F %t:%T %G %a", "/mnt/dev/fb0"]).text == "character special file 1d:0 video 660\n"
        finally:
            self.guest.run(["umount", "/mnt/dev"])

    def check_both_ways(self, bits: int) -> None:
        daemon = self.start()
        self.guest.write_file("/root/cuse_probe", probe(bits), 0o755)
        self.guest.run("rm -f /tmp/fb && mknod /tmp/fb c 29 0")
        done = self.guest.run(["/root/cuse_probe", daemon.node, "/tmp/fb"], check=False)
        assert done.status == 0, done.text
        assert done.text.count("ok: ") == 14, done.text

    def test_both_ways_64_bit(self) -> None:
        self.check_both_ways(64)

    def test_both_ways_32_bit(self) -> None:
        self.check_both_ways(32)

    def test_whole_memory_in_pieces(self) -> None:
        """The kernel cuts a system call at 128 KiB, and the memory ends at the size of the device."""
        daemon = self.start()
        self.guest.run(f"rm -f /tmp/fb && mknod /tmp/fb c 29 0 && head -c {MEMORY + 4096} /dev/urandom > /tmp/noise")
        written = self.guest.run("dd if=/tmp/noise of=/tmp/fb bs=1000000", check=False)
        assert written.status == 1 and b"No space left on device" in written.stderr, written.stderr
        self.guest.run(f"head -c {MEMORY} /tmp/noise | cmp - {daemon.node}")
        self.guest.run(f"dd if=/tmp/fb bs=777777 status=none > /tmp/back && head -c {MEMORY} /tmp/noise | cmp - /tmp/back")

    def test_no_cuse(self) -> None:
        self.start("--no-cuse")
        assert self.guest.run(["ls", "/sys/class/cuse"]).text == ""
        self.guest.run(["fbset", "-fb", "/dev/fb0", "-i"])

    def test_killed(self) -> None:
        daemon = self.start()
        daemon.kill()
        self.guest.wait_until("! test -e /dev/fb0 && ! ls /sys/class/cuse/fb0", 5)
        self.start()


class On61(OnKernel, unittest.TestCase):
    kernel = "6.1"


class On612(OnKernel, unittest.TestCase):
    kernel = "6.12"


class On72(OnKernel, unittest.TestCase):
    kernel = "7.2"


class BesideTheKernels(unittest.TestCase):
    """Beside the kernel's own framebuffer, /dev/fb0 and major 29 are in use."""

    def test_next_number(self) -> None:
        with boot(Options(kernel="6.12", gpu="virtio", kernel_fbdev=True)) as guest:
            daemon = fbemu.start(guest, fbemu.find_build(None), CARD)
            self.assertEqual(daemon.node, "/dev/fb1")
            self.assertIn("/dev/fb0 exists", daemon.log)
            major = int(guest.read_file("/sys/class/cuse/fb1/dev").split(b":")[0])
            self.assertNotEqual(major, 29)
            self.assertIn("virtio_gpudrmfb", guest.run(["fbset", "-fb", "/dev/fb0", "-i"]).text)
            self.assertIn("fbemu headless", guest.run(["fbset", "-fb", "/dev/fb1", "-i"]).text)
            self.assertEqual(daemon.stop(), 0)
            guest.run("test -c /dev/fb0 && ! test -e /dev/fb1")


if __name__ == "__main__":
    main([*(Options(kernel=kernel, gpu="bochs") for kernel in ("6.1", "6.12", "7.2")), Options(gpu="virtio", kernel_fbdev=True)])
