#!/usr/bin/env python3
"""Writes docs/compatibility.md from differences.txt and features.txt, whose truth test_differential.py looks after.

    python3 tests/vm/compatibility_table.py > docs/compatibility.md
    python3 tests/vm/compatibility_table.py --check docs/compatibility.md        fails where the file is not what is printed
"""

import sys
from collections.abc import Sequence
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from lab.differential import (  # noqa: E402
    ABIS, CLASSES, DIFFERENCES, FEATURES, FRONT_ENDS, KERNELS, Listed, ListError, parse_differences, parse_features)

HEAD = """\
# fbemu beside the kernel's own framebuffers

What programs get from `/dev/fb0`, asked in guests with Debian's kernels and virtio-gpu: once of the kernel's emulation of fbdev on DRM
drivers, once of fbemu. `tests/vm/programs/differential` asks some 1400 questions, in a 64-bit and a 32-bit build; of the CUSE device
those about ioctls, since the kernel gives it neither file positions nor mappings. Both have a virtual screen of twice the height.
`tests/vm/test_differential.py` fails where an answer differs and is not listed here, and where it is listed and does not differ.

This page is written by `python3 tests/vm/compatibility_table.py > docs/compatibility.md`.

## Features

| | kernel 6.1 | kernel 6.12 | kernel 7.2 | fbemu |
|---|---|---|---|---|
"""

BEFORE_DIFFERENCES = """
## Differences

X and Y are the size of the visible part, V is the height of the virtual screen, *end* is the size of the memory. `timing` stands for the
pixel clock, the margins and the syncs, which are the mode's. `*` stands for any text, `?` for any character.
"""

COLUMNS = """
| cases | where | the kernel's | fbemu's | reason |
|---|---|---|---|---|
"""


def where(line: Listed) -> str:
    words = []
    if line.kernels != KERNELS:
        words.append(", ".join(line.kernels))
    if line.abis != ABIS:
        words.append(", ".join(f"{abi}-bit" for abi in line.abis))
    if line.front_ends != FRONT_ENDS:
        words.append(", ".join({"file": "file", "cuse": "CUSE"}[front_end] for front_end in line.front_ends))
    return "; ".join(words) or "everywhere"


def row(line: Listed) -> str:
    answers = [f"`{answer}`" if answer else "nothing" for answer in (line.kernel_gives, line.fbemu_gives)]
    cells = [" ".join(f"`{case}`" for case in line.cases), where(line), *answers, line.reason]
    return "| " + " | ".join(cells) + " |\n"


def page() -> str:
    text = HEAD
    for feature in parse_features(FEATURES.read_text()):
        cells = [feature.name, *(feature.kernels[kernel] for kernel in KERNELS), feature.fbemu]
        text += "| " + " | ".join(cells) + " |\n"
    text += BEFORE_DIFFERENCES
    listed = parse_differences(DIFFERENCES.read_text())
    for kind, meaning in CLASSES.items():
        lines = [line for line in listed if line.kind == kind]
        if lines:
            text += f"\n### {kind}\n\n{meaning[0].upper()}{meaning[1:]}.\n{COLUMNS}" + "".join(map(row, lines))
    return text


def main(arguments: Sequence[str]) -> int:
    try:
        text = page()
    except ListError as error:
        print(error, file=sys.stderr)
        return 1
    if not arguments:
        sys.stdout.write(text)
        return 0
    if len(arguments) != 2 or arguments[0] != "--check":
        print(__doc__, file=sys.stderr)
        return 2
    if Path(arguments[1]).read_text() != text:
        print(f"{arguments[1]} is not what tests/vm/compatibility_table.py prints; write it anew", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
