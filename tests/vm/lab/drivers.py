"""The display drivers of the lab: what QEMU calls the card, and which kernel module drives it."""

from dataclasses import dataclass

from .errors import LabError


@dataclass(frozen=True)
class Driver:
    name: str
    vga: str
    # The first of these that the kernel has; cirrus got another name in 7.x.
    modules: tuple[str, ...]


DRIVERS = {
    driver.name: driver
    for driver in (
        Driver("bochs", "std", ("bochs",)),
        Driver("virtio", "virtio", ("virtio_gpu",)),
        Driver("qxl", "qxl", ("qxl",)),
        Driver("cirrus", "cirrus", ("cirrus_qemu", "cirrus")),
        Driver("vmwgfx", "vmware", ("vmwgfx",)),
    )
}


def driver(name: str) -> Driver:
    if name not in DRIVERS:
        raise LabError(f"no display driver {name} in the lab; there are {', '.join(DRIVERS)}")
    return DRIVERS[name]
