"""A fresh machine leaves no process, mount or folder behind, however its run ends."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import fresh_root
from fresh_root import cache

# Runs a command in a machine, with the folder $1 as /meeting, and says where.
_RUN = """
import signal, sys
from pathlib import Path
from fresh_root import Machine, machines
signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
with machines("bookworm") as folder:
    machine = Machine("bookworm", folder)
    print(folder, flush=True)
    machine.run(sys.argv[3], Path(sys.argv[2]), bind=(Path(sys.argv[1]), "/meeting"))
"""
# Says that it runs, and then never ends, because the pipe that it reads has a writer.
_ENDLESS = "echo inside > /meeting/started; mkfifo pipe; exec 3<>pipe; cat <&3"
_PATIENCE_SECONDS = 600


def _processes_of(folder: str) -> list[str]:
    """Processes that work for a run, by their command lines and the mounts that they see."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            texts = ((process / "cmdline").read_bytes(), (process / "mountinfo").read_bytes())
        except OSError:
            continue
        if any(folder.encode() in text for text in texts):
            found.append(process.name)
    return found


class RunTest(unittest.TestCase):
    def setUp(self) -> None:
        try:
            fresh_root.base("bookworm")
        except fresh_root.Skipped as error:
            print(f"skipped: {error}")
            os._exit(error.exit_status)
        meeting = tempfile.TemporaryDirectory()
        self.addCleanup(meeting.cleanup)
        self.meeting = Path(meeting.name)

    def start(self, command: str) -> tuple[subprocess.Popen[str], str]:
        """Starts a run, and returns it with its folder."""
        process = subprocess.Popen([sys.executable, "-c", _RUN, self.meeting, cache.log_path("fresh-bookworm-end"), command],
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=Path(__file__).parent)
        self.addCleanup(process.stdout.close)
        return process, process.stdout.readline().strip()

    def end_by(self, number: int) -> str:
        """Ends a run by a signal while its command runs."""
        os.mkfifo(self.meeting / "started")
        process, folder = self.start(_ENDLESS)
        self.assertEqual((self.meeting / "started").read_text(), "inside\n")
        self.assertGreater(len(_processes_of(folder)), 1)
        process.send_signal(number)
        self.assertNotEqual(process.wait(_PATIENCE_SECONDS), 0)
        return folder

    def test_sees_no_mount_of_the_host(self) -> None:
        os.mkfifo(self.meeting / "started")
        process, folder = self.start(_ENDLESS)
        self.assertEqual((self.meeting / "started").read_text(), "inside\n")
        own = os.readlink("/proc/self/ns/mnt")
        tables = [(Path("/proc") / number / "mountinfo").read_text() for number in _processes_of(folder)
                  if os.readlink(f"/proc/{number}/ns/mnt") != own]
        process.send_signal(signal.SIGINT)
        process.wait(_PATIENCE_SECONDS)
        self.assertNotEqual(tables, [])
        for table in tables:
            points = {line.split()[4] for line in table.splitlines()}
            self.assertEqual(sorted(point for point in points if not re.fullmatch(r"/|/(proc|sys|tmp|meeting)|/dev(/\w+)?", point)), [])

    def test_interrupt_leaves_nothing(self) -> None:
        folder = self.end_by(signal.SIGINT)
        self.assertEqual(_processes_of(folder), [])
        self.assertFalse(Path(folder).exists())

    def test_termination_leaves_nothing(self) -> None:
        folder = self.end_by(signal.SIGTERM)
        self.assertEqual(_processes_of(folder), [])
        self.assertFalse(Path(folder).exists())

    def test_failure_leaves_nothing(self) -> None:
        process, folder = self.start("exit 3")
        self.assertNotEqual(process.wait(_PATIENCE_SECONDS), 0)
        self.assertEqual(_processes_of(folder), [])
        self.assertFalse(Path(folder).exists())

    def test_process_that_stays_is_ended(self) -> None:
        process, folder = self.start("setsid sleep infinity & exit 0")
        self.assertEqual(process.wait(_PATIENCE_SECONDS), 0)
        self.assertEqual(_processes_of(folder), [])
        self.assertFalse(Path(folder).exists())

    def test_next_run_removes_what_kill_leaves(self) -> None:
        folder = self.end_by(signal.SIGKILL)
        # The kernel ends the processes, once it has noticed.
        while _processes_of(folder):
            time.sleep(0.05)
        self.assertTrue(Path(folder).exists())
        with fresh_root.machines("bookworm"):
            self.assertFalse(Path(folder).exists())


if __name__ == "__main__":
    unittest.main()
