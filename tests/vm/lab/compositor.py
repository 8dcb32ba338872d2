"""Weston in a guest: a compositor whose desktop has one colour, by which tests recognize it."""

from . import rootfs
from .channel import Job
from .errors import GuestTimeout, LabError
from .guest import Guest
from .picture import Picture

assert "weston" in rootfs.PACKAGES

COLOUR = (0x2A, 0x6B, 0x4F)
READY_SECONDS = 60.0
STOP_SECONDS = 20.0
_FOLDER = "/run/weston"
_SETTINGS = f"""\
[core]
# The guests have a keyboard, but no test depends on it.
require-input=false
# Otherwise it turns the screen off.
idle-time=0

[shell]
background-color=0xff{COLOUR[0]:02x}{COLOUR[1]:02x}{COLOUR[2]:02x}
panel-position=none
animation=none
startup-animation=none
close-animation=none
locking=false
"""

# KDSKBMODE K_UNICODE, KDSETMODE KD_TEXT, VT_SETMODE VT_AUTO (linux/kd.h, linux/vt.h)
_RESET_TERMINAL = """\
import fcntl, os, sys
terminal = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
for request, argument in ((0x4B45, 3), (0x4B3A, 0), (0x5602, bytes(8))):
    fcntl.ioctl(terminal, request, argument)
"""


class Compositor:
    """A running weston on the VT `terminal`."""

    def __init__(self, guest: Guest, job: Job, terminal: int) -> None:
        self.guest = guest
        self.job = job
        self.terminal = terminal

    @property
    def log(self) -> str:
        return (self.job.stdout + self.job.stderr).decode(errors="replace")

    def wait_log(self, words: str, timeout: float = READY_SECONDS) -> None:
        self.job.wait_for(lambda: words in self.log or self.job.status is not None, timeout, f"say {words!r}")
        if words not in self.log:
            raise LabError(f"weston ended with status {self.job.status} and did not say {words!r}:\n{self.log}")

    def wait_desktop(self, timeout: float = READY_SECONDS, head: int = 0) -> Picture:
        """Waits until the screen shows the desktop and nothing else."""
        picture = self.guest.wait_screen(lambda now: shows_desktop(now) or self.job.status is not None, timeout, head)
        if not shows_desktop(picture):
            raise GuestTimeout(f"weston does not show its desktop (status {self.job.status}); it said:\n{self.log}")
        return picture

    def stop(self) -> int:
        """Ends weston with SIGTERM, as its user would. The VT shows its text again. Returns the exit status."""
        # A signal to the process group would also end its helpers, and weston fails if one of them ends first.
        self.guest.run(["pkill", "-x", "weston"])
        return self.job.wait(STOP_SECONDS)

    def kill(self) -> None:
        """Kills weston, so it cleans nothing up: its VT stays active, in graphics mode."""
        self.job.signal(9)
        self.job.wait(STOP_SECONDS)

    def reset_terminal(self) -> None:
        """Makes the VT show text again, as logind and getty do after a compositor was killed. The kernel alone leaves it dark."""
        self.guest.run(["python3", "-IS", "-c", _RESET_TERMINAL, f"/dev/tty{self.terminal}"])


def shows_desktop(picture: Picture) -> bool:
    return picture.rgb == bytes(COLOUR) * (picture.width * picture.height)


def start(guest: Guest, *, terminal: int = 2, wait: bool = True) -> Compositor:
    """Starts weston on a VT, which becomes the active one. If `wait` is set, returns when the screen shows the desktop."""
    guest.run(["install", "-d", "-m", "700", _FOLDER])
    guest.write_file(f"{_FOLDER}/weston.ini", _SETTINGS.encode())
    guest.run(["chvt", str(terminal)])
    # The guest has no logind. With --tty, weston opens VT and devices itself, which needs root.
    words = ["weston", "--backend=drm-backend.so", "--use-pixman", f"--tty={terminal}", f"--config={_FOLDER}/weston.ini"]
    job = guest.spawn(words, env={"XDG_RUNTIME_DIR": _FOLDER})
    compositor = Compositor(guest, job, terminal)
    if wait:
        compositor.wait_desktop()
    return compositor
