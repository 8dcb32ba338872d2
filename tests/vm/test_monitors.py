#!/usr/bin/env python3
"""Tests of monitors with an invalid description (EDID): fbemu offers no absurd mode, and shows the picture in a valid one.

    python3 tests/vm/test_monitors.py -v [Class[.test]]...
"""

import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from lab.driver_case import OnDriver  # noqa: E402
from lab.framebuffer import OpenFramebuffer  # noqa: E402
from lab.options import Options  # noqa: E402
from lab.suite import main  # noqa: E402

KERNELS = ("6.12", "6.1", "7.2")


def edid(*timings: bytes) -> bytes:
    """Returns a monitor's description (EDID 1.4) with up to four detailed timings and a valid checksum."""
    blocks = b"".join(timing.ljust(18, b"\0") for timing in timings).ljust(72, b"\0")
    head = b"\0\xff\xff\xff\xff\xff\xff\0" + b"\x04\x21" + bytes(6) + b"\x01\x22\x01\x04" + b"\x80\x30\x20\x78\x02" + bytes(10) + bytes(3) + b"\x01\x01" * 8
    body = head + blocks + b"\0"
    return body + bytes([-sum(body) % 256])


# The standard 1024x768. It is the first and so the preferred one, because virtio accepts no other preferred timing.
FIRST = bytes((0x64, 0x19, 0x00, 0x40, 0x41, 0x00, 0x26, 0x30, 0x18, 0x88, 0x36, 0x00, 0, 0, 0, 0, 0, 0x1E))
# 1000x700 at 60 Hz, which is in no list of modes.
SENSIBLE = edid(FIRST, bytes((0xA9, 0x13, 0xE8, 0xA0, 0x30, 0xBC, 0x1E, 0x20, 0x30, 0x20, 0x33, 0x00, 0, 0, 0, 0, 0, 0x1E)))
# The largest, smallest and most contradictory clocks, sides, blankings and syncs of these fields.
TIMINGS = [b"\xff" * 17, b"\x01\0" + bytes(16), b"\xff\xff\x01\x00\x00\x01\x00\x00" + bytes(10), b"\x64\x19\x00\x40\x41\x00\x26\x30\x18\xff\xff\xff" + bytes(6)]
GARBAGE = {"noise": bytes((37 * at * at + 11) % 256 for at in range(256)), "zeros": bytes(128), "one byte": b"x", "no timings": edid(),
           **{f"timing {number}": edid(FIRST, timing) for number, timing in enumerate(TIMINGS)}, "all timings": edid(*TIMINGS)}


class Monitors(OnDriver):
    """Tests on virtio, which reads the EDID again at each event and believes it, also if it is the administrator's override."""

    kernel, gpu = KERNELS[0], "virtio"

    def describe(self, description: bytes) -> None:
        """Gives the monitor this description, and waits until the driver has read it."""
        self.assertTrue(self.override(SENSIBLE))
        self.ask_monitor(f"grep -qx 1000x700 {self.in_sysfs}/modes")
        if description != SENSIBLE and self.override(description):
            self.ask_monitor(f"! grep -qx 1000x700 {self.in_sysfs}/modes")

    def override(self, description: bytes) -> bool:
        """Sets the override. Returns false if the kernel refuses it because it is no EDID."""
        self.guest.write_file("/root/edid", description)
        return self.guest.run("cat /root/edid > /sys/kernel/debug/dri/0/Virtual-1/edid_override", check=False).status == 0

    def ask_monitor(self, condition: str) -> None:
        for width, height in ((1024, 768), (self.console.width, self.console.height)):
            self.guest.resize_display(width, height)
        self.guest.wait_until(f"echo detect > {self.in_sysfs}/status; {condition}", timeout=10)

    def modes(self) -> list[tuple[int, int]]:
        """Returns the modes of fbemud. Checks that none is absurd."""
        modes = json.loads(self.guest.run(["fbemuctl", "modes", "--json"]).text)["modes"]
        for mode in modes:
            self.assertGreaterEqual(min(mode["width"], mode["height"]), 8, mode)
            self.assertTrue(1000 <= mode["refresh_millihertz"] <= 1_000_000, mode)
        return [(mode["width"], mode["height"]) for mode in modes]

    def test_monitor_that_describes_itself_as_nonsense(self) -> None:
        self.guest.run("mountpoint -q /sys/kernel/debug || mount -t debugfs none /sys/kernel/debug")
        try:
            self.describe(SENSIBLE)
            with self.daemon():
                self.assertIn((1000, 700), self.modes(), "the driver does not look")
            for name, description in GARBAGE.items():
                with self.subTest(name):
                    self.describe(description)
                    if self.guest.run(["cat", f"{self.in_sysfs}/modes"]).text == "":
                        self.refused([], "Virtual-1", "has no modes")
                        continue
                    with self.daemon() as daemon, OpenFramebuffer(self.guest, daemon) as screen:
                        self.assertTrue(self.modes())
                        self.assert_shows(screen.draw_pattern())
            with self.subTest("while a program runs"):
                self.assertTrue(self.override(SENSIBLE))
                self.ask_monitor(f"grep -qx 1000x700 {self.in_sysfs}/modes")
                with self.daemon() as daemon, OpenFramebuffer(self.guest, daemon) as screen:
                    self.assert_shows(screen.draw_pattern())
                    for step, description in enumerate(GARBAGE.values()):
                        self.describe(description)
                        screen.tell("sync")
                        screen.fill(40 * step, 50, 20, 20, 0x33CC66)
                        self.modes()
                    self.describe(SENSIBLE)
                    self.assert_shows(screen.picture)
        finally:
            self.guest.run("echo -n reset > /sys/kernel/debug/dri/0/Virtual-1/edid_override")


def add_classes() -> None:
    for kernel in KERNELS[1:]:
        name = f"Monitors{kernel.replace('.', '')}"
        globals()[name] = type(name, (Monitors,), {"kernel": kernel})


add_classes()

if __name__ == "__main__":
    main([Options(kernel=kernel, resizable=True) for kernel in KERNELS])
