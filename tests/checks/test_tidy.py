#!/usr/bin/env python3
"""tidy.py looks at a file again exactly if something has changed that the result depends on."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent

GOOD = '#include "cuse/a.h"\nint* none() { return nullptr; }\n'
BAD = '#include "cuse/a.h"\nint* none() { return 0; }\n'
SETTINGS = "Checks: '-*,modernize-use-nullptr'\nWarningsAsErrors: '*'\nHeaderFilterRegex: '.*'\n"


class TidyTests(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name).resolve()
        self.source = self.make_checkout("one")

    def make_checkout(self, name: str) -> Path:
        source = self.folder / name
        (source / "cuse").mkdir(parents=True)
        (source / "build").mkdir()
        (source / ".clang-tidy").write_text(SETTINGS)
        (source / "cuse/a.h").write_text("#pragma once\nint* none();\n")
        (source / "cuse/a.cc").write_text(GOOD)
        self.configure(source)
        return source

    def configure(self, source: Path, options: str = "") -> None:
        file = str(source / "cuse/a.cc")
        command = f"ccache c++ -I{source} {options} -MD -MT a.o -MF a.o.d -o a.o -c {file}"
        (source / "build/compile_commands.json").write_text(
            json.dumps([{"directory": str(source / "build"), "file": file, "command": command}]))

    def tidy(self, source: Path | None = None) -> tuple[bool, str]:
        source = source or self.source
        done = subprocess.run([sys.executable, HERE / "tidy.py", source, source / "build"], capture_output=True, text=True, check=False,
                              env={**os.environ, "XDG_CACHE_HOME": str(self.folder / "cache")})
        if done.returncode == 77:
            print(done.stdout)
            os._exit(77)
        return done.returncode == 0, done.stdout

    def assert_looked_at(self, passes: bool, source: Path | None = None) -> None:
        passed, said = self.tidy(source)
        self.assertEqual(passed, passes, said)
        self.assertIn("1 files, of which 0 had passed before", said)

    def assert_known(self, source: Path | None = None) -> None:
        passed, said = self.tidy(source)
        self.assertTrue(passed, said)
        self.assertIn("1 files, of which 1 had passed before", said)

    def test_file_that_passed_is_known_in_another_checkout_too(self) -> None:
        self.assert_looked_at(passes=True)
        self.assert_known()
        self.assert_known(self.make_checkout("two"))

    def test_file_that_failed_is_looked_at_again(self) -> None:
        (self.source / "cuse/a.cc").write_text(BAD)
        self.assert_looked_at(passes=False)
        self.assert_looked_at(passes=False)

    def test_changed_header_is_seen(self) -> None:
        self.assert_looked_at(passes=True)
        (self.source / "cuse/a.h").write_text("#pragma once\ninline int* other() { return 0; }\nint* none();\n")
        self.assert_looked_at(passes=False)

    def test_changed_comment_is_seen(self) -> None:
        (self.source / "cuse/a.cc").write_text(BAD.replace("0; }", "0; }  // NOLINT"))
        self.assert_looked_at(passes=True)
        (self.source / "cuse/a.cc").write_text(BAD)
        self.assert_looked_at(passes=False)

    def test_changed_settings_are_seen(self) -> None:
        self.assert_looked_at(passes=True)
        (self.source / ".clang-tidy").write_text(SETTINGS + "# changed\n")
        self.assert_looked_at(passes=True)

    def test_changed_options_are_seen(self) -> None:
        self.assert_looked_at(passes=True)
        self.configure(self.source, "-DANSWER=42")
        self.assert_looked_at(passes=True)


if __name__ == "__main__":
    unittest.main()
