"""The comparison of the kernel's own framebuffer with fbemu's, case by case, and the list of the accepted differences.

programs/differential runs the cases; its header describes a line of its output. Two lists lie beside the tests:

differences.txt has one line for each kind of difference, with columns separated by `|`:

    kernels | ABIs | front ends | cases | what the kernel gives | what fbemu gives | class | reason

Kernels, ABIs, front ends and cases are words with spaces between them; `*` in the first three stands for all. In cases and answers `*`
stands for any text and `?` for any character. An empty answer is written as `-`.

features.txt has one line for each line of docs/compatibility.md, with the case that shows it. The file describes its columns.
"""

import re
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path

from . import tools
from .command import output

FOLDER = Path(__file__).resolve().parent.parent
SOURCES = FOLDER / "programs" / "differential"
DIFFERENCES = FOLDER / "differences.txt"
FEATURES = FOLDER / "features.txt"

KERNELS = ("6.1", "6.12", "7.2")
ABIS = ("64", "32")
FRONT_ENDS = ("file", "cuse")
CLASSES = {
    "better": "fbemu supports something that the kernel's emulation does not",
    "kernel-defect": "the kernel's emulation has a defect that fbemu does not have",
    "kernel-version": "the kernel versions differ from each other, and fbemu is the same on all of them",
    "limit": "fbemu cannot do something that the kernel's emulation does",
}

# The answers of the program by the names of the cases.
Answers = dict[str, str]


class ListError(Exception):
    """A line of a list that is incomplete or contradicts itself."""


@dataclass(frozen=True)
class Where:
    kernel: str
    abi: str
    front_end: str

    def __str__(self) -> str:
        return f"{self.kernel}, {self.abi}-bit, {self.front_end}"


@dataclass(frozen=True)
class Difference:
    where: Where
    case: str
    kernel_gives: str
    fbemu_gives: str

    def __str__(self) -> str:
        return f"{self.where}: {self.case}: the kernel gives {self.kernel_gives or '-'!r}, fbemu {self.fbemu_gives or '-'!r}"


@dataclass(frozen=True)
class Listed:
    """A line of differences.txt."""

    number: int
    kernels: tuple[str, ...]
    abis: tuple[str, ...]
    front_ends: tuple[str, ...]
    cases: tuple[str, ...]
    kernel_gives: str
    fbemu_gives: str
    kind: str
    reason: str

    def covers(self, where: Where) -> bool:
        return where.kernel in self.kernels and where.abi in self.abis and where.front_end in self.front_ends

    def is_of(self, difference: Difference) -> bool:
        return (self.covers(difference.where) and any(matches(case, difference.case) for case in self.cases)
                and matches(self.kernel_gives, difference.kernel_gives) and matches(self.fbemu_gives, difference.fbemu_gives))


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in pattern))


def matches(pattern: str, text: str) -> bool:
    return _expression(pattern).fullmatch(text) is not None


def _lines(text: str, columns: int, name: str) -> Iterable[tuple[int, list[str]]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = [field.strip() for field in line.split("|")]
        if len(fields) != columns or not all(fields):
            raise ListError(f"{name}:{number}: {columns} columns are wanted, none of them empty: {line}")
        yield number, fields


def _words(field: str, known: Sequence[str], where: str) -> tuple[str, ...]:
    if field == "*":
        return tuple(known)
    words = tuple(field.split())
    for word in words:
        if word not in known:
            raise ListError(f"{where}: {word!r} is none of {', '.join(known)}")
    return words


def parse_differences(text: str) -> list[Listed]:
    found = []
    for number, fields in _lines(text, 8, "differences.txt"):
        where = f"differences.txt:{number}"
        kernels, abis, front_ends, cases, kernel_gives, fbemu_gives, kind, reason = fields
        if kind not in CLASSES:
            raise ListError(f"{where}: {kind!r} is none of the classes {', '.join(CLASSES)}")
        if kernel_gives == "*" and fbemu_gives == "*":
            raise ListError(f"{where}: one of the two answers has to be said")
        if cases == "*":
            raise ListError(f"{where}: the cases have to be said")
        found.append(Listed(number, _words(kernels, KERNELS, where), _words(abis, ABIS, where), _words(front_ends, FRONT_ENDS, where),
                            tuple(cases.split()), "" if kernel_gives == "-" else kernel_gives, "" if fbemu_gives == "-" else fbemu_gives,
                            kind, reason))
    return found


@dataclass(frozen=True)
class Feature:
    """A line of features.txt."""

    number: int
    name: str
    case: str
    abi: str
    front_end: str
    # The words of the table, and the answers for which they stand.
    words: dict[str, str]
    kernels: dict[str, str]
    fbemu: str

    def word_for(self, answer: str) -> str:
        return next((word for word, pattern in self.words.items() if matches(pattern, answer)), f"unknown ({answer})")


def parse_features(text: str) -> list[Feature]:
    found = []
    for number, fields in _lines(text, 7, "features.txt"):
        words = {}
        for part in fields[2].split(";"):
            word, separator, pattern = part.partition(":")
            if not separator or not pattern.strip():
                raise ListError(f"features.txt:{number}: {part.strip()!r} is not `word: answer`")
            words[word.strip()] = pattern.strip()
        for cell in fields[3:]:
            if cell not in words:
                raise ListError(f"features.txt:{number}: {cell!r} is none of the words {', '.join(words)}")
        case, abi, front_end, *more = [*fields[1].split(), *("64", "file")[len(fields[1].split()) - 1:]]
        if more or abi not in ABIS or front_end not in FRONT_ENDS:
            raise ListError(f"features.txt:{number}: {fields[1]!r} is not a case, an ABI and a front end")
        found.append(Feature(number, fields[0], case, abi, front_end, words, dict(zip(KERNELS, fields[3:6], strict=True)), fields[6]))
    return found


def parse_answers(text: str) -> Answers:
    """Returns the answers in the output of the program. Raises ListError if it is incomplete."""
    lines = text.splitlines()
    if not lines or lines[-1] != "end":
        raise ListError(f"the program did not come to its end; the last lines are {lines[-3:]}")
    answers: Answers = {}
    for line in lines[:-1]:
        case, _, answer = line.partition(" ")
        if case in answers:
            raise ListError(f"two cases are called {case}")
        answers[case] = answer.strip()
    return answers


def compare(where: Where, kernel: Answers, fbemu: Answers) -> list[Difference]:
    """Returns the differences of the cases that ran on fbemu. The CUSE device has fewer cases."""
    missing = [case for case in fbemu if case not in kernel]
    if missing:
        raise ListError(f"{where}: cases that only fbemu was asked: {missing}")
    return [Difference(where, case, kernel[case], answer) for case, answer in fbemu.items() if kernel[case] != answer]


def review(listed: Sequence[Listed], differences: Sequence[Difference], asked: dict[Where, Iterable[str]]) -> list[str]:
    """Returns the errors: differences that not exactly one line lists, and lines without a difference."""
    problems = []
    seen: set[tuple[int, Where, str]] = set()
    for difference in differences:
        lines = [line for line in listed if line.is_of(difference)]
        if not lines:
            problems.append(f"not listed: {difference}")
        elif len(lines) > 1:
            problems.append(f"listed on lines {', '.join(str(line.number) for line in lines)}: {difference}")
        for line in lines:
            seen.update((line.number, difference.where, case) for case in line.cases if matches(case, difference.case))
    for line in listed:
        problems += _stale(line, seen, asked)
    return problems


def _stale(line: Listed, seen: set[tuple[int, Where, str]], asked: dict[Where, Iterable[str]]) -> list[str]:
    """Returns the kernels, ABIs, front ends and patterns of a line for which there is no difference, although their cases ran."""
    problems = []
    for where, case in product(map(lambda words: Where(*words), product(line.kernels, line.abis, line.front_ends)), line.cases):
        was_asked = any(matches(case, name) for name in asked.get(where, ()))
        if was_asked and (line.number, where, case) not in seen:
            problems.append(f"differences.txt:{line.number}: no such difference any more: {where}: {case}")
    everywhere = [name for names in asked.values() for name in names]
    problems += [f"differences.txt:{line.number}: no case is called {case}" for case in line.cases
                 if not any(matches(case, name) for name in everywhere)]
    return problems


@cache
def program(bits: int) -> bytes:
    """Returns programs/differential, built as a static program of 64 or 32 bits. A 64-bit compiler without 32-bit libraries builds both."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "differential"
        # Otherwise the compiler replaces the loops in memcpy() and memset() by calls of these functions.
        output([tools.path_of("gcc"), f"-m{bits}", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-nostdlib", "-ffreestanding",
                "-fno-stack-protector", "-fno-pic", "-no-pie", "-fno-tree-loop-distribute-patterns", "-I/usr/include/x86_64-linux-gnu",
                "-o", made, *sorted(SOURCES.glob("*.c"))])
        return made.read_bytes()
