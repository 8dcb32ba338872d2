"""Progress messages. They go to stderr, because the standard output has the output of the guest's command."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_lock = threading.Lock()


def say(text: str) -> None:
    with _lock:
        print(f"vm: {text}", file=sys.stderr, flush=True)


@contextmanager
def step(what: str) -> Iterator[None]:
    say(f"{what} ...")
    start = time.monotonic()
    yield
    say(f"{what}: done in {time.monotonic() - start:.1f} s")


def tail(path: Path, lines: int = 30) -> str:
    """Returns the end of a log, for an error message."""
    try:
        text = path.read_text(errors="replace")
    except FileNotFoundError:
        return "(no log was written)"
    return "\n".join("    " + line for line in text.splitlines()[-lines:])
