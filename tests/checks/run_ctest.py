#!/usr/bin/env python3
"""Runs ctest, repeats the guest tests that failed, and ends with one summary of all tests.

    run_ctest.py [--part NAME=SECONDS]... BUILD-FOLDER [CTEST-OPTION...]

Guest tests have the label "vm". Each one that failed is run once more, alone, after all other tests. No other test is repeated. The repeats
end 90 minutes after the start of the first part. A test that passed when it was repeated is reported, and is no failure in the summary.

Before the summary come the tests that were left out, the repeated tests, and the time of each part. The summary is the last part of the
standard output. The exit status is the one of ctest, or 0 if every failed test passed when it was repeated.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as xml
from dataclasses import dataclass, field
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from left_out import left_out  # noqa: E402

GUEST_LABEL = "vm"
LIMIT_SECONDS = 90 * 60


@dataclass
class Run:
    """A finished run of ctest."""

    status: int
    summary: list[str] = field(default_factory=list)
    results: dict[str, str] = field(default_factory=dict)  # ctest's word for each test: run, fail, notrun, disabled

    def with_result(self, word: str) -> list[str]:
        return [name for name, result in self.results.items() if result == word]


def run_ctest(build: Path, options: list[str]) -> Run:
    """Runs ctest and prints its output up to the summary."""
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results.xml"
        command = ["ctest", "--test-dir", build, *options, "--output-junit", results]
        summary: list[str] = []
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace") as ctest:
            assert ctest.stdout
            for line in ctest.stdout:
                if summary or re.match(r"\d+% tests passed, ", line):
                    summary.append(line)
                else:
                    print(line, end="", flush=True)
        return Run(ctest.returncode, summary, read_results(results))


def read_results(path: Path) -> dict[str, str]:
    """Returns the results in a JUnit file of ctest; nothing, so that nothing is repeated, if it is missing or broken."""
    try:
        return {case.attrib["name"]: case.attrib["status"] for case in xml.parse(path).iter("testcase")}
    except (OSError, xml.ParseError) as error:
        print(f"no results of single tests: {error}")
        return {}


def names_of_guest_tests(build: Path) -> set[str]:
    listed = subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1", "-L", f"^{GUEST_LABEL}$"], stdout=subprocess.PIPE, check=True)
    return {test["name"] for test in json.loads(listed.stdout)["tests"]}


def repeat(build: Path, names: list[str], seconds: float) -> list[str]:
    """Runs tests once more, one after the other, for at most `seconds`. Returns those that passed."""
    print(f"\nfailed guest tests, once more: {' '.join(names)}", flush=True)
    # The stop time is a time of day. ctest kills the test that runs then, and starts no other one.
    end = time.strftime("%H:%M:%S", time.localtime(time.time() + seconds))
    pattern = "|".join(map(re.escape, names))
    return run_ctest(build, ["--output-on-failure", "-R", f"^({pattern})$", "-j", "1", "--stop-time", end]).with_result("run")


def without_failures(summary: list[str], passed: list[str]) -> list[str]:
    """Returns a summary of ctest in which the tests `passed` are not counted and listed as failures."""
    numbers = re.match(r"\d+% tests passed, (\d+) tests? failed out of (\d+)", summary[0])
    assert numbers
    failed, total = int(numbers[1]) - len(passed), int(numbers[2])
    # The rounding of cmCTestTestHandler::LogTestSummary().
    percent = min(100 * (total - failed) / total, 99) if failed else 100
    kept = [f"{percent:.0f}% tests passed, {failed} tests failed out of {total}\n"]
    for line in summary[1:]:
        if not failed and line.startswith("The following tests FAILED:"):
            return kept
        listed = re.match(r"\s+\d+ - (.*) \([^()]*\)", line)
        if not listed or listed[1] not in passed:
            kept.append(line)
    return kept


def keep_failures(path: Path, names: list[str], text: str) -> None:
    """Writes ctest's list of failed tests, which --rerun-failed reads: the lines of `text` except those of the tests `names`."""
    lines = [line for line in text.splitlines(keepends=True) if line.strip().partition(":")[2] not in names]
    if lines:
        path.write_text("".join(lines))
    else:
        path.unlink(missing_ok=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", action="append", default=[], metavar="NAME=SECONDS")
    parser.add_argument("--limit", type=float, default=LIMIT_SECONDS, metavar="SECONDS", help="the end of the repeats")
    parser.add_argument("build", type=Path)
    options, ctest_options = parser.parse_known_args()
    parts = dict(part.rsplit("=", 1) for part in options.part)

    started = time.monotonic()
    end = started - sum(map(float, parts.values())) + options.limit
    run = run_ctest(options.build, ctest_options)
    parts["tests"] = str(round(time.monotonic() - started))
    if not run.summary:
        return run.status

    folder = options.build / "Testing" / "Temporary"
    log = (folder / "LastTest.log").read_text(errors="replace")
    again = run.with_result("fail")
    if again:
        guests = names_of_guest_tests(options.build)
        again = [name for name in again if name in guests]
    passed: list[str] = []
    repeated = bool(again) and time.monotonic() + 1 < end
    if repeated:
        failures = (folder / "LastTestsFailed.log").read_text()
        started = time.monotonic()
        passed = repeat(options.build, again, end - started)
        parts["repeats"] = str(round(time.monotonic() - started))
        # The logs of the repeats have replaced those of all tests.
        (folder / "LastTest.log").write_text(log + (folder / "LastTest.log").read_text(errors="replace"))
        keep_failures(folder / "LastTestsFailed.log", passed, failures)

    print()
    for test in left_out(log):
        print(f"left out: {test.name}: {test.reason}")
    for name in again:
        result = "failed also when repeated" if repeated else "not repeated, because the time is over"
        result = "passed only when repeated" if name in passed else result
        print(f"{result}: {name}")
    print("time: " + ", ".join(f"{name} {seconds} s" for name, seconds in parts.items()) + "\n")
    summary = without_failures(run.summary, passed)
    print(*summary, sep="", end="", flush=True)
    return 0 if passed and " 0 tests failed " in summary[0] else run.status


if __name__ == "__main__":
    sys.exit(main())
