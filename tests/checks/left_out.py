#!/usr/bin/env python3
"""Fails if a run of ctest left a test out: left_out.py LOG

LOG is ctest's LastTest.log, or LastTest.log.tmp while ctest still runs. Each test left out is printed with its reason. Under continuous
integration (CI is set) it is a failure. Elsewhere the exit status is 0, and the output says SKIPPED, which ctest has in its summary.

The log does not show that a test was skipped by its exit status (SKIP_RETURN_CODE): use SKIP_REGULAR_EXPRESSION.
"""

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_MARK = "Skip regular expression found in output."


@dataclass(frozen=True)
class LeftOut:
    name: str
    reason: str


def left_out(log: str) -> list[LeftOut]:
    """Returns the tests in a log of ctest that did not run."""
    return [LeftOut(name, reason) for name, reason in _reasons(log) if reason]


def count(log: str) -> int:
    """Returns the number of tests in a log of ctest."""
    return len(list(_blocks(log)))


def _blocks(log: str) -> Iterator[tuple[str, str]]:
    # A test's output may contain any text, even another block. Only ctest's header has a command below it.
    heads = list(re.finditer(r"^\d+/\d+ Test: (.*)\nCommand: ", log, re.MULTILINE))
    for head, following in zip(heads, [*heads[1:], None], strict=False):
        yield head[1], log[head.end():following.start() if following else len(log)]


def _reasons(log: str) -> Iterator[tuple[str, str]]:
    for name, block in _blocks(log):
        output, _, verdict = block.partition("\nOutput:\n")[2].rpartition("<end of output>")
        if _MARK in verdict:
            yield name, _reason(output)
        elif re.search(r'^".*" start time: $', block, re.MULTILINE):
            yield name, "it is disabled, or what it needs failed"


def _reason(output: str) -> str:
    """Returns the reason that a skipped test gave: googletest's message, or a line "skipped: REASON" (of the lab: "vm: skipped: REASON")."""
    said = re.search(r": Skipped\n(.+?)\n\n", output, re.DOTALL) or re.search(r"^(?:vm: )?skipped: (.+)", output, re.MULTILINE)
    return " ".join(said[1].split()) if said else "it does not say why"


def main(log_path: Path) -> int:
    log = log_path.read_text(errors="replace")
    if not count(log):
        print(f"error: {log_path} has no tests")
        return 1
    tests = left_out(log)
    for test in tests:
        print(f"left out: {test.name}: {test.reason}")
    if tests and os.environ.get("CI"):
        print(f"error: {len(tests)} tests were left out, and continuous integration has to run all of them")
        return 1
    if tests:
        print(f"[  SKIPPED ] {len(tests)} tests were left out")
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1])))
