#!/usr/bin/env python3
"""Writes the first inputs of the fuzz targets: make_corpus.py CORPUS-FOLDER

Each is a short, valid use of its target, from which libFuzzer makes others. Inputs named finding-* were found by libFuzzer and are not
written here. The comment at the head of each target describes its input.
"""

import struct
import sys
import zlib
from pathlib import Path

FBIOGET_VSCREENINFO, FBIOPUT_VSCREENINFO, FBIOGET_FSCREENINFO, FBIOPAN_DISPLAY, FBIOGETCMAP, FBIOPUTCMAP, FBIOBLANK, WAITFORVSYNC = range(8)
VAR_BYTES = 160
# The caller's memory in raw_channel.h.
ADDRESS = 0x10000000


def var(**members: int) -> bytes:
    """Returns a struct fb_var_screeninfo."""
    words = [0] * (VAR_BYTES // 4)
    places = {"xres": 0, "yres": 1, "xres_virtual": 2, "yres_virtual": 3, "xoffset": 4, "yoffset": 5, "bits_per_pixel": 6, "grayscale": 7,
              "activate": 21, "vmode": 33, "rotate": 34}
    for name, value in members.items():
        words[places[name]] = value
    return struct.pack(f"<{len(words)}I", *words)


def var_check() -> dict[str, bytes]:
    def members(*pairs: tuple[int, int]) -> bytes:
        return b"".join(struct.pack("<BI", *pair) for pair in (*pairs, (255, 0)))

    plain = members((0, 64), (1, 48), (6, 32))
    options = bytes([1, 10, 10, 0, 0, 1, 0, 2])
    return {
        "same-size": options + plain,
        "two-screens": options + members((0, 64), (1, 48), (3, 96), (5, 48), (6, 16)),
        "listed-mode": bytes([0, 10, 10, 2, 1, 1, 1, 2]) + members((0, 96), (1, 128), (6, 8)),
        "wraps": options + members((0, 64), (1, 48), (3, 64), (5, 60), (6, 1), (33, 256)),
        "turned": options + members((0, 48), (1, 64), (6, 24), (34, 1)) + plain,
        "grayscale": options + members((0, 64), (1, 48), (7, 1), (6, 8)),
    }


def color_map() -> dict[str, bytes]:
    structure = struct.pack("<IIQQQQ", 0, 16, 0x1000, 0x2000, 0x3000, 0)
    entries = struct.pack("<IH", 250, 16) + bytes(range(32))
    return {f"format-{number}": bytes([number]) + structure + bytes([number % 2]) + entries for number in range(8)}


def ioctl() -> dict[str, bytes]:
    def call(command: int, offset: int = 0, how: int = 4) -> bytes:
        return struct.pack("<BBHB", 0, command, offset, how)

    def store(offset: int, data: bytes) -> bytes:
        return struct.pack("<BHB", 2, offset, len(data)) + data

    opened = bytes([4, 1, 0])
    cmap = struct.pack("<IIQQQQ", 0, 16, 0x1000 + 1024, 0x1000 + 2048, 0x1000 + 3072, 0)
    compat = struct.pack("<IIIIII", 0, 16, 0x1000 + 1024, 0x1000 + 2048, 0x1000 + 3072, 0)
    return {
        "queries": bytes(4) + opened + call(FBIOGET_VSCREENINFO) + call(FBIOGET_FSCREENINFO, 512) + call(FBIOGET_FSCREENINFO, 512, 5),
        "mode": bytes(4) + opened + store(0, var(xres=32, yres=24, bits_per_pixel=16)) + call(FBIOPUT_VSCREENINFO) + bytes([10]),
        "pan": bytes(4) + opened + store(0, var(yoffset=8)) + call(FBIOPAN_DISPLAY) + call(WAITFORVSYNC),
        "colours": bytes([2, 0, 0, 0]) + opened + store(512, cmap) + call(FBIOPUTCMAP, 512) + call(FBIOGETCMAP, 512),
        "colours-32": bytes([2, 0, 0, 0]) + store(512, compat) + call(FBIOPUTCMAP, 512, 5) + call(FBIOGETCMAP, 512, 5),
        "blank": bytes(4) + opened + call(FBIOBLANK, 4, 6) + call(FBIOBLANK, 0, 6),
        "fault-in-the-middle": bytes(4) + opened + bytes([3, 1]) + call(FBIOPUT_VSCREENINFO),
        "pixels": bytes(4) + opened + struct.pack("<BIB", 6, 256, 8) + b"01234567" + struct.pack("<BQH", 7, 256, 8) +
                  struct.pack("<BHB", 8, 4096, 4) + b"abcd" + call(WAITFORVSYNC) + bytes([10]),
        "refused-mode": bytes(4) + opened + bytes([9, 1, 0]) + store(0, var(xres=32, yres=24, bits_per_pixel=32)) +
                        call(FBIOPUT_VSCREENINFO),
        "monitor": bytes(4) + opened + bytes([9, 24, 5, 9, 0, 4]) + call(WAITFORVSYNC) + bytes([9, 1, 4]) + call(WAITFORVSYNC),
    }


def frame(opcode: int, body: bytes = b"", flags: int = 0) -> bytes:
    return struct.pack("<BBH", opcode, flags, len(body)) + body


GETATTR, SETATTR, OPEN, READ, WRITE, STATFS, RELEASE, FSYNC, FLUSH, INTERRUPT, DESTROY, IOCTL, POLL = 3, 4, 14, 15, 16, 17, 18, 20, 25, 36, 38, 39, 40


def frames() -> dict[str, bytes]:
    opened = frame(OPEN, struct.pack("<II", 2, 0))

    def ioctl_frame(command: int, argument: int, flags: int = 0, frame_flags: int = 0) -> bytes:
        return frame(IOCTL, struct.pack("<QIIQII", 1, flags, command, argument, 0, 0), frame_flags)

    def write(text: bytes, flags: int = 0, offset: int = 0) -> bytes:
        return frame(WRITE, struct.pack("<QQIIQII", 1, offset, len(text), flags, 0, 0, 0) + text)

    read = frame(READ, struct.pack("<QQIIQII", 1, 0, 64, 0, 0, 0, 0))
    release = frame(RELEASE, struct.pack("<QIIQ", 1, 0, 0, 0))
    return {
        "file": opened + write(b"pixels") + read + frame(FLUSH, struct.pack("<QIIQ", 1, 0, 0, 0)) + release,
        "attributes": frame(GETATTR, bytes(16)) + frame(SETATTR, struct.pack("<IIQQ", 9, 0, 0, 1) + bytes(64)) + frame(STATFS),
        "page": opened + write(b"page", flags=1, offset=4096) + frame(FSYNC, bytes(16)) + release,
        "ioctls": opened + b"".join(ioctl_frame(0x4600 + number, ADDRESS) for number in (0, 1, 2, 4, 5, 6, 0x11)) + release,
        "compat": opened + ioctl_frame(0x4602, ADDRESS, 2) + ioctl_frame(0x4605, ADDRESS, 2) + release,
        "interrupted": opened + ioctl_frame(0x40044620, ADDRESS, 0, 1) + frame(INTERRUPT, struct.pack("<Q", 6)) + release,
        "callers": opened + ioctl_frame(0x4600, ADDRESS, 0, 2) + ioctl_frame(0x4600, ADDRESS, 0, 4) + frame(OPEN, bytes(8), 0x10),
        "again": frame(DESTROY) + read + frame(26, struct.pack("<IIII", 7, 31, 4096, 0)) + read,
        "unknown": frame(1, b"name\0") + frame(35, b"name\0") + frame(200) + frame(POLL, bytes(24)) + frame(42, bytes(8)),
    }


def kms_mode(clock: int, across: tuple[int, ...], down: tuple[int, ...], flags: int = 5, kind: int = 8, name: bytes = b"mode") -> bytes:
    return struct.pack("<I10HIII32s", clock, *across, 0, *down, 0, 60, flags, kind, name)


def kms_modes() -> dict[str, bytes]:
    xga = kms_mode(65_000, (1024, 1048, 1184, 1344), (768, 771, 777, 806))
    vga = kms_mode(25_175, (640, 656, 752, 800), (480, 490, 492, 525), kind=0x40)
    broken = kms_mode(65_000, (1024, 1048, 0, 1344), (768, 771, 777, 806))
    interlaced = kms_mode(74_250, (1920, 2008, 2052, 2200), (1080, 1084, 1094, 1125), flags=0x15)

    def connector(*modes: bytes, kind: int = 11, connected: int = 1) -> bytes:
        return struct.pack("<IIIIBB", kind, 1, 300, 200, connected, len(modes)) + b"".join(modes)

    return {
        "one": bytes([0]) + connector(xga, vga),
        "broken": bytes([0]) + connector(broken, interlaced, vga),
        "three": bytes([2]) + connector(xga) + connector(vga, kind=7) + connector(connected=0),
        "unknown-type": bytes([0]) + connector(xga, kind=0xffff),
    }


def mount_table() -> dict[str, bytes]:
    root = b"22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
    ours = b"40 22 0:45 / /dev/fb0 rw,nosuid - fuse.fbemu fbemud:4711 rw,user_id=0\n"
    return {
        "ours": b"/dev/fb0\n" + root + ours,
        "covered": b"/dev/fb0\n" + root + ours + b"41 40 0:46 / /dev/fb0 rw - tmpfs none rw\n",
        "escaped": b"/tmp/a b\n" + root + rb"42 22 0:47 / /tmp/a\040b rw master:2 - fuse.fbemu fbemud:5 rw" + b"\n",
        "other-source": b"/dev/fb0\n" + root + b"40 22 0:45 / /dev/fb0 rw - fuse.fbemu other rw\n",
        "not-there": b"/dev/fb1\n" + root + ours,
        "empty": b"/dev/fb0\n",
    }


def lock_record() -> dict[str, bytes]:
    return {
        "recorded": b"\0004711 created DEVICE INODE\n",
        "other-inode": b"\0004711 created DEVICE 1\n",
        "started": b"\0004711\n",
        "empty": b"\0",
        "held-empty": b"\1",
        "held-by-ended": b"\x01999999999 created DEVICE INODE\n",
        "text": b"\0not a record of fbemu\n",
        "large": b"\0004711 created 99999999999999999999 INODE\n",
    }


def control_requests() -> dict[str, bytes]:
    return {
        "commands": b"\n".join(b'{"command":"%s"}' % word for word in (b"status", b"stats", b"modes", b"screenshot")),
        "unknown": b'{"command":"reboot"}\n{"command":7}\n{}\n[]\n"status"',
        "broken": b'{"command":"stat\n{{{\n\xff\xfe\n{"command":"\\ud800"}\nnull',
    }


STATUS = (b'{"version":"1","device":"/dev/fb0","id":"fbemu","cuse_device":null,"cuse_device_missing":"none","process":1,"guard_process":2,'
          b'"card":"vkms","card_details":{"driver":"vkms","path":null,"formats":["XR24"],"commit":"atomic","flush":"none","mapping":"dumb",'
          b'"vblank":"crtc"},"output":{"name":"Virtual-1","connected":true,"size_mm":{"width":0,"height":0}},"outputs":[%s],"enabled":true,'
          b'"preempted":false,"on_active_vt":true,"mode":{"width":64,"height":48,"name":"m","refresh_millihertz":60000,"preferred":true},'
          b'"scanout_format":"XR24","visible":{"width":64,"height":48},"virtual":{"width":64,"height":48},"offset":{"x":0,"y":0},'
          b'"bits_per_pixel":32,"visual":"truecolor","degrees":0,"line_length":256,"memory_bytes":24576,"blank_level":0,"open_files":1,'
          b'"open_writers":1,"tracker":"idle","error":null}')
OUTPUT = b'{"name":"A","error":"none","mode":{"width":64,"height":48,"refresh_millihertz":60000}}'


def control_answers() -> dict[str, bytes]:
    return {
        "status": b"status\n" + STATUS % OUTPUT,
        "two-outputs": b"status\n" + STATUS % (OUTPUT + b"," + OUTPUT),
        "status-json": b"status --json\n" + STATUS % OUTPUT,
        "modes": b'modes\n{"output":"A","modes":[{"width":64,"height":48,"refresh_millihertz":60000,"preferred":true}],'
                 b'"custom_modes_up_to":{"width":8192,"height":8192}}',
        "stats": b'stats\n{"ioctls":1,"mappings":{"dumb":{"hits":1}},"tracker":"idle","uploaded_to_changed":null}',
        "screenshot": b'screenshot 64\n{"width":4,"height":4,"format":"XR24"}',
        "no-picture": b'screenshot\n{"width":4,"height":4,"format":"XR24"}',
        "refused": b'status\n{"error":"unknown command"}',
        "broken": b"stats\n{",
    }


def command_line() -> dict[str, bytes]:
    return {
        "modes": b"mode 1024x768@60\nmode 1920x1080\nmode 8x8@59.94\nmode x\nmode 65535x65535@1000",
        "cards": b"card headless\ncard headless:1280x720@75\ncard /dev/dri/card0,commit=atomic,format=XR24\ncard headless:1x1\ncard other",
        "memory": b"memory 0\nmemory 4096 64x96\nmemory 0xfffff000\nmemory 4294967296\nmemory 1 65535x65535",
        "devices": b"device dev/fb0\ndevice dev/fb-0\ndevice \ndevice tmp/a-rather-long-path/that-does-not-fit/in-48-characters/fb0",
        "formats": b"format XR24\nformat RG16\nformat ",
    }


def png(width: int, height: int, color: int, pixels: bytes, *extra: tuple[bytes, bytes]) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 0)
    chunks = [(b"IHDR", header), *extra, (b"IDAT", zlib.compress(pixels)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in chunks)


def splash_picture() -> dict[str, bytes]:
    return {
        "rgb": png(2, 2, 2, bytes(14)),
        "rgba": png(2, 2, 6, bytes(18)),
        "palette": png(2, 2, 3, bytes(6), (b"PLTE", bytes(range(12))), (b"tRNS", b"\x80")),
        "gray": png(4, 1, 0, bytes(5), (b"gAMA", struct.pack(">I", 45_455))),
        "short": png(64, 64, 2, bytes(4)),
    }


def main(folder: Path) -> None:
    both = frames()
    targets = {target.__name__: target() for target in (var_check, color_map, ioctl, kms_modes, mount_table, lock_record, control_requests,
                                                        control_answers, command_line, splash_picture)}
    targets["fuse_session"] = {name: b"\0" + data for name, data in both.items()}
    targets["cuse_session"] = both
    for target, inputs in targets.items():
        (folder / target).mkdir(parents=True, exist_ok=True)
        for name, data in inputs.items():
            (folder / target / name).write_bytes(data)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
