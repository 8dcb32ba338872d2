#!/usr/bin/env python3
"""The machine's sleep while programs use the framebuffer without a pause.

    python3 tests/vm/test_sleep.py -v [Sleep[.test_bochs_6_12]]...
"""

import json
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from lab import fbemu, framebuffer, tools  # noqa: E402
from lab.boot import boot  # noqa: E402
from lab.channel import Job  # noqa: E402
from lab.command import output  # noqa: E402
from lab.errors import CommandFailed  # noqa: E402
from lab.framebuffer import OpenFramebuffer  # noqa: E402
from lab.guest import Guest  # noqa: E402
from lab.options import Options  # noqa: E402
from lab.suite import main  # noqa: E402

PROGRAM = Path(__file__).resolve().parents[1] / "programs"
LOOPS = ("pan", "ioctl", "vsync", "pwrite", "store")
SLEEPS = 5
FREEZE_SECONDS = 20


def fbprogram() -> bytes:
    sources = [PROGRAM / "fbprogram.c", *sorted(PROGRAM.glob("command_*.c"))]
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "fbprogram"
        output([tools.path_of("gcc"), "-O1", "-static", "-pthread", "-D_GNU_SOURCE", "-D_FILE_OFFSET_BITS=64", "-o", made, *sources])
        return made.read_bytes()


class Loop:
    """A program that repeats one use of the framebuffer until it is ended."""

    def __init__(self, guest: Guest, node: str, name: str) -> None:
        self.guest = guest
        self.counter = f"/run/{name}"
        guest.run(["truncate", "-s", "8", self.counter])
        self.job: Job = guest.spawn(["/root/fbprogram", node], stdin=True)
        self.job.write(f"open rw\nvirtual 1600\nmap rw smem\nloop {name} {self.counter}\n".encode())
        self.job.wait_output(b"ok\nok\nok\n", 20)

    def wait_progress(self) -> None:
        self.guest.run(["cp", self.counter, "/run/before"])
        self.guest.wait_until(f"! cmp -s {self.counter} /run/before", 20)

    def end(self) -> str:
        """Returns the answers, each "ok" if no call failed."""
        self.job.write(b"close\n")
        self.job.close_stdin()
        self.job.wait(20)
        return self.job.stdout.decode()


class Sleep(unittest.TestCase):
    guest: Guest

    def loops(self, node: str) -> list[Loop]:
        loops = [Loop(self.guest, node, name) for name in LOOPS]
        for loop in loops:
            loop.wait_progress()
        return loops

    def freeze(self) -> None:
        """An emulated processor may take longer than the second that programs have; a further request finds them stopped."""
        end = time.monotonic() + FREEZE_SECONDS
        report = None
        while report is None or (report["not_frozen"] and time.monotonic() < end):
            report = json.loads(self.guest.run(["fbemuctl", "freeze", "--json"]).text)
        self.assertEqual((report["programs"], report["not_frozen"]), (len(LOOPS), []))

    def end(self, loops: list[Loop]) -> None:
        for loop in loops:
            loop.wait_progress()
        for loop in loops:
            self.assertEqual(loop.end(), "ok\n" * 5, loop.counter)

    def test_bochs_6_12(self) -> None:
        with boot(Options(kernel="6.12", gpu="bochs")) as self.guest:
            framebuffer.install(self.guest)
            self.guest.write_file("/root/fbprogram", fbprogram(), 0o755)
            daemon = fbemu.start(self.guest, fbemu.find_build(None))
            loops = self.loops(daemon.node)
            with self.subTest("frozen programs"):
                for _ in range(SLEEPS):
                    self.freeze()
                    self.guest.suspend_and_wake("freezer")
                    self.assertEqual(self.guest.run(["fbemuctl", "thaw"]).text, "the programs run again\n")
                    for loop in loops:
                        loop.wait_progress()
            with self.subTest("real sleep, and the picture after it"):
                self.freeze()
                self.guest.suspend_and_wake("mem")
                self.guest.run(["fbemuctl", "thaw"])
                self.end(loops)
                self.guest.run(["/root/fbprogram", daemon.node, "open rw", "pan 0 0"])
                with OpenFramebuffer(self.guest, daemon) as screen:
                    expected = screen.draw_pattern()
                    seen = self.guest.wait_screen(lambda now: now == expected)
                    self.assertIsNone(seen.difference(expected))
            with self.subTest("without a freeze"):
                # The kernel gives up after 20 s, and its freezer ends a wait for the vblank with EINTR.
                loops = self.loops(daemon.node)
                with self.assertRaises(CommandFailed):
                    self.guest.suspend_and_wake("freezer")
                for loop in loops:
                    loop.end()
            self.assertEqual(daemon.log.count("no reports of the machine's sleep"), 1, "there is no logind")
            self.assertEqual(daemon.stop(), 0, daemon.log)


if __name__ == "__main__":
    main([Options(kernel="6.12", gpu="bochs")])
