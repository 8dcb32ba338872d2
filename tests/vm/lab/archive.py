"""Debian packages of any suite, fetched with a separate apt configuration of the lab."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import cache, tools
from .command import logged, output
from .errors import LabError, Skipped
from .sources import find_mirror


class Archive:
    """A suite. The package lists are fetched on first use, once in the life of the object."""

    def __init__(self, suite: str, *, with_source: bool = False) -> None:
        self.suite = suite
        self._with_source = with_source
        self._folder = cache.root() / "apt" / (f"{suite}-source" if with_source else suite)
        self._log = cache.log_path(f"apt-{suite}")
        self._fresh = False

    def _options(self) -> list[str]:
        folder = self._folder
        settings = {
            "Dir::Etc::sourcelist": folder / "sources.list",
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::State": folder / "state",
            "Dir::State::lists": folder / "lists",
            # The packages of the host are not those of the guest.
            "Dir::State::status": folder / "status",
            "Dir::Cache": folder / "cache",
            "APT::Architecture": "amd64",
            "APT::Architectures": "amd64",
            # apt's own user may not be allowed to read the cache.
            "APT::Sandbox::User": "root",
            "APT::Update::Error-Mode": "any",
            "Acquire::Languages": "none",
            "Acquire::Retries": "2",
        }
        return [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]

    def _update(self) -> None:
        if self._fresh:
            return
        if not tools.find("apt-get"):
            raise Skipped("apt-get is missing: the lab's kernels and programs are Debian packages")
        mirror = find_mirror()
        for name in ("state", "lists/partial", "cache/archives/partial"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        (self._folder / "status").touch()
        lines = [mirror.line(self.suite)]
        if self._with_source:
            lines.append(mirror.line(self.suite, "deb-src"))
        (self._folder / "sources.list").write_text("\n".join(lines) + "\n")
        self._fetch(["update"])
        self._fresh = True

    def _fetch(self, arguments: list[str], cwd: Path | None = None) -> None:
        try:
            logged(["apt-get", *self._options(), *arguments], self._log, cwd=cwd, timeout=1800, what=f"apt-get {arguments[0]}")
        except LabError as error:
            raise Skipped(f"cannot fetch packages of {self.suite} (no network?): {error}") from None

    def depends(self, package: str) -> list[str]:
        with self._lists():
            text = output(["apt-cache", *self._options(), "depends", "--no-recommends", "--no-suggests", package])
        return re.findall(r"^\s+(?:Pre)?Depends: (\S+)$", text, re.MULTILINE)

    def version(self, package: str) -> str:
        with self._lists():
            text = output(["apt-cache", *self._options(), "policy", package])
        match = re.search(r"Candidate: (\S+)", text)
        if not match or match[1] == "(none)":
            raise Skipped(f"{self.suite} has no package {package}")
        return match[1]

    def download(self, packages: list[str], folder: Path) -> list[Path]:
        """Fetches the .deb files into `folder`; apt checks their digests."""
        with self._lists():
            self._fetch(["download", *packages], folder)
        return sorted(folder.glob("*.deb"))

    def source(self, package: str, folder: Path) -> Path:
        """Fetches and unpacks a source package with Debian's patches applied; returns its folder."""
        with self._lists():
            self._fetch(["source", package], folder)
        trees = [path for path in folder.iterdir() if path.is_dir()]
        if len(trees) != 1:
            raise LabError(f"apt-get source {package} did not leave one folder in {folder}")
        return trees[0]

    @contextmanager
    def _lists(self) -> Iterator[None]:
        """Holds the lock of the package lists and updates them."""
        with cache.locked(f"apt-{self.suite}"):
            self._update()
            yield
