"""The display drivers of the lab: what QEMU calls the card, and which kernel module drives it."""

from dataclasses import dataclass

from .errors import LabError


@dataclass(frozen=True)
class Driver:
    name: str
    vga: str
    # The first of these that the kernel has; cirrus got another name in 7.x.
    modules: tuple[str, ...]
    # QEMU can give this card more than one head, and tell it of displays that come, go and change.
    resizable: bool = False
    # How far a suspend may go so that the card works after it, without any help: "mem" is the real thing. Short of that the kernel's
    # rehearsals (pm_test): "devices" suspends the drivers and resumes them, "freezer" only stops all programs for a moment.
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
