#!/usr/bin/env python3
"""Tests of english.py with good English and with each of its errors."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parent / "english.py"
LONG = "One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen \
nineteen twenty twenty-one twenty-two twenty-three twenty-four twenty-five"


class EnglishTests(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)

    def check(self, name: str, text: str) -> str:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        run = subprocess.run([sys.executable, "-B", SCRIPT, self.root], capture_output=True, text=True, check=False)
        path.unlink()
        self.assertEqual(run.returncode, 1 if run.stdout else 0, run.stderr)
        return run.stdout

    def test_accepts_good_english(self) -> None:
        self.assertEqual(self.check("base/a.h", "/// Returns the descriptor, or -1 if pressure cannot be watched.\nint get();\n"), "")

    def test_accepts_a_sentence_of_25_words(self) -> None:
        self.assertEqual(self.check("docs/a.md", f"{LONG}.\n"), "")

    def test_finds_a_sentence_of_26_words_in_a_document(self) -> None:
        self.assertIn("a.md:1: a sentence of 26 words", self.check("docs/a.md", f"{LONG} more.\n"))

    def test_finds_a_long_sentence_over_several_comment_lines(self) -> None:
        words = LONG.split()
        comment = "".join(f"// {' '.join(words[i:i + 9])}\n" for i in range(0, 27, 9))
        self.assertIn("a.cc:1: a sentence of 26 words", self.check("fbemu/a.cc", comment.rstrip("\n") + " more\nint x;\n"))

    def test_counts_sentences_apart(self) -> None:
        self.assertEqual(self.check("docs/a.md", f"{LONG}. {LONG}; {LONG}.\n"), "")

    def test_finds_banned_turns_of_phrase(self) -> None:
        for phrase in ("a file of ours", "as there", "it is gone", "the card was gone", "nothing where the driver refuses",
                       "Where the card fails, it stops", "for good", "it hears of it", "it tells the time", "taken away"):
            with self.subTest(phrase=phrase):
                self.assertIn("drmclient/a.cc:1: ", self.check("drmclient/a.cc", f"// Makes {phrase}.\nint x;\n"))

    def test_finds_a_trailing_comment(self) -> None:
        self.assertIn("cuse/a.h:2: ", self.check("cuse/a.h", "int a;\nint b;  ///< a number of ours\n"))

    def test_finds_how_a_comment_of_a_function_begins(self) -> None:
        for word in ("Whether", "What", "How", "Of", "So"):
            with self.subTest(word=word):
                self.assertIn(f'begins with "{word}"', self.check("base/a.h", f"/// {word} it works.\nbool works();\n"))

    def test_ignores_code_strings_and_quoted_code(self) -> None:
        self.assertEqual(self.check("base/a.cc", 'auto a = "// of ours";\nint gone = 0;\n'), "")
        self.assertEqual(self.check("docs/a.md", "Text\n\n```\nof ours\n```\n\n    a line of ours\n\nThe word `of ours`.\n"), "")

    def test_finds_comments_and_docstrings_of_python(self) -> None:
        text = '#!/usr/bin/env python3\n"""A module of ours.\n\nIt tells.\n"""\n\n\ndef get() -> int:\n    """Whether it works."""\n' \
               '    return 1  # as there\n\n\n# One\n# for good\nx = "# of ours"\n'
        found = self.check("tests/vm/a.py", text)
        for start in ('2: "of ours"', '4: "tells"', '9: begins with "Whether"', '10: "as there"', '13: "for good"'):
            self.assertIn(f"tests/vm/a.py:{start}", found)
        self.assertEqual(found.count("\n"), 5, found)

    def test_finds_a_long_sentence_over_several_comment_lines_of_python(self) -> None:
        words = LONG.split()
        comment = "".join(f"    # {' '.join(words[i:i + 9])}\n" for i in range(0, 27, 9))
        self.assertIn("a.py:2: a sentence of 26 words", self.check("tests/checks/a.py", "if True:\n" + comment.rstrip("\n") + " more\n    pass\n"))

    def test_accepts_good_python(self) -> None:
        self.assertEqual(self.check("tests/a.py", f'"""Tests of a thing."""\n\nx = 1  # noqa: E402\n\n# {LONG}.\n\n# {LONG}.\n'), "")

    def test_finds_comments_of_cmake(self) -> None:
        for name in ("tests/a.cmake", "tests/CMakeLists.txt"):
            found = self.check(name, '# A file\n# of ours\nset(x "# it tells")  # for good\nset(y "a\\"#b") # as there\n')
            for start in ('1: "of ours"', '3: "for good"', '4: "as there"'):
                self.assertIn(f"{name}:{start}", found)
            self.assertEqual(found.count("\n"), 3, found)


if __name__ == "__main__":
    unittest.main()
