"""fbemud in a guest: the program of the build folder, and the libraries that are missing in the guest."""

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import rootfs
from .channel import Job
from .errors import GuestTimeout, LabError
from .guest import Guest

REPOSITORY = Path(__file__).resolve().parents[3]
READY_SECONDS = 30.0
STOP_SECONDS = 20.0
_PLACES = ("cuse", ".", "bin", "src", "fbemud")
_TARGET = "/usr/local/bin"
_LIBRARIES = "/usr/local/lib"


@dataclass(frozen=True)
class Build:
    fbemud: Path
    fbemuctl: Path | None


def find_build(folder: Path | None) -> Build:
    """Returns the programs in a build folder, or if it is None, in the usual build folders of the project."""
    if folder:
        candidates = [folder]
    else:
        base = REPOSITORY / "build"
        others = sorted((path for path in base.glob("*") if path.is_dir()), key=lambda path: path.stat().st_mtime, reverse=True)
        candidates = [base / "release", base, *others]
    for candidate in candidates:
        found = _program(candidate, "fbemud")
        if found:
            return Build(found, _program(candidate, "fbemuctl"))
    where = ", ".join(str(candidate) for candidate in candidates[:3])
    raise LabError(f"no fbemud in {where}; build the project first, name its build folder with --build DIR, or leave fbemud out with --no-fbemu")


def _program(folder: Path, name: str) -> Path | None:
    for place in _PLACES:
        path = folder / place / name
        if path.is_file():
            return path.resolve()
    return None


class Fbemu:
    """A running fbemud."""

    def __init__(self, guest: Guest, job: Job, node: str) -> None:
        self.guest = guest
        self.job = job
        self.node = node

    @property
    def log(self) -> str:
        return (self.job.stdout + self.job.stderr).decode(errors="replace")

    def stop(self) -> int:
        """Ends fbemud with SIGTERM, as a service manager does, and returns its exit status."""
        self.job.signal(15)
        return self.job.wait(STOP_SECONDS)

    def kill(self) -> None:
        self.job.signal(9)
        self.job.wait(STOP_SECONDS)


def install(guest: Guest, build: Build) -> None:
    """Copies the programs into the guest, unless they are there. start() does it."""
    if guest.has_build == build:
        return
    put_programs(guest, [program for program in (build.fbemud, build.fbemuctl) if program])
    guest.has_build = build


def put_programs(guest: Guest, programs: Sequence[Path]) -> None:
    """Copies programs to a folder in the guest's PATH, with the libraries that are missing in the guest."""
    there = rootfs.libraries(guest.parts.disk)
    lacking = {library.name: library for program in programs for library in _libraries(program) if library.name not in there}
    for program in programs:
        guest.put(program, f"{_TARGET}/{program.name}")
    for name, library in lacking.items():
        guest.put(library, f"{_LIBRARIES}/{name}")
    if lacking:
        guest.run(["ldconfig"])


def _libraries(program: Path) -> list[Path]:
    text = subprocess.run(["ldd", str(program)], capture_output=True, text=True).stdout
    return [Path(path) for path in re.findall(r"=> (/\S+)", text)]


def start(guest: Guest, build: Build, arguments: Sequence[str] = (), *, timeout: float = READY_SECONDS) -> Fbemu:
    """Starts fbemud and waits until its node is ready. If this fails, fbemud does not run."""
    install(guest, build)
    before = _mounted_nodes(guest)
    job = guest.spawn([f"{_TARGET}/fbemud", *arguments], notify=True)
    try:
        job.wait_for(lambda: b"READY=1" in job.notices.split(b"\n") or job.status is not None, timeout, "become ready")
    except GuestTimeout as error:
        job.signal(9)
        job.wait(STOP_SECONDS)
        raise LabError(f"{error}; it said:\n{_said(job)}") from None
    if job.status is not None:
        raise LabError(f"fbemud ended with status {job.status} before it was ready; it said:\n{_said(job)}")
    nodes = [node for node in _mounted_nodes(guest) if node not in before]
    if not nodes:
        raise LabError(f"fbemud says that it is ready, and there is nothing mounted at /dev/fb*; it said:\n{_said(job)}")
    guest.run(["fbset", "-fb", nodes[0]])
    return Fbemu(guest, job, nodes[0])


def _mounted_nodes(guest: Guest) -> list[str]:
    """Returns the nodes at which fbemud has mounted its file."""
    mounts = guest.read_file("/proc/self/mountinfo").decode()
    return [fields[4] for fields in map(str.split, mounts.splitlines()) if re.fullmatch(r"/dev/fb\d+", fields[4])]


def _said(job: Job) -> str:
    text = (job.stdout + job.stderr).decode(errors="replace").strip()
    return "\n".join("    " + line for line in text.splitlines()[-40:]) or "    (nothing)"
