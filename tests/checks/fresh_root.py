"""Fresh machines: copies of a minimal Debian root, each run in its own namespaces.

The root is made once with mmdebstrap and kept in the cache. A copy is an overlay over it, so nothing writes to the root. Mounts and
processes end with the namespaces. The packages that a copy downloads are kept for the next one.
"""

import ctypes
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "vm"))
from lab import cache, tools  # noqa: E402
from lab.command import logged  # noqa: E402
from lab.errors import LabError, Skipped  # noqa: E402
from lab.sources import find_mirror  # noqa: E402

_RECIPE = 1
_PR_SET_CHILD_SUBREAPER = 36
# The folders of apt's downloads in a root.
_KEPT = ("var/cache/apt/archives", "var/lib/apt/lists")

# $1 is a folder for the root, $2 the options of its overlay, $3 and $4 a folder to bind and where; then a command.
_ENTER = """
set -eu
root=$1 options=$2 bound=$3 at=$4
shift 4
mount -t overlay -o "$options" overlay "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for node in null zero full random urandom tty fuse; do
  : > "$root/dev/$node"
  mount --bind "/dev/$node" "$root/dev/$node"
done
ln -s /proc/self/fd "$root/dev/fd"
mkdir "$root/dev/shm" "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
if [ -n "$bound" ]; then
  mkdir -p "$root$at"
  mount --bind "$bound" "$root$at"
fi
# Drop the mounts of the host, because a copy of a mount keeps it alive after the host has unmounted it.
cd "$root"
pivot_root . .
umount -l .
cd /
status=0
"$@" || status=$?
if grep " fuse[. ]" /proc/self/mounts; then
  echo "error: this is still mounted after the command" >&2
  [ "$status" -ne 0 ] || status=1
fi
exit "$status"
"""


def base(suite: str) -> Path:
    """Returns the minimal root of a suite. The package lists stay in it."""
    _need()
    mirror = find_mirror()
    more = ["--include=ca-certificates"] if mirror.uri.startswith("https:") else []
    recipe = {"recipe": _RECIPE, "suite": suite, "more": more}

    def build(work: Path) -> None:
        command = [tools.path_of("mmdebstrap"), "--variant=minbase", "--architectures=amd64", "--skip=cleanup/apt/lists", *more,
                   suite, work / "root", mirror.line(suite)]
        try:
            logged(command, cache.log_path(f"fresh-{suite}"), what="mmdebstrap", timeout=1800)
        except LabError as error:
            raise Skipped(f"cannot make a root of {suite}: {error}") from None

    return cache.entry(f"fresh-{suite}", recipe, build, what=f"making a minimal root of {suite}") / "root"


def _need() -> None:
    if os.geteuid() != 0:
        raise Skipped("a fresh machine needs root, for chroot and mounts")
    if not Path("/dev/fuse").exists():
        raise Skipped("a fresh machine needs /dev/fuse")
    tools.need(["mmdebstrap", "unshare"], purpose="making a fresh machine")


class Machine:
    """A copy of a root, in a folder that is removed with it. `layers` lie over the base, the last one on top."""

    def __init__(self, suite: str, folder: Path, layers: Sequence[Path] = ()) -> None:
        self._suite = suite
        self._folder = folder
        self.changes = folder / "changes"
        self._kept = cache.root() / f"fresh-{suite}-packages"
        for path in (self.changes, folder / "work", folder / "root"):
            path.mkdir()
        # The modes of these folders hide those of the root's folders.
        for path in (self._kept, *(self._kept / name for name in _KEPT)):
            path.mkdir(parents=True, exist_ok=True)
        self._layers = [base(suite), self._kept, *layers]
        self._configure()

    def _configure(self) -> None:
        """Configures the network and the package sources as on the host."""
        apt = self.changes / "etc/apt"
        (apt / "apt.conf.d").mkdir(parents=True)
        (apt / "sources.list").write_text(find_mirror().line(self._suite) + "\n")
        settings = subprocess.run(["apt-config", "dump", "--format", '%f "%v";%n', "Acquire"], capture_output=True, text=True, check=True)
        wanted = [line for line in settings.stdout.splitlines() if "proxy" in line.lower() and not line.endswith('"";')]
        (apt / "apt.conf.d/90host").write_text("".join(line + "\n" for line in wanted))
        # The machine need not survive a power cut.
        dpkg = self.changes / "etc/dpkg/dpkg.cfg.d"
        dpkg.mkdir(parents=True)
        (dpkg / "90fast").write_text("force-unsafe-io\n")
        for name in ("resolv.conf", "hosts"):
            if (Path("/etc") / name).exists():
                shutil.copyfile(Path("/etc") / name, self.changes / "etc" / name)

    def run(self, command: str, log: Path, *, environment: Mapping[str, str] | None = None, bind: tuple[Path, str] | None = None,
            timeout: float = 3600.0) -> None:
        """Runs a command of the shell in the machine, as root in /root. Raises LabError if it fails."""
        layers = ":".join(str(layer) for layer in reversed(self._layers))
        options = f"lowerdir={layers},upperdir={self.changes},workdir={self._folder / 'work'}"
        variables = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8",
                     **(environment or {})}
        inside = ["env", "-i", "-C", "/root", *(f"{key}={value}" for key, value in variables.items()), "sh", "-c", command]
        # The end of this process ends unshare, which ends the first process of the namespace, which ends all others.
        argv = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", _ENTER, "enter",
                self._folder / "root", options, *(bind or ("", "")), *inside]
        try:
            logged(argv, log, what=shlex.split(command)[0], timeout=timeout)
        finally:
            _wait_for_descendants()

    def keep_packages(self) -> None:
        """Moves the downloads of apt to the folder that the next machine uses."""
        for name in _KEPT:
            for path in (self.changes / name).glob("*"):
                if path.is_file() and path.name != "lock":
                    os.replace(path, self._kept / name / path.name)
            shutil.rmtree(self.changes / name, ignore_errors=True)


def _wait_for_descendants() -> None:
    """Waits for the end of namespaces whose unshare was killed. Their first process is then a child of this process."""
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return


@contextmanager
def machines(suite: str) -> Iterator[Path]:
    """Gives a folder for the machines of one run, which has exclusive use of the suite's cache."""
    _need()
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise LabError("cannot become a subreaper")
    label = f"fresh-{suite}-run"
    with cache.locked(label):
        for left in cache.root().glob(f".{label}.*"):
            shutil.rmtree(left)
        folder = Path(tempfile.mkdtemp(prefix=f".{label}.", dir=cache.root()))
        # The mode of the first folder becomes that of the root, and apt downloads as another user.
        os.umask(0o022)
        try:
            yield folder
        finally:
            shutil.rmtree(folder)
