"""Sets modes, depths, palettes and offsets of a framebuffer, and fills it. Reads commands from the standard input.

    set FIELD=VALUE...      FBIOPUT_VSCREENINFO of the present var with these fields (bit-fields cleared if the depth changes)
    fill SEED               byte B of line Y of the virtual screen becomes 3*B + 5*Y + SEED
    palette SEED            256 entries: red I + SEED, green 3*I + SEED, blue 255 - I (each times 257)
    pan X Y [wrap]          FBIOPAN_DISPLAY
    flip FRAMES             double buffering: each frame is of one colour (its number times 0x010305) and panned to

Each line is answered with OK and, as JSON, the geometry, or with ERROR and an errno. Usage: paint.py DEVICE
"""

import ctypes
import fcntl
import json
import mmap
import os
import struct
import sys

GET_VSCREENINFO, PUT_VSCREENINFO, GET_FSCREENINFO, PUTCMAP, PAN_DISPLAY = 0x4600, 0x4601, 0x4602, 0x4605, 0x4606
# The 32-bit words of struct fb_var_screeninfo.
WORDS = {"xres": 0, "yres": 1, "xres_virtual": 2, "yres_virtual": 3, "xoffset": 4, "yoffset": 5, "bits_per_pixel": 6, "grayscale": 7,
         "vmode": 33, "rotate": 34}
FIELDS = range(8, 20)
YWRAP = 0x100


class Framebuffer:
    def __init__(self, path: str) -> None:
        self.fd = os.open(path, os.O_RDWR)
        fix = self.fix()
        self.memory = mmap.mmap(self.fd, fix["smem_len"])

    def var(self) -> list[int]:
        return list(struct.unpack("<40I", fcntl.ioctl(self.fd, GET_VSCREENINFO, bytes(160))))

    def fix(self) -> dict[str, int]:
        data = fcntl.ioctl(self.fd, GET_FSCREENINFO, bytes(80))
        return {"smem_len": struct.unpack_from("<I", data, 24)[0], "visual": struct.unpack_from("<I", data, 36)[0],
                "line_length": struct.unpack_from("<I", data, 48)[0]}

    def geometry(self) -> dict[str, object]:
        var = self.var()
        fields = [var[at:at + 2] for at in (8, 11, 14)]
        return {**{name: var[at] for name, at in WORDS.items()}, **self.fix(), "fields": fields}

    def put(self, changes: dict[str, int]) -> None:
        var = self.var()
        if "bits_per_pixel" in changes:
            for at in FIELDS:
                var[at] = 0
        for name, value in changes.items():
            var[WORDS[name]] = value
        fcntl.ioctl(self.fd, PUT_VSCREENINFO, struct.pack("<40I", *var))

    def fill(self, seed: int) -> None:
        pitch = self.fix()["line_length"]
        lines = self.var()[WORDS["yres_virtual"]]
        # The bytes repeat after 256 bytes.
        some = [(bytes((3 * at + 5 * y + seed) & 255 for at in range(256)) * (pitch // 256 + 1))[:pitch] for y in range(min(lines, 256))]
        for y in range(lines):
            self.memory[y * pitch:(y + 1) * pitch] = some[y & 255]

    def palette(self, seed: int) -> None:
        def channel(values: list[int]) -> ctypes.Array[ctypes.c_uint16]:
            return (ctypes.c_uint16 * 256)(*(value * 257 for value in values))

        channels = [channel([(i + seed) & 255 for i in range(256)]), channel([(3 * i + seed) & 255 for i in range(256)]),
                    channel([255 - i for i in range(256)])]
        addresses = [ctypes.addressof(channel) for channel in channels]
        fcntl.ioctl(self.fd, PUTCMAP, struct.pack("<IIQQQQ", 0, 256, *addresses, 0))

    def pan(self, x: int, y: int, wrap: bool = False) -> None:
        var = [0] * 40
        var[WORDS["xoffset"]], var[WORDS["yoffset"]], var[WORDS["vmode"]] = x, y, YWRAP if wrap else 0
        fcntl.ioctl(self.fd, PAN_DISPLAY, struct.pack("<40I", *var))

    def flip(self, frames: int) -> None:
        pitch = self.fix()["line_length"]
        height = self.var()[WORDS["yres"]]
        size = pitch * height
        for frame in range(frames):
            back = (frame & 1) * height
            colour = struct.pack("<I", frame * 0x010305 & 0xFFFFFF)
            self.memory[back * pitch:back * pitch + size] = colour * (size // 4)
            self.pan(0, back)

    def handle(self, line: str) -> None:
        command, *words = line.split()
        if command == "set":
            self.put({name: int(value, 0) for name, value in (word.split("=") for word in words)})
        elif command == "pan":
            self.pan(int(words[0]), int(words[1]), "wrap" in words)
        else:
            {"fill": self.fill, "palette": self.palette, "flip": self.flip}[command](int(words[0]))


def main() -> None:
    framebuffer = Framebuffer(sys.argv[1])
    print("READY", flush=True)
    for line in sys.stdin:
        try:
            framebuffer.handle(line)
            print("OK", json.dumps(framebuffer.geometry()), flush=True)
        except OSError as error:
            print("ERROR", error.errno, flush=True)


main()
