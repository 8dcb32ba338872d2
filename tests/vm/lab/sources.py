"""The Debian mirror of this machine.

Its address is read from the machine's apt configuration when it is needed, and is in no file of the project.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .errors import Skipped

# A mirror with one of these suites is one of Debian's main archive, which has all suites.
_SUITES = {"bullseye", "bookworm", "trixie", "forky", "sid", "oldstable", "stable", "testing", "unstable"}
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


@dataclass(frozen=True)
class Mirror:
    uri: str
    signed_by: str | None

    def line(self, suite: str, kind: str = "deb") -> str:
        """Returns a line for a sources.list."""
        options = f"[signed-by={self.signed_by}] " if self.signed_by else ""
        return f"{kind} {options}{self.uri} {suite} main"


def find_mirror(etc: Path = Path("/etc/apt")) -> Mirror:
    for mirror in _candidates(etc):
        return mirror
    raise Skipped(f"no Debian mirror in {etc}/sources.list or {etc}/sources.list.d: the lab's packages come from there")


def _candidates(etc: Path) -> Iterator[Mirror]:
    folder = etc / "sources.list.d"
    for path in [etc / "sources.list", *sorted(folder.glob("*.list"))]:
        if path.is_file():
            yield from _one_line(path.read_text(errors="replace"))
    for path in sorted(folder.glob("*.sources")):
        yield from _deb822(path.read_text(errors="replace"))


def _mirror(uri: str, signed_by: str | None) -> Mirror:
    if not signed_by and _KEYRING.exists():
        signed_by = str(_KEYRING)
    return Mirror(uri.rstrip("/"), signed_by)


def _one_line(text: str) -> Iterator[Mirror]:
    for line in text.splitlines():
        match = re.match(r"\s*deb\s+(?:\[(?P<options>[^]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<parts>.*)", line)
        if match and match["suite"] in _SUITES and "main" in match["parts"].split() and not match["uri"].startswith("cdrom:"):
            signed = re.search(r"signed-by=(/\S+)", match["options"] or "", re.IGNORECASE)
            yield _mirror(match["uri"], signed[1] if signed else None)


def _deb822(text: str) -> Iterator[Mirror]:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for stanza in re.split(r"\n\s*\n", "\n".join(lines)):
        fields = {key.lower(): " ".join(value.split())
                  for key, value in re.findall(r"^([A-Za-z0-9-]+):((?:.*)(?:\n[ \t].*)*)", stanza, re.MULTILINE)}
        if fields.get("enabled", "yes").lower() in {"no", "false", "0", "off"}:
            continue
        if "deb" not in fields.get("types", "").split() or "main" not in fields.get("components", "").split():
            continue
        if not _SUITES & set(fields.get("suites", "").split()):
            continue
        signed = fields.get("signed-by", "")
        for uri in fields.get("uris", "").split():
            yield _mirror(uri, signed if signed.startswith("/") and " " not in signed else None)
