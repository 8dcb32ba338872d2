"""Debian's kernels: the newest one of a suite, with the modules that a guest can use."""

import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from . import cache, tools
from .archive import Archive
from .command import logged, output
from .drivers import DRIVERS
from .errors import LabError, Skipped

SUITES = {"6.1": "bookworm", "6.12": "trixie", "7.2": "sid"}
META_PACKAGE = "linux-image-amd64"

# Each entry has the names of one module. In a kernel without any of them it is built in, or does not exist.
NEEDED_MODULES: tuple[tuple[str, ...], ...] = (
    ("virtio_pci",), ("virtio_blk",), ("virtio_console",), ("ext4",), ("crc32c_generic",), ("crc32c_intel",), ("crc32c",),
    ("fuse",), ("cuse",), ("evdev",), ("uinput",), ("i2c_piix4",), ("vgem",), ("udmabuf",),
    *(driver.modules for driver in DRIVERS.values()),
)
_REQUIRED = {"virtio_pci", "virtio_blk", "virtio_console", "ext4", "fuse", "cuse", *(name for driver in DRIVERS.values() for name in driver.modules)}
_RECIPE = 1


@dataclass(frozen=True)
class Kernel:
    """An entry of the cache: the image, and the modules as uncompressed .ko files with the tables of depmod."""

    name: str
    folder: Path

    @property
    def image(self) -> Path:
        return self.folder / "vmlinuz"

    @property
    def release(self) -> str:
        return (self.folder / "release").read_text().strip()

    @property
    def modules(self) -> Path:
        return self.folder / "lib" / "modules" / self.release


def get(name: str, *, update: bool = False) -> Kernel:
    if name not in SUITES:
        raise LabError(f"no kernel {name} in the lab; there are {', '.join(SUITES)}")
    suite = SUITES[name]
    recipe = {"recipe": _RECIPE, "suite": suite, "modules": NEEDED_MODULES}
    folder = cache.entry(f"kernel-{name}", recipe, lambda work: _build(suite, work), what=f"fetching the {name} kernel of {suite}",
                         rebuild=update)
    return Kernel(name, folder)


def _build(suite: str, work: Path) -> None:
    tools.need(["dpkg-deb", "depmod", "modprobe", "xz"], purpose="unpacking kernels")
    archive = Archive(suite)
    packages = sorted(_kernel_packages(archive))
    downloads = work / "deb"
    downloads.mkdir()
    tree = work / "tree"
    for package in archive.download(packages, downloads):
        logged(["dpkg-deb", "-x", package, tree], cache.log_path(f"kernel-{suite}"))
    image, modules = _locate(tree, suite)
    release = modules.name
    shutil.copyfile(image, work / "vmlinuz")
    (work / "release").write_text(release + "\n")
    # depmod and modprobe read lib/modules, also if /lib is a link to usr/lib.
    whole = work / "whole"
    (whole / "lib" / "modules").mkdir(parents=True)
    modules.rename(whole / "lib" / "modules" / release)
    _copy_wanted(whole, work, release)
    for folder in (downloads, tree, whole):
        shutil.rmtree(folder)


def _kernel_packages(archive: Archive) -> set[str]:
    """Returns the dependencies of the metapackage with the image and the modules; from 7.x on these are separate packages."""
    found: set[str] = set()
    todo = [META_PACKAGE]
    while todo:
        for name in archive.depends(todo.pop()):
            if re.match(r"linux-(image|binary|modules|base)-\d", name) and name not in found:
                found.add(name)
                todo.append(name)
    if not found:
        raise Skipped(f"{META_PACKAGE} of {archive.suite} leads to no kernel package")
    return found


def _locate(tree: Path, suite: str) -> tuple[Path, Path]:
    modules = [path for base in ("lib/modules", "usr/lib/modules") for path in (tree / base).glob("*") if (path / "kernel").is_dir()]
    images = [*(tree / "boot").glob("vmlinuz-*"), *(path / "vmlinuz" for path in modules if (path / "vmlinuz").is_file())]
    if len(modules) != 1 or not images:
        raise LabError(f"the kernel packages of {suite} hold {len(images)} images and {len(modules)} folders of modules; one each was expected")
    return images[0], modules[0]


def _copy_wanted(whole: Path, work: Path, release: str) -> None:
    depmod = tools.path_of("depmod")
    logged([depmod, "-b", whole, release], cache.log_path("depmod"))
    target = work / "lib" / "modules" / release
    target.mkdir(parents=True)
    source = whole / "lib" / "modules" / release
    for name in ("modules.builtin", "modules.builtin.modinfo", "modules.order"):
        if (source / name).exists():
            shutil.copyfile(source / name, target / name)
    for module in sorted(_with_dependencies(whole, release)):
        copy = target / module.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(module, copy)
        if copy.suffix == ".xz":
            logged([tools.path_of("xz"), "-d", copy], cache.log_path("depmod"))
        elif copy.suffix != ".ko":
            raise LabError(f"{copy.name} is packed in a way that the lab does not know")
    logged([depmod, "-b", work, release], cache.log_path("depmod"))


def _with_dependencies(whole: Path, release: str) -> set[Path]:
    files: set[Path] = set()
    for names in NEEDED_MODULES:
        found = [path for name in names for path in _show_depends(whole, release, name) or ()]
        known = any(_show_depends(whole, release, name) is not None for name in names)
        if not known and _REQUIRED & set(names):
            raise LabError(f"kernel {release} has no module {' or '.join(names)}")
        files.update(found)
    return files


def _show_depends(whole: Path, release: str, name: str) -> Iterable[Path] | None:
    """Returns the files of a module and its dependencies: none if it is built in, None if the kernel does not have it."""
    try:
        text = output([tools.path_of("modprobe"), "-d", whole, "-S", release, "--show-depends", name])
    except LabError:
        return None
    return [Path(line.split()[1]) for line in text.splitlines() if line.startswith("insmod ")]
