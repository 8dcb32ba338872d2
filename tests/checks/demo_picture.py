"""Checks the picture that scripts/demo makes."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

WIDTH, HEIGHT, CHANNELS = 1280, 720, 3
NOISE_ROWS = 24
# Two versions of ffmpeg may round differently when they convert colours.
_TOLERANCE = 2
# The bars of SMPTE RP 219 at the top of the screen, between two greys: 75 % white, yellow, cyan, green, magenta, red, blue.
_BARS = ((191, 191, 191), (191, 191, 0), (0, 191, 191), (0, 191, 0), (191, 0, 191), (191, 0, 0), (0, 0, 191))
# The bars are made for BT.709, and ffmpeg converts them to RGB with the matrix of BT.601.
_BAR_TOLERANCE = 40


@dataclass(frozen=True)
class Picture:
    """Rows of red, green, blue bytes from the top left."""

    rows: Sequence[bytes]


def read(path: Path) -> Picture:
    """Reads a PNG of the demo's size with 8 bits a channel and no alpha."""
    data = path.read_bytes()
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise ValueError(f"{path} is no PNG")
    compressed, at, header = b"", 8, b""
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        content = data[at + 8:at + 8 + length]
        header = content if kind == b"IHDR" else header
        compressed += content if kind == b"IDAT" else b""
        at += length + 12
    expected = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    if header != expected:
        raise ValueError(f"{path}: not {WIDTH}x{HEIGHT} with 8 bits a channel")
    raw, rows, above = zlib.decompress(compressed), [], bytes(WIDTH * CHANNELS)
    for start in range(0, len(raw), WIDTH * CHANNELS + 1):
        above = _unfiltered(raw[start], raw[start + 1:start + 1 + WIDTH * CHANNELS], above)
        rows.append(above)
    return Picture(rows)


def _unfiltered(kind: int, line: bytes, above: bytes) -> bytes:
    """Returns a line without its PNG filter, 0 to 4: none, sub, up, average, Paeth."""
    if kind == 0:
        return line
    row = bytearray(line)
    for i in range(len(row)):
        left, corner = (row[i - CHANNELS], above[i - CHANNELS]) if i >= CHANNELS else (0, 0)
        up = above[i]
        if kind == 4:
            estimate = left + up - corner
            guess = min((abs(estimate - left), 0, left), (abs(estimate - up), 1, up), (abs(estimate - corner), 2, corner))[2]
        else:
            guess = (left, up, (left + up) // 2)[kind - 1]
        row[i] = (row[i] + guess) & 255
    return bytes(row)


def complaints(seen: Picture, reference: Picture) -> list[str]:
    """Returns the errors of a picture; none if it shows the bars, the dials and the noise."""
    return [*_bars(seen), *_difference(seen, reference), *_noise(seen)]


def _bars(seen: Picture) -> list[str]:
    found = []
    row = seen.rows[20]
    for number, colour in enumerate(_BARS):
        # The greys at the sides take an eighth of the width each.
        x = int(WIDTH * (1 / 8 + 3 / 4 * (number + 0.5) / len(_BARS)))
        pixel = tuple(row[x * CHANNELS:(x + 1) * CHANNELS])
        if any(abs(a - b) > _BAR_TOLERANCE for a, b in zip(pixel, colour)):
            found.append(f"bar {number} at {x},20 is {pixel} and not about {colour}")
    return found


def _difference(seen: Picture, reference: Picture) -> list[str]:
    found = []
    for y in range(HEIGHT - NOISE_ROWS):
        if seen.rows[y] == reference.rows[y]:
            continue
        for i, (a, b) in enumerate(zip(seen.rows[y], reference.rows[y])):
            if abs(a - b) > _TOLERANCE:
                found.append(f"first pixel that differs from the reference: {i // CHANNELS},{y}, channel {i % CHANNELS}: {a} and not {b}")
                return found
    return found


def _noise(seen: Picture) -> list[str]:
    """Checks that each value occurs about equally often in each channel. Random bytes fail with a probability below 1e-9."""
    found = []
    strip = b"".join(seen.rows[HEIGHT - NOISE_ROWS:])
    for channel in range(CHANNELS):
        values = strip[channel::CHANNELS]
        expected = len(values) / 256
        counts = [values.count(value) for value in range(256)]
        chi_square = sum((count - expected) ** 2 / expected for count in counts)
        # 255 degrees of freedom: mean 255, standard deviation 22.6.
        if chi_square > 430:
            found.append(f"the strip at the bottom is not noise: chi square {chi_square:.0f} in channel {channel}")
    if len(set(seen.rows[HEIGHT - NOISE_ROWS:])) != NOISE_ROWS:
        found.append("the strip at the bottom repeats rows")
    return found
