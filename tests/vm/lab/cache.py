"""The cache of downloads and builds, outside the source tree.

An entry is a folder NAME-KEY. KEY is a digest of the recipe, so a changed recipe makes another entry. An entry is built
under a temporary name and renamed when it is complete. So an existing entry is complete, and needs no network. A lock
per entry keeps two runs from building the same entry.
"""

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import LabError
from .report import say, step


def root() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    path = Path(base) / "fbemu"
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LabError(f"cannot make the cache folder {path}: {error.strerror}; XDG_CACHE_HOME names another place") from None
    return path


def log_path(name: str) -> Path:
    return root() / "log" / f"{name}.log"


def digest(recipe: object) -> str:
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:12]


def file_digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@contextmanager
def locked(name: str) -> Iterator[None]:
    with (root() / f"{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another run that is making {name}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def entry(name: str, recipe: object, build: Callable[[Path], None], *, what: str, rebuild: bool = False) -> Path:
    """Returns the folder of an entry. If it is missing, build(folder) fills a new one."""
    label = f"{name}-{digest(recipe)}"
    path = root() / label
    if path.is_dir() and not rebuild:
        return path
    with locked(label):
        if path.is_dir() and not rebuild:
            return path
        _sweep(label)
        with step(what):
            _build(path, label, build)
    return path


def _sweep(label: str) -> None:
    """Removes the incomplete entries of killed runs. The caller holds the lock."""
    for left in root().glob(f".{label}.*"):
        shutil.rmtree(left, ignore_errors=True)


def _build(path: Path, label: str, build: Callable[[Path], None]) -> None:
    log_path(label).unlink(missing_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{label}.", dir=root()))
    work.chmod(0o755)
    try:
        build(work)
        if path.is_dir():
            # After a rebuild, running guests keep their open files.
            old = Path(tempfile.mkdtemp(prefix=f".{label}.", dir=root()))
            path.rename(old / "old")
            work.rename(path)
            shutil.rmtree(old, ignore_errors=True)
        else:
            work.rename(path)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
