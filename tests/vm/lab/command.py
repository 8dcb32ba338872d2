"""Runs programs of the host, with their output in a log and progress messages for the long ones."""

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from .errors import LabError
from .report import say, tail

HEARTBEAT_SECONDS = 30.0


def logged(argv: Sequence[str | Path], log: Path, *, cwd: Path | None = None, timeout: float = 3600.0,
           env: Mapping[str, str] | None = None, what: str | None = None) -> None:
    """Runs argv and appends both outputs to `log`. Raises LabError with the end of the log if argv fails."""
    words = [str(word) for word in argv]
    name = what or Path(words[0]).name
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as out:
        out.write(f"$ {' '.join(words)}\n")
        out.flush()
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, cwd=cwd,
                                   env={**os.environ, **(env or {})})
        try:
            _wait(process, name, log, timeout)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    if process.returncode:
        raise LabError(f"{name} failed with status {process.returncode}; the end of {log}:\n{tail(log)}")


def _wait(process: subprocess.Popen[bytes], name: str, log: Path, timeout: float) -> None:
    start = time.monotonic()
    while True:
        try:
            process.wait(HEARTBEAT_SECONDS)
            return
        except subprocess.TimeoutExpired:
            passed = time.monotonic() - start
            if passed > timeout:
                raise LabError(f"{name} did not end within {timeout:.0f} s; the end of {log}:\n{tail(log)}") from None
            last = tail(log, 1).strip()
            say(f"  {name}, {passed:.0f} s: {last[:100]}")


def output(argv: Sequence[str | Path], *, timeout: float = 300.0) -> str:
    """Returns the standard output of a short program."""
    words = [str(word) for word in argv]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout,
                          env={**os.environ, "LC_ALL": "C"})
    if done.returncode:
        raise LabError(f"{' '.join(words)} failed with status {done.returncode}: {done.stderr.strip()}")
    return done.stdout
