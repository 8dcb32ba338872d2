"""The display drivers of the lab, with QEMU's name of the card and the kernel's names of the module."""

from dataclasses import dataclass

from .errors import LabError


@dataclass(frozen=True)
class Driver:
    name: str
    vga: str
    # The kernel has one of these; cirrus has another name in 7.x.
    modules: tuple[str, ...]
    # True if QEMU can give the card more than one head, and connect, disconnect and resize displays.
    resizable: bool = False
    # The deepest suspend after which the card works: "mem" is a complete one. The others are tests of the kernel (pm_test): "devices"
    # suspends and resumes the drivers, "freezer" only stops all programs for a moment.
    suspend: str = "mem"


DRIVERS = {
    driver.name: driver
    for driver in (
        Driver("bochs", "std", ("bochs",)),
        Driver("virtio", "virtio", ("virtio_gpu",), resizable=True, suspend="freezer"),
        Driver("qxl", "qxl", ("qxl",)),
        Driver("cirrus", "cirrus", ("cirrus_qemu", "cirrus")),
        Driver("vmwgfx", "vmware", ("vmwgfx",), suspend="devices"),
    )
}


def driver(name: str) -> Driver:
    if name not in DRIVERS:
        raise LabError(f"no display driver {name} in the lab; there are {', '.join(DRIVERS)}")
    return DRIVERS[name]
