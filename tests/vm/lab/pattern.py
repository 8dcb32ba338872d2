"""The picture of tests/vm/programs/draw.c, and the build of that program."""

import functools
import tempfile
from pathlib import Path

from . import tools
from .command import output
from .picture import Picture

SOURCE = Path(__file__).resolve().parent.parent / "programs" / "draw.c"


@functools.cache
def picture(width: int, height: int) -> Picture:
    # The rows repeat after 256 rows.
    rows = [_row(width, y) for y in range(min(height, 256))]
    return Picture(width, height, b"".join(rows[y & 255] for y in range(height)))


def _row(width: int, y: int) -> bytes:
    row = bytearray(width * 3)
    row[0::3] = bytes((x * 3 + y) & 255 for x in range(width))
    row[1::3] = bytes((x + y * 5) & 255 for x in range(width))
    row[2::3] = bytes((x ^ y) & 255 for x in range(width))
    return bytes(row)


@functools.cache
def program(bits: int = 64) -> bytes:
    """Returns draw.c, built as a static program of 64 or 32 bits. A 64-bit compiler without 32-bit libraries builds both."""
    # With -m32 alone, the kernel's headers would come from a folder of the package of 32-bit libraries.
    machine = ["-m32", "-I/usr/include/x86_64-linux-gnu"] if bits == 32 else []
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "draw"
        output([tools.path_of("gcc"), "-O2", "-static", "-nostdlib", "-ffreestanding", "-fno-stack-protector", "-fno-pic", "-no-pie",
                *machine, "-o", made, SOURCE])
        return made.read_bytes()
