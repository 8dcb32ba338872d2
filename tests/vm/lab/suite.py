"""Runs a file of guest tests, or a part of it, as one test of ctest: passed, failed, or skipped with a reason."""

import os
import sys
import unittest
from collections.abc import Iterable

from .errors import LabError, Skipped
from .options import Options, prepare
from .report import say


def main(guests: Iterable[Options]) -> None:
    """Runs the tests of the main module. First it fetches and builds the parts of `guests`, the guests that these tests boot.

    If something for that is missing on the machine, the exit status is 77, which ctest reports as skipped. Under continuous integration
    (CI is set) it is a failure, because nobody reads there which tests were skipped.
    """
    if sys.argv[1:2] == ["--list"]:
        print(*_parts(by_class=sys.argv[2:] == ["classes"]), sep="\n")
        return
    try:
        for options in guests:
            prepare(options)
    except Skipped as error:
        say(f"skipped: {error}")
        sys.exit(1 if os.environ.get("CI") else error.exit_status)
    except LabError as error:
        say(str(error))
        sys.exit(error.exit_status)
    done = unittest.main(module="__main__", exit=False).result
    for test, reason in done.skipped:
        say(f"skipped: {test.id()}: {reason}")
    sys.exit(not done.wasSuccessful())


def _parts(by_class: bool) -> list[str]:
    parts = []
    for suite in unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"]):
        names = [test.id().removeprefix("__main__.") for test in suite]  # type: ignore[union-attr]
        parts += [names[0].split(".")[0]] if by_class and names else names
    return parts
