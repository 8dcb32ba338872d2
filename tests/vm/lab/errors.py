"""What can go wrong, and the exit status that goes with it."""


class LabError(Exception):
    """The lab itself failed. Never used for a command that ran in the guest and returned non-zero."""

    exit_status = 125


class Skipped(LabError):
    """Something that the machine has to offer is missing (network, QEMU, a package). 77 is ctest's and automake's number for it."""

    exit_status = 77


class GuestDied(LabError):
    """QEMU ended, or the guest's kernel stopped, when it should have run on."""


class GuestTimeout(LabError):
    """A guest did not do in time what was waited for."""

    exit_status = 124


class CommandFailed(LabError):
    """A command run with check=True returned non-zero."""
