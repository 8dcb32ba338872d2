#!/usr/bin/env python3
"""Tests of left_out.py, in real runs of ctest on a project of a few tests."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent

PROJECT = f"""
cmake_minimum_required(VERSION 3.25)
project(few NONE)
enable_testing()
add_test(NAME passes COMMAND true)
add_test(NAME waits COMMAND sleep 0.1)
{{tests}}
add_test(NAME nothing_left_out
  COMMAND {sys.executable} {HERE}/left_out.py Testing/Temporary/LastTest.log.tmp)
set_tests_properties(nothing_left_out PROPERTIES COST -1 RUN_SERIAL TRUE SKIP_REGULAR_EXPRESSION "\\\\[  SKIPPED \\\\]")
"""
OF_GOOGLETEST = r"""
add_test(NAME of_googletest COMMAND printf "a_test.cc:5: Skipped\nthis needs a moon\n\n[  SKIPPED ] A.B (0 ms)\n")
set_tests_properties(of_googletest PROPERTIES SKIP_REGULAR_EXPRESSION "\\[  SKIPPED \\]")
"""
OF_A_GUEST = r"""
add_test(NAME of_a_guest COMMAND sh -c "echo 'vm: skipped: no QEMU'; exit 77")
set_tests_properties(of_a_guest PROPERTIES SKIP_REGULAR_EXPRESSION "vm: skipped: ")
"""
DISABLED = r"""
add_test(NAME of_nobody COMMAND true)
set_tests_properties(of_nobody PROPERTIES DISABLED TRUE)
"""


class Run:
    """A run of ctest with two tests that pass and those given."""

    def __init__(self, tests: str, ci: bool = True) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "CMakeLists.txt").write_text(PROJECT.format(tests=tests))
            subprocess.run(["cmake", "-S", folder, "-B", folder / "build"], check=True, stdout=subprocess.DEVNULL)
            environment = {key: value for key, value in os.environ.items() if key != "CI"} | ({"CI": "1"} if ci else {})
            done = subprocess.run([sys.executable, HERE / "run_ctest.py", "--part", "build=12", folder / "build", "--output-on-failure", "-j2"],
                                  env=environment, text=True, capture_output=True, check=False)
        self.passed = done.returncode == 0
        self.output = done.stdout


class LeftOutTests(unittest.TestCase):
    def test_all_run_passes(self) -> None:
        run = Run("")
        self.assertTrue(run.passed, run.output)
        self.assertIn("100% tests passed, 0 tests failed out of 3", run.output)
        self.assertNotIn("left out", run.output)

    def test_skipped_by_googletest_fails_with_the_reason(self) -> None:
        run = Run(OF_GOOGLETEST)
        self.assertFalse(run.passed, run.output)
        self.assertIn("left out: of_googletest: this needs a moon\n", run.output)
        self.assertIn("1 tests failed out of 4", run.output)
        self.assertRegex(run.output, r"nothing_left_out \(Failed\)")

    def test_skipped_guest_fails_with_the_reason(self) -> None:
        run = Run(OF_A_GUEST)
        self.assertFalse(run.passed, run.output)
        self.assertIn("left out: of_a_guest: no QEMU\n", run.output)

    def test_disabled_test_fails(self) -> None:
        run = Run(DISABLED)
        self.assertFalse(run.passed, run.output)
        self.assertIn("left out: of_nobody: it is disabled", run.output)

    def test_without_continuous_integration_it_is_named_and_passes(self) -> None:
        run = Run(OF_GOOGLETEST, ci=False)
        self.assertTrue(run.passed, run.output)
        self.assertIn("left out: of_googletest: this needs a moon\n", run.output)
        self.assertIn("of_googletest (Skipped)", run.output)

    def test_summary_comes_last_after_the_time_of_each_part(self) -> None:
        run = Run("")
        time, summary = run.output.index("time: build 12 s, tests "), run.output.index("% tests passed")
        self.assertLess(time, summary)
        self.assertIn("Total Test time", run.output[summary:])


if __name__ == "__main__":
    unittest.main()
