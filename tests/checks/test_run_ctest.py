#!/usr/bin/env python3
"""Tests of run_ctest.py, in real runs of ctest on a project of a few tests."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent

PROJECT = """
cmake_minimum_required(VERSION 3.25)
project(few NONE)
enable_testing()
# A test that runs `script` and writes NAME.ran, a line for each run.
function(add name label script)
  add_test(NAME ${name} COMMAND sh -c "echo >> ${name}.ran; ${script}")
  set_tests_properties(${name} PROPERTIES LABELS ${label} TIMEOUT 100)
endfunction()
"""
PASSES = 'add(passes unit "true")\n'
BROKEN_GUEST = 'add(vm_broken.A vm "false")\n'


def flaky(name: str, label: str, then: str = "true") -> str:
    """Returns a test that fails in its first run and runs `then` in the second one."""
    return f'add({name} {label} "test $(wc -l < {name}.ran) -gt 1 && {then}")\n'


class Run:
    """A finished run of run_ctest.py on a project with `tests`."""

    def __init__(self, tests: str, *arguments: str) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "CMakeLists.txt").write_text(PROJECT + tests)
            self.build = folder / "build"
            subprocess.run(["cmake", "-S", folder, "-B", self.build], check=True, stdout=subprocess.DEVNULL)
            done = subprocess.run([sys.executable, HERE / "run_ctest.py", *arguments, self.build, "-j4"],
                                  text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False)
            self.status, self.output = done.returncode, done.stdout
            self.runs = {path.stem: path.read_text().count("\n") for path in self.build.glob("*.ran")}
            logs = self.build / "Testing" / "Temporary"
            self.log = (logs / "LastTest.log").read_text()
            failed = logs / "LastTestsFailed.log"
            self.failed = [line.partition(":")[2] for line in failed.read_text().split()] if failed.exists() else []
        self.summary = self.output[self.output.rfind("% tests passed") - 3:]


class RunCtestTests(unittest.TestCase):
    def test_guest_that_passes_when_repeated_is_reported_and_no_failure(self) -> None:
        run = Run(PASSES + flaky("vm_a.B", "vm"))
        self.assertEqual(run.status, 0, run.output)
        self.assertEqual(run.runs, {"passes": 1, "vm_a.B": 2})
        self.assertIn("\npassed only when repeated: vm_a.B\n", run.output)
        self.assertIn("100% tests passed, 0 tests failed out of 2\n", run.summary)
        self.assertNotIn("vm_a.B", run.summary)
        self.assertNotIn("FAILED", run.summary)
        self.assertEqual(run.output.count("% tests passed"), 1, run.output)
        self.assertEqual(run.failed, [])
        self.assertIn("Test: passes\n", run.log)
        self.assertEqual(run.log.count("Test: vm_a.B\n"), 2)

    def test_guest_that_fails_twice_is_a_failure(self) -> None:
        run = Run(PASSES + BROKEN_GUEST + flaky("vm_a.B", "vm"))
        self.assertNotEqual(run.status, 0, run.output)
        self.assertEqual(run.runs, {"passes": 1, "vm_broken.A": 2, "vm_a.B": 2})
        self.assertIn("\nfailed also when repeated: vm_broken.A\n", run.output)
        self.assertIn("67% tests passed, 1 tests failed out of 3\n", run.summary)
        self.assertRegex(run.summary, r"FAILED:\n\t +\d+ - vm_broken\.A \(Failed\)\n")
        self.assertNotIn("vm_a.B", run.summary)
        self.assertEqual(run.output.count("% tests passed"), 1, run.output)
        self.assertEqual(run.failed, ["vm_broken.A"])

    def test_other_tests_are_not_repeated(self) -> None:
        run = Run(flaky("unit.A", "unit") + flaky("vm_not_a_guest", "checks") + flaky("vm_a.B", "vm"))
        self.assertNotEqual(run.status, 0, run.output)
        self.assertEqual(run.runs, {"unit.A": 1, "vm_not_a_guest": 1, "vm_a.B": 2})
        self.assertIn("33% tests passed, 2 tests failed out of 3\n", run.summary)
        self.assertRegex(run.summary, r"- unit\.A \(Failed\)\n.*- vm_not_a_guest \(Failed\)\n")
        self.assertEqual(run.failed, ["unit.A", "vm_not_a_guest"])

    def test_repeats_run_alone_after_all_others(self) -> None:
        alone = "test -e slow.ended && mkdir running && sleep 0.3 && rmdir running"
        slow = 'add(slow unit "sleep 1; touch slow.ended")\n'
        run = Run(slow + flaky("vm_a.A", "vm", alone) + flaky("vm_a.B", "vm", alone))
        self.assertEqual(run.status, 0, run.output)
        self.assertIn("100% tests passed, 0 tests failed out of 3\n", run.summary)

    def test_repeat_that_hangs_ends_at_the_limit(self) -> None:
        run = Run(flaky("vm_a.A", "vm", "exec sleep 50") + BROKEN_GUEST, "--limit", "4")
        self.assertNotEqual(run.status, 0, run.output)
        self.assertIn("\nfailed also when repeated: vm_a.A\n", run.output)
        self.assertIn("0% tests passed, 2 tests failed out of 2\n", run.summary)
        self.assertEqual(run.runs["vm_a.A"], 2)

    def test_time_of_the_parts_counts_for_the_limit(self) -> None:
        run = Run(flaky("vm_a.A", "vm"), "--part", "build=50", "--limit", "50")
        self.assertNotEqual(run.status, 0, run.output)
        self.assertEqual(run.runs, {"vm_a.A": 1})
        self.assertIn("\nnot repeated, because the time is over: vm_a.A\n", run.output)
        self.assertIn("0% tests passed, 1 tests failed out of 1\n", run.summary)

    def test_skipped_guest_is_not_repeated(self) -> None:
        skips = 'add(vm_a.A vm "echo vm: skipped: no QEMU; exit 77")\n' \
                'set_tests_properties(vm_a.A PROPERTIES SKIP_REGULAR_EXPRESSION "vm: skipped: ")\n'
        run = Run(skips + flaky("vm_a.B", "vm"))
        self.assertEqual(run.status, 0, run.output)
        self.assertEqual(run.runs, {"vm_a.A": 1, "vm_a.B": 2})
        self.assertIn("\nleft out: vm_a.A: no QEMU\n", run.output)
        self.assertIn("vm_a.A (Skipped)", run.summary)

    def test_guest_that_is_skipped_when_repeated_is_a_failure(self) -> None:
        run = Run(flaky("vm_a.A", "vm", "echo vm: skipped: no QEMU")
                  + 'set_tests_properties(vm_a.A PROPERTIES SKIP_REGULAR_EXPRESSION "vm: skipped: ")\n')
        self.assertNotEqual(run.status, 0, run.output)
        self.assertIn("\nfailed also when repeated: vm_a.A\n", run.output)


if __name__ == "__main__":
    unittest.main()
