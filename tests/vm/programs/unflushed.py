"""A display client that draws without a flush. Prints DRAWN. After it has read a line, flushes a part and prints FLUSHED.

The flushed part is the rectangle 100,50 to 300,90. The whole screen is drawn in 0x3366CC. Usage: unflushed.py CARD
"""

import ctypes
import errno
import fcntl
import mmap
import os
import struct
import sys
import time

SET_MASTER = 0x641E


def ioctl(fd: int, number: int, form: str, *values: int | bytes) -> tuple[int, ...]:
    """Runs a DRM ioctl on a structure of the given form. Returns the changed structure."""
    data = bytearray(struct.pack(form, *values))
    fcntl.ioctl(fd, 3 << 30 | len(data) << 16 | ord("d") << 8 | number, data)
    return struct.unpack(form, data)


def address(buffer: bytearray) -> int:
    return ctypes.addressof((ctypes.c_char * len(buffer)).from_buffer(buffer))


def first_connected(fd: int) -> tuple[int, int, bytes]:
    """Returns the connector, a CRTC, and the connector's preferred mode."""
    resources = ioctl(fd, 0xA0, "<4Q8I", *[0] * 12)
    crtcs, connectors = bytearray(4 * resources[5]), bytearray(4 * resources[6])
    ioctl(fd, 0xA0, "<4Q8I", 0, address(crtcs), address(connectors), 0, 0, resources[5], resources[6], 0, 0, 0, 0, 0)
    for connector in struct.unpack(f"<{resources[6]}I", connectors):
        asked = ioctl(fd, 0xA7, "<4Q12I", *[0] * 8, connector, *[0] * 7)
        modes = bytearray(68 * asked[4])
        found = ioctl(fd, 0xA7, "<4Q12I", 0, address(modes), 0, 0, asked[4], 0, 0, 0, connector, *[0] * 7) if modes else asked
        if found[11] == 1 and modes:
            return connector, struct.unpack_from("<I", crtcs)[0], bytes(modes[:68])
    raise SystemExit("no connected output")


def become_master(fd: int) -> None:
    """Waits until this program is master. The first opener is, unless another program is in the middle of an operation."""
    end = time.monotonic() + 5
    while True:
        try:
            fcntl.ioctl(fd, SET_MASTER)
            return
        except OSError as error:
            if error.errno != errno.EBUSY or time.monotonic() > end:
                raise
            time.sleep(0.001)


def main() -> None:
    fd = os.open(sys.argv[1], os.O_RDWR)
    become_master(fd)
    connector, crtc, mode = first_connected(fd)
    width, height = struct.unpack_from("<H", mode, 4)[0], struct.unpack_from("<H", mode, 14)[0]
    *_, handle, pitch, size = ioctl(fd, 0xB2, "<IIIIIIQ", height, width, 32, 0, 0, 0, 0)
    framebuffer = ioctl(fd, 0xAE, "<7I", 0, width, height, pitch, 32, 24, handle)[0]
    offset = ioctl(fd, 0xB3, "<IIQ", handle, 0, 0)[2]
    pixels = mmap.mmap(fd, size, offset=offset)
    connectors = bytearray(struct.pack("<I", connector))
    ioctl(fd, 0xA2, "<Q7I68s", address(connectors), 1, crtc, framebuffer, 0, 0, 0, 1, mode)
    pixels[:] = struct.pack("<I", 0x3366CC) * (size // 4)
    print("DRAWN", width, height, flush=True)
    sys.stdin.readline()
    clip = bytearray(struct.pack("<4H", 100, 50, 300, 90))
    try:
        ioctl(fd, 0xB1, "<4IQ", framebuffer, 0, 0, 1, address(clip))
    except OSError as error:
        if error.errno != errno.ENOSYS:  # The driver needs no flush.
            raise
    print("FLUSHED", flush=True)
    sys.stdin.readline()


main()
