#!/usr/bin/env python3
"""Checks the English of comments and documents as far as a script can: english.py SOURCE-FOLDER [FILE...]

docs/style.md has the rule. Two parts of it are checked here:
  * a sentence has at most 25 words;
  * the turns of phrase in BANNED do not occur.

Comments are those of C, C++, Python and CMake, with the docstrings of Python. A sentence ends with a full stop, a colon, a semicolon, a
question mark, or an empty line. Text between backquotes counts as one word; a list item, a table cell and a doxygen tag begin a sentence.
"""

import ast
import io
import re
import sys
import tokenize
from pathlib import Path

MOST_WORDS = 25
# (regular expression, what to say instead)
BANNED = (
    (r"\bof ours\b", "our ..., or the name of the thing"),
    (r"\bas there\b", "as FUNCTION does"),
    (r"\bone that is none\b", "name the thing"),
    (r"\bfor good\b", "permanently"),
    (r"\bthe same of\b", "name the thing again"),
    (r"\bhears?\b", "receives"),
    (r"\btells?\b", "reports, says"),
    (r"\btold\b", "reported"),
    (r"\b(is|are|was|were|has|have|had) gone\b", "unplugged, killed, detached, removed"),
    (r"\btaken away\b", "unmounted, removed"),
    (r"\bpatien(ce|t|tly)\b", "timeout"),
    (r"\b[Ww]here (there|it|this|that|the|no|a|an|any|another|one|he|they|we|some|nothing|nobody)\b(?! (is|are|lies?|stands?|goes?|comes?)\b)",
     "if, or when"),
    (r"\bWhether or not\b", "whether"),
    (r"\bso long (may|is|a|the)\b", "a name for the limit: 'Flip timeout'"),
    (r"\bso many\b", "a name for the limit: 'Maximum number of ...'"),
)
# How the comment of a C++ function or type and a docstring must not begin.
BANNED_STARTS = ((r"^(What|Who|Whose|Whether|How|Of|So) ", "a verb or a noun"),)
SOURCES = ("base", "drmclient", "fbemu", "cuse")


def comment_blocks(text):
    """Yields (line number, text, is a documentation comment) of each run of // comments."""
    block, start, documentation = [], 0, False
    for number, line in enumerate([*text.split("\n"), ""], 1):
        match = re.match(r"^\s*(///?)<?\s?(.*)$", line)
        trailing = None if match else re.search(r"\s(///<|//)\s+(.*)$", line)
        if match and not (block and documentation != (match[1] == "///")):
            if not block:
                start, documentation = number, match[1] == "///"
            block.append(match[2])
            continue
        if block:
            yield start, block, documentation
            block = []
        if match:
            block, start, documentation = [match[2]], number, match[1] == "///"
        elif trailing and '"' not in line[: trailing.start()] and "NOLINT" not in trailing[2]:
            yield number, [trailing[2]], False


def hash_blocks(comments):
    """Yields (line number, lines) of each run of `#` comments. `comments` has (line number, is alone on its line, text) of each one."""
    block, start = [], 0
    for number, alone, text in comments:
        if block and not (alone and number == start + len(block)):
            yield start, block
            block = []
        if alone:
            if not block:
                start = number
            block.append(text)
        else:
            yield number, [text]
    if block:
        yield start, block


def python_blocks(text):
    """Yields (line number, lines, is a docstring) of comments and docstrings."""
    comments = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and not re.match(r"#!|# (noqa|type):", token.string):
            comments.append((token.start[0], not token.line[:token.start[1]].strip(), re.sub(r"\s+# noqa.*", "", token.string.lstrip("# "))))
    yield from ((line, lines, False) for line, lines in hash_blocks(comments))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            line = node.body[0].lineno
            first = True
            for start, block in markdown_blocks(ast.get_docstring(node)):
                yield line + start - 1, block, first and not isinstance(node, ast.Module)
                first = False


def cmake_blocks(text):
    """Yields (line number, lines) of the comments."""
    comments = []
    for number, line in enumerate(text.split("\n"), 1):
        if match := re.match(r'((?:[^"#]|"(?:[^"\\]|\\.)*")*)#(.*)$', line):
            comments.append((number, not match[1].strip(), match[2].strip()))
    yield from hash_blocks(comments)


def markdown_blocks(text):
    """Yields (line number, lines) of each paragraph, without code."""
    block, start, code = [], 0, False
    for number, line in enumerate([*text.split("\n"), ""], 1):
        if line.startswith("```"):
            code = not code
            line = ""
        item = re.match(r"^\s*([*-]|\d+\.|#+|\|)\s?", line)
        if code or not line.strip() or line.startswith("    ") and not block or item:
            if block:
                yield start, block
            block = []
        if code or not line.strip() or (line.startswith("    ") and not block):
            continue
        if not block:
            start = number
        if line.lstrip().startswith("|"):
            for cell in line.strip().strip("|").split("|"):
                yield number, [cell]
            block = []
        else:
            block.append(line)


def sentences(lines):
    text = " ".join(lines)
    text = re.sub(r"`[^`]*`", "CODE", text)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    return re.split(r"(?<=[.:;?!])\s+|(?<=[.:;?!])\)\s+", text)


def words(sentence):
    return len(re.findall(r"[A-Za-z0-9_$/~'][^\s]*", sentence))


def check_text(name, line, lines, starts):
    for sentence in sentences(lines):
        count = words(sentence)
        if count > MOST_WORDS:
            yield f"{name}:{line}: a sentence of {count} words: {sentence.strip()[:70]}..."
    text = re.sub(r"`[^`]*`", "CODE", " ".join(lines))
    for pattern, instead in BANNED:
        if match := re.search(pattern, text):
            yield f'{name}:{line}: "{match[0]}"; say: {instead}'
    if starts:
        for pattern, instead in BANNED_STARTS:
            if match := re.search(pattern, text):
                yield f'{name}:{line}: begins with "{match[0].strip()}"; begin with {instead}'


def check_file(root, name):
    text = (root / name).read_text()
    if name.endswith(".md"):
        for line, lines in markdown_blocks(text):
            yield from check_text(name, line, lines, False)
    elif name.endswith(".py"):
        for line, lines, documentation in python_blocks(text):
            yield from check_text(name, line, lines, documentation)
    elif name.endswith((".cmake", ".txt")):
        for line, lines in cmake_blocks(text):
            yield from check_text(name, line, lines, False)
    else:
        for line, lines, documentation in comment_blocks(text):
            yield from check_text(name, line, lines, documentation)


def is_checked(path):
    return path.suffix in (".h", ".cc", ".c", ".py", ".cmake") or path.name == "CMakeLists.txt"


def files(root):
    for folder in (*SOURCES, "tests"):
        yield from (str(f.relative_to(root)) for f in sorted((root / folder).rglob("*")) if is_checked(f))
    yield from (str(f.relative_to(root)) for f in [*sorted(root.glob("*.md")), *sorted((root / "docs").glob("*.md")),
                                                     *sorted((root / "tests").rglob("*.md"))])


def main():
    root = Path(sys.argv[1])
    names = sys.argv[2:] or list(files(root))
    errors = [error for name in names for error in check_file(root, name)]
    for error in errors:
        print(error)
    sys.exit(1 if errors else 0)


if __name__ == "__main__":
    main()
