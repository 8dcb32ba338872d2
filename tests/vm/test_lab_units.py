#!/usr/bin/env python3
"""Tests of the parts of the lab that need no guest.

    python3 tests/vm/test_lab_units.py -v [Class[.test]]...
"""

import contextlib
import io
import os
import sys
import tempfile
import unittest
import zlib
from pathlib import Path
from unittest import mock

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from lab import cache, console, differential, sources, tools  # noqa: E402
from lab.differential import ListError, Where  # noqa: E402
from lab.errors import GuestTimeout, LabError, Skipped  # noqa: E402
from lab.guest import Guest  # noqa: E402
from lab.options import Options  # noqa: E402
from lab.picture import Picture  # noqa: E402
from lab.suite import main  # noqa: E402


class Sources(unittest.TestCase):
    def mirror(self, name: str, text: str) -> str:
        with tempfile.TemporaryDirectory() as etc:
            path = Path(etc) / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
            return sources.find_mirror(Path(etc)).uri

    def test_one_line(self) -> None:
        text = "# deb http://no.invalid/debian bookworm main\ndeb cdrom:[x]/ bookworm main\n" \
               "deb http://other.invalid/x stable-pgdg main\ndeb [arch=amd64 signed-by=/k.gpg] http://yes.invalid/debian/ bookworm main contrib\n"
        self.assertEqual(self.mirror("sources.list", text), "http://yes.invalid/debian")

    def test_deb822(self) -> None:
        text = "Types: deb\nURIs: http://off.invalid/debian\nSuites: bookworm\nComponents: main\nEnabled: no\n\n" \
               "Types: deb\nURIs: http://s.invalid/security\nSuites: bookworm-security\nComponents: main\n\n" \
               "# a remark\nTypes: deb deb-src\nURIs: http://yes.invalid/debian\nSuites: bookworm\n bookworm-updates\nComponents: main\n"
        self.assertEqual(self.mirror("sources.list.d/debian.sources", text), "http://yes.invalid/debian")

    def test_none_is_a_reason_to_skip(self) -> None:
        with tempfile.TemporaryDirectory() as etc, self.assertRaises(Skipped):
            sources.find_mirror(Path(etc))


class Cache(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        patch = mock.patch.dict(os.environ, {"XDG_CACHE_HOME": folder.name})
        patch.start()
        self.addCleanup(patch.stop)
        quiet = contextlib.redirect_stderr(io.StringIO())
        quiet.__enter__()
        self.addCleanup(quiet.__exit__, None, None, None)

    def test_built_once_and_again_for_another_recipe(self) -> None:
        built: list[Path] = []

        def build(work: Path) -> None:
            built.append(work)
            (work / "file").touch()

        for recipe in ("a", "a", "b"):
            entry = cache.entry("thing", recipe, build, what="thing")
            self.assertTrue((entry / "file").exists())
        self.assertEqual(len(built), 2)

    def test_a_failed_build_leaves_nothing(self) -> None:
        def fail(work: Path) -> None:
            (work / "half").touch()
            raise LabError("no")

        with self.assertRaises(LabError):
            cache.entry("thing", "a", fail, what="thing")
        self.assertEqual([path.name for path in cache.root().iterdir() if path.is_dir() and path.name != "log"], [])

    def test_rebuild_replaces(self) -> None:
        texts = iter(("old", "new"))

        def build(work: Path) -> None:
            (work / "file").write_text(next(texts))

        for _ in range(2):
            entry = cache.entry("thing", "a", build, what="thing", rebuild=True)
        self.assertEqual((entry / "file").read_text(), "new")


class Pictures(unittest.TestCase):
    def test_png(self) -> None:
        picture = Picture(2, 2, bytes(range(12)))
        png = picture.png()
        self.assertEqual(png[:8], b"\x89PNG\r\n\x1a\n")
        self.assertEqual(zlib.decompress(png[png.index(b"IDAT") + 4:-16]), b"\0\0\1\2\3\4\5\0\6\7\x08\x09\x0a\x0b")

    @unittest.skipUnless(tools.find("ffmpeg"), "ffmpeg is missing")
    def test_png_is_read_as_it_was_written(self) -> None:
        picture = Picture(33, 7, bytes(at * 7 & 255 for at in range(33 * 7 * 3)))
        self.assertEqual(Picture.from_png(picture.png()), picture)
        with self.assertRaises(LabError):
            Picture.from_png(b"P6")
        with self.assertRaises(LabError):
            Picture.from_png(picture.png()[:60])

    def test_ppm_whose_pixels_look_like_spaces(self) -> None:
        self.assertEqual(Picture.from_ppm(b"P6\n255 1\n255\n" + b" " * 765), Picture(255, 1, b" " * 765))

    def test_ppm_whose_lines_are_padded(self) -> None:
        self.assertEqual(Picture.from_ppm(b"P6\n1 2\n255\n\1\2\3\0\4\5\6\0"), Picture(1, 2, b"\1\2\3\4\5\6"))

    def test_difference(self) -> None:
        picture = Picture.from_xrgb(2, 2, bytes(16))
        self.assertIsNone(picture.difference(picture))
        other = Picture(2, 2, bytes(9) + b"\1\2\3")
        self.assertEqual(picture.difference(other), "1 pixels differ in 1,1..1,1; first at 1,1: (0, 0, 0) and (1, 2, 3)")

    def test_a_mixture_of_two_is_told_from_any_other_picture(self) -> None:
        before, after = Picture(2, 2, bytes(12)), Picture(2, 2, bytes(range(1, 13)))
        for mixture in (before, after, Picture(2, 2, before.rgb[:5] + after.rgb[5:]), Picture(2, 2, bytes([0, 2] * 6)).crop(0, 0, 1, 1)):
            self.assertEqual(mixture.is_mixture(before, after), mixture.width == 2)
        self.assertFalse(Picture(2, 2, after.rgb[:11] + b"x").is_mixture(before, after))
        self.assertFalse(Picture(1, 4, after.rgb).is_mixture(before, after))


class ConsoleAfterBind(unittest.TestCase):
    """Tests of console.wait_after_bind() with a double of a guest, whose text is black until a VT switch."""

    TEXT, DARK = Picture(1, 1, b"\xaa\xaa\xaa"), Picture(1, 1, b"\0\0\0")

    def wait(self, kernel: str) -> tuple[Picture, list[str]]:
        commands: list[str] = []
        guest = Guest(Options(kernel=kernel), mock.Mock(), Path())
        with mock.patch.object(guest, "run", commands.append), \
                mock.patch.object(guest, "screen", lambda _head: self.TEXT if commands else self.DARK):
            return console.wait_after_bind(guest, self.TEXT, 0.1), commands

    def test_terminals_are_switched_on_6_1(self) -> None:
        self.assertEqual(self.wait("6.1"), (self.TEXT, ["chvt 2; chvt 1"]))

    def test_dark_console_of_other_kernels_stays_dark(self) -> None:
        for kernel in ("6.12", "7.2"):
            self.assertEqual(self.wait(kernel), (self.DARK, []))


class GuestConditions(unittest.TestCase):
    """Tests of Guest.wait_for()."""

    GUEST = Guest(Options(), mock.Mock(), Path())

    def test_condition_is_repeated_until_it_is_true(self) -> None:
        condition = mock.Mock(side_effect=[False, False, True])
        self.GUEST.wait_for(condition, 60, "become ready")
        self.assertEqual(condition.call_count, 3)

    def test_condition_that_stays_false_is_a_timeout(self) -> None:
        with self.assertRaisesRegex(GuestTimeout, "the guest did not become ready within 0 s"):
            self.GUEST.wait_for(lambda: False, 0, "become ready")


class TheComparison(unittest.TestCase):
    """Tests of lab/differential.py: it finds each kind of difference."""

    WHERE = Where("6.1", "64", "file")

    def review(self, text: str, *answers: tuple[str, str, str]) -> list[str]:
        kernel = {case: answer for case, answer, _ in answers}
        ours = {case: answer for case, _, answer in answers}
        found = differential.compare(self.WHERE, kernel, ours)
        return differential.review(differential.parse_differences(text), found, {self.WHERE: ours})

    def test_nothing_to_say(self) -> None:
        self.assertEqual(self.review("", ("put.a", "0", "0")), [])
        self.assertEqual(self.review("# a remark\n6.1|64|file|put.a|0|EINVAL|better|because", ("put.a", "0", "EINVAL")), [])
        self.assertEqual(self.review("*|*|*|put.*|0*|EINVAL|better|because", ("put.a", "0 x=1", "EINVAL"), ("get.a", "0", "0")), [])

    def test_not_listed(self) -> None:
        for text in ("", "6.12|64|file|put.a|0|EINVAL|better|because", "6.1|32|file|put.a|0|EINVAL|better|because",
                     "6.1|64|cuse|put.a|0|EINVAL|better|because", "6.1|64|file|put.a|1|EINVAL|better|because",
                     "6.1|64|file|put.a|0|EIO|better|because", "6.1|64|file|put.|0|EINVAL|better|because"):
            problems = self.review(text, ("put.a", "0", "EINVAL"))
            self.assertTrue(any("not listed" in problem for problem in problems), text)

    def test_stale(self) -> None:
        problems = self.review("6.1|64|file|put.a|0|EINVAL|better|because", ("put.a", "0", "0"))
        self.assertEqual(problems, ["differences.txt:1: no such difference any more: 6.1, 64-bit, file: put.a"])
        # One of two patterns of a line, and a name that no case has.
        problems = self.review("6.1|64|file|put.a put.b put.c|0|EINVAL|better|because", ("put.a", "0", "EINVAL"), ("put.b", "0", "0"))
        self.assertEqual(problems, ["differences.txt:1: no such difference any more: 6.1, 64-bit, file: put.b",
                                    "differences.txt:1: no case is called put.c"])

    def test_listed_twice(self) -> None:
        line = "6.1|64|file|put.*|0|EINVAL|better|because\n"
        self.assertEqual(len(self.review(line + line, ("put.a", "0", "EINVAL"))), 1)

    def test_bad_lines(self) -> None:
        for text in ("6.1|64|file|put.a|0|EINVAL|better|", "6.1|64|file|put.a|0|EINVAL|better", "5.4|64|file|put.a|0|EINVAL|better|because",
                     "6.1|64|file|put.a|0|EINVAL|nice|because", "6.1|64|file|put.a|*|*|better|because", "*|*|*|*|0|EINVAL|better|because"):
            with self.assertRaises(ListError, msg=text):
                differential.parse_differences(text)

    def test_broken_output(self) -> None:
        self.assertEqual(differential.parse_answers("put.a 0 x=1\nput.b\nend\n"), {"put.a": "0 x=1", "put.b": ""})
        for text in ("", "put.a 0\n", "put.a 0\nput.a 0\nend\n", "put.a 0\n!cannot open the device any more\n"):
            with self.assertRaises(ListError, msg=text):
                differential.parse_answers(text)
        with self.assertRaises(ListError):
            differential.compare(self.WHERE, {}, {"put.a": "0"})

    def test_special_letters_are_not_special(self) -> None:
        self.assertTrue(differential.matches("0 x[1].*", "0 x[1].2"))
        self.assertFalse(differential.matches("0 x[1].*", "0 x1a2"))
        self.assertFalse(differential.matches("put.a", "put.ab"))

    def test_features(self) -> None:
        line = "panning|pan.to.y_one|yes: 0*; no: EINVAL|yes|yes|no|yes\n"
        (feature,) = differential.parse_features(line)
        self.assertEqual(feature.word_for("0 now: yoffset=1"), "yes")
        self.assertEqual(feature.word_for("EINVAL"), "no")
        self.assertEqual(feature.word_for("EIO"), "unknown (EIO)")
        with self.assertRaises(ListError):
            differential.parse_features(line.replace("|no|", "|perhaps|"))


if __name__ == "__main__":
    main([])
