"""Pictures of a guest's screen: read from QEMU's PPM, compared, and written as PNG."""

import struct
import subprocess
import zlib
from dataclasses import dataclass
from pathlib import Path

from . import tools
from .errors import LabError


@dataclass(frozen=True)
class Picture:
    """Rows of red, green, blue bytes from the top left."""

    width: int
    height: int
    rgb: bytes

    @staticmethod
    def from_ppm(data: bytes) -> "Picture":
        fields = data.split(maxsplit=4)[:4]
        if len(fields) != 4 or fields[0] != b"P6" or fields[3] != b"255":
            raise LabError("QEMU's screendump is not a PPM of 8 bits a channel")
        width, height = int(fields[1]), int(fields[2])
        # One byte of white space ends the header; the first pixels may have the same value.
        start = data.index(b"255", data.index(fields[2], data.index(fields[1]) + len(fields[1]))) + 4
        rgb = data[start:]
        # pixman rounds the length of a line up to four bytes.
        line = (width * 3 + 3) // 4 * 4
        if len(rgb) == line * height:
            rgb = b"".join(rgb[row * line:row * line + width * 3] for row in range(height))
        if len(rgb) != width * height * 3:
            raise LabError(f"QEMU's screendump of {width}x{height} has {len(rgb)} bytes of pixels")
        return Picture(width, height, rgb)

    @staticmethod
    def from_png(data: bytes) -> "Picture":
        """Decodes a PNG with ffmpeg, which shares no code with fbemu and is a hundred times as fast as Python."""
        if data[:8] != b"\x89PNG\r\n\x1a\n":
            raise LabError("this is no PNG")
        width, height = struct.unpack_from(">II", data, 16)
        command = [tools.path_of("ffmpeg"), "-v", "error", "-f", "png_pipe", "-i", "-", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
        done = subprocess.run(command, input=data, capture_output=True, check=False)
        if done.returncode != 0 or len(done.stdout) != width * height * 3:
            raise LabError(f"ffmpeg cannot decode the PNG of {width}x{height}: {done.stderr.decode(errors='replace')}")
        return Picture(width, height, done.stdout)

    @staticmethod
    def from_xrgb(width: int, height: int, pixels: bytes, stride: int | None = None) -> "Picture":
        """Converts 32-bit pixels of a little-endian framebuffer: blue, green, red, unused."""
        stride = stride or width * 4
        rgb = bytearray(width * height * 3)
        for row in range(height):
            line = pixels[row * stride:row * stride + width * 4]
            at = row * width * 3
            end = at + width * 3
            rgb[at:end:3], rgb[at + 1:end:3], rgb[at + 2:end:3] = line[2::4], line[1::4], line[0::4]
        return Picture(width, height, bytes(rgb))

    def pixel(self, x: int, y: int) -> tuple[int, int, int]:
        at = (y * self.width + x) * 3
        return self.rgb[at], self.rgb[at + 1], self.rgb[at + 2]

    def crop(self, x: int, y: int, width: int, height: int) -> "Picture":
        rows = (self.rgb[((y + row) * self.width + x) * 3:((y + row) * self.width + x + width) * 3] for row in range(height))
        return Picture(width, height, b"".join(rows))

    def reduced(self, red: int, green: int, blue: int) -> "Picture":
        """Returns the picture with the given number of leading bits of each channel, as a 16-bit scan-out shows it."""
        if (red, green, blue) == (8, 8, 8):
            return self
        rgb = bytearray(self.rgb)
        for channel, bits in enumerate((red, green, blue)):
            mask = 0xFF << (8 - bits) & 0xFF
            rgb[channel::3] = rgb[channel::3].translate(bytes(value & mask for value in range(256)))
        return Picture(self.width, self.height, bytes(rgb))

    def is_mixture(self, before: "Picture", after: "Picture") -> bool:
        """Returns true if each byte is the one of `before` or of `after`, as in the middle of a copy."""
        if (self.width, len(self.rgb)) != (before.width, len(before.rgb)) or (self.width, len(self.rgb)) != (after.width, len(after.rgb)):
            return False
        return all(now in (old, new) for now, old, new in zip(self.rgb, before.rgb, after.rgb))

    def difference(self, other: "Picture") -> str | None:
        """Returns None if both are equal, or else a description of the difference."""
        if (self.width, self.height) != (other.width, other.height):
            return f"sizes differ: {self.width}x{self.height} and {other.width}x{other.height}"
        if self.rgb == other.rgb:
            return None
        return self._describe(other)

    def _describe(self, other: "Picture") -> str:
        count, left, right, top, bottom = 0, self.width, -1, -1, -1
        first = ""
        for y in range(self.height):
            begin, end = y * self.width * 3, (y + 1) * self.width * 3
            mine, theirs = self.rgb[begin:end], other.rgb[begin:end]
            if mine == theirs:
                continue
            columns = [x for x in range(self.width) if mine[x * 3:x * 3 + 3] != theirs[x * 3:x * 3 + 3]]
            if not first:
                top = y
                first = f"first at {columns[0]},{y}: {self.pixel(columns[0], y)} and {other.pixel(columns[0], y)}"
            count, left, right, bottom = count + len(columns), min(left, columns[0]), max(right, columns[-1]), y
        return f"{count} pixels differ in {left},{top}..{right},{bottom}; {first}"

    def png(self) -> bytes:
        stride = self.width * 3
        lines = b"".join(b"\0" + self.rgb[row * stride:(row + 1) * stride] for row in range(self.height))
        header = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(lines, 6)) + _chunk(b"IEND", b"")

    def save(self, path: Path) -> None:
        path.write_bytes(self.png())


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
