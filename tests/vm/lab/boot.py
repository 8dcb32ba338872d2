"""The start of a guest: boot()."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import GuestDied, GuestTimeout
from .guest import Guest
from .options import Options, Parts, kernel_command_line, prepare
from .report import say

ATTEMPTS = 2
# Number of boots of this process that fail before the guest's first program; for the tests of the lab.
BREAK_BOOTS = "FBEMU_VM_BREAK_BOOTS"


@contextmanager
def boot(options: Options, console_log: Path | None = None) -> Iterator[Guest]:
    """Gives a running guest, which ends with the block. `console_log` receives the kernel's messages.

    A guest whose agent does not start is booted once more, and the log reports it.
    QEMU is killed when the thread that called this function ends.
    """
    parts = prepare(options)
    folder = Path(tempfile.mkdtemp(prefix="fbemu-vm-"))
    guest: Guest | None = None
    try:
        guest = _boot(options, parts, folder)
        try:
            yield guest
        except GuestDied as error:
            raise GuestDied(f"{error}\n{guest.last_words()}") from None
    finally:
        if guest:
            guest.end()
        if console_log and (folder / "console").exists():
            shutil.copyfile(folder / "console", console_log)
        shutil.rmtree(folder, ignore_errors=True)


def _boot(options: Options, parts: Parts, folder: Path) -> Guest:
    for attempt in range(1, ATTEMPTS + 1):
        guest = Guest(options, parts, folder)
        try:
            guest.start(_command_line(options))
            return guest
        except (GuestDied, GuestTimeout) as error:
            guest.end()
            said = f"{parts.kernel.name} with {options.gpu} died early in boot (attempt {attempt} of {ATTEMPTS}): {error}\n{guest.last_words()}"
            if attempt == ATTEMPTS:
                raise GuestDied(said) from None
            say(f"{said}\nvm: booting it once more")
        except BaseException:
            guest.end()
            raise
    raise AssertionError("unreachable")


def _command_line(options: Options) -> str:
    line = kernel_command_line(options)
    broken = int(os.environ.get(BREAK_BOOTS, "0"))
    if broken > 0:
        os.environ[BREAK_BOOTS] = str(broken - 1)
        line += " rdinit=/lab/missing root=/dev/missing"
    return line
