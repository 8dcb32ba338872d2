#!/usr/bin/env python3
"""Runs clang-tidy over the product's sources: tidy.py SOURCE-FOLDER BUILD-FOLDER

A file that passed is checked again when something has changed on which the result depends. That is the file, a header that it includes,
its compiler options, .clang-tidy or clang-tidy itself. ${XDG_CACHE_HOME:-~/.cache}/fbemu/tidy has an empty file for each result.

Each version of clang-tidy adds checks, and .clang-tidy is written for the one of Debian 12. Without it, the exit status is 77.
"""

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

_VERSION = "version 14."
_LAYERS = ("drmclient", "fbemu", "cuse")
_DAYS_KEPT = 60


def find_clang_tidy() -> tuple[str, str] | None:
    """Returns the name of the program and its version text."""
    for name in ("clang-tidy-14", "clang-tidy"):
        try:
            said = subprocess.run([name, "--version"], capture_output=True, text=True, check=True).stdout
        except (OSError, subprocess.CalledProcessError):
            continue
        if _VERSION in said:
            return name, said
    return None


def compiler_call(entry: dict[str, str]) -> list[str]:
    """Returns the command that compiles a file, without ccache and without the options that name its outputs."""
    words = shlex.split(entry["command"])
    if Path(words[0]).name == "ccache":
        del words[0]
    call: list[str] = []
    skip = False
    for word in words:
        if not skip and word not in ("-c", "-MD"):
            skip = word in ("-o", "-MF", "-MT")
            if not skip:
                call.append(word)
        else:
            skip = False
    return call


def digest(entry: dict[str, str], source: Path, version: str) -> str:
    """Returns a digest of everything on which the result for a file depends."""
    call = compiler_call(entry)
    listed = subprocess.run([*call, "-M"], cwd=entry["directory"], capture_output=True, text=True, check=True).stdout
    files = shlex.split(listed.partition(":")[2].replace("\\\n", " "))
    # The result does not depend on the folder of the checkout.
    options = [word.replace(str(source), "").replace(entry["directory"], "") for word in call]
    sum_of_all = hashlib.sha256(json.dumps([version, (source / ".clang-tidy").read_text(), options]).encode())
    for name in files:
        content = (Path(entry["directory"]) / name).read_bytes()
        sum_of_all.update(b"%d " % len(content) + content)
    return sum_of_all.hexdigest()


def passed_folder() -> Path:
    """Returns the folder with an empty file for each digest that passed, and removes the files that were not used for 60 days."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fbemu" / "tidy"
    folder.mkdir(parents=True, exist_ok=True)
    for mark in folder.iterdir():
        if mark.stat().st_mtime < time.time() - _DAYS_KEPT * 24 * 3600:
            mark.unlink(missing_ok=True)
    return folder


def main(arguments: Sequence[str]) -> int:
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    source, build = (Path(argument).resolve() for argument in arguments)
    found = find_clang_tidy()
    if not found:
        print("skipped: there is no clang-tidy 14, which .clang-tidy is written for; Debian 12 has it")
        return 77
    clang_tidy, version = found
    wanted = re.compile(rf"{re.escape(str(source))}/({'|'.join(_LAYERS)})/")
    entries = [entry for entry in json.loads((build / "compile_commands.json").read_text()) if wanted.match(entry["file"])]
    if not entries:
        print(f"error: {build}/compile_commands.json names no source of the product")
        return 1
    passed = passed_folder()
    known = 0
    failed: list[str] = []
    for entry in entries:
        mark = passed / digest(entry, source, version)
        if mark.exists():
            known += 1
        elif subprocess.run([clang_tidy, "-quiet", "-p", build, entry["file"]], check=False).returncode != 0:
            failed.append(entry["file"])
            continue
        mark.touch()
    print(f"{len(entries)} files, of which {known} had passed before and {len(failed)} failed", *failed, sep="\n  ")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
