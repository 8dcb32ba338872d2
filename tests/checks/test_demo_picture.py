"""Tests of demo_picture.py with the picture in the documents and changed copies."""

import os
import sys
import unittest
from pathlib import Path

import demo_picture
from demo_picture import CHANNELS, HEIGHT, NOISE_ROWS, WIDTH, Picture

_DOCUMENTED = demo_picture.read(Path(__file__).resolve().parents[2] / "docs/demo.png")
_LINE = WIDTH * CHANNELS


def with_rows(first: int, rows: list[bytes]) -> list[str]:
    """Returns the errors of the documented picture with other rows from `first` on."""
    changed = list(_DOCUMENTED.rows)
    changed[first:first + len(rows)] = rows
    return demo_picture.complaints(Picture(changed), _DOCUMENTED)


class DemoPictureTest(unittest.TestCase):
    def test_accepts_documented_picture(self) -> None:
        self.assertEqual(demo_picture.complaints(_DOCUMENTED, _DOCUMENTED), [])

    def test_accepts_other_noise(self) -> None:
        self.assertEqual(with_rows(HEIGHT - NOISE_ROWS, [os.urandom(_LINE) for _ in range(NOISE_ROWS)]), [])

    def test_complains_of_black_picture(self) -> None:
        self.assertIn("bar 0", "\n".join(with_rows(0, [bytes(_LINE)] * HEIGHT)))

    def test_complains_of_missing_dials(self) -> None:
        # The bars alone: the middle of the picture is like its top.
        self.assertIn("differs from the reference", "\n".join(with_rows(200, [_DOCUMENTED.rows[20]] * 200)))

    def test_complains_of_one_wrong_pixel(self) -> None:
        row = bytearray(_DOCUMENTED.rows[300])
        row[900] ^= 0x80
        self.assertEqual(len(with_rows(300, [bytes(row)])), 1)

    def test_complains_of_missing_noise(self) -> None:
        self.assertIn("not noise", "\n".join(with_rows(HEIGHT - NOISE_ROWS, [_DOCUMENTED.rows[20]] * NOISE_ROWS)))

    def test_complains_of_noise_that_repeats(self) -> None:
        said = with_rows(HEIGHT - NOISE_ROWS, [_DOCUMENTED.rows[-1]] * NOISE_ROWS)
        self.assertIn("repeats rows", "\n".join(said))


if __name__ == "__main__":
    sys.exit(unittest.main())
