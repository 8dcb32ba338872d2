#!/usr/bin/env python3
"""structure.py finds each thing that it is there to find."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parent / "structure.py"
TREE = {
    "base/result.h": "#include <tl/expected.hpp>\n",
    "drmclient/card.h": '#include "base/result.h"\n',
    "drmclient/kms/kms_card.h": '#include <xf86drm.h>\n#include "drmclient/card.h"\n',
    "drmclient/kms/kms_card.cc": '#include "drmclient/kms/kms_card.h"\n',
    "drmclient/system/terminals.h": '#include "base/result.h"\n',
    "drmclient/examples/splash/main.cc": '#include "drmclient/card.h"\n',
    "fbemu/damage/region.h": '#include <linux/fb.h>\n#include "drmclient/card.h"\n',
    "fbemu/framebuffer.h": '#include "fbemu/damage/region.h"\n#include "drmclient/system/terminals.h"\n',
    "cuse/session/server.h": '#include "fbemu/framebuffer.h"\n#include <fuse_lowlevel.h>\n',
}


class StructureTests(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        for name, text in TREE.items():
            self.write(name, text)
        self.write_picture()

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run_script(self, *options: str) -> subprocess.CompletedProcess:
        return subprocess.run([sys.executable, "-B", SCRIPT, self.root, *options], capture_output=True, text=True, check=False)

    def write_picture(self) -> None:
        self.write("docs/architecture.md", f"Text\n\n```mermaid\n{self.run_script('--draw').stdout}```\n")

    def expect_error(self, words: str) -> None:
        run = self.run_script()
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertIn(words, run.stderr)

    def test_accepts_a_tree_that_keeps_the_rules(self) -> None:
        run = self.run_script()
        self.assertEqual((run.returncode, run.stderr), (0, ""))

    def test_finds_an_include_of_a_higher_layer(self) -> None:
        self.write("drmclient/a.cc", '#include "fbemu/framebuffer.h"\n')
        self.expect_error("drmclient/a.cc must not include fbemu/framebuffer.h")

    def test_finds_an_include_of_the_tests(self) -> None:
        self.write("cuse/a.cc", '#include "tests/support/eventually.h"\n')
        self.expect_error("cuse/a.cc must not include tests/support/eventually.h")

    def test_finds_a_cycle_of_files(self) -> None:
        self.write("fbemu/a.h", '#include "fbemu/b.h"\n')
        self.write("fbemu/b.cc", '#include "fbemu/c.h"\n')
        self.write("fbemu/c.h", '#include "fbemu/a.h"\n')
        self.expect_error("these files include each other: fbemu/a -> fbemu/b -> fbemu/c -> fbemu/a")

    def test_finds_a_cycle_of_folders(self) -> None:
        self.write("fbemu/damage/a.h", '#include "fbemu/output/b.h"\n')
        self.write("fbemu/output/c.h", '#include "fbemu/damage/region.h"\n')
        self.expect_error("these folders include each other: fbemu/damage -> fbemu/output -> fbemu/damage")

    def test_finds_a_private_header_in_another_layer(self) -> None:
        self.write("fbemu/a.cc", '#include "drmclient/kms/kms_card.h"\n')
        self.expect_error("fbemu/a.cc must not include drmclient/kms/kms_card.h")

    def test_finds_a_private_header_in_an_example(self) -> None:
        self.write("drmclient/examples/a.cc", '#include "drmclient/kms/kms_card.h"\n')
        self.expect_error("drmclient/examples/a.cc must not include drmclient/kms/kms_card.h")

    def test_finds_a_private_header_in_a_public_one(self) -> None:
        self.write("drmclient/system/a.h", '#include "drmclient/kms/private.h"\n')
        self.expect_error("drmclient/system/a.h is public and must not include drmclient/kms/private.h")

    def test_finds_headers_of_other_libraries(self) -> None:
        for name, header in (("base/a.h", "xf86drm.h"), ("drmclient/a.cc", "linux/fb.h"), ("drmclient/a.cc", "fuse3/fuse.h"),
                             ("drmclient/examples/a.cc", "xf86drmMode.h"), ("fbemu/a.h", "fuse_lowlevel.h"),
                             ("fbemu/a.h", "libdrm/drm_fourcc.h"), ("cuse/a.cc", "xf86drmMode.h"), ("cuse/a.cc", "pixman.h")):
            with self.subTest(name=name, header=header):
                self.write(name, f"  #  include <{header}>\n")
                self.expect_error(f"{name} must not include <{header}>")
                (self.root / name).unlink()

    def test_finds_an_empty_layer(self) -> None:
        (self.root / "base/result.h").unlink()
        self.expect_error("there is no source file in base/")

    def test_finds_a_picture_that_is_not_true(self) -> None:
        self.write("fbemu/output/a.h", '#include "fbemu/damage/region.h"\n')
        self.expect_error("has another picture of the folders")
        self.write_picture()
        self.assertEqual(self.run_script().returncode, 0)


if __name__ == "__main__":
    unittest.main()
