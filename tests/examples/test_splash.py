#!/usr/bin/env python3
"""The program splash on the headless card: its arguments, its standard input, its ends.

    python3 tests/examples/test_splash.py PROGRAM [-v] [Splash[.test]]...
"""

import signal
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib
from pathlib import Path

SECONDS = 20
PROGRAM = ""


def png(width: int, height: int, colour: bytes) -> bytes:
    """A picture of one colour with 8 bits of red, green, blue and alpha."""
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    lines = (b"\0" + colour * width) * height
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


class Splash(unittest.TestCase):
    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen([PROGRAM, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def end(self, process: "subprocess.Popen[str]", number: int = signal.SIGTERM) -> str:
        """Asks it to end; returns what it said since."""
        process.send_signal(number)
        output, said = process.communicate(timeout=SECONDS)
        self.assertEqual((process.returncode, output), (0, ""), said)
        return said

    def says(self, process: "subprocess.Popen[str]", line: str) -> None:
        assert process.stdin and process.stderr
        process.stdin.write(line)
        process.stdin.flush()
        self.assertIn("a percentage from 0 to 100 is wanted, not '", process.stderr.readline())

    def test_ends_by_either_signal(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            process = self.start("--card", "headless:320x240")
            # Its error message shows that it has read the earlier lines.
            self.says(process, "0\n50\nmany\n")
            self.assertEqual(self.end(process, number), "")

    def test_lines_that_are_no_percentages(self) -> None:
        process = self.start("--card", "headless:64x48")
        for line in ("101\n", "-1\n", "\n", "5%\n", " 7\n", "99999999999999999999\n", "x" * 5000 + "\n"):
            self.says(process, line)
        self.assertEqual(self.end(process), "")

    def test_the_last_line_may_end_with_the_input(self) -> None:
        process = self.start("--card", "headless:64x48")
        assert process.stdin and process.stderr
        process.stdin.write("100\nwell")
        process.stdin.close()
        self.assertEqual(process.stderr.readline(), "splash: a percentage from 0 to 100 is wanted, not 'well'\n")
        process.stdin = None
        self.assertEqual(self.end(process), "")

    def test_pictures(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            for number, size in enumerate(((1, 1), (64, 48), (3000, 2), (2, 3000))):
                path = Path(name) / f"{number}.png"
                path.write_bytes(png(*size, b"\xff\x80\0\x80"))
                process = self.start("--card", "headless:320x240", str(path))
                self.says(process, "?\n")
                self.assertEqual(self.end(process), "")

    def test_refusals(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            broken = Path(name) / "broken.png"
            broken.write_bytes(png(64, 64, b"\0\0\0\xff")[:60])
            large = Path(name) / "large.png"
            large.write_bytes(png(20000, 1, b"\0\0\0\xff"))
            for arguments, words in (
                (["--card", "/dev/null"], ("/dev/null", "not a DRM card")),
                (["--card", f"{name}/card"], (f"{name}/card", "No such file")),
                (["--card", "headless:huge"], ("headless:huge", "800x600")),
                (["--card", "headless:9000x9000"], ("8192x8192", "9000x9000")),
                (["--card", "headless", f"{name}/none.png"], ("cannot read the picture", "none.png")),
                (["--card", "headless", str(broken)], ("cannot read the picture", "broken.png")),
                (["--card", "headless", str(large)], ("large.png", "16384x16384")),
            ):
                done = subprocess.run([PROGRAM, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
                for word in ("splash: ", *words):
                    self.assertIn(word, done.stderr)

    def test_help(self) -> None:
        done = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, timeout=SECONDS, check=True)
        for word in ("--card", "PICTURE", "standard input"):
            self.assertIn(word, done.stdout)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
