#!/usr/bin/env python3
"""Runs ctest, and puts before its summary what was left out and how long each part took.

    run_ctest.py [--part NAME=SECONDS]... BUILD-FOLDER [CTEST-OPTION...]

The summary stays the last thing on the standard output, and the exit status is that of ctest.
"""

import argparse
import re
import subprocess
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from left_out import left_out  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", action="append", default=[], metavar="NAME=SECONDS")
    parser.add_argument("build", type=Path)
    options, ctest_options = parser.parse_known_args()
    parts = dict(part.rsplit("=", 1) for part in options.part)

    started = time.monotonic()
    summary: list[str] = []
    with subprocess.Popen(["ctest", "--test-dir", options.build, *ctest_options], stdout=subprocess.PIPE, text=True,
                          errors="replace") as ctest:
        assert ctest.stdout
        for line in ctest.stdout:
            if summary or re.match(r"\d+% tests passed, ", line):
                summary.append(line)
            else:
                print(line, end="", flush=True)
    parts["tests"] = str(round(time.monotonic() - started))

    log = options.build / "Testing" / "Temporary" / "LastTest.log"
    for test in left_out(log.read_text(errors="replace")) if summary else []:
        print(f"left out: {test.name}: {test.reason}")
    print("time: " + ", ".join(f"{name} {seconds} s" for name, seconds in parts.items()) + "\n")
    print(*summary, sep="", end="", flush=True)
    return ctest.returncode


if __name__ == "__main__":
    sys.exit(main())
