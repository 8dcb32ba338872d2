#!/usr/bin/env python3
"""Random system calls of many processes, in a guest: neither the kernel nor fbemud is harmed by them.

    python3 tests/vm/test_random_calls.py -v [RandomCalls[.test_virtio_6_12]]

FBEMU_RANDOM_SECONDS makes the run longer (default 60), FBEMU_SEED repeats the seed that a run printed.
"""

import os
import sys
import unittest
from dataclasses import dataclass
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from lab import fbemu, framebuffer  # noqa: E402
from lab.boot import boot  # noqa: E402
from lab.fbemu import Fbemu  # noqa: E402
from lab.framebuffer import OpenFramebuffer  # noqa: E402
from lab.guest import Guest  # noqa: E402
from lab.options import Options  # noqa: E402
from lab.suite import main  # noqa: E402

SECONDS = int(os.environ.get("FBEMU_RANDOM_SECONDS", "60"))
SEED = os.environ.get("FBEMU_SEED", "0")
PROCESSES = 20
CUSE_NODE = "/tmp/fb"
# Two sessions with 64 threads and one each, 256 for ioctls, and those of the daemon itself.
MOST_THREADS = 2 * 65 + 256 + 4
MOST_DESCRIPTORS = 400
MOST_MEMORY_KIB = 192 * 1024

# Sets 32 bits and offset 0 with FBIOPUT_VSCREENINFO, which also unblanks.
RESET = """
import fcntl, struct, sys
width, height = int(sys.argv[2]), int(sys.argv[3])
var = struct.pack("40I", width, height, width, height, 0, 0, 32, *[0] * 14, 128, *[0] * 18)
with open(sys.argv[1], "rb") as device:
    fcntl.ioctl(device, 0x4601, bytearray(var))
"""


@dataclass
class Resources:
    threads: int
    descriptors: int
    memory_kib: int


class RandomCalls(unittest.TestCase):
    guest: Guest

    def test_virtio_6_12(self) -> None:
        with boot(Options(kernel="6.12", gpu="virtio")) as self.guest:
            framebuffer.install(self.guest)
            program = fbemu.find_build(None).fbemud.parent.parent / "tests" / "programs" / "random_calls"
            self.guest.put(program, "/root/random_calls")
            console = self.guest.settled_screen()
            self.size = (console.width, console.height)
            self.check_calls(SECONDS)
            self.check_calls(SECONDS // 4 + 1, "--clear-on-close")
            self.check_clear()

    def start(self, *arguments: str) -> Fbemu:
        daemon = fbemu.start(self.guest, fbemu.find_build(None), arguments)
        number = framebuffer.status(self.guest)["cuse_device"]
        self.assertEqual(number, "29:0", daemon.log)
        self.guest.run(f"rm -f {CUSE_NODE} && mknod {CUSE_NODE} c 29 0")
        return daemon

    def stop(self, daemon: Fbemu) -> None:
        self.assertEqual(daemon.stop(), 0, daemon.log)
        self.guest.wait_until("! pgrep -x fbemud", 10)
        self.assertNotIn("fbemu", self.guest.read_file("/proc/self/mountinfo").decode())
        self.guest.run("! ls /dev/fb* && test -z \"$(ls -A /run/fbemu)\"")

    def check_calls(self, seconds: int, *arguments: str) -> None:
        daemon = self.start(*arguments)
        process = framebuffer.status(self.guest)["process"]
        calls = self.guest.run(["/root/random_calls", str(seconds), str(PROCESSES), SEED, daemon.node, CUSE_NODE],
                               timeout=seconds + 120, check=False)
        said = calls.text + calls.stderr.decode(errors="replace")
        print(f"\n  {said.strip()}", file=sys.stderr)
        self.assertEqual(calls.status, 0, said)
        self.assertIsNone(daemon.job.status, daemon.log)
        # Nothing waits any more, neither a program nor the daemon.
        self.guest.wait_until("! ps -eo stat= | grep -q ^D", 20)
        self.wait_until_closed()
        self.assertEqual(framebuffer.status(self.guest)["process"], process)
        used = self.resources(process)
        self.assertLessEqual(used.threads, MOST_THREADS, said)
        self.assertLessEqual(used.descriptors, MOST_DESCRIPTORS, said)
        self.assertLessEqual(used.memory_kib, MOST_MEMORY_KIB, said)
        self.check_picture(daemon)
        self.stop(daemon)

    def resources(self, process: int) -> Resources:
        """The descriptors are those of the largest table: the threads of the FUSE session have one of their own."""
        folder = f"/proc/{process}"
        tables = self.guest.run(f"for task in {folder}/task/*; do ls $task/fd | wc -l; done").text.split()
        memory = self.guest.run(["sed", "-n", r"s/^RssAnon:\s*\([0-9]*\) kB/\1/p", f"{folder}/status"]).text
        return Resources(len(tables), max(map(int, tables)), int(memory))

    def wait_until_closed(self) -> None:
        self.guest.wait_until("fbemuctl status --json | grep -q '\"open_files\": 0,'", 20)

    def check_picture(self, daemon: Fbemu) -> None:
        width, height = map(str, self.size)
        self.guest.run(["python3", "-IS", "-c", RESET, daemon.node, width, height])
        with OpenFramebuffer(self.guest, daemon) as screen:
            expected = screen.draw_pattern()
            self.assertEqual((expected.width, expected.height), self.size)
            self.assertIsNone(self.guest.wait_screen(lambda now: now == expected).difference(expected))

    def check_clear(self) -> None:
        daemon = self.start("--clear-on-close")
        self.guest.run(["/root/draw64", daemon.node])
        self.wait_until_closed()
        for node in (daemon.node, CUSE_NODE):
            with self.subTest(node):
                self.guest.run(f"size=$(stat -c %s {daemon.node}) && head -c $size /dev/zero > /tmp/zeros && cat {node} | cmp - /tmp/zeros")
        self.stop(daemon)


if __name__ == "__main__":
    main([Options(kernel="6.12", gpu="virtio")])
