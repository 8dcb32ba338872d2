#!/usr/bin/env python3
"""english.py finds each thing that it is there to find, and nothing in good English."""

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


if __name__ == "__main__":
    unittest.main()
