"""A guest: its commands, files and screen."""

import re
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import qemu, vnc
from .channel import Job, Sink
from .drivers import driver
from .errors import CommandFailed, GuestTimeout, LabError
from .machine import Machine
from .picture import Picture

# The kernel's emulation shows pixels up to 50 ms after they were drawn, so pictures must be further apart.
SETTLE_SECONDS = 0.15
_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Completed:
    status: int
    stdout: bytes
    stderr: bytes

    @property
    def text(self) -> str:
        return self.stdout.decode(errors="replace")


class Guest(Machine):
    # The build of fbemu whose programs were copied by fbemu.install().
    has_build: object = None

    # Commands

    def spawn(self, argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: str = "/root", stdin: bool = False,
              terminal: tuple[int, int] | None = None, notify: bool = False, on_stdout: Sink | None = None,
              on_stderr: Sink | None = None) -> Job:
        """Starts a command as root and does not wait for it.

        stdin: the input comes from Job.write(), otherwise from /dev/null. terminal: rows and columns of a new terminal. notify: the
        command gets a NOTIFY_SOCKET. on_stdout and on_stderr receive the output, in another thread, in place of Job.stdout and
        Job.stderr. They must not call the guest.
        """
        return self.channel.start(list(argv), env=env or {}, cwd=cwd, stdin=stdin, terminal=terminal, notify=notify,
                                  on_stdout=on_stdout, on_stderr=on_stderr)

    def run(self, argv: Sequence[str] | str, *, input: bytes | None = None, env: Mapping[str, str] | None = None, cwd: str = "/root",
            timeout: float = 120.0, check: bool = True) -> Completed:
        """Runs a command as root and returns its exact output. A string is run by the shell."""
        words = ["/bin/bash", "-c", argv] if isinstance(argv, str) else list(argv)
        job = self.spawn(words, env=env, cwd=cwd, stdin=input is not None)
        if input is not None:
            job.write(input)
            job.close_stdin()
        try:
            status = job.wait(timeout)
        except GuestTimeout:
            job.signal(9)
            raise
        done = Completed(status, job.stdout, job.stderr)
        if check and status:
            shown = argv if isinstance(argv, str) else " ".join(argv)
            raise CommandFailed(f"in the guest {shown!r} ended with status {status}: {done.stderr.decode(errors='replace').strip()}")
        return done

    def wait_until(self, argv: Sequence[str] | str, timeout: float = 60.0) -> None:
        """Repeats a command until it succeeds."""
        end = time.monotonic() + timeout
        while self.run(argv, check=False, timeout=timeout).status:
            if time.monotonic() > end:
                raise GuestTimeout(f"in the guest {argv!r} did not succeed within {timeout:.0f} s")
            time.sleep(_POLL_SECONDS)

    def wait_for(self, condition: Callable[[], bool], timeout: float, what: str) -> None:
        """Repeats `condition`, which may call the guest, until it is true."""
        end = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > end:
                raise GuestTimeout(f"the guest did not {what} within {timeout:.0f} s")
            time.sleep(_POLL_SECONDS)

    # Files

    def write_file(self, path: str, data: bytes, mode: int = 0o644, timeout: float = 300.0) -> None:
        script = 'mkdir -p "$(dirname "$1")" && cat > "$1" && chmod "$2" "$1"'
        self.run(["/bin/sh", "-c", script, "put", path, f"{mode:o}"], input=data, timeout=timeout)

    def read_file(self, path: str, timeout: float = 300.0) -> bytes:
        return self.run(["cat", "--", path], timeout=timeout).stdout

    def put(self, local: Path, remote: str) -> None:
        """Copies a file or a folder into the guest, with its mode."""
        if local.is_dir():
            packed = subprocess.run(["tar", "-C", str(local), "-cf", "-", "."], stdout=subprocess.PIPE, check=True).stdout
            self.run(["/bin/sh", "-c", 'mkdir -p "$1" && tar -C "$1" --no-same-owner -xf -', "put", remote], input=packed, timeout=300)
            return
        try:
            data = local.read_bytes()
        except OSError as error:
            raise LabError(f"cannot read {local}: {error.strerror}") from None
        self.write_file(remote, data, local.stat().st_mode & 0o777)

    def get(self, remote: str, local: Path) -> None:
        data = self.read_file(remote)
        try:
            local.write_bytes(data)
        except OSError as error:
            raise LabError(f"cannot write {local}: {error.strerror}") from None

    # The screen

    def screen(self, head: int = 0) -> Picture:
        """Returns the picture on the screen now."""
        path = self._folder / "screen.ppm"
        # Only a card that can have several heads has a name.
        where = {"device": qemu.CARD_ID, "head": head} if head else {}
        self.qmp("screendump", filename=str(path), **where)
        try:
            return Picture.from_ppm(path.read_bytes())
        finally:
            path.unlink()

    def wait_screen(self, condition: Callable[[Picture], bool], timeout: float = 10.0, head: int = 0) -> Picture:
        """Waits until `condition` is true for the screen. Returns the last picture, also after the timeout, for a message."""
        end = time.monotonic() + timeout
        while True:
            picture = self.screen(head)
            if condition(picture) or time.monotonic() > end:
                return picture
            time.sleep(_POLL_SECONDS)

    def settled_screen(self, timeout: float = 2.0, head: int = 0) -> Picture:
        """Returns the screen when it does not change any more, or after the timeout."""
        end = time.monotonic() + timeout
        last = self.screen(head)
        while time.monotonic() < end:
            time.sleep(SETTLE_SECONDS)
            now = self.screen(head)
            if now == last:
                break
            last = now
        return last

    # Events from outside the guest

    def resize_display(self, width: int, height: int, head: int = 0) -> None:
        """Resizes a display, as a user who drags a corner of the window: the card gets a new preferred mode and a hotplug event.

        0x0 disconnects the head. Needs Options.resizable. Returns when the guest's driver has received the event. Its programs react
        later.
        """
        if not self.options.resizable:
            raise LabError("this guest's display cannot be resized; Options.resizable makes one whose can")
        # The driver acknowledges an event after it has handled it (virtio_gpu_config_changed_work_func()), and with it all later
        # ones. So a second size in that time would be lost.
        self._wait_events_taken()
        vnc.resize(self._vnc_path(head), width, height)
        self._wait_events_taken()

    def _wait_events_taken(self, timeout: float = 20.0) -> None:
        end = time.monotonic() + timeout
        while self._read_physical(self._events_register()):
            if time.monotonic() > end:
                raise GuestTimeout(f"the guest's driver did not take the event of its card within {timeout:.0f} s")
            time.sleep(_POLL_SECONDS)

    def _events_register(self) -> int:
        """Returns the address of events_read, the first field of a virtio GPU's configuration (Virtual I/O Device 1.2, 5.7.4)."""
        found = re.search(r"([0-9a-f]{16})-[0-9a-f]{16} \(prio .*: virtio-pci-device-virtio-(?:vga|gpu)", self._monitor_command("info mtree"))
        if not found:
            raise LabError("QEMU names no configuration of a virtio GPU in its map of the memory")
        return int(found[1], 16)

    def _read_physical(self, address: int) -> int:
        return int(self._monitor_command(f"xp /1wx {address:#x}").split(":")[1], 16)

    def _monitor_command(self, line: str) -> str:
        return str(self.qmp("human-monitor-command", **{"command-line": line}))

    def suspend_and_wake(self, level: str | None = None, timeout: float = 60.0, asleep: float = 0.0) -> None:
        """Suspends the guest and wakes it; returns when it runs again. The default level is Driver.suspend.

        asleep: seconds for which the guest stays suspended if the level is "mem".
        """
        wanted = level or driver(self.options.gpu).suspend
        rehearsal = "none" if wanted == "mem" else wanted
        self.run(f"echo {rehearsal} > /sys/power/pm_test && echo 0 > /sys/module/suspend/parameters/pm_test_delay")
        job = self.spawn(["/bin/sh", "-c", "echo mem > /sys/power/state"])
        if rehearsal == "none":
            self._wait_suspended(job, timeout)
            time.sleep(asleep)
            self.qmp("system_wakeup")
        if job.wait(timeout):
            raise _not_suspended(job)

    def _wait_suspended(self, job: Job, timeout: float) -> None:
        end = time.monotonic() + timeout
        while self.qmp("query-status")["status"] != "suspended":
            if job.status is not None:
                raise _not_suspended(job)
            if time.monotonic() > end:
                raise GuestTimeout(f"the guest was not suspended within {timeout:.0f} s")
            time.sleep(_POLL_SECONDS)


def _not_suspended(job: Job) -> CommandFailed:
    return CommandFailed(f"suspending the guest ended with status {job.status}: {job.stderr.decode(errors='replace').strip()}")
