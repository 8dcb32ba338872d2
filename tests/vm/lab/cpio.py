"""Writes an archive that the kernel unpacks at boot (newc), without root and without cpio."""

import os
import stat
from pathlib import Path
from typing import BinaryIO


class Writer:
    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._inode = 0

    def folder(self, name: str) -> None:
        self._member(name, stat.S_IFDIR | 0o755)

    def file(self, name: str, data: bytes, mode: int = 0o644) -> None:
        self._member(name, stat.S_IFREG | mode, data)

    def link(self, name: str, target: str) -> None:
        self._member(name, stat.S_IFLNK | 0o777, target.encode())

    def device(self, name: str, mode: int, major: int, minor: int) -> None:
        self._member(name, stat.S_IFCHR | mode, device=(major, minor))

    def tree(self, source: Path, name: str) -> None:
        """Adds a folder of the host and its contents, always in the same order."""
        self.folder(name)
        for path in sorted(source.iterdir()):
            member = f"{name}/{path.name}"
            if path.is_symlink():
                self.link(member, os.readlink(path))
            elif path.is_dir():
                self.tree(path, member)
            else:
                self.file(member, path.read_bytes(), 0o755 if os.access(path, os.X_OK) else 0o644)

    def close(self) -> None:
        self._member("TRAILER!!!", 0)

    def _member(self, name: str, mode: int, data: bytes = b"", device: tuple[int, int] = (0, 0)) -> None:
        self._inode += 1
        encoded = name.encode() + b"\0"
        fields = (self._inode, mode, 0, 0, 1, 0, len(data), 0, 0, device[0], device[1], len(encoded), 0)
        header = b"070701" + b"".join(b"%08X" % field for field in fields)
        self._out.write(_padded(header + encoded))
        self._out.write(_padded(data))


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
