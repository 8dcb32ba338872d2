"""One guest with one command or shell, for scripts/vm."""

import argparse
import fcntl
import os
import shlex
import signal
import struct
import termios
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import fbemu
from .boot import boot
from .channel import Job
from .errors import CommandFailed, GuestTimeout, LabError
from .guest import Guest
from .options import Options
from .report import say


def packages(lists: list[str]) -> tuple[str, ...]:
    return tuple(sorted({name for words in lists for name in words.split(",") if name}))


@dataclass(frozen=True)
class _Session:
    guest: Guest
    daemon: fbemu.Fbemu | None
    fetches: list[tuple[str, Path]]

    @property
    def environment(self) -> dict[str, str]:
        return {"FRAMEBUFFER": self.daemon.node if self.daemon else "/dev/fb0"}

    def finish(self, status: int) -> int:
        """Fetches the files and stops fbemud after the command has ended with `status`. Returns the status of the run."""
        for remote, here in self.fetches:
            try:
                self.guest.get(remote if remote.startswith("/") else f"/root/{remote}", here)
            except CommandFailed as error:
                say(f"--fetch: {error}")
                # A failed command may not have made its file.
                status = status or error.exit_status
        if self.daemon:
            _stop(self.daemon)
        return status


@contextmanager
def _booted(options: argparse.Namespace) -> Iterator[_Session]:
    """Gives a guest with the copied files and a running fbemud."""
    # Errors of the command line are reported before anything is fetched or booted.
    build = None if options.no_fbemu else fbemu.find_build(options.build)
    fetches = [_fetch_pair(words) for words in options.fetch]
    for path in options.copy:
        if not path.exists():
            raise LabError(f"--copy: there is no {path}")
    for path in [*(here for _, here in fetches), *([options.screenshot] if options.screenshot else [])]:
        if not path.absolute().parent.is_dir():
            raise LabError(f"there is no folder {path.absolute().parent} to write {path.name} into")
    wanted = Options(kernel=options.kernel, gpu=options.gpu, kernel_fbdev=options.kernel_fbdev, kernel_args=options.kernel_args,
                     packages=packages(options.install))
    with boot(wanted, options.log) as guest:
        for path in options.copy:
            guest.put(path, f"/root/{path.resolve().name}")
        daemon = fbemu.start(guest, build, shlex.split(options.fbemud_args)) if build else None
        yield _Session(guest, daemon, fetches)


def _fetch_pair(words: str) -> tuple[str, Path]:
    remote, sign, here = words.rpartition("=")
    if not sign or not remote or not here:
        raise LabError(f"--fetch {words}: FILE=HERE is wanted")
    return remote, Path(here)


def _stop(daemon: fbemu.Fbemu) -> None:
    early = daemon.job.status
    if early is not None:
        say(f"fbemud ended on its own with status {early}; it said:\n{daemon.log}")
        return
    try:
        status = daemon.stop()
    except GuestTimeout as error:
        say(f"{error}; it said:\n{daemon.log}")
        return
    if status:
        say(f"fbemud ended with status {status}; it said:\n{daemon.log}")


class _Output:
    """Copies the command's output to the standard output, and finds the line that requests a picture."""

    LINE = b"SCREENSHOT"

    def __init__(self) -> None:
        self.asked = False
        self._line = b""
        self._closed = False

    def stdout(self, data: bytes) -> None:
        self._pass(data, 1)
        if not self.asked:
            *lines, self._line = (self._line + data).split(b"\n")
            self.asked = any(line.rstrip(b"\r") == self.LINE for line in lines)
            self._line = self._line[:len(self.LINE) + 2]

    def stderr(self, data: bytes) -> None:
        self._pass(data, 2)

    def _pass(self, data: bytes, fd: int) -> None:
        view = memoryview(data)
        try:
            while view and not self._closed:
                view = view[os.write(fd, view):]
        except BrokenPipeError:
            self._closed = True  # The reader has ended. The command continues, and its status counts.


def run(options: argparse.Namespace) -> int:
    command = options.command
    argv = ["/bin/bash", "-c", command[0]] if len(command) == 1 else command
    timeout = options.timeout or threading.TIMEOUT_MAX
    with _booted(options) as session:
        output = _Output()
        job = session.guest.spawn(argv, env=session.environment, stdin=bool(options.screenshot), on_stdout=output.stdout, on_stderr=output.stderr)
        try:
            if options.screenshot:
                job.wait_for(lambda: output.asked or job.status is not None, timeout, "end")
                session.guest.settled_screen().save(options.screenshot)
                job.write(b"\n")
                job.close_stdin()
            status = job.wait(timeout)
        except GuestTimeout:
            job.signal(signal.SIGKILL)
            raise
        return session.finish(status)


def shell(options: argparse.Namespace) -> int:
    with _booted(options) as session:
        if os.isatty(0) and os.isatty(1):
            say("a root shell in the guest; exit ends it")
            status = _terminal(session)
        else:
            output = _Output()
            job = session.guest.spawn(["/bin/bash"], env=session.environment, stdin=True, on_stdout=output.stdout, on_stderr=output.stderr)
            _forward_input(job)
            status = job.wait(threading.TIMEOUT_MAX)
        if options.screenshot:
            session.guest.settled_screen().save(options.screenshot)
        return session.finish(status)


def _terminal(session: _Session) -> int:
    output = _Output()
    environment = {**session.environment, "TERM": os.environ.get("TERM", "linux")}
    job = session.guest.spawn(["/bin/bash", "-l"], env=environment, terminal=_size(), on_stdout=output.stdout)
    signal.signal(signal.SIGWINCH, lambda *_: job.resize(*_size()))
    before = termios.tcgetattr(0)
    tty.setraw(0)
    try:
        _forward_input(job)
        return job.wait(threading.TIMEOUT_MAX)
    finally:
        signal.signal(signal.SIGWINCH, signal.SIG_DFL)
        termios.tcsetattr(0, termios.TCSADRAIN, before)


def _size() -> tuple[int, int]:
    rows, columns, _, _ = struct.unpack("HHHH", fcntl.ioctl(0, termios.TIOCGWINSZ, b"\0" * 8))
    return rows, columns


def _forward_input(job: Job) -> None:
    def forward() -> None:
        try:
            while data := os.read(0, 4096):
                job.write(data)
            job.close_stdin()
        except (OSError, LabError):
            pass  # The guest has ended, and the other thread reports it.

    threading.Thread(target=forward, name="input", daemon=True).start()
