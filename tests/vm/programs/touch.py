"""Changes small parts of a framebuffer. Reads commands from the standard input, and answers each line with OK or an errno.

    fill X Y WIDTH HEIGHT RRGGBB    through the mapping, which stays
    write Y RRGGBB                  one line, with pwrite(2)
    blank LEVEL                     FBIOBLANK
    sync                            FBIO_WAITFORVSYNC

Usage: touch.py DEVICE. It keeps the device open and mapped until its input ends.
"""

import fcntl
import mmap
import os
import struct
import sys

GET_VSCREENINFO, GET_FSCREENINFO, BLANK, WAIT_FOR_VSYNC = 0x4600, 0x4602, 0x4611, 0x40044620


def main() -> None:
    fd = os.open(sys.argv[1], os.O_RDWR)
    fix = bytearray(80)
    fcntl.ioctl(fd, GET_FSCREENINFO, fix)
    size, pitch = struct.unpack_from("<I", fix, 24)[0], struct.unpack_from("<I", fix, 48)[0]
    width = struct.unpack_from("<I", fcntl.ioctl(fd, GET_VSCREENINFO, bytes(160)))[0]
    pixels = mmap.mmap(fd, size)
    print("READY", flush=True)
    for line in sys.stdin:
        command, *words = line.split()
        try:
            if command == "fill":
                x, y, columns, rows = map(int, words[:4])
                for row in range(y, y + rows):
                    at = row * pitch + x * 4
                    pixels[at:at + columns * 4] = struct.pack("<I", int(words[4], 16)) * columns
            elif command == "write":
                os.pwrite(fd, struct.pack("<I", int(words[1], 16)) * width, int(words[0]) * pitch)
            elif command == "blank":
                fcntl.ioctl(fd, BLANK, int(words[0]))
            elif command == "sync":
                fcntl.ioctl(fd, WAIT_FOR_VSYNC, bytes(4))
            print("OK", flush=True)
        except OSError as error:
            print("ERROR", error.errno, flush=True)


main()
