#!/usr/bin/env python3
"""Tests of scripts/vm: its messages, its exit status, and the start and end of fbemud.

    python3 tests/vm/test_lab_command_line.py -v [Class[.test]]...
"""

import contextlib
import io
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from lab import cli  # noqa: E402
from lab.options import Options  # noqa: E402
from lab.suite import main  # noqa: E402


class CommandLine(unittest.TestCase):
    def call(self, *arguments: str) -> tuple[int, str]:
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            return cli.main(list(arguments)), said.getvalue()

    def test_mistakes_are_told_before_anything_is_booted(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for arguments, message in (
                (["--build", folder], "no fbemud in"),
                (["--no-fbemu", "--copy", f"{folder}/gone"], "there is no"),
                (["--no-fbemu", "--screenshot", f"{folder}/no/s.png"], "there is no folder"),
                (["--no-fbemu", "--fetch", "file"], "FILE=HERE"),
                (["--no-fbemu", "--install", "a b"], "not the name"),
            ):
                status, said = self.call("run", *arguments, "--", "true")
                self.assertEqual(status, 125)
                self.assertIn(message, said)

    def test_run(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "script").write_text("#!/bin/sh\ncat /dev/zero > $FRAMEBUFFER\necho SCREENSHOT\nread line\nyes | head -c 4096 > out\nexit 9\n")
            (folder / "script").chmod(0o755)
            status, said = self.call("run", "--no-fbemu", "--kernel-fbdev", "--copy", f"{folder}/script", "--fetch", f"out={folder}/here",
                                     "--screenshot", f"{folder}/s.png", "--log", f"{folder}/log", "--", "./script")
            self.assertEqual(status, 9, said)
            self.assertEqual((folder / "here").read_bytes(), b"y\n" * 2048)
            self.assertEqual((folder / "s.png").read_bytes()[:4], b"\x89PNG")
            self.assertIn("Linux version 6.12", (folder / "log").read_text())

    def stand_in(self, folder: Path, script: str) -> None:
        """A build folder whose fbemud is a script."""
        (folder / "cuse").mkdir()
        (folder / "cuse" / "fbemud").write_text(script)
        (folder / "cuse" / "fbemud").chmod(0o755)

    def test_waits_until_fbemud_is_ready_and_stops_it(self) -> None:
        script = """#!/bin/bash
            touch /dev/fb1 && mount --bind /dev/fb0 /dev/fb1 || exit
            trap 'umount /dev/fb1; rm /dev/fb1; exit 3' TERM
            python3 -c "
import os,socket
socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM).sendto(b'STATUS=$*\\nREADY=1',os.environ['NOTIFY_SOCKET'])"
            echo "arguments: $*"
            tail -f /dev/null & wait
        """
        with tempfile.TemporaryDirectory() as name:
            self.stand_in(Path(name), script)
            status, said = self.call("run", "--kernel-fbdev", "--build", name, "--fbemud-args", "--depth 16 'a b'", "--",
                                     'test "$FRAMEBUFFER" = /dev/fb1 && fbset -i -fb $FRAMEBUFFER > /dev/null && exit 6')
        self.assertEqual(status, 6, said)
        self.assertIn("fbemud ended with status 3", said)
        self.assertIn("arguments: --depth 16 a b", said)

    def test_fbemud_that_fails(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            self.stand_in(Path(name), "#!/bin/sh\necho no card here >&2\nexit 4\n")
            status, said = self.call("run", "--build", name, "--", "true")
        self.assertEqual(status, 125)
        self.assertRegex(said, "(?s)ended with status 4 before it was ready.*no card here")

    def test_timeout(self) -> None:
        status, said = self.call("run", "--no-fbemu", "--timeout", "1", "--", "tail -f /dev/null")
        self.assertEqual(status, 124, said)


if __name__ == "__main__":
    main([Options(), Options(kernel_fbdev=True)])
